"""What is applied for: 信息服务共享申请表 with its items (Art 44, 45; 2025:20), and what speaks against a form.

What the law asks for may be left empty, so that everything missing can be told at once (2025:21); an item without
its name or statutory basis is refused (Art 44).
"""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from compliance.entry import LegalBasis, Model
from compliance.models import RowScope
from compliance.values import AgencyCode, Day, FieldName, GrantId, ResourceCode, Text, distinct, ordered
from compliance.view import RegisterView
from compliance.workflow import Context
from compliance.workflows.sharing import (
    class_of,
    county_of,
    division_of,
    entry_at,
    not_onboarded,
    not_supplied_by,
    unknown_fields,
)
from schemas.refusals import RefusalCode, Refused
from schemas.words import SharingClass

Mode = Literal["SUBSCRIPTION", "QUERY", "COMPARISON", "FILE"]
_HEAD = ("department", "handler", "phone", "scenario", "business", "system", "purpose", "approved_by", "approved_on")
_ITEM = ("frequency", "valid_from", "valid_until")


class RequestedItem(Model):
    """One item that is asked for.

    Attributes:
        name: 信息名称.
        legal_basis: 法定职权依据 for this item.
        provider: the agency that is to supply it.
        resource: its code in the catalogue; None for information outside the catalogue (Art 45).
        fields: which of its fields.
        rows: of which divisions.
        data_from, data_until: of which time.
        frequency: 更新频率, how often it is needed.
        mode: 共享方式.
        valid_from, valid_until: 使用期限.
        renews: the grant that this one is to follow.
    """

    name: Text | None = None
    legal_basis: LegalBasis | None = None
    provider: AgencyCode
    resource: ResourceCode | None = None
    fields: tuple[FieldName, ...] = ()
    rows: RowScope = RowScope()
    data_from: Day | None = None
    data_until: Day | None = None
    frequency: Text | None = None
    mode: Mode = "SUBSCRIPTION"
    valid_from: Day | None = None
    valid_until: Day | None = None
    renews: GrantId | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        distinct("fields", self.fields)
        if self.valid_from is not None:
            ordered("valid_from", self.valid_from, "valid_until", self.valid_until)
        if self.data_from is not None:
            ordered("data_from", self.data_from, "data_until", self.data_until)
        return self


class Application(Model):
    """The application form.

    Attributes:
        department: 申请处室.
        handler, phone: 经办人 and 联系电话.
        scenario: 应用场景.
        business: 业务事项.
        system: 应用系统.
        purpose: 用途; a grant is bound to it.
        approved_by, approved_on: approval by the head of the unit's sharing office (2025:20).
    """

    department: Text | None = None
    handler: Text | None = Field(default=None, repr=False)
    phone: Text | None = Field(default=None, repr=False)
    scenario: Text | None = None
    business: Text | None = None
    system: Text | None = None
    purpose: Text | None = None
    approved_by: Text | None = Field(default=None, repr=False)
    approved_on: Day | None = None
    items: tuple[RequestedItem, ...] = Field(min_length=1, max_length=200)
    documents: tuple[Text, ...] = ()


class RecordedApplication(Application):
    """An application that came outside the platform, or from an operator: who applies, and when it was received.

    The provider's clock counts from the recorded day (decisions 31, an assumption).
    """

    requester: AgencyCode
    received_on: Day | None = None


def missing(form: Application) -> tuple[str, ...]:
    """Everything that the form lacks, all together (2025:21)."""
    lacking = [name for name in _HEAD if getattr(form, name) is None]
    for place, item in enumerate(form.items):
        lacking += [f"items.{place}.{name}" for name in _ITEM if getattr(item, name) is None]
        if item.resource is not None and not item.fields:
            lacking.append(f"items.{place}.fields")
    return tuple(lacking)


def requester_of(context: Context) -> str | None:
    """Who applies."""
    return context.matter.parties.requester


def sharing_class(view: RegisterView, item: RequestedItem, at: datetime) -> SharingClass | None:
    """The class of an item; None for what is not in the catalogue."""
    if item.resource is None:
        return None
    entry = entry_at(view, item.resource, at)
    return None if isinstance(entry, Refused) else class_of(entry, item.fields)


# -- guards --------------------------------------------------------------------------------------------------------


def onboarded(context: Context) -> Refused | None:
    """Only a connected agency applies (Art 10, 43); no item of somebody without a name is granted (Art 6)."""
    return not_onboarded(context.view, requester_of(context), "requester")


def named_with_basis(context: Context) -> Refused | None:
    """Every item has its name and its statutory basis (Art 44); all that lack one are told together."""
    form: Application = context.form
    lacking = [
        f"items.{place}.{name}"
        for place, item in enumerate(form.items)
        for name in ("name", "legal_basis")
        if getattr(item, name) is None
    ]
    if not lacking:
        return None
    return Refused(RefusalCode.E_NO_LEGAL_BASIS, f"missing: {', '.join(lacking)}", lacking[0])


def addressed_rightly(context: Context) -> Refused | None:
    """Every item is asked of its owner, and of fields that there are (Art 5, 6, 44)."""
    form: Application = context.form
    for place, item in enumerate(form.items):
        where = f"items.{place}."
        refused = not_onboarded(context.view, item.provider, f"{where}provider") or _in_catalogue(context, item, where)
        if refused is not None:
            return refused
        if item.provider == requester_of(context):
            return Refused(RefusalCode.E_ROUTE, "an agency does not apply to itself", f"{where}provider", cited="44")
        renewed = context.view.grant(item.renews) if item.renews is not None else None
        if item.renews is not None and (renewed is None or renewed.subscriber != requester_of(context)):
            return Refused(RefusalCode.E_NO_GRANT, "the applicant has no such grant to renew", f"{where}renews")
    return None


def _in_catalogue(context: Context, item: RequestedItem, where: str) -> Refused | None:
    if item.resource is None:
        return None
    refused = not_supplied_by(context.view, item.provider, item.resource, context.at, where)
    entry = context.view.entry(item.resource)
    return refused if refused is not None or entry is None else unknown_fields(entry, item.fields, f"{where}fields.")


def within_reach(context: Context) -> Refused | None:
    """A county's unit applies to another county's unit through the operators, and is told so (Art 46)."""
    form: Application = context.form
    own = county_of(division_of(context.view, requester_of(context)))
    for place, item in enumerate(form.items):
        other = county_of(division_of(context.view, item.provider))
        if own is not None and other is not None and own != other:
            detail = f"another county's unit: apply through the platform operator of {own} (workflow forwarding)"
            return Refused(RefusalCode.E_ROUTE, detail, f"items.{place}.provider", cited="46")
    return None


def complete(context: Context) -> Refused | None:
    """Nothing is missing any more; else everything that is, told together."""
    lacking = missing(context.form)
    return Refused(RefusalCode.E_FORM, f"missing: {', '.join(lacking)}", cited="2025:21") if lacking else None
