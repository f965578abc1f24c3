"""Cross-checks 多元校核 as data: which two sources are compared, how, by which article, and who is asked (Art 5, 21, 28).

A check never decides who is right: a hit opens a case at the owner that `asks` names, with both versions. The packaged
checks stand in `compliance/crosschecks.yaml`; a city may have a file of its own.
"""

from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from compliance.clocks import Articles
from compliance.entry import Model
from compliance.modelfile import read_model
from compliance.values import FieldName, ResourceCode, Text, distinct

NAME_ROLE = "@name"
FILE = "crosschecks.yaml"
CheckId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{2,39}$")]
ComparedField = Annotated[str, StringConstraints(pattern=r"^(@name|[a-z][a-z0-9_]*)$")]


class Kind(StrEnum):
    """What a check asks of one subject.

    AGREES: where both sides are there, the compared fields are equal. STATES: where both are there, the right one is
    in the stated condition. REQUIRES: where the left one is there, one of the right ones is. EXCLUDES: not both are
    there. LINKED: the second number in the left one leads to the same subject. SINGLE_SOURCE: no two agencies have the
    left one.
    """

    AGREES = "AGREES"
    STATES = "STATES"
    REQUIRES = "REQUIRES"
    EXCLUDES = "EXCLUDES"
    LINKED = "LINKED"
    SINGLE_SOURCE = "SINGLE_SOURCE"


class Normaliser(StrEnum):
    """What two values have in common when they mean the same.

    NAME: width, spaces, middle dots and case do not count; CODE: width, spaces and case do not; DATE: a day; TEXT:
    width, spaces and punctuation do not count.
    """

    NAME = "NAME"
    CODE = "CODE"
    DATE = "DATE"
    TEXT = "TEXT"


class Side(Model):
    """One side of a check: records of some resources, where the conditions hold.

    Attributes:
        where: by field, the values of which it must have one.
        given: fields that must have a value.
        empty: fields that must have none.
    """

    resources: tuple[ResourceCode, ...] = Field(min_length=1)
    where: dict[FieldName, tuple[Text, ...]] = Field(default_factory=dict)
    given: tuple[FieldName, ...] = ()
    empty: tuple[FieldName, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        distinct("resources", self.resources)
        distinct("the fields of one side", (*self.where, *self.given, *self.empty))
        return self


class Comparison(Model):
    """Two fields that must mean the same; `@name` is whichever field holds the subject's name.

    `missing` says what an empty side is: IGNORE, nothing to compare; HIT, a difference.
    """

    left: ComparedField
    right: ComparedField
    normalise: Normaliser
    missing: Literal["IGNORE", "HIT"] = "IGNORE"


class Link(Model):
    """The second identity that a record holds: document type and number."""

    type_field: FieldName
    number_field: FieldName


class CrossCheck(Model):
    """One check.

    Attributes:
        articles: of the regulation.
        told_zh: the sentence that the owner's case begins with; `told_en` likewise.
        tolerance_days: so long after the later of both business times nobody is told, so that the other can follow.
        tolerance_zh: why that long; `tolerance_en` likewise.
        asks: whose case it is, LEFT or RIGHT.
        assumption: the regulation orders the comparison in general, not this one.
    """

    id: CheckId
    kind: Kind
    name_zh: Text
    name_en: Text
    articles: Articles
    told_zh: Text
    told_en: Text
    left: Side
    right: Side | None = None
    compare: tuple[Comparison, ...] = ()
    link: Link | None = None
    tolerance_days: int = Field(default=0, ge=0, le=3_660)
    asks: Literal["LEFT", "RIGHT"] = "LEFT"
    assumption: bool = False

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        wants_right = self.kind not in (Kind.LINKED, Kind.SINGLE_SOURCE)
        if (self.right is not None) != wants_right:
            raise ValueError(f"{self.kind} {'wants' if wants_right else 'has no'} right side")
        if bool(self.compare) != (self.kind is Kind.AGREES):
            raise ValueError("compare belongs to AGREES, and to nothing else")
        if (self.link is not None) != (self.kind is Kind.LINKED):
            raise ValueError("link belongs to LINKED, and to nothing else")
        if self.asks == "RIGHT" and self.kind in (Kind.REQUIRES, Kind.LINKED, Kind.SINGLE_SOURCE):
            raise ValueError(f"{self.kind} can ask the left side alone")
        if self.kind is Kind.STATES and self.right is not None:
            right = self.right
            if not (right.where or right.given or right.empty):
                raise ValueError("STATES wants a condition on the right side")
        return self


class CrossChecks(Model):
    """A file of checks."""

    checks: tuple[CrossCheck, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        distinct("the ids of the checks", (check.id for check in self.checks))
        return self


def read_crosschecks(text: str, name: str) -> CrossChecks:
    """The checks that a YAML text holds.

    Raises:
        RegisterFileError: listing every error as `file:line:column: where: what`.
    """
    return read_model(text, name, CrossChecks)


@cache
def packaged_crosschecks() -> CrossChecks:
    """The checks that travel with the bus."""
    return read_crosschecks((files("compliance") / FILE).read_text(encoding="utf-8"), FILE)
