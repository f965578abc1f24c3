"""What a register file holds, as frozen models; the `register.*` events carry the same shapes.

Every model forbids unknown keys: a misspelt key in a register file is an error with its line, never ignored.
"""

from enum import StrEnum
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from compliance.entry import (
    CatalogueEntry,
    DataLevel,
    FieldPolicy,
    LegalBasis,
    Model,
    OwnerRule,
    ResourceFormat,
    SharingPeriod,
)
from compliance.rulings import Outage, Reckoning, Waiver
from compliance.values import (
    AgencyCode,
    Day,
    DivisionCode,
    FieldName,
    GrantId,
    Moment,
    ResourceCode,
    ReviewNumber,
    Text,
    distinct,
    ordered,
)


class AgencyType(StrEnum):
    """The four kinds of Art 2, 3 and 35 (decisions 14)."""

    ADMINISTRATIVE_ORGAN = "ADMINISTRATIVE_ORGAN"
    AUTHORISED_ORGANISATION = "AUTHORISED_ORGANISATION"
    CENTRAL_AGENCY = "CENTRAL_AGENCY"
    OTHER_ORGAN = "OTHER_ORGAN"


class ContactRole(StrEnum):
    """Whom an agency names: 分管领导, 信息共享责任人, 技术实施责任人 (Art 10); 负责人, 具体经办人 (Art 43).

    RESPONSIBLE_LEADER is named where the leader of Art 43 is another person than that of Art 10.
    """

    LEADER = "LEADER"
    SHARING_OFFICER = "SHARING_OFFICER"
    TECHNICAL_OFFICER = "TECHNICAL_OFFICER"
    RESPONSIBLE_LEADER = "RESPONSIBLE_LEADER"
    CONTACT = "CONTACT"


NAMED_PERSONS = (ContactRole.LEADER, ContactRole.SHARING_OFFICER, ContactRole.TECHNICAL_OFFICER)
"""The three named persons of Art 10, without whom nobody is connected."""


class Contact(Model):
    """A named person of an agency, on file with the authority and published to all agencies (Art 10, 43).

    `vacant_since` is the day from which nobody fills the role; who filled it last stays on file, and the flow goes on
    (decisions 40).
    """

    role: ContactRole
    name: Text = Field(repr=False)
    phone: Text = Field(repr=False)
    vacant_since: Day | None = None


class SigningCertificate(Model):
    """The certificate that an agency signs its submissions with (Art 47).

    `pem` is X.509 with an Ed25519 key; serial and validity are read from it. A revoked certificate stays in the
    register, so that old submissions can still be explained.
    """

    pem: Text
    revoked_at: Moment | None = None

    @field_validator("pem")
    @classmethod
    def _public(cls, pem: str) -> str:
        # The register is read by every agency: a private key in it would be published.
        if "PRIVATE KEY" in pem:
            raise ValueError("holds a private key; the register takes the certificate alone (Art 47)")
        return pem


class OnboardingState(StrEnum):
    """The states of a first connection (Art 43), of the kill switch (Art 49) and of its end."""

    APPLIED = "APPLIED"
    CHECKED = "CHECKED"
    CONNECTED = "CONNECTED"
    SUSPENDED = "SUSPENDED"
    DISCONNECTED = "DISCONNECTED"


class Agency(Model):
    """An agency 共享单位 that publishes or subscribes."""

    kind: ClassVar[str] = "agency"

    code: AgencyCode
    name: Text
    credit_code: Text
    type: AgencyType
    division: DivisionCode
    participation: Literal["MANDATORY", "BY_REFERENCE"] = "MANDATORY"
    state: OnboardingState = OnboardingState.APPLIED
    contacts: tuple[Contact, ...] = ()
    certificates: tuple[SigningCertificate, ...] = ()

    @property
    def key(self) -> str:
        """The register key."""
        return self.code

    @property
    def onboarded(self) -> bool:
        """Connected, with the three named persons on file (Art 10, 43)."""
        return self.state is OnboardingState.CONNECTED and {c.role for c in self.contacts} >= set(NAMED_PERSONS)


