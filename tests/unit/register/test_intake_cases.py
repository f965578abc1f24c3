"""From a hit to its case: opened once, told, revised, seen to end, waived; in both databases."""

from typing import Any

import pytest

from bus.intake.cases import note_refusal, open_case, take_found
from bus.intake.hits import Hit
from bus.intake.words import Taken
from bus.register.lock import AnotherRelayError, intake_lock, relay_lock, sender_lock
from compliance.cases import flagged
from compliance.crosschecks import Comparison, Kind, Normaliser
from compliance.models import OwnerRule
from compliance.register.decision import NoError
from compliance.register.intake import positions, take_in, without_case
from compliance.register.service import Register
from compliance.workflows.data_case_rules import current
from schemas.errors import UsageError
from schemas.refusals import RefusalCode
from tests.catalogue import entry, schema_text
from tests.findings import ANOTHER, PAIR, check, closed, hit, side
from tests.intake import CHECKS, cases, said, take
from tests.procedures import (
    CIVIL,
    CONFIRMED,
    EVENT,
    NOTICE,
    OTHER_EVENT,
    POLICE,
    RIGHT_EVENT,
    TOKEN,
    VERIFICATION,
    days,
    objection,
    with_catalogue,
)
from tests.register import NOW, OPERATOR, moved, refused


def test_an_opened_hit_is_a_case_at_the_asked_owner_which_is_told_at_once(register: Register) -> None:
    with_catalogue(register)
    assert said(register, hit()) is Taken.OPENED
    [case] = cases(register)
    assert (case.state, case.parties.provider, case.parties.requester) == ("NOTIFIED", "psb", None)
    opening = case.facts["report_cross_check"]
    assert (opening["event_id"], opening["compared_event"]) == (EVENT, OTHER_EVENT)
    assert (opening["compared_resource"], opening["pair"]) == ("bench", PAIR)
    assert opening["statement"] == case.fact("notify_owner", "finding") == "路灯与长椅的区域不一致"
    assert {step.account for step in register.history(case.number)} == {"bus"}
    assert [clock.rule for clock in register.clocks()] == ["case_owner_answer"]
    assert flagged(register) == {("lamp", TOKEN): frozenset({"area"})}


def test_what_comes_again_opens_nothing(register: Register) -> None:
    with_catalogue(register)
    said(register, hit(days(1)), days(1))
    assert said(register, hit(days(1)), days(1)) is Taken.REPEATED
    said(register, closed(days(2), "WITHDRAWN"), days(2))
    for again in (hit(days(1)), hit(days(3)), closed(days(2), "WITHDRAWN"), closed(days(3), "OTHER_CHANGED")):
        assert said(register, again, days(3)) is Taken.REPEATED
    later = hit(days(4), opened_at=hit(days(4))["told_at"])
    assert said(register, later, days(4)) is Taken.OPENED
    assert said(register, closed(days(2), "WITHDRAWN"), days(4)) is Taken.REPEATED
    assert [case.state for case in cases(register)] == ["OWNER_DONE", "NOTIFIED"]


def test_an_end_counts_whatever_the_clock_of_whoever_wrote_it(book: Register) -> None:
    with_catalogue(book)
    said(book, hit(days(1)))
    assert said(book, closed(NOW, "WITHDRAWN"), days(1)) is Taken.ENDED


def test_where_the_right_side_is_asked_the_case_is_about_its_version_and_its_own_fields(book: Register) -> None:
    with_catalogue(book)
    sides = {"left": side(OTHER_EVENT, resource="bench", agency="aic"), "right": side()}
    said(book, hit(**sides, asks_right=True))
    [case] = cases(book)
    assert case.parties.provider == "psb"
    assert (current(case, "event_id"), current(case, "compared_event")) == (EVENT, OTHER_EVENT)
    assert current(case, "fields") == ["number"]


def test_article_28_a_name_that_differs_is_a_case_of_names_whatever_the_field_is_called(book: Register) -> None:
    name = schema_text("lamp").replace('"number_field"', '"name_field": "area", "number_field"')
    with_catalogue(book, entry(name, version=2))
    compare = (Comparison(left="@name", right="@name", normalise=Normaliser.NAME),)
    names = {"lamp_bench": check(articles="28", compare=compare)}
    assert take(book, Hit.read(hit(fields=["@name"]), names)) is Taken.OPENED
    [case] = cases(book)
    assert case.fact("report_name", "fields") == ["area"]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (Kind.REQUIRES, {"right": None, "fields": []}),
        (Kind.LINKED, {"right": None, "fields": ["number"]}),
        (Kind.STATES, {"fields": []}),
        (Kind.EXCLUDES, {"fields": []}),
        (Kind.SINGLE_SOURCE, {"fields": []}),
    ],
)
def test_every_kind_of_check_makes_a_case_of_what_it_has(book: Register, kind: Kind, changes: dict[str, Any]) -> None:
    with_catalogue(book)
    more = {"link": {"type_field": "area", "number_field": "number"}} if kind is Kind.LINKED else {}
    assert take(book, Hit.read(hit(**changes), {"lamp_bench": check(kind, **more)})) is Taken.OPENED
    [case] = cases(book)
    assert (case.state, case.fact("report_cross_check", "asks")) == ("NOTIFIED", kind.value)


