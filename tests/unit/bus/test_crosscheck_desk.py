"""The desk of cross-checks: what is told of a hit, when, and what a change of rules, a waiver or a clock does."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bus.crosscheck.desk import CLOSED_KEPT_MS
from bus.crosscheck.worker import waivers_of
from compliance.crosschecks import packaged_crosschecks
from compliance.roles import Role
from compliance.rulings import Waiver as Decided
from compliance.view import RegisterView
from processors.crosscheck.facts import RecordFact
from processors.crosscheck.words import Waiver
from processors.freshness.words import DAY
from tests.crosscheck_town import Town, Worker
from tests.unit.processors.test_crosscheck import AT, FAULTS, HOUSEHOLD, LONG_AGO, TOKEN, fact

CHECKS = packaged_crosschecks().checks
PAIR_ID = "5d0e9c61-7f2a-4f0d-83c4-9a4b2f5e5e52"


class Office:
    """A town with the packaged checks and a worker that starts again when told to."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "store.db"
        self.town = Town(CHECKS)
        self.worker: Worker | None = None

    def restart(self, at: int = AT) -> None:
        self.end()
        self.worker = Worker(self.town, self.path, at)

    def end(self) -> None:
        if self.worker is not None:
            self.worker.close()
        self.worker = None

    def come(self, *facts: RecordFact, at: int = AT) -> list[tuple[str, str, str | None]]:
        """Records come; check, state and reason of what is told then."""
        before = len(self.town.hits)
        self.town.facts += facts
        if self.worker is None:
            self.restart(at)
        assert self.worker is not None
        self.worker.through(at)
        words = [datum for _, datum in self.town.words()[before:]]
        return [("", "GONE", None) if one is None else (one["check"], one["state"], one["reason"]) for one in words]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.end()


@pytest.mark.parametrize("name", FAULTS)
def test_every_packaged_check_tells_its_fault_once(office: Office, name: str) -> None:
    assert office.come(*FAULTS[name]) == [(name, "OPEN", None)]
    office.restart()
    assert office.come() == []


def test_the_owners_correction_closes_a_hit_and_names_both_versions(office: Office) -> None:
    office.come(*FAULTS["name_by_number"])
    assert office.come(fact("marriage", version=2, name="张三"), at=AT + 5) == [
        ("name_by_number", "CLOSED", "CORRECTED")
    ]
    [(pair, opened), (same, closed)] = office.town.words()
    assert opened is not None
    assert closed is not None
    assert pair == same == opened["pair"] == closed["pair"]
    assert closed["superseded"] == {
        "resource": "marriage",
        "agency": "marriage",
        "wrong_event_id": "marriage--1",
        "right_event_id": "marriage--2",
    }
    assert (opened["opened_at"], closed["opened_at"], closed["told_at"]) == (AT, AT, AT + 5)
    assert opened["left"]["event_id"] == closed["left"]["event_id"] == "marriage--1"


def test_a_hit_that_goes_on_with_another_version_is_told_with_the_correction(office: Office) -> None:
    office.come(*FAULTS["name_by_number"])
    assert office.come(fact("marriage", version=2, name="张五"), at=AT + 5) == [("name_by_number", "OPEN", None)]
    told = office.town.words()[-1][1]
    assert told is not None
    assert (told["opened_at"], told["told_at"]) == (AT, AT + 5)
    assert told["left"]["event_id"] == told["superseded"]["right_event_id"] == "marriage--2"


def test_time_alone_opens_a_hit_when_the_tolerance_is_over(office: Office) -> None:
    household, death = (
        fact("household_registration", **HOUSEHOLD),
        fact("death_certificate", at=AT, deceased_name="张三"),
    )
    assert office.come(household, death) == []
    assert office.come(at=AT + 30 * DAY - 1) == []
    assert office.come(at=AT + 30 * DAY) == [("death_household", "OPEN", None)]


def test_a_clock_that_goes_back_takes_no_hit_back(office: Office) -> None:
    household, death = (
        fact("household_registration", **HOUSEHOLD),
        fact("death_certificate", at=AT, deceased_name="张三"),
    )
    office.come(household, death, at=AT + 30 * DAY)
    office.restart(AT)
    assert office.come(fact("household_registration", version=2, **HOUSEHOLD), at=AT) == [
        ("death_household", "OPEN", None)
    ]
    office.end()
    office.path.unlink()
    assert office.come(at=AT) == []
    assert len(office.town.standing()) == 1


