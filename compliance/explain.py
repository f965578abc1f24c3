"""Why an agency may or may not write or read a resource: the bus's own decisions, asked as a question.

Nothing is decided here: `compliance/writing.py:may_submit` and `compliance/reading.py:may_read` are, and the sentences
are those of `schemas/refusals.py:RULES` and `compliance/decision.py:Permitted`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from compliance.catalogue import schema_of
from compliance.decision import Permitted
from compliance.models import CatalogueEntry, Grant
from compliance.reading import may_read
from compliance.view import RegisterView
from compliance.writing import may_submit
from schemas.refusals import RefusalCode, Refused
from schemas.words import Classification


class Way(StrEnum):
    """What is asked for."""

    WRITE = "WRITE"
    READ = "READ"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        under: what it was judged by: a review's number or a grant's id; None where there was none to judge by.
        decision: yes or no, with article and sentence.
    """

    way: Way
    under: str | None
    decision: Permitted | Refused

    @property
    def permitted(self) -> bool:
        """Whether it says yes."""
        return isinstance(self.decision, Permitted)


def explain(
    view: RegisterView,
    agency: str,
    resource: str,
    at: datetime,
    *,
    way: Way,
    field: str | None = None,
    grant: Grant | None = None,
) -> tuple[Answer, ...]:
    """Whether an agency may write or read a resource or one of its fields, by everything that could permit it.

    Args:
        view: the register, as it stood at that instant.
        agency: its code.
        resource: its code.
        at: when.
        way: to write or to read.
        field: a field of the resource; None asks for the resource.
        grant: a grant as if the register held it.

    Returns:
        at least one answer, each for one review (write) or one grant (read); those that permit come first.
    """
    if way is Way.WRITE:
        answers = _write(view, agency, resource, at, field)
    else:
        grants = (*(known for known in view.grants_of(agency) if known.resource == resource),)
        if grant is not None:
            view = view.copy()
            view.apply(grant.kind, grant.key, grant)
            grants = (grant,)
        answers = [Answer(way, known.id, _read(view, known, at, field)) for known in grants]
        answers = answers or [Answer(way, None, _no_grant(view, agency, resource, field))]
    return tuple(sorted(answers, key=lambda answer: not answer.permitted))


def _write(view: RegisterView, agency: str, resource: str, at: datetime, field: str | None) -> list[Answer]:
    entry = view.entry(resource)
    numbers = [review.number for review in view.reviews() if (review.agency, review.resource) == (agency, resource)]
    answers = []
    for number in reversed(numbers or [""]):
        version = entry.version if entry is not None else 1
        secret = Classification.NON_SECRET.value
        decision = may_submit(view, agency, resource, version, number, secret, at)
        if isinstance(decision, Permitted) and field is not None:
            decision = _unknown(decision.entry, field) or decision
        answers.append(Answer(Way.WRITE, number or None, decision))
    return answers


def _read(view: RegisterView, grant: Grant, at: datetime, field: str | None) -> Permitted | Refused:
    decision = may_read(view, grant, at)
    if isinstance(decision, Permitted) and field is not None:
        if field not in grant.fields:
            return _unknown(decision.entry, field) or Refused(
                RefusalCode.E_FIELD_NOT_GRANTED, f"grant {grant.id} does not name the field", field
            )
        return decision
    return decision


def _no_grant(view: RegisterView, agency: str, resource: str, field: str | None) -> Refused:
    """What is missing before a grant could be asked for at all, or the grant itself."""
    known = view.agency(agency)
    if known is None or not known.onboarded:
        return Refused(RefusalCode.E_NOT_ONBOARDED)
    entry = view.entry(resource)
    if entry is None:
        return Refused(RefusalCode.E_NOT_IN_CATALOGUE)
    unknown = None if field is None else _unknown(entry, field)
    return unknown or Refused(RefusalCode.E_NO_GRANT, "the agency has no grant on the resource", field)


def _unknown(entry: CatalogueEntry, field: str) -> Refused | None:
    if field in schema_of(entry).fields:
        return None
    return Refused(RefusalCode.E_SCHEMA, f"version {entry.version} of the entry has no such field", field)
