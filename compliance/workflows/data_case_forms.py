"""What is filled in for a case about data (Art 5, 10, 28, 56): a record is named by token and event id, never by a person.

No form has a place for a value of the data: a case says which fields are disputed, and both versions by their events.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from compliance.crosschecks import CheckId, Kind
from compliance.entry import Model
from compliance.rulings import Hex, Uuid, WaiverReason
from compliance.values import AgencyCode, Day, DivisionCode, FieldName, GrantId, ResourceCode, Text, distinct

Token = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
EventId = Uuid
MOST_RANGES = 1_000


class Origin(StrEnum):
    """Where a case comes from (decisions 36)."""

    OBJECTION = "OBJECTION"
    DISCREPANCY = "DISCREPANCY"
    DIGEST = "DIGEST"
    NAME = "NAME"
    CROSS_CHECK = "CROSS_CHECK"


class Case(Model):
    """What is disputed, wherever the case comes from.

    Attributes:
        division: of the subject; decides which county's offices act.
        owner: the responsible agency; may be left out where the catalogue has one alone for that division.
        fields: the disputed fields; none where the whole resource is meant (its format, standard, update).
        token: the subject, as the bus knows it; an applicant that knows only its pseudonym leaves it out.
        event_id: of the disputed version.
        compared_event: of the version that it differs from, where that is on the bus too.
        compared_record: file number or name of the record that it differs from, where that is not on the bus.
    """

    resource: ResourceCode
    division: DivisionCode
    owner: AgencyCode | None = None
    fields: tuple[FieldName, ...] = ()
    token: Token | None = None
    event_id: EventId | None = None
    compared_event: EventId | None = None
    compared_record: Text | None = None
    statement: Text
    documents: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        distinct("fields", self.fields)
        return self


class Objection(Case):
    """复核申请: an agency objects to content, format, standard or update of what is shared (Art 56)."""

    about: Literal["CONTENT", "FORMAT", "STANDARD", "UPDATE"]

    @model_validator(mode="after")
    def _names_the_record(self) -> Self:
        if self.about == "CONTENT" and not (self.fields and (self.event_id or self.token)):
            raise ValueError("an objection to content names its fields and the record, by event_id or token")
        return self


class Discrepancy(Case):
    """An agency that collected the same item holds another value than the responsible one (Art 5)."""

    @model_validator(mode="after")
    def _names_both(self) -> Self:
        if not (self.fields and self.event_id and (self.compared_event or self.compared_record)):
            raise ValueError("a discrepancy names its fields and both versions: event_id, and what it differs from")
        return self


class DigestRange(Model):
    """One range of keys over which the digests differ."""

    key_range: Text
    source_count: int = Field(ge=0)
    bus_count: int = Field(ge=0)


class DigestDifference(Case):
    """The digests of a source and of the bus differ over a range of keys (Art 10).

    Attributes:
        source_count, bus_count: records in the range; where `ranges` names several, in all of them.
        ranges: each of them, where the bus found the difference itself.
        refused: how many changes of the source the bus refused, which may be why.
    """

    key_range: Text
    source_count: int = Field(ge=0)
    bus_count: int = Field(ge=0)
    compared_on: Day
    ranges: tuple[DigestRange, ...] = Field(default=(), max_length=MOST_RANGES)
    refused: int | None = Field(default=None, ge=0)


_ONE_SIDED = frozenset({Kind.REQUIRES, Kind.LINKED})


class Compared(Case):
    """What a comparison of two records of one subject found; a hit of the bus's own says of which pair.

    Attributes:
        compared_resource: where the other version stands, where that is another resource.
        check: id of the cross-check.
        pair: which two records under which check.
        compared: digest of what was compared; a waiver holds while it stays the same.
    """

    compared_resource: ResourceCode | None = None
    check: CheckId | None = None
    pair: Uuid | None = None
    compared: Hex | None = None

    @model_validator(mode="after")
    def _whole_hit(self) -> Self:
        if len({self.check is None, self.pair is None, self.compared is None}) > 1:
            raise ValueError("check, pair and compared belong together: what a cross-check of the bus found")
        return self


class NameDifference(Compared):
    """The name under a document differs from what the police have under it (Art 28)."""

    @model_validator(mode="after")
    def _names_both(self) -> Self:
        if not (self.fields and self.token and self.event_id and self.compared_event):
            raise ValueError("a comparison of names names its fields, the token and both events")
        return self


class CrossCheck(Compared):
    """Two resources contradict each other about one subject, as a death and a living household entry.

    Attributes:
        asks: what kind of check found it: only where values are compared are there fields that differ, and where
            something is missing, or leads elsewhere, there is no other version.
    """

    rule: Text
    asks: Kind = Kind.AGREES

    @model_validator(mode="after")
    def _names_both(self) -> Self:
        if not (self.token and self.event_id):
            raise ValueError("a cross-check names the token and the event")
        if self.asks is Kind.AGREES and not (self.fields and self.compared_event):
            raise ValueError("a cross-check of values names its fields, the token and both events")
        if self.asks not in _ONE_SIDED and not self.compared_event:
            raise ValueError("a cross-check of this kind names the token and both events")
        return self


class Revision(Model):
    """The same difference goes on with other versions, or over other ranges.

    Attributes:
        event_id: of the disputed version now.
        compared_event: of the version that it differs from now.
        compared: digest of what is compared now.
        ranges: over which the digests differ now.
    """

    fields: tuple[FieldName, ...] = ()
    event_id: EventId | None = None
    compared_event: EventId | None = None
    compared: Hex | None = None
    ranges: tuple[DigestRange, ...] = Field(default=(), max_length=MOST_RANGES)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        distinct("fields", self.fields)
        if not (self.event_id or self.ranges):
            raise ValueError("a revision names the disputed version, or the ranges")
        return self


class Correction(Model):
    """The owner's event that corrected the disputed one: the loop is closed by what the bus saw, not by a letter."""

    wrong_event: EventId
    correcting_event: EventId

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.wrong_event == self.correcting_event:
            raise ValueError("the correcting event is the disputed one")
        return self