@pytest.mark.parametrize("changes", [{}, {"fields": []}, {"fields": [], "right": None}])
def test_a_check_that_only_the_city_has_makes_a_case_all_the_same(book: Register, changes: dict[str, Any]) -> None:
    with_catalogue(book)
    assert take(book, Hit.read(hit(**changes, check="own_check"), {})) is Taken.OPENED


def test_a_hit_that_goes_on_with_other_versions_is_noted_in_its_case(register: Register) -> None:
    with_catalogue(register)
    said(register, hit())
    assert said(register, hit(days(1)), days(1)) is Taken.NOTED
    again = hit(days(2), left=side(RIGHT_EVENT), compared=ANOTHER)
    assert said(register, again, days(2)) is Taken.REVISED
    [case] = cases(register)
    assert (case.state, current(case, "event_id")) == ("NOTIFIED", RIGHT_EVENT)
    assert current(case, "compared") == ANOTHER.hex()


def test_article_56_the_owners_correcting_event_closes_the_loop(register: Register) -> None:
    with_catalogue(register)
    said(register, hit())
    assert said(register, closed(days(1), "CORRECTED", RIGHT_EVENT), days(1)) is Taken.ENDED
    [case] = cases(register)
    assert case.state == "OWNER_DONE"
    assert case.facts["see_corrected"] == {"wrong_event": EVENT, "correcting_event": RIGHT_EVENT}
    assert register.clocks() == ()
    moved(register.act(case.number, "report", VERIFICATION, OPERATOR, days(2)), "REPORTED")
    moved(register.act(case.number, "close", None, OPERATOR, days(2)), "CLOSED")
    assert flagged(register) == {}


@pytest.mark.parametrize("reason", ["OTHER_CHANGED", "WITHDRAWN"])
def test_a_hit_that_ends_otherwise_says_so_in_its_case(book: Register, reason: str) -> None:
    with_catalogue(book)
    said(book, hit())
    assert said(book, closed(days(1), reason), days(1)) is Taken.ENDED
    [case] = cases(book)
    assert (case.state, case.fact("see_resolved", "outcome")) == ("OWNER_DONE", reason)


def test_what_the_owner_answered_stands_when_the_hit_ends(book: Register) -> None:
    with_catalogue(book)
    said(book, hit())
    [case] = cases(book)
    moved(book.act(case.number, "answer", CONFIRMED, POLICE, days(1)))
    assert said(book, closed(days(2), "CORRECTED", RIGHT_EVENT), days(2)) is Taken.ENDED
    assert "see_corrected" not in cases(book)[0].facts


def test_the_same_pair_found_again_later_is_another_case(register: Register) -> None:
    with_catalogue(register)
    said(register, hit())
    said(register, closed(days(1), "OTHER_CHANGED"), days(1))
    again = hit(days(2), opened_at=hit(days(2))["told_at"])
    assert said(register, again, days(2)) is Taken.OPENED
    assert [case.state for case in cases(register)] == ["OWNER_DONE", "NOTIFIED"]


def test_an_end_that_compaction_took_is_seen_by_the_next_opening(book: Register) -> None:
    with_catalogue(book)
    said(book, hit())
    said(book, hit(days(2), opened_at=hit(days(2))["told_at"]), days(2))
    assert [case.state for case in cases(book)] == ["OWNER_DONE", "NOTIFIED"]
    assert said(book, closed(days(3), "WITHDRAWN", pair=PAIR[:-1] + "9"), days(3)) is Taken.NOTED


def test_a_closed_case_stays_and_another_difference_of_its_pair_is_another_case(book: Register) -> None:
    with_catalogue(book)
    said(book, hit())
    [case] = cases(book)
    for action, form, who in (
        ("answer", CONFIRMED, POLICE),
        ("report", VERIFICATION, OPERATOR),
        ("close", None, OPERATOR),
    ):
        moved(book.act(case.number, action, form, who, days(1)))
    assert said(book, hit(days(2), left=side(RIGHT_EVENT)), days(2)) is Taken.NOTED
    assert said(book, hit(days(3), left=side(RIGHT_EVENT), compared=ANOTHER), days(3)) is Taken.OPENED
    assert [each.state for each in cases(book)] == ["CLOSED", "NOTIFIED"]


