"""A hit of a cross-check as the case it becomes: at the owner that the check asks, with both versions' events.

A check never decides who is right (Art 5): the case says which fields differ, in the check's own sentence.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ValidationError, model_validator

from bus.intake.words import Said, division_of, moment, plain
from compliance.catalogue import schema_or_none
from compliance.crosschecks import NAME_ROLE, CheckId, Kind
from compliance.crosschecks import CrossCheck as Check
from compliance.entry import Model
from compliance.register.intake import Finding
from compliance.rulings import Hex, Uuid
from compliance.values import AgencyCode, DivisionCode, ResourceCode
from compliance.view import RegisterView
from compliance.workflow import Matter
from compliance.workflows.data_case_forms import (
    Correction,
    CrossCheck,
    NameDifference,
    Notice,
    Resolution,
    Revision,
)
from compliance.workflows.data_case_rules import current
from schemas.errors import UsageError

TOPIC = "hit"
_NAMES_ARTICLE = "28"
_UNKNOWN_ZH = "多元校核发现不一致"


class Side(Said):
    """One version of one record."""

    resource: ResourceCode
    record: str
    event_id: Uuid
    agency: AgencyCode
    division: DivisionCode | None = None


class Superseded(Said):
    """The asked owner's correction."""

    resource: ResourceCode
    agency: AgencyCode
    wrong_event_id: Uuid
    right_event_id: Uuid


class HitSaid(Said):
    """A message of the `hit` topic, `schemas/envelope/hit.avsc` with bytes in hexadecimal and times in milliseconds."""

    pair: Uuid
    check: CheckId
    token: Hex
    state: Literal["OPEN", "CLOSED"]
    reason: Literal["CORRECTED", "OTHER_CHANGED", "WITHDRAWN", "WAIVED"] | None = None
    left: Side
    right: Side | None = None
    fields: tuple[str, ...] = ()
    since: int
    compared: Hex
    asks_right: bool
    superseded: Superseded | None = None
    opened_at: int
    told_at: int

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.state == "CLOSED") != (self.reason is not None):
            raise ValueError("a reason is given exactly where the hit is closed")
        if self.reason == "CORRECTED" and self.superseded is None:
            raise ValueError("a correction names the event that corrects")
        return self


class Hit:
    """A hit under the checks that are known here.

    Args:
        said: the message.
        checks: by id; a city's own check may be unknown, then the hit's shape says what kind it is.
    """

    def __init__(self, said: HitSaid, checks: Mapping[str, Check]) -> None:
        self._said = said
        self._check = checks.get(said.check)
        right = said.right if said.asks_right else None
        self._asked = said.left if right is None else right
        self._other = said.right if right is None else said.left

    @classmethod
    def read(cls, datum: Mapping[str, Any], checks: Mapping[str, Check]) -> "Hit":
        """A datum as on the wire.

        Raises:
            UsageError: it is no such datum; what it held is not repeated.
        """
        return cls.kept(plain(dict(datum)), checks)

    @classmethod
    def kept(cls, body: Mapping[str, Any], checks: Mapping[str, Check]) -> "Hit":
        """What the register kept of one; errors as `read`."""
        try:
            said = HitSaid.model_validate(body)
            moment(said.opened_at), moment(said.told_at)
        except (ValidationError, OverflowError, ValueError, OSError):
            raise UsageError("what was found is no hit of the bus") from None
        return cls(said, checks)

    @property
    def finding(self) -> Finding:
        """As `bus/intake/words.py:Found`, and so the others."""
        said = self._said
        body = said.model_dump(mode="json")
        return Finding(TOPIC, said.pair, said.state == "OPEN", moment(said.opened_at), moment(said.told_at), body)

    def opening(self, view: RegisterView) -> tuple[str, Model]:
        """Names that differ from the police's are Article 28's, all else is a cross-check."""
        said, asked, other = self._said, self._asked, self._other
        form = {
            "resource": asked.resource,
            "division": asked.division or division_of(asked.agency, view),
            "owner": asked.agency,
            "fields": self._fields(view),
            "token": said.token,
            "event_id": asked.event_id,
            "compared_event": None if other is None else other.event_id,
            "compared_resource": None if other is None else other.resource,
            "statement": self._told,
            "check": said.check,
            "pair": said.pair,
            "compared": said.compared,
        }
        if self._check is not None and self._check.articles == _NAMES_ARTICLE:
            return "report_name", NameDifference(**form)
        rule = said.check if self._check is None else self._check.name_zh
        return "report_cross_check", CrossCheck(**form, rule=rule, asks=self._kind)

    def notice(self) -> Model:
        """The owner is told at once: nobody but it can say what is right."""
        return Notice(finding=self._told, evidence=(self._said.pair,), document=f"系统通知 {self._said.check}")

    def revision(self, matter: Matter, view: RegisterView) -> Model | None:
        """The versions and what is compared of them, where any of that is another."""
        fields = self._fields(view)
        other = None if self._other is None else self._other.event_id
        now = (self._asked.event_id, other, self._said.compared)
        before = tuple(current(matter, name) for name in ("event_id", "compared_event", "compared"))
        if now == before and list(fields) == list(current(matter, "fields") or ()):
            return None
        return Revision(fields=fields, event_id=now[0], compared_event=other, compared=self._said.compared)

    def is_another(self, matter: Matter) -> bool:
        """Whether other values are compared now."""
        return bool(current(matter, "compared") != self._said.compared)

    def ending(self) -> tuple[str, Model]:
        """The owner's correction, or why else it is no more."""
        said = self._said
        if said.reason == "CORRECTED" and said.superseded is not None:
            wrong, right = said.superseded.wrong_event_id, said.superseded.right_event_id
            return "see_corrected", Correction(wrong_event=wrong, correcting_event=right)
        return "see_resolved", Resolution(outcome=said.reason if said.reason != "CORRECTED" else "OTHER_CHANGED")

    @property
    def _told(self) -> str:
        return _UNKNOWN_ZH if self._check is None else self._check.told_zh

    @property
    def _kind(self) -> Kind:
        if self._check is not None:
            return self._check.kind
        if self._other is None:
            return Kind.REQUIRES
        return Kind.AGREES if self._said.fields else Kind.EXCLUDES

    def _fields(self, view: RegisterView) -> tuple[str, ...]:
        """The fields that differ as the asked side names them; `@name` is whichever holds its subject's name."""
        compare = () if self._check is None else self._check.compare
        names = {each.left: each.right for each in compare} if self._said.asks_right else {}
        entry = view.entry(self._asked.resource)
        schema = None if entry is None else schema_or_none(entry)
        found = []
        for name in self._said.fields:
            own = names.get(name, name)
            if own == NAME_ROLE:
                own = (schema.subject.name_field if schema is not None else None) or "name"
            found.append(own)
        return tuple(dict.fromkeys(found))
