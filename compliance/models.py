"""What the register holds, as frozen models; a register file and the `register.*` events carry the same shapes.

Every model forbids unknown keys: a misspelt key in a register file is an error with its line, never ignored.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

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
from schemas.words import FreshnessClass, SharingClass


class _Model(BaseModel):
    # The values of an error may be names and phone numbers: pydantic must not print what it was given.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class AgencyType(StrEnum):
    """The four kinds of Art 2, 3 and 35 (decisions 14)."""

    ADMINISTRATIVE_ORGAN = "ADMINISTRATIVE_ORGAN"
    AUTHORISED_ORGANISATION = "AUTHORISED_ORGANISATION"
    CENTRAL_AGENCY = "CENTRAL_AGENCY"
    OTHER_ORGAN = "OTHER_ORGAN"


class ContactRole(StrEnum):
    """The three named persons of Art 10: 分管领导, 信息共享责任人, 技术实施责任人."""

    LEADER = "LEADER"
    SHARING_OFFICER = "SHARING_OFFICER"
    TECHNICAL_OFFICER = "TECHNICAL_OFFICER"


class Contact(_Model):
    """A named person of an agency, on file with the authority (Art 10, 43)."""

    role: ContactRole
    name: Text = Field(repr=False)
    phone: Text = Field(repr=False)


class SigningCertificate(_Model):
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
    """The states of a first connection (Art 43)."""

    APPLIED = "APPLIED"
    CHECKED = "CHECKED"
    CONNECTED = "CONNECTED"


class Agency(_Model):
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
        return self.state is OnboardingState.CONNECTED and {c.role for c in self.contacts} >= set(ContactRole)


class OwnerRule(_Model):
    """Who may write a resource, and which part of it (decisions 1).

    `divisions` None means every subject; else those whose division code falls under one of the listed. Where `field`
    is set the rule binds the value of that field (`values`) instead: institution, issuer, topic. Two rules of one
    resource may not overlap. `effective_from` and `effective_until` are compared with the broker's append time.
    """

    agencies: tuple[AgencyCode, ...] = Field(min_length=1)
    divisions: tuple[DivisionCode, ...] | None = Field(default=None, min_length=1)
    field: FieldName | None = None
    values: tuple[Text, ...] | None = Field(default=None, min_length=1)
    effective_from: Moment = datetime(1970, 1, 1, tzinfo=UTC)
    effective_until: Moment | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.field is None) != (self.values is None):
            raise ValueError("field and values belong together: name both or neither")
        if self.effective_until is not None and self.effective_until <= self.effective_from:
            raise ValueError("effective_until is not after effective_from: the rule would never be in force")
        distinct("agencies", self.agencies)
        distinct("divisions", self.divisions)
        distinct("values", self.values)
        return self


class LegalBasis(_Model):
    """The statute that a class, grant or refusal rests on."""

    title: Text
    article: Text
    level: Literal["LAW", "ADMINISTRATIVE_REGULATION", "PARTY_STATE_COUNCIL_POLICY", "GOVERNMENT_RULE", "OTHER"] = (
        "OTHER"
    )


class FieldPolicy(_Model):
    """What the catalogue says of one field, over the proposal in the schema (Art 4, decisions 3, 9)."""

    sharing: SharingClass | None = None
    required: bool | None = None
    legal_basis: LegalBasis | None = None
    conditions: Text | None = None


class SharingPeriod(_Model):
    """From when until when the entry is shared (Art 39); no end when `until` is None."""

    model_config = ConfigDict(populate_by_name=True)

    from_: Day = Field(alias="from")
    until: Day | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        ordered("from", self.from_, "until", self.until)
        return self


class CatalogueEntry(_Model):
    """One entry of the shared catalogue 共享目录, with what Art 39 demands; one version, immutable once published.

    `schema` (`avro` in Python) is the resource's Avro schema as JSON text: the workers take it from here, so a new
    resource needs no code (Art 36). A register file may name a packaged or a local file instead.
    """

    model_config = ConfigDict(populate_by_name=True)

    kind: ClassVar[str] = "catalogue"

    resource: ResourceCode
    version: int = Field(ge=1)
    name: Text
    content: Text
    responsible_department: Text
    update_frequency: Text
    platform: Text
    scope_and_manner: Text
    sharing_period: SharingPeriod
    freshness: FreshnessClass
    sharing: SharingClass
    legal_basis: LegalBasis | None = None
    state: Literal["PUBLISHED", "RETIRED"] = "PUBLISHED"
    owners: tuple[OwnerRule, ...] = Field(min_length=1)
    fields: dict[FieldName, FieldPolicy] = {}
    partitions: int = Field(default=4, ge=1, le=1000)
    grace_days: int = Field(default=30, ge=0, le=36_500)
    published_at: Moment
    avro: str = Field(alias="schema", repr=False)

    @property
    def key(self) -> str:
        """The register key: every version stays readable (Art 14)."""
        return f"{self.resource}@{self.version}"

    def __hash__(self) -> int:
        """By what identifies it: what is compiled from an entry is remembered by the entry."""
        return hash((self.resource, self.version, self.state))


class SecrecyReview(_Model):
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


class RowScope(_Model):
    """Which rows a grant covers: every row, or those of the listed divisions (441300 covers 4413xx)."""

    divisions: tuple[DivisionCode, ...] | None = Field(default=None, min_length=1)


class Agreement(_Model):
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


class Grant(_Model):
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


RegisterModel = Agency | CatalogueEntry | SecrecyReview | Grant
MODELS: dict[str, type[Agency] | type[CatalogueEntry] | type[SecrecyReview] | type[Grant]] = {
    model.kind: model for model in (Agency, CatalogueEntry, SecrecyReview, Grant)
}
