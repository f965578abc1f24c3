"""The forms of a grant: what is proposed, 授权确认表, suspension and end, declared use, receipt of disposal."""

from datetime import date, timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from compliance.entry import LegalBasis, Model
from compliance.models import RowScope
from compliance.values import AgencyCode, Day, FieldName, GrantId, ResourceCode, Text, distinct, ordered
from compliance.workflows.requested import Mode
from compliance.workflows.sharing import Condition


class GrantProposal(Model):
    """Everything that a grant is bound to (Art 45): it never changes in the life of the grant."""

    id: GrantId
    subscriber: AgencyCode
    provider: AgencyCode
    resource: ResourceCode
    fields: tuple[FieldName, ...] = Field(min_length=1)
    rows: RowScope = RowScope()
    purpose: Text
    legal_basis: LegalBasis
    frequency: Text
    mode: Mode = "SUBSCRIPTION"
    conditions: tuple[Condition, ...] = ()
    valid_from: Day
    valid_until: Day
    disposal: Literal["DELETE", "PURGE", "RETAIN"] = "DELETE"

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        ordered("valid_from", self.valid_from, "valid_until", self.valid_until)
        distinct("fields", self.fields)
        return self

    @property
    def eve(self) -> date:
        """The day before the last one, from which the clock of one day counts that ends with it."""
        return self.valid_until - timedelta(days=1)


class ConfirmationForm(Model):
    """《信息共享授权确认表》, filed with the authority (Art 45)."""

    number: Text
    filed_on: Day
    handler: Text = Field(repr=False)
    phone: Text = Field(repr=False)
    approved_by: Text = Field(repr=False)


class Activation(Model):
    """The operator has set the exchange up (Art 45)."""

    document: Text | None = None


class Suspension(Model):
    """Why delivery stops for now; over-scope use is answered by it (2025:27), an emergency too (Art 49)."""

    cause: Literal["OVER_SCOPE", "BREACH", "AGREEMENT_ENDED", "EMERGENCY", "OTHER"]
    reason: Text
    document: Text | None = None


class Resumption(Model):
    """What was rectified."""

    reason: Text
    document: Text


class Revocation(Model):
    """A provider does not stop without cause: it consults the subscriber, and files the reason (2025:27)."""

    reason: Text
    citation: LegalBasis
    consulted_on: Day
    document: Text


class Use(Model):
    """A declared use: every read is for a purpose (Art 6).

    Attributes:
        recipients: everybody who gets to see the data; the subscriber alone may.
    """

    purpose: Text
    system: Text
    recipients: tuple[Text, ...] = ()


class Disposal(Model):
    """The subscriber's receipt: what became of its copies (2025:27; decisions 22)."""

    method: Literal["DELETED", "PURGED", "RETAINED_AS_AGREED"]
    disposed_on: Day
    document: Text