def test_an_update_does_not_take_back_what_was_told_also_where_compaction_took_the_version_before(
    office: Office,
) -> None:
    office.come(*FAULTS["death_household"])
    office.end()
    office.path.unlink()
    office.town.facts.append(fact("death_certificate", version=2, at=AT, deceased_name="张三"))
    office.town.compact()
    assert office.come() == [("death_household", "OPEN", None)]


def test_a_waiver_closes_a_hit_and_its_end_opens_it_again(office: Office) -> None:
    office.come(*FAULTS["name_by_number"])
    [hit] = office.town.standing().values()
    office.town.waivers = [Waiver(TOKEN, hit.pair, hit.compared, "decree on file", "OFFICER", AT)]
    office.restart()
    assert [word[1]["reason"] for word in office.town.words()[1:] if word[1]] == ["WAIVED"]
    # Also where the store is lost.
    office.end()
    office.path.unlink()
    assert office.come() == []
    office.town.waivers = []
    office.restart()
    assert [word[1]["state"] for word in office.town.words()[2:] if word[1]] == ["OPEN"]


def test_other_rules_are_applied_to_what_is_known(office: Office) -> None:
    office.come(*FAULTS["name_by_number"])
    office.town.checks = [check for check in CHECKS if check.id != "name_by_number"]
    office.restart()
    assert office.town.standing() == {}
    office.town.checks = CHECKS
    office.restart()
    assert [hit.check for hit in office.town.standing().values()] == ["name_by_number"]


def test_a_hit_whose_records_left_no_trace_is_closed_by_whoever_builds_anew(office: Office) -> None:
    office.come(*FAULTS["name_by_number"])
    office.end()
    office.path.unlink()
    office.town.facts.clear()
    office.town.judged = 0
    office.restart()
    last = office.town.words()[-1][1]
    assert last is not None
    assert (last["state"], last["reason"]) == ("CLOSED", "WITHDRAWN")


def test_a_closed_hit_is_gone_from_the_topic_after_thirty_days(office: Office) -> None:
    office.come(*FAULTS["name_by_number"])
    office.come(fact("marriage", version=2, name="张三"))
    assert office.come(at=AT + CLOSED_KEPT_MS) == []
    assert office.come(at=AT + CLOSED_KEPT_MS + 1) == [("", "GONE", None)]
    office.restart(AT + CLOSED_KEPT_MS + 2)
    assert office.come(at=AT + CLOSED_KEPT_MS + 3) == []


def test_one_that_opens_again_on_the_day_of_its_tombstone_stands(office: Office) -> None:
    office.come(*FAULTS["name_by_number"])
    office.come(fact("marriage", version=2, name="张三"))
    later = AT + CLOSED_KEPT_MS + 1
    assert office.come(fact("marriage", version=3, name="张四"), at=later) == [("name_by_number", "OPEN", None)]
    assert office.come(at=later + 1) == []
    assert len(office.town.standing()) == 1


def test_digests_under_two_keys_are_not_compared_and_records_from_before_facts_open_nothing(office: Office) -> None:
    marriage, household = FAULTS["name_by_number"]
    assert office.come(replace(marriage, key_id="c1"), replace(household, key_id="c2")) == []
    again = replace(marriage, key_id="c2", version=2, event_id="e-2")
    assert office.come(again) == [("name_by_number", "OPEN", None)]
    old = {"digests": {}, "holds": frozenset(), "key_id": None, "business_time": LONG_AGO}
    death, living = (replace(one, token=b"u" * 16) for one in FAULTS["death_household"])
    assert office.come(death, replace(living, **old)) == []
    [enterprise] = FAULTS["enterprise_tax"]
    tax = replace(enterprise, resource="national_tax", **old)
    assert office.come(enterprise, tax) == []


def test_waivers_come_from_the_register() -> None:
    view, pair = RegisterView(), "9a4b2f5e-5e52-5d0e-9c61-7f2a6f0d83c4"
    assert list(waivers_of(view)) == []
    decided = Decided(
        id=PAIR_ID,
        token=TOKEN.hex(),
        pair=pair,
        compared=b"c".hex() * 16,
        reason="on file",
        role=Role.OPERATOR_CITY,
        decided_at=datetime.fromtimestamp(AT / 1000, UTC),
        case="CASE-2026-00001",
    )
    view.apply(Decided.kind, decided.key, decided)
    assert list(waivers_of(view)) == [Waiver(TOKEN, pair, b"c" * 16, "on file", "OPERATOR_CITY", AT)]
