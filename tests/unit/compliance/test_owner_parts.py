"""Which part of a resource is whose: one datum, one source, by division, by field, at every instant (Art 5, 11)."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.divisions import DivisionSet
from compliance.models import OwnerRule
from compliance.owner_rules import overlapping
from compliance.writing import compile_owner, refuse_owner
from schemas.refusals import RefusalCode
from schemas.resource import packaged_text
from tests.builders import PERMIT
from tests.hall import Hall
from tests.hall_register import DAY, NOW, POLICE, STATS
from tests.writing import code

TEXT = packaged_text(PERMIT)
SECOND = timedelta(seconds=1)


@pytest.fixture
def hall() -> Hall:
    return Hall(TEXT)


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
