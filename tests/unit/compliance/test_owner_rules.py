"""One datum, one source, at every instant, from version to version (Art 5, 11, 40)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from compliance.decision import Permitted
from compliance.models import OwnerRule, SecrecyReview, SharingPeriod
from compliance.view import RegisterView
from compliance.writing import compile_owner, may_submit
from schemas.refusals import Refused
from tests.catalogue import PUBLISHED, against, codes, entry, field, register, schema_text

NEXT = PUBLISHED + timedelta(days=30)
HANDOVER = PUBLISHED + timedelta(days=60)
COUNTIES = ("441302", "441303", "441322", "441323", "441324", "441396", "441397")
TOPICS = schema_text("lamp", field("topic", code_list="natural_resource_topic", code_policy="refuse"))
SCHOOLS = schema_text("lamp", field("school"))


def rule(agency: str, *divisions: str, **more: Any) -> OwnerRule:
    return OwnerRule(agencies=(agency,), divisions=divisions or None, **more)


def second(*owners: OwnerRule, **changes: Any) -> Any:
    return entry(**{"version": 2, "published_at": NEXT, "owners": owners, **changes})


def move(*after: OwnerRule, before: tuple[OwnerRule, ...] = (rule("psb", "441300"),), **changes: Any) -> list[str]:
    """The errors of a second version with these owners."""
    text = {"avro": changes.pop("avro")} if "avro" in changes else {}
    now = changes.pop("now", None)
    return codes(second(*after, **text, **changes), view=register(entry(owners=before, **text)), now=now)


# -- one instant ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "owners",
    [
        (rule("psb", "441300"), rule("aic", "441302")),
        (rule("psb"), rule("aic")),
        (rule("psb"), rule("aic", "441302")),
        (rule("psb", "441302"), rule("aic", "441302001")),
        (rule("psb", "441300"), rule("aic", "441300", field="area", values=("a",))),
        (rule("psb", field="area", values=("a",)), rule("aic")),
        (rule("psb", field="area", values=("a", "b")), rule("aic", field="area", values=("b",))),
        (rule("psb", field="area", values=("a",)), rule("aic", field="number", values=("b",))),
        (rule("psb", "441300", effective_until=HANDOVER + timedelta(seconds=1)), rule("aic", effective_from=HANDOVER)),
    ],
)
def test_two_rules_that_meet_in_one_datum_are_refused(owners: tuple[OwnerRule, ...]) -> None:
    assert set(codes(entry(owners=owners))) == {"E_TWO_OWNERS"}


@pytest.mark.parametrize(
    "owners",
    [
        (rule("psb", "441302"), rule("aic", "441303")),
        (rule("psb", "441302001"), rule("aic", "441302002")),
        (rule("psb", field="area", values=("a",)), rule("aic", field="area", values=("b",))),
        (rule("psb", "441302", field="area", values=("a",)), rule("aic", "441303", field="number", values=("b",))),
        (rule("psb", "441300", effective_until=HANDOVER), rule("aic", "441300", effective_from=HANDOVER)),
        (rule("psb", "441300", effective_from=HANDOVER), rule("aic", "441300", effective_until=HANDOVER)),
        (OwnerRule(agencies=("psb", "aic"), divisions=("441300",)),),
    ],
)
def test_parts_that_do_not_meet_may_have_different_owners(owners: tuple[OwnerRule, ...]) -> None:
    assert codes(entry(owners=owners)) == []


def test_a_rule_that_ends_needs_a_successor_while_the_entry_is_shared() -> None:
    ends = rule("psb", "441300", effective_until=HANDOVER)
    assert codes(entry(owners=(ends,))) == ["E_OWNER_GAP"]
    late = rule("aic", "441300", effective_from=HANDOVER + timedelta(milliseconds=1))
    assert codes(entry(owners=(ends, late))) == ["E_OWNER_GAP"]
    partial = rule("aic", "441302", effective_from=HANDOVER)
    assert codes(entry(owners=(ends, partial))) == ["E_OWNER_GAP"]
    over = SharingPeriod(from_=date(2026, 1, 1), until=(HANDOVER - timedelta(days=1)).date())
    assert codes(entry(owners=(ends,), sharing_period=over)) == []


# -- from version to version ------------------------------------------------------------------------------------------


def halves(at: datetime, *divisions: str) -> tuple[OwnerRule, OwnerRule]:
    return rule("psb", *divisions, effective_until=at), rule("aic", *divisions, effective_from=at)


def test_an_owner_changes_at_one_instant_that_the_version_names() -> None:
    assert move(*halves(HANDOVER, "441300")) == []
    assert move(*halves(NEXT, "441300")) == []


def test_a_new_owner_without_an_effective_time_is_refused() -> None:
    assert move(rule("aic", "441300")) == ["E_OWNER_TIME"]


def test_a_change_that_lies_before_its_own_publication_is_refused() -> None:
    assert move(*halves(NEXT - timedelta(milliseconds=1), "441300")) == ["E_OWNER_TIME"]


def test_a_change_that_lies_before_its_application_is_refused() -> None:
    """The old owner has written until the version is applied: from then on alone can another one own it."""
    assert move(*halves(HANDOVER, "441300"), now=HANDOVER) == []
    assert move(*halves(HANDOVER, "441300"), now=HANDOVER + timedelta(seconds=1)) == ["E_OWNER_TIME"]


def test_a_version_without_the_old_half_would_leave_a_gap() -> None:
    assert move(rule("aic", "441300", effective_from=HANDOVER)) == ["E_OWNER_GAP"]
    assert move(rule("aic", "441300", effective_from=NEXT)) == ["E_OWNER_GAP"]


def test_a_part_that_nobody_owns_any_more_is_a_gap() -> None:
    found = against(second(rule("psb", "441302")), view=register(entry()))
    assert len(found) == 1
    assert "E_OWNER_GAP" in found[0]
    assert "division 441303" in found[0]


def test_a_city_may_be_divided_among_its_counties_and_every_one_must_be_named() -> None:
    old = tuple(rule("psb", code, effective_until=HANDOVER) for code in COUNTIES)
    new = tuple(rule("aic" if code == "441302" else "psb", code, effective_from=HANDOVER) for code in COUNTIES)
    assert move(*old, *new) == []
    assert move(*old, *new[:-1]) == ["E_OWNER_GAP"], "a gap in the version and against the one before"
    assert move(*(rule("psb", code) for code in COUNTIES)) == [], "the same owner, in other words"


def test_an_undivided_resource_may_be_bound_to_its_city() -> None:
    assert move(rule("psb", "441300"), before=(rule("psb"),)) == []
    assert move(rule("psb"), before=(rule("psb", "441300"),)) == []
    assert move(rule("psb", "441302"), before=(rule("psb"),)) == ["E_OWNER_GAP"]


def test_the_values_of_a_code_list_are_all_given_away_or_none() -> None:
    rest = ("PROJECT", "WATER", "MINERAL", "ENERGY", "FOREST", "GRASSLAND", "FISHERY", "WILDLIFE", "MARINE", "CLIMATE")
    rest = (*rest, "URBAN_RURAL_PLANNING", "PLANNING")
    all_but = rule("psb", "441300", field="topic", values=rest)
    land = {"field": "topic", "values": ("LAND",)}
    own = (
        rule("psb", "441300", **land, effective_until=HANDOVER),
        rule("aic", "441300", **land, effective_from=HANDOVER),
    )
    assert move(all_but, *own, avro=TOPICS) == []
    assert move(all_but, avro=TOPICS) == ["E_OWNER_GAP"]
    assert move(all_but, rule("aic", "441300", **land), avro=TOPICS) == ["E_OWNER_TIME"]


def test_values_that_no_list_names_are_given_away_one_by_one() -> None:
    one = {"field": "school", "values": ("s1",)}
    assert move(rule("psb", "441300", **one), avro=SCHOOLS) == [], "whether there are other schools cannot be known"
    both = rule("psb", "441300", field="school", values=("s1", "s2"))
    assert move(rule("psb", "441300", **one), before=(both,), avro=SCHOOLS) == ["E_OWNER_GAP"]
    assert move(rule("aic", "441300", **one), avro=SCHOOLS) == ["E_OWNER_TIME"]


def test_a_part_may_gain_its_first_owner_at_any_time() -> None:
    assert move(rule("psb", "441302"), rule("aic", "441303"), before=(rule("psb", "441302"),)) == []


def test_a_past_change_may_be_forgotten_by_a_later_version() -> None:
    view = register(entry(), second(*halves(HANDOVER, "441300")))
    third = {"version": 3, "published_at": HANDOVER + timedelta(days=1)}
    assert codes(entry(owners=(rule("aic", "441300"),), **third), view=view) == []
    assert codes(entry(owners=(rule("psb", "441300"),), **third), view=view) == ["E_OWNER_TIME"]


def test_a_restored_history_is_judged_by_its_own_dates() -> None:
    now = HANDOVER + timedelta(days=365)
    assert codes(entry(), second(*halves(HANDOVER, "441300")), now=now) == []


# -- what the rules mean for writers ----------------------------------------------------------------------------------


def may(view: RegisterView, agency: str, version: int, at: datetime) -> bool:
    decision = may_submit(view, agency, "lamp", version, "R1", "NON_SECRET", at)
    assert isinstance(decision, Refused | Permitted)
    return isinstance(decision, Permitted)


def test_before_the_instant_the_old_owner_writes_and_from_it_on_the_new_one_and_never_a_third() -> None:
    view = register(entry(), second(*halves(HANDOVER, "441300"), grace_days=365))
    for agency in ("psb", "aic", "county_bureau"):
        known = view.agency(agency)
        assert known is not None
        contacts = [
            {"role": r, "name": "示例", "phone": "0"} for r in ("LEADER", "SHARING_OFFICER", "TECHNICAL_OFFICER")
        ]
        view.apply("agency", agency, type(known)(**{**known.model_dump(), "state": "CONNECTED", "contacts": contacts}))
        review = SecrecyReview(
            number="R1",
            agency=agency,
            resource="lamp",
            catalogue_version=1,
            reviewer="示例",
            reviewed_on=date(2026, 1, 1),
            valid_until=date(2026, 12, 31),
            result="PASS",
        )
        view.apply("review", review.key, review)
    before, after = HANDOVER - timedelta(milliseconds=1), HANDOVER
    for version in (1, 2):
        assert [may(view, who, version, before) for who in ("psb", "aic", "county_bureau")] == [True, False, False]
        assert [may(view, who, version, after) for who in ("psb", "aic", "county_bureau")] == [False, True, False]


def test_each_of_many_lawful_writers_writes_its_own_part_and_no_other() -> None:
    owners = (
        rule("psb", "441302", field="school", values=("s1",)),
        rule("aic", "441302", field="school", values=("s2",)),
    )
    both = entry(SCHOOLS, owners=owners)
    assert codes(both) == []
    covered = {
        (agency, school): compile_owner(both, agency, datetime(2026, 2, 1, tzinfo=UTC)).covers(
            "441302", {"school": school}
        )
        for agency in ("psb", "aic", "county_bureau")
        for school in ("s1", "s2", "s3")
    }
    assert {pair for pair, holds in covered.items() if holds} == {("psb", "s1"), ("aic", "s2")}
