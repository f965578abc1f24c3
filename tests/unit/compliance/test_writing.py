"""Who may write: one datum, one source; one code for each reason, in one order."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.catalogue import SHANGHAI
from compliance.decision import Permitted
from compliance.divisions import DivisionSet
from compliance.models import NAMED_PERSONS, Contact, ContactRole, OnboardingState, OwnerRule, SharingPeriod
from compliance.owner_rules import overlapping
from compliance.writing import compile_owner, may_submit, refuse_owner
from schemas.refusals import RefusalCode, Refused
from schemas.resource import packaged_text
from schemas.words import Classification
from tests.builders import PERMIT
from tests.hall import Hall
from tests.hall_register import DAY, NOW, POLICE, STATS

TEXT = packaged_text(PERMIT)
SECOND = timedelta(seconds=1)


@pytest.fixture
def hall() -> Hall:
    return Hall(TEXT)


def decide(hall: Hall, at: datetime = NOW, **cited: Any) -> Permitted | Refused:
    """The decision on a submission of POLICE that is in order but for what is given."""
    submission = {
        "agency_code": POLICE,
        "resource": PERMIT,
        "catalogue_version": 1,
        "review_number": "R1",
        "classification": "NON_SECRET",
        **cited,
    }
    return may_submit(hall.view, at=at, **submission)


def code(hall: Hall, at: datetime = NOW, **cited: Any) -> RefusalCode | None:
    found = decide(hall, at, **cited)
    return found.code if isinstance(found, Refused) else None


def midnight(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=SHANGHAI)


# -- may_submit ----------------------------------------------------------------------------------------------------


def test_a_submission_in_order_is_permitted_and_says_under_which_entry(hall: Hall) -> None:
    assert decide(hall) == Permitted(hall.entry)


def test_an_unknown_agency_is_not_onboarded(hall: Hall) -> None:
    assert code(hall, agency_code="nobody") is RefusalCode.E_NOT_ONBOARDED


@pytest.mark.parametrize("state", [state for state in OnboardingState if state is not OnboardingState.CONNECTED])
def test_an_agency_that_is_not_connected_submits_nothing(hall: Hall, state: OnboardingState) -> None:
    hall.agency(POLICE, state=state)
    assert code(hall) is RefusalCode.E_NOT_ONBOARDED


@pytest.mark.parametrize("lacking", NAMED_PERSONS)
def test_an_agency_without_its_three_named_persons_submits_nothing(hall: Hall, lacking: ContactRole) -> None:
    rest = [Contact(role=role, name="某某", phone="0") for role in ContactRole if role is not lacking]
    hall.agency(POLICE, contacts=(*rest, rest[0]))
    assert code(hall) is RefusalCode.E_NOT_ONBOARDED


def test_a_resource_without_an_entry_in_force_takes_nothing(hall: Hall) -> None:
    assert code(hall, resource="unheard_of") is RefusalCode.E_NOT_IN_CATALOGUE
    hall.publish(TEXT, version=2, state="RETIRED")
    assert code(hall) is RefusalCode.E_NOT_IN_CATALOGUE
    assert code(hall, catalogue_version=2) is RefusalCode.E_NOT_IN_CATALOGUE


def test_the_sharing_period_is_counted_in_days_of_shanghai() -> None:
    hall = Hall(TEXT, sharing_period=SharingPeriod(from_=date(2026, 5, 1), until=date(2026, 6, 30)))
    for at, wanted in (
        (midnight(2026, 5, 1) - SECOND, RefusalCode.E_NOT_IN_CATALOGUE),
        (midnight(2026, 5, 1), None),
        (midnight(2026, 7, 1) - SECOND, None),
        (midnight(2026, 7, 1), RefusalCode.E_NOT_IN_CATALOGUE),
    ):
        assert code(hall, at) is wanted, at


def test_a_version_that_the_catalogue_does_not_have_is_refused(hall: Hall) -> None:
    for version in (-1, 0, 2, 2**31 - 1):
        found = decide(hall, catalogue_version=version)
        assert isinstance(found, Refused)
        assert (found.code, found.field) == (RefusalCode.E_VERSION, "catalogue_version")


def test_an_older_version_counts_until_the_grace_after_its_successor_is_over(hall: Hall) -> None:
    hall.publish(TEXT, version=2, published_at=NOW, grace_days=10)
    assert code(hall, NOW + 10 * DAY) is None
    assert code(hall, NOW + 10 * DAY + SECOND) is RefusalCode.E_VERSION
    assert code(hall, NOW + 10 * DAY + SECOND, catalogue_version=2) is None


def test_the_grace_runs_from_the_next_version_not_from_the_newest(hall: Hall) -> None:
    hall.publish(TEXT, version=2, published_at=NOW, grace_days=10)
    hall.publish(TEXT, version=3, published_at=NOW + 20 * DAY, grace_days=10)
    assert code(hall, NOW + 25 * DAY) is RefusalCode.E_VERSION
    assert code(hall, NOW + 25 * DAY, catalogue_version=2) is None


def test_without_grace_the_older_version_ends_with_the_new_one(hall: Hall) -> None:
    hall.publish(TEXT, version=2, published_at=NOW, grace_days=0)
    assert code(hall, NOW) is None
    assert code(hall, NOW + SECOND) is RefusalCode.E_VERSION


def test_a_grace_to_the_end_of_the_calendar_is_one(hall: Hall) -> None:
    hall.publish(TEXT, version=2, published_at=datetime(9999, 12, 31, tzinfo=UTC), grace_days=36_500)
    assert code(hall) is None
    with pytest.raises(ValueError, match="grace_days"):
        hall.publish(TEXT, version=2, grace_days=1_000_000_000)


def test_a_retired_older_version_has_no_grace(hall: Hall) -> None:
    hall.publish(TEXT, version=1, state="RETIRED")
    hall.publish(TEXT, version=2, published_at=NOW)
    assert code(hall) is RefusalCode.E_VERSION


def test_an_agency_that_no_rule_names_is_no_owner(hall: Hall) -> None:
    assert code(hall, agency_code=STATS) is RefusalCode.E_OWNER


@pytest.mark.parametrize("classification", [*(c.value for c in Classification if c.value != "NON_SECRET"), "", "非密"])
def test_whatever_is_not_plainly_non_secret_is_refused(hall: Hall, classification: str) -> None:
    found = decide(hall, classification=classification)
    assert isinstance(found, Refused)
    assert (found.code, found.field) == (RefusalCode.E_STATE_SECRET, "classification")


@pytest.mark.parametrize(
    ("review", "detail"),
    [
        ({"number": "R2"}, "the agency has no such review of the resource"),
        ({"agency": STATS}, "the agency has no such review of the resource"),
        ({"resource": "household_registration"}, "the agency has no such review of the resource"),
        ({"result": "FAIL"}, "the review did not pass"),
        ({"reviewed_on": date(2026, 6, 2)}, "the review is not valid on the day of submission"),
        ({"valid_until": date(2026, 5, 31)}, "the review is not valid on the day of submission"),
        ({"catalogue_version": 2}, "the review is of a later catalogue version"),
    ],
    ids=str,
)
def test_a_review_that_does_not_cover_the_submission_is_none(hall: Hall, review: dict[str, Any], detail: str) -> None:
    hall.view.apply("review", f"{POLICE}/R1", None)
    hall.review(**review)
    found = decide(hall)
    assert isinstance(found, Refused)
    assert (found.code, found.field, found.detail) == (RefusalCode.E_SECRECY_REVIEW, "review_number", detail)


def test_a_review_is_counted_in_days_of_shanghai(hall: Hall) -> None:
    hall.review(reviewed_on=date(2026, 5, 1), valid_until=date(2026, 6, 30))
    for at, stands in (
        (midnight(2026, 5, 1) - SECOND, False),
        (midnight(2026, 5, 1), True),
        (midnight(2026, 7, 1) - SECOND, True),
        (midnight(2026, 7, 1), False),
    ):
        assert (code(hall, at) is None) is stands, at


def test_a_review_of_an_earlier_version_stands_for_the_later_ones(hall: Hall) -> None:
    hall.publish(TEXT, version=2)
    assert code(hall, catalogue_version=2) is None


def test_of_several_reasons_the_first_in_the_order_of_the_articles_is_told(hall: Hall) -> None:
    """Each step mends what the step before complained of."""
    wrong: dict[str, Any] = {"catalogue_version": 9, "review_number": "R9", "classification": "SECRET"}
    hall.agency(STATS, state=OnboardingState.APPLIED)
    told = [code(hall, agency_code=STATS, resource="unheard_of", **wrong)]
    hall.agency(STATS)
    told.append(code(hall, agency_code=STATS, resource="unheard_of", **wrong))
    told.append(code(hall, agency_code=STATS, **wrong))
    told.append(code(hall, agency_code=STATS, **wrong | {"catalogue_version": 1}))
    told.append(code(hall, **wrong | {"catalogue_version": 1}))
    told.append(code(hall, **wrong | {"catalogue_version": 1, "classification": "NON_SECRET"}))
    assert told == [
        RefusalCode.E_NOT_ONBOARDED,
        RefusalCode.E_NOT_IN_CATALOGUE,
        RefusalCode.E_VERSION,
        RefusalCode.E_OWNER,
        RefusalCode.E_STATE_SECRET,
        RefusalCode.E_SECRECY_REVIEW,
    ]


def test_no_refusal_repeats_what_was_cited(hall: Hall) -> None:
    for name in ("review_number", "classification", "agency_code"):
        found = decide(hall, NOW, **{name: "CANARY"})
        assert isinstance(found, Refused)
        assert "CANARY" not in found.reason_zh + found.reason_en + repr(found)


# -- which part is whose -------------------------------------------------------------------------------------------


def owns(hall: Hall, agency: str, division: str | None, at: datetime = NOW, **data: object) -> bool:
    entry = hall.view.entry(PERMIT)
    assert entry is not None
    return compile_owner(entry, agency, at).covers(division, data)


def test_a_rule_without_bounds_owns_every_subject(hall: Hall) -> None:
    assert all(owns(hall, POLICE, division) for division in ("441302", "110101", None))
    assert not owns(hall, STATS, "441302")


@pytest.mark.parametrize(
    ("rule", "inside", "outside"),
    [
        ("441302", ["441302", "441302001", "441302001002"], ["441300", "441303", "441320", "44130", None, ""]),
        ("441300", ["441300", "441302", "441399001"], ["441200", "440000", "440000001", "114413"]),
        ("440000", ["440000", "441302", "440305001002"], ["450000", "004400"]),
        ("441302001", ["441302001", "441302001002"], ["441302", "441302002", "441302000"]),
        ("441302001000", ["441302001", "441302001999"], ["441302002000"]),
        ("441302001002", ["441302001002"], ["441302001", "441302001003"]),
    ],
    ids=["county", "city", "province", "town", "town of 12 digits", "village"],
)
def test_a_division_covers_what_lies_below_it_and_nothing_beside(
    rule: str, inside: list[str], outside: list[str | None]
) -> None:
    hall = Hall(TEXT, OwnerRule(agencies=(POLICE,), divisions=(rule,)))
    assert [division for division in inside if not owns(hall, POLICE, division)] == []
    assert [division for division in outside if owns(hall, POLICE, division)] == []


def test_a_second_lawful_owner_has_its_own_part_and_a_third_has_none(hall: Hall) -> None:
    rules = (
        OwnerRule(agencies=(POLICE,), divisions=("441302", "441303")),
        OwnerRule(agencies=("county",), divisions=("441322",)),
    )
    assert not overlapping(*rules)
    hall.agency("county")
    hall.publish(TEXT, owners=rules)
    hall.review(agency="county")
    assert [owns(hall, who, "441322001") for who in (POLICE, "county", STATS)] == [False, True, False]
    assert [owns(hall, who, "441303") for who in (POLICE, "county", STATS)] == [True, False, False]
    assert not any(owns(hall, who, "441323") for who in (POLICE, "county", STATS))
    assert [code(hall, agency_code=who) for who in (POLICE, "county", STATS)] == [None, None, RefusalCode.E_OWNER]


def test_the_agencies_of_one_rule_own_its_part_together(hall: Hall) -> None:
    hall.publish(TEXT, owners=(OwnerRule(agencies=(POLICE, STATS), divisions=("441302",)),))
    assert owns(hall, POLICE, "441302")
    assert owns(hall, STATS, "441302")


def test_a_rule_may_go_by_the_value_of_a_field_within_its_divisions(hall: Hall) -> None:
    hall.publish(
        TEXT,
        owners=(
            OwnerRule(agencies=(POLICE,), field="kind", values=("a", "b")),
            OwnerRule(agencies=(STATS,), field="kind", values=("c",), divisions=("441302",)),
        ),
    )
    assert owns(hall, POLICE, None, kind="a")
    assert owns(hall, POLICE, "110101", kind="b")
    assert not any(owns(hall, POLICE, "441302", kind=value) for value in ("c", "A", None))
    assert not owns(hall, POLICE, "441302")
    assert owns(hall, STATS, "441302001", kind="c")
    assert not owns(hall, STATS, "441303", kind="c")
    assert not owns(hall, STATS, None, kind="c")


def test_several_rules_of_one_agency_add_up(hall: Hall) -> None:
    hall.publish(
        TEXT,
        owners=(
            OwnerRule(agencies=(POLICE,), divisions=("441302",)),
            OwnerRule(agencies=(POLICE,), field="kind", values=("a",), divisions=("441303",)),
        ),
    )
    assert owns(hall, POLICE, "441302", kind="z")
    assert owns(hall, POLICE, "441303", kind="a")
    assert not owns(hall, POLICE, "441303", kind="z")


def test_a_hand_over_leaves_one_owner_at_every_instant(hall: Hall) -> None:
    rules = (
        OwnerRule(agencies=(POLICE,), effective_until=NOW),
        OwnerRule(agencies=(STATS,), effective_from=NOW),
    )
    assert not overlapping(*rules)
    hall.publish(TEXT, owners=rules)
    hall.review(agency=STATS)
    for at, owner in ((NOW - SECOND, POLICE), (NOW, STATS), (NOW + SECOND, STATS)):
        assert [who for who in (POLICE, STATS) if owns(hall, who, "441302", at)] == [owner]
        assert [who for who in (POLICE, STATS) if code(hall, at, agency_code=who) is None] == [owner]


def test_a_change_outside_the_part_is_told_by_the_field_that_told_so() -> None:
    found = refuse_owner("registration_authority_division")
    assert (found.code, found.article) == (RefusalCode.E_OWNER, "5, 11")
    assert found.reason_en.endswith(
        "(registration_authority_division): the subject lies outside the agency's part of the resource"
    )


# -- one datum, one source -----------------------------------------------------------------------------------------

_PAIRS = st.sampled_from(["00", "01", "02", "13", "44"])
DIVISIONS = st.lists(_PAIRS, min_size=3, max_size=3).map("".join) | st.tuples(
    st.lists(_PAIRS, min_size=3, max_size=3).map("".join), st.sampled_from(["000", "001", "001000", "001002", "010"])
).map("".join)
MOMENTS = [NOW + days * DAY for days in range(4)]


@st.composite
def rules(draw: st.DrawFn, agency: str) -> OwnerRule:
    start, end = draw(st.sampled_from([(0, None), (0, 1), (0, 2), (1, 3), (2, None), (1, 2)]))
    by_field = draw(st.none() | st.sampled_from(["kind", "topic"]))
    values = draw(st.lists(st.sampled_from("abc"), min_size=1, unique=True)) if by_field else None
    return OwnerRule(
        agencies=(agency,),
        divisions=draw(st.none() | st.lists(DIVISIONS, min_size=1, max_size=3, unique=True).map(tuple)),
        field=by_field,
        values=tuple(values) if values else None,
        effective_from=MOMENTS[start],
        effective_until=MOMENTS[end] if end is not None else None,
    )


@given(rules(POLICE), rules(STATS), DIVISIONS, st.sampled_from(MOMENTS), st.sampled_from("abc"), st.sampled_from("abc"))
def test_two_rules_that_do_not_overlap_never_own_the_same_datum(
    one: OwnerRule, other: OwnerRule, division: str, at: datetime, kind: str, topic: str
) -> None:
    hall = Hall(TEXT)
    hall.publish(TEXT, owners=(one, other))
    owners = [who for who in (POLICE, STATS) if owns(hall, who, division, at, kind=kind, topic=topic)]
    assert len(owners) < 2 or overlapping(one, other)
    assert overlapping(one, other) is overlapping(other, one)


@given(st.lists(DIVISIONS, max_size=3), st.lists(DIVISIONS, max_size=3), DIVISIONS)
def test_sets_of_divisions_that_share_a_subject_overlap(ours: list[str], theirs: list[str], division: str) -> None:
    one, other = DivisionSet(ours), DivisionSet(theirs)
    assert not (one.covers(division) and other.covers(division)) or one.overlaps(other)
    assert all(one.covers(code) for code in ours)