class SecrecyReview(Model):
    """A standing secrecy review 保密审查 of one agency for one resource (Art 15, decisions 11)."""

    kind: ClassVar[str] = "review"

    number: ReviewNumber
    agency: AgencyCode
    resource: ResourceCode
    catalogue_version: int = Field(ge=1)
    reviewer: Text = Field(repr=False)
    reviewed_on: Day
    valid_until: Day
    result: Literal["PASS", "FAIL"]

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        ordered("reviewed_on", self.reviewed_on, "valid_until", self.valid_until)
        return self

    @property
    def key(self) -> str:
        """The register key."""
        return f"{self.agency}/{self.number}"


class RowScope(Model):
    """Which rows a grant covers: every row, or those of the listed divisions (441300 covers 4413xx)."""

    divisions: tuple[DivisionCode, ...] | None = Field(default=None, min_length=1)


class Agreement(Model):
    """A security and confidentiality agreement 安全保密协议 signed by both sides (Art 48)."""

    number: Text
    signed_by_provider: Day
    signed_by_subscriber: Day
    valid_from: Day
    valid_until: Day

    @property
    def in_force_from(self) -> Day:
        """The first day on which it binds: valid, and signed by both sides."""
        return max(self.valid_from, self.signed_by_provider, self.signed_by_subscriber)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        ordered("valid_from", self.valid_from, "valid_until", self.valid_until)
        return self


class GrantState(StrEnum):
    """The states of a grant (decisions 33)."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"
    ENDED = "ENDED"


class Grant(Model):
    """A grant 共享授权: who receives which fields and rows, for what purpose, on what basis, until when.

    Identity, scope and purpose never change in the life of a grant (one topic = one projection, decisions 19): a
    different scope is a new grant.
    """

    kind: ClassVar[str] = "grant"

    id: GrantId
    subscriber: AgencyCode
    resource: ResourceCode
    fields: tuple[FieldName, ...] = Field(min_length=1)
    rows: RowScope = RowScope()
    purpose: Text
    legal_basis: LegalBasis | None = None
    agreement: Agreement | None = None
    confirmation_number: Text | None = None
    valid_from: Day
    valid_until: Day
    state: GrantState = GrantState.PENDING
    disposal: Literal["DELETE", "PURGE", "RETAIN"] = "DELETE"

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        ordered("valid_from", self.valid_from, "valid_until", self.valid_until)
        distinct("fields", self.fields)
        return self

    @property
    def key(self) -> str:
        """The register key."""
        return self.id

    @property
    def topic(self) -> str:
        """The delivery topic, one per grant (decisions 19)."""
        return f"delivery.{self.subscriber}.{self.resource}.{self.id}"


RegisterModel = Agency | CatalogueEntry | SecrecyReview | Grant | Outage | Reckoning | Waiver
MODELS: dict[
    str,
    type[Agency]
    | type[CatalogueEntry]
    | type[SecrecyReview]
    | type[Grant]
    | type[Outage]
    | type[Reckoning]
    | type[Waiver],
] = {model.kind: model for model in (Agency, CatalogueEntry, SecrecyReview, Grant, Outage, Reckoning, Waiver)}

__all__ = [
    "MODELS",
    "NAMED_PERSONS",
    "Agency",
    "AgencyType",
    "Agreement",
    "CatalogueEntry",
    "Contact",
    "ContactRole",
    "DataLevel",
    "FieldPolicy",
    "Grant",
    "GrantState",
    "LegalBasis",
    "OnboardingState",
    "OwnerRule",
    "RegisterModel",
    "ResourceFormat",
    "RowScope",
    "SecrecyReview",
    "SharingPeriod",
    "SigningCertificate",
]
