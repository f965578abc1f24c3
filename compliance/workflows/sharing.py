"""What the workflows of sharing have in common: forms, and the questions that their guards ask."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from compliance.catalogue import in_force, sharing_of
from compliance.entry import LegalBasis, Model
from compliance.models import CatalogueEntry
from compliance.values import Day, FieldName, Text
from compliance.view import RegisterView
from compliance.workflow import Context, Matter
from compliance.writing import rules_in_force
from schemas.refusals import RefusalCode, Refused
from schemas.words import SharingClass

CITY = "441300"
"""The division of the city itself."""
# What only seems to ask for money is taken out before what does is looked for.
_FREE = re.compile(
    r"免费|无偿|不(得|予|再)?(另行)?收取?任?何?费用?|free of charge|without (charge|fee)s?", re.IGNORECASE
)
_DEMANDS_MONEY = re.compile(
    r"收费|付费|缴费|费用|有偿|价款|付款|支付|报酬|\b(pay|pays|paid|payment|fees?|charges?|price)\b", re.IGNORECASE
)


class Withdrawal(Model):
    """Why something is given up."""

    reason: Text


class Condition(Model):
    """One condition on which something is shared; one that demands payment is refused (Art 17)."""

    about: Literal["USE", "SECURITY", "RETENTION", "FREQUENCY", "FEEDBACK", "PAYMENT", "OTHER"] = "OTHER"
    text: Text

    @property
    def demands_payment(self) -> bool:
        """Whether it makes sharing cost something."""
        return self.about == "PAYMENT" or _DEMANDS_MONEY.search(_FREE.sub("", self.text)) is not None


class Reasons(Model):
    """Why something is not shared: the reason in writing, the law that says so, and a document (Art 45).

    All three may be left out, so that the refusal of a refusal can name what is missing (E_NO_REASON).
    """

    reason: Text | None = None
    citation: LegalBasis | None = None
    document: Text | None = None


class Decree(Model):
    """A decision of an office that rests on a document."""

    reason: Text
    document: Text


class Delivery(Model):
    """Evidence that something was delivered: the topic's name, and where its first records stand."""

    delivered_on: Day
    evidence: Text


def division_of(view: RegisterView, agency: str | None) -> str:
    """Where an agency is; one that the register does not know counts as the city's, and is refused by a guard."""
    known = view.agency(agency) if agency is not None else None
    return known.division if known is not None else CITY


def county_of(division: str) -> str | None:
    """The six digits of the county that a division lies in; None for the city itself."""
    return None if division[4:6] == "00" else division[:6]


def not_onboarded(view: RegisterView, agency: str | None, field: str) -> Refused | None:
    """Refused where an agency may not take part yet; somebody without a name never may (Art 6, 10, 43)."""
    known = view.agency(agency) if agency is not None else None
    if known is not None and known.onboarded:
        return None
    return Refused(RefusalCode.E_NOT_ONBOARDED, "only a registered and connected agency takes part", field)


def charged(conditions: Iterable[Condition]) -> Refused | None:
    """Refused where a condition demands payment (Art 17)."""
    for place, condition in enumerate(conditions):
        if condition.demands_payment:
            return Refused(RefusalCode.E_PRICE, "the condition demands payment", f"conditions.{place}")
    return None


def unreasoned(form: Reasons) -> Refused | None:
    """Refused where a refusal lacks its reason, its statutory citation or its document (Art 45)."""
    lacking = [name for name in ("reason", "citation", "document") if getattr(form, name) is None]
    if lacking:
        return Refused(RefusalCode.E_NO_REASON, f"missing: {', '.join(lacking)}", lacking[0])
    if form.citation is not None and not form.citation.statutory:
        return Refused(RefusalCode.E_NO_REASON, "an agency's own circular does not close information", "citation")
    return None


def entry_at(view: RegisterView, resource: str, at: datetime) -> CatalogueEntry | Refused:
    """The catalogue's entry of a resource, if it is in force."""
    return in_force(view.entry(resource), at)


def class_of(entry: CatalogueEntry, fields: Iterable[FieldName]) -> SharingClass:
    """The class under which these fields together are shared: that of the strictest (Art 4)."""
    classes = {sharing_of(entry).get(name, SharingClass.CONDITIONAL) for name in fields}
    for strictest in (SharingClass.NOT_SHARED, SharingClass.CONDITIONAL):
        if strictest in classes:
            return strictest
    return SharingClass.UNCONDITIONAL


def not_supplied_by(view: RegisterView, provider: str, resource: str, at: datetime, where: str) -> Refused | None:
    """Refused where an agency is asked for what it does not own: what it received it may not pass on (Art 6)."""
    entry = entry_at(view, resource, at)
    if isinstance(entry, Refused):
        return Refused(entry.code, entry.detail, f"{where}resource")
    if rules_in_force(entry, provider, at):
        return None
    if any(grant.resource == resource for grant in view.grants_of(provider)):
        detail = "the agency has it under a grant of its own alone; ask its owner"
        return Refused(RefusalCode.E_ONWARD, detail, f"{where}provider")
    owners = sorted({agency for rule in entry.owners for agency in rule.agencies})
    return Refused(RefusalCode.E_ROUTE, f"supplied by: {', '.join(owners)}", f"{where}provider", cited="5, 44")


def unknown_fields(entry: CatalogueEntry, fields: Iterable[FieldName], where: str) -> Refused | None:
    """Refused where the entry has no such field."""
    known = sharing_of(entry)
    for name in fields:
        if name not in known:
            return Refused(RefusalCode.E_FIELD_NOT_GRANTED, "the entry has no such field", f"{where}{name}")
    return None


def parent_of(context: Context) -> Matter | None:
    """The matter that this one was opened by."""
    return context.others.matter(context.matter.parent) if context.matter.parent is not None else None


def child_of(context: Context, workflow: str) -> Matter | None:
    """The newest matter of a workflow that this one opened."""
    if context.matter.seq == 0:
        return None
    return next((m for m in reversed(context.others.children(context.matter.number)) if m.workflow == workflow), None)
