"""The forms of one item of an application: what was asked, what the provider answers, what the requester replies."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from compliance.entry import LegalBasis, Model
from compliance.models import RowScope
from compliance.values import AgencyCode, Day, FieldName, GrantId, ResourceCode, Text, distinct, ordered
from compliance.workflows.requested import Mode
from compliance.workflows.sharing import Condition, Reasons
from schemas.words import SharingClass


class Item(Model):
    """One item as it is put to its provider.

    Attributes:
        place: its place in the application's form.
        sharing: its class under Art 4; None for what is not in the catalogue.
        received_on: when the provider received it, where that is another day than the one it is opened on.
    """

    place: int = Field(default=0, ge=0)
    requester: AgencyCode
    provider: AgencyCode
    purpose: Text
    name: Text
    legal_basis: LegalBasis
    sharing: SharingClass | None = None
    received_on: Day | None = None
    resource: ResourceCode | None = None
    fields: tuple[FieldName, ...] = ()
    rows: RowScope = RowScope()
    data_from: Day | None = None
    data_until: Day | None = None
    frequency: Text
    mode: Mode = "SUBSCRIPTION"
    valid_from: Day
    valid_until: Day
    renews: GrantId | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.resource is not None and not self.fields:
            raise ValueError("fields of the resource are missing")
        distinct("fields", self.fields)
        ordered("valid_from", self.valid_from, "valid_until", self.valid_until)
        return self

    @property
    def unconditional(self) -> bool:
        """Whether Article 44 alone governs it; what is conditional or uncatalogued follows Article 45."""
        return self.sharing is SharingClass.UNCONDITIONAL


class Rest(Item):
    """The part of an item that its provider did not confirm, with the reasons."""

    reasons: Reasons


class Missing(Model):
    """Everything that the provider misses in the application's papers, told once (2025:21)."""

    missing: tuple[Text, ...] = Field(min_length=1)


class Supplement(Model):
    """What was missing."""

    statement: Text
    documents: tuple[Text, ...] = ()


class Extension(Model):
    """The authority's consent to a longer time (2025:21).

    Attributes:
        first_limit: the day on which the first limit ends; the further days count from it.
        told_on: when the requester was told of it.
    """

    reason: Text
    document: Text
    first_limit: Day
    told_on: Day


class Confirmation(Model):
    """The provider agrees, as asked, on conditions where there are any."""

    conditions: tuple[Condition, ...] = ()
    document: Text | None = None


class PartConfirmation(Confirmation):
    """The provider agrees to some of the fields, and says why not to the others."""

    fields: tuple[FieldName, ...] = Field(min_length=1)
    reasons: Reasons = Reasons()

    @field_validator("fields")
    @classmethod
    def _once(cls, fields: tuple[str, ...]) -> tuple[str, ...]:
        distinct("fields", fields)
        return fields


class Replacement(Confirmation):
    """Another resource of the provider that serves the purpose."""

    resource: ResourceCode
    fields: tuple[FieldName, ...] = Field(min_length=1)
    explanation: Text

    @field_validator("fields")
    @classmethod
    def _once(cls, fields: tuple[str, ...]) -> tuple[str, ...]:
        distinct("fields", fields)
        return fields


class Reply(Model):
    """The requester's word on an answer."""

    statement: Text


class Catalogued(Model):
    """Where information from outside the catalogue stands in it now (Art 40, 45)."""

    resource: ResourceCode
    fields: tuple[FieldName, ...] = Field(min_length=1)
