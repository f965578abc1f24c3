"""The board of sources: alarms are told once and cleared once, in messages as their schemas say."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from compliance.profiles import Law
from processors.freshness.alarms import RULES, Alarm, AlarmCode, Severity, settle
from processors.freshness.board import Board
from processors.freshness.pauses import Pauses
from processors.freshness.state import State, observe
from processors.freshness.words import DAY, SECOND, At, Declaration, Heartbeat, Key, OutageAccepted, Targets
from schemas.resource import envelope
from schemas.words import FreshnessClass
from tests.freshness_source import (
    CALENDAR,
    DUTY,
    DYNAMIC,
    KEY,
    LAW,
    NOW,
    STATIC,
    Watched,
    beat,
    declare,
    instant,
    supply,
)

ROOT = Path(__file__).parents[3]


# -- alarms --------------------------------------------------------------------------------------------------------


def test_before_the_regulation_is_in_force_a_duty_only_advises() -> None:
    def advisory(law: Law) -> bool:
        [alarm] = Watched(STATIC, law).at(NOW).alarms
        return alarm.advisory

    assert not advisory(LAW)
    assert advisory(Law.packaged("huizhou-2016"))
    coming = Law.packaged("huizhou-2016", effective_date=date(2026, 3, 3))
    assert advisory(coming)
    assert Watched(STATIC, coming).at(NOW).next_at == instant("2026-03-03T00:00")


def test_every_code_has_its_row_and_its_page() -> None:
    page = (ROOT / "docs/freshness.md").read_text(encoding="utf-8")
    assert set(RULES) == set(AlarmCode)
    for code, rule in RULES.items():
        assert f"\n### {code.value}\n" in page, code
        assert rule.sentence_zh
        assert rule.sentence_en
        assert rule.todo_zh
        assert rule.todo_en
        assert rule.severity in Severity


def test_an_alarm_is_told_when_it_comes_and_when_it_goes_and_keeps_its_beginning() -> None:
    first, later = Alarm(AlarmCode.SILENT, KEY, 5), Alarm(AlarmCode.SILENT, KEY, 9)
    told = settle({}, [first])
    assert (told.raised, told.cleared) == ((first,), ())
    again = settle(told.standing, [later])
    assert (again.raised, again.cleared, tuple(again.standing.values())) == ((), (), (first,))
    other = Alarm(AlarmCode.ADMISSION_LAG, KEY, 7)
    changed = settle(again.standing, [later, other])
    assert changed.standing[first.name].since == 5
    assert settle(changed.standing, []).cleared == (first, other)


def test_messages_are_as_their_schemas_say() -> None:
    board = Board(LAW, CALENDAR)
    board.expect(KEY, STATIC, NOW)
    for offset, (ms, event) in enumerate(
        [supply("2026-01-13T00:00", "2025-11-01T00:00"), declare("2026-01-12T08:00", "2025Q4"), beat(NOW)]
    ):
        board.observe(event, At(ms, "t/0", offset))
    codec = envelope("freshness")
    datum = board.to_datum(KEY, NOW)
    assert codec.decode_physical(codec.encode_physical(datum)) == datum
    assert (datum["quarter"], datum["late"], datum["covered"]) == ("2025Q4", 3, True)
    [late, contradicted] = board.standing(KEY)
    fresh = Board(LAW, CALENDAR)
    fresh.restore(KEY, datum)
    told = fresh.expect(KEY, STATIC, NOW)
    assert (told.raised, told.cleared) == ((), ())
    assert (fresh.state(KEY), fresh.standing(KEY)) == (board.state(KEY), (late, contradicted))
    alarm = late.to_datum(NOW)
    read = envelope("alarm").decode(envelope("alarm").encode_physical(alarm))
    assert (read["code"], read["owner"], read["since"]) == (
        "STATIC_LATE",
        "psb",
        datetime.fromtimestamp(late.since / 1000, UTC),
    )


def test_what_sources_send_is_read_from_their_messages() -> None:
    who = {"agency": "psb", "resource": "residence_permit", "field_group": None}
    sent = {**who, "connector": "c", "sent_at": NOW, "complete_until": None}
    codec = envelope("heartbeat")
    assert Heartbeat.from_datum(codec.decode_physical(codec.encode_physical(sent))) == Heartbeat(KEY, NOW)
    word = {**who, "declaration_id": "00000000-0000-4000-8000-000000000000", "declared_at": NOW}
    codec = envelope("declaration")
    said = codec.encode_physical({**word, "quarter": "2025Q4", "says": "NO_CHANGE", "mark": None})
    assert Declaration.from_datum(codec.decode_physical(said)) == declare("2026-01-01T00:00", "2025Q4")[1]
    for wrong in ({"quarter": "2025Q5"}, {"quarter": "25Q1"}, {"says": "PERHAPS"}, {"says": "HIGH_WATER"}, {"mark": 1}):
        with pytest.raises(ValueError, match=r"quarter|PERHAPS|mark"):
            Declaration.from_datum({**word, "quarter": "2025Q4", "says": "NO_CHANGE", "mark": None, **wrong})


# -- the board -----------------------------------------------------------------------------------------------------


def test_a_source_that_owes_nothing_any_more_is_cleared_and_never_judged_again() -> None:
    board = Board(LAW, CALENDAR)
    assert [alarm.code for alarm in board.expect(KEY, DYNAMIC, NOW).raised] == [AlarmCode.SILENT]
    assert [alarm.code for alarm in board.forget(KEY, NOW).cleared] == [AlarmCode.SILENT]
    assert (list(board.keys), board.next_at) == ([], None)
    assert board.observe(beat(NOW)[1], At(NOW, "h/0", 0)) == ()


def test_an_outage_concerns_every_source_of_its_agency_and_no_other() -> None:
    board = Board(LAW, CALENDAR)
    keys = (KEY, Key("psb", "marriage"), Key("aic", "marriage"))
    for key in keys:
        board.expect(key, DYNAMIC, NOW)
    told = board.observe(OutageAccepted("psb", "o-1", NOW - DAY), At(NOW, "o/0", 0))
    assert {one.key for one in told if one.cleared} == set(keys[:2])
    none = board.pause("psb", Pauses(), NOW + SECOND)
    assert {one.key for one in none if one.raised} == set(keys[:2])


def test_events_are_for_their_own_source() -> None:
    with pytest.raises(ValueError, match=r"psb\.residence_permit was handed to"):
        observe(State(Key("aic", "marriage")), beat(NOW)[1], At(NOW, "h/0", 0))


@pytest.mark.parametrize("wrong", [{"source_lag": 0}, {"evidence_for": 0}, {"refused_share": 1.0}])
def test_targets_that_nobody_could_keep_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"target|share"):
        Targets(FreshnessClass.DYNAMIC, DUTY, **wrong)