def test_what_the_rules_refuse_moves_the_position_and_becomes_a_case_when_they_allow_it(register: Register) -> None:
    found, place = Hit.read(hit(), CHECKS), ("hit", 0)

    def take_both() -> None:
        with register.deciding(NOW) as decision:
            assert take_in(decision.connection, place, 7)
            take_found(decision, found)

    with pytest.raises(NoError) as no:
        take_both()
    assert (no.value.refused.code, positions(register.engine)) == (RefusalCode.E_NOT_IN_CATALOGUE, {})
    with register.deciding(NOW) as decision:
        assert take_in(decision.connection, place, 7)
        assert note_refusal(decision, found, no.value.refused) is Taken.REFUSED
    [waiting] = without_case(register.engine)
    assert (waiting.problem, positions(register.engine)) == ("E_NOT_IN_CATALOGUE", {place: 8})
    with_catalogue(register)
    with register.deciding(NOW) as decision:
        open_case(decision, Hit.kept(waiting.body, CHECKS))
    assert without_case(register.engine) == ()
    assert [case.state for case in cases(register)] == ["NOTIFIED"]


def test_a_message_that_was_taken_in_is_not_taken_in_again(register: Register) -> None:
    for offset, taken in ((4, True), (4, False), (3, False), (9, True)):
        with register.deciding(NOW) as decision:
            assert take_in(decision.connection, ("alarm", 0), offset) is taken
    assert positions(register.engine) == {("alarm", 0): 10}


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "CLOSED"},
        {"reason": "CORRECTED"},
        {"state": "CLOSED", "reason": "CORRECTED"},
        {"token": b""},
        {"opened_at": 2**62},
        {"left": None},
    ],
)
def test_what_is_no_hit_is_said_without_its_content(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no hit of the bus"):
        Hit.read(hit(**changes), CHECKS)


def test_what_a_newer_writer_says_beside_a_hit_is_passed_over() -> None:
    assert Hit.read(hit(extra=1, left=side(extra=2)), CHECKS).finding.key == PAIR


def test_an_owner_of_another_county_is_not_asked(book: Register) -> None:
    with_catalogue(book, entry(schema_text("bench"), owners=(OwnerRule(agencies=("aic",)),)))
    with pytest.raises(NoError, match="no owner"):
        said(book, hit(left=side(resource="bench")))
    assert cases(book) == ()


def test_only_one_takes_in_at_a_time_in_either_database(register: Register) -> None:
    with intake_lock(register.engine, 1.0):
        with pytest.raises(AnotherRelayError, match="another intake"), intake_lock(register.engine, 0.1):
            pass
        # Who publishes or sends is somebody else.
        with relay_lock(register.engine, 1.0), sender_lock(register.engine, 1.0):
            pass
    with intake_lock(register.engine, 1.0):
        pass


# -- waivers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answered", "state"), [(False, "UNFOUNDED"), (True, "OWNER_DONE")])
def test_a_false_alarm_is_waived_for_the_pair_as_it_was_compared_by_the_operator(
    register: Register, state: str, *, answered: bool
) -> None:
    with_catalogue(register)
    said(register, hit())
    [case] = cases(register)
    if answered:
        moved(register.act(case.number, "answer", CONFIRMED, POLICE, days(1)))
    reason = {"reason": "译名写法不同，含义一致"}
    refused(register.act(case.number, "waive", reason, POLICE, days(1)), RefusalCode.E_ROLE)
    moved(register.act(case.number, "waive", reason, OPERATOR, days(1)), state)
    [waiver] = register.view().waivers()
    assert (waiver.token, waiver.pair, waiver.compared) == (TOKEN, PAIR, hit()["compared"].hex())
    assert (waiver.case, waiver.role.value, waiver.decided_at) == (case.number, "OPERATOR_CITY", days(1))
    assert register.clocks() == ()
    assert said(register, closed(days(2), "WAIVED"), days(2)) is Taken.ENDED
    assert cases(register)[0].state == state


@pytest.mark.parametrize("reason", ["", "身份证号441300199001011234", "电话０７５２１２３"])
def test_a_waiver_has_a_reason_and_no_number_in_it(book: Register, reason: str) -> None:
    with_catalogue(book)
    said(book, hit())
    [case] = cases(book)
    no = refused(book.act(case.number, "waive", {"reason": reason}, OPERATOR, NOW), RefusalCode.E_FORM)
    assert "1234" not in no.reason_en
    assert book.view().waivers() == ()


def test_a_case_that_somebody_filed_is_neither_waived_nor_seen_to_end_by_the_bus(book: Register) -> None:
    with_catalogue(book)
    number = moved(book.open("data_case", "object", objection(token=TOKEN), CIVIL, NOW)).matter.number
    moved(book.act(number, "notify_owner", NOTICE, OPERATOR, NOW))
    forms = {
        "waive": {"reason": "无误"},
        "see_corrected": {"wrong_event": EVENT, "correcting_event": RIGHT_EVENT},
        "see_resolved": {"outcome": "WITHDRAWN"},
        "revise": {"event_id": RIGHT_EVENT},
    }
    for action, form in forms.items():
        refused(book.act(number, action, form, OPERATOR, NOW), RefusalCode.E_STATE)
