"""A submission of one good permit, and what admit answers to it as a whole."""

from processors.batch import InMessage
from schemas.refusals import RULES, RefusalCode
from tests.builders import PERMIT, permit
from tests.hall import Hall
from tests.hall_register import POLICE


def refusal(hall: Hall, message: InMessage) -> str:
    """The code with which the whole submission is refused; and that the answer is complete and the only one."""
    verdict = hall.admit(message)
    assert not verdict.records
    [refused], [receipt] = verdict.refusals, verdict.receipts
    code = RefusalCode(refused["code"])
    assert (refused["topic"], refused["partition"], refused["offset"]) == message[:3]
    assert (refused["index"], refused["event_id"], refused["stage"]) == (-1, None, "ADMIT")
    assert (refused["article"], refused["agency"], refused["resource"]) == (RULES[code].article, POLICE, PERMIT)
    assert refused["reason_zh"].startswith(RULES[code].zh)
    assert refused["reason_en"].startswith(RULES[code].en)
    assert (receipt["topic"], receipt["partition"], receipt["offset"], receipt["admitted"]) == (*message[:3], 0)
    shared = ("index", "event_id", "code", "field", "detail", "article")
    assert receipt["refused"] == [{name: refused[name] for name in shared}]
    assert [(pulse["admitted"], pulse["refused"]) for pulse in verdict.pulses] == [(0, 1)]
    assert verdict.outcome.counts["refused", POLICE, PERMIT, code.value] == 1
    return code.value


def admitted(hall: Hall, message: InMessage) -> bool:
    """Whether all of it is admitted, and the receipt says so."""
    verdict = hall.admit(message)
    return len(verdict.records) == 1 and not verdict.refusals and verdict.receipts[0]["admitted"] == 1


def submit(hall: Hall, **changes: object) -> InMessage:
    """The submission; `changes` replace what is right."""
    return hall.submit([hall.change(permit())], **changes)  # type: ignore[arg-type]  # any field of a submission
