"""One entry of the shared catalogue 共享目录 as frozen models: what Art 4, 16, 36, 39 and 41 want said of a resource.

What the models cannot know, because it takes the schema, the other entries or the version before, is checked by
`compliance/entry_rules.py`.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from compliance.values import (
    AgencyCode,
    CatalogueScope,
    Day,
    DivisionCode,
    FieldName,
    GroupName,
    Moment,
    ResourceCode,
    ResourceIdentifier,
    Text,
    distinct,
    ordered,
)
from schemas.words import FreshnessClass, SharingClass

CITY = "CITY"
STATUTORY = frozenset({"LAW", "ADMINISTRATIVE_REGULATION", "PARTY_STATE_COUNCIL_POLICY", "GOVERNMENT_RULE"})


class Model(BaseModel):
    """The root of the register's models: frozen, no unknown keys, and silent about what it was given."""

    # The values of an error may be names and phone numbers: pydantic must not print what it was given.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class OwnerRule(Model):
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


class LegalBasis(Model):
    """The statute that a class, grant or refusal rests on."""

    title: Text
    article: Text
    level: Literal["LAW", "ADMINISTRATIVE_REGULATION", "PARTY_STATE_COUNCIL_POLICY", "GOVERNMENT_RULE", "OTHER"] = (
        "OTHER"
    )

    @property
    def statutory(self) -> bool:
        """Whether it is of a level that can close an item to others, or open it to a second collector (Art 4, 5)."""
        return self.level in STATUTORY


class FieldPolicy(Model):
    """What the catalogue says of one field, over the proposal in the schema (Art 4, decisions 3, 9).

    `repeats_under` is the law under which an item that another entry already supplies is collected again (Art 5, 11).
    """

    sharing: SharingClass | None = None
    required: bool | None = None
    legal_basis: LegalBasis | None = None
    conditions: Text | None = None
    repeats_under: LegalBasis | None = None


class FieldGroup(Model):
    """A group of fields 字段组 whose freshness is watched beside the resource's (Art 16).

    `freshness` and `update_frequency` are its own where they differ from the entry's.
    """

    fields: tuple[FieldName, ...] = Field(min_length=1)
    freshness: FreshnessClass | None = None
    update_frequency: Text | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        distinct("fields", self.fields)
        return self


class SharingPeriod(Model):
    """From when until when the entry is shared (Art 39); no end when `until` is None."""

    model_config = ConfigDict(populate_by_name=True)

    from_: Day = Field(alias="from")
    until: Day | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        ordered("from", self.from_, "until", self.until)
        return self


class ResourceFormat(StrEnum):
    """信息资源格式: the seven of the national guide, in its order."""

    FILE = "FILE"
    SPREADSHEET = "SPREADSHEET"
    DATABASE = "DATABASE"
    GRAPHICS = "GRAPHICS"
    STREAM = "STREAM"
    SELF_DESCRIBED = "SELF_DESCRIBED"
    SERVICE = "SERVICE"


class DataLevel(StrEnum):
    """数据分级, as Article 21 of the Data Security Law divides data."""

    GENERAL = "GENERAL"
    IMPORTANT = "IMPORTANT"
    CORE = "CORE"


class CatalogueEntry(Model):
    """One version of one entry of the shared catalogue; immutable once published.

    `schema` (`avro` in Python) is the resource's Avro schema as JSON text: the workers take it from here, so a new
    resource needs no code (Art 36). A register file may name a packaged or a local file instead.

    Attributes:
        identifier: 信息资源代码, classification and sequence, as the national guide forms it.
        conditions: 共享条件, which serve for every conditional field that names none of its own.
        related_systems: 关联信息系统, the systems that the information comes from.
        format: 信息资源格式 at the source.
        open, open_condition: 开放属性, whether the public may have it, and on what condition (Art 17).
        licensing_related: belongs to an administrative licence or a parallel approval (Art 4).
        baseline: 基准信息 (Art 3, 12).
        source_route, route_reason: PROVINCIAL where only the province's platform can supply it, and why (Art 36).
        scope: CITY, or the county whose own catalogue the entry belongs to (Art 41).
        level: 数据分级.
        related: 关联资源代码, identifiers of resources that belong to it.
        field_groups: 字段组, whose freshness is watched beside the resource's.
    """

    model_config = ConfigDict(populate_by_name=True)

    kind: ClassVar[str] = "catalogue"

    resource: ResourceCode
    version: int = Field(ge=1)
    identifier: ResourceIdentifier | None = None
    name: Text
    content: Text
    responsible_department: Text
    update_frequency: Text
    platform: Text
    related_systems: tuple[Text, ...] = ()
    scope_and_manner: Text
    sharing_period: SharingPeriod
    freshness: FreshnessClass
    sharing: SharingClass
    conditions: Text | None = None
    legal_basis: LegalBasis | None = None
    format: ResourceFormat | None = None
    open: bool = False
    open_condition: Text | None = None
    licensing_related: bool = False
    baseline: bool = False
    level: DataLevel | None = None
    source_route: Literal["CITY", "PROVINCIAL"] = "CITY"
    route_reason: Text | None = None
    scope: CatalogueScope = CITY
    related: tuple[ResourceIdentifier, ...] = ()
    state: Literal["PUBLISHED", "RETIRED"] = "PUBLISHED"
    owners: tuple[OwnerRule, ...] = Field(min_length=1)
    fields: dict[FieldName, FieldPolicy] = {}
    field_groups: dict[GroupName, FieldGroup] = {}
    partitions: int = Field(default=4, ge=1, le=1000)
    grace_days: int = Field(default=30, ge=0, le=36_500)
    published_at: Moment
    avro: str = Field(alias="schema", repr=False)

    @field_validator("fields")
    @classmethod
    def _something_said(cls, fields: dict[str, FieldPolicy]) -> dict[str, FieldPolicy]:
        # A policy that says nothing is none: else two files that mean the same would differ.
        return {name: policy for name, policy in fields.items() if policy != FieldPolicy()}

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.open_condition is not None and not self.open:
            raise ValueError("open_condition is given, and open is not true")
        if self.route_reason is not None and self.source_route == "CITY":
            raise ValueError("route_reason is given, and source_route is not PROVINCIAL")
        distinct("related_systems", self.related_systems)
        distinct("related", self.related)
        return self

    @property
    def key(self) -> str:
        """The register key: every version stays readable (Art 14)."""
        return f"{self.resource}@{self.version}"

    def __hash__(self) -> int:
        """By what identifies it: what is compiled from an entry is remembered by the entry."""
        return hash((self.resource, self.version, self.state))