class Resolution(Model):
    """Why a difference is none any more, though the owner corrected nothing.

    OTHER_CHANGED: the other side changed, or what was missing came. WITHDRAWN: a record is gone. WAIVED: the pair was
    found to be in order. MENDED: the digests agree again.
    """

    outcome: Literal["OTHER_CHANGED", "WITHDRAWN", "WAIVED", "MENDED"]


class WaiverDecision(Model):
    """Why a pair that a cross-check found is in order all the same; without a name or number."""

    reason: WaiverReason


class Location(Model):
    """Which record of the bus is meant: found by the operator from a pseudonym or an event."""

    token: Token
    event_id: EventId


class Finding(Model):
    """What the verification found 核查结论."""

    finding: Text
    evidence: tuple[Text, ...] = ()


class Notice(Finding):
    """The notice to the responsible agency."""

    document: Text


class Rederivation(Model):
    """How a technical fault was mended: the owner's signed event was derived and delivered again, nothing was written.

    Attributes:
        rederived_from: the owner's event.
        grants: the grants that received the wrong version, and now the right one.
    """

    cause: Text
    rederived_from: EventId
    grants: tuple[GrantId, ...] = ()


class OwnerAnswer(Model):
    """核查结果和更正情况: what the responsible agency found, and the event by which it corrected."""

    outcome: Literal["CORRECTED", "CONFIRMED"]
    explanation: Text
    correcting_event: EventId | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.outcome == "CORRECTED") != (self.correcting_event is not None):
            raise ValueError("correcting_event is given exactly where the outcome is CORRECTED")
        return self


class VerificationReport(Model):
    """核查报告, archived."""

    document: Text
    archive_number: Text
    summary: Text


class CopySent(Model):
    """That the applicant has its copy 抄送."""

    sent_on: Day
    document: Text
