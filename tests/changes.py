"""One change judged by admit between two good ones, which must always be admitted."""

from typing import Any

from compliance.models import OwnerRule
from schemas.refusals import RULES, RefusalCode
from tests.builders import PERMIT, permit
from tests.hall import Hall, Verdict
from tests.hall_register import POLICE

CITY = OwnerRule(agencies=(POLICE,), divisions=("441300",))


def judge(hall: Hall, row: dict[str, Any] | None = None, **head: Any) -> Verdict:
    """The verdict on one change between two good ones, which must always be admitted."""
    first, last = permit(11), permit(12)
    good = [hall.change(row) for row in (first, last)] if hall.resource == PERMIT else []
    middle = hall.change(permit() if row is None else row, **head)
    verdict = hall.admit(hall.submit([*good[:1], middle, *good[1:]]))
    assert len(verdict.records) >= len(good)
    assert all(index == len(good[:1]) for index, _, _ in verdict.codes)
    return verdict


def refusal(hall: Hall, row: dict[str, Any] | None = None, **head: Any) -> tuple[str, str | None]:
    """Code and field of the refusal of one change, and that its two neighbours are admitted."""
    verdict = judge(hall, row, **head)
    [refused], [receipt] = verdict.refusals, verdict.receipts
    rule = RULES[RefusalCode(refused["code"])]
    assert refused["article"] == rule.article
    assert refused["submission_id"] == receipt["submission_id"] is not None
    assert (refused["offset"], refused["stage"]) == (receipt["offset"], "ADMIT")
    shared = ("index", "event_id", "code", "field", "detail", "article")
    assert receipt["refused"] == [{name: refused[name] for name in shared}]
    assert receipt["admitted"] == len({record.value["change"]["index"] for record in verdict.records if record.value})
    return refused["code"], refused["field"]


def admitted(hall: Hall, row: dict[str, Any] | None = None, **head: Any) -> bool:
    """Whether the change is admitted as well."""
    return not judge(hall, row, **head).codes
