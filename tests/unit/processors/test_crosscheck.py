"""Cross-checks: each packaged check finds its fault and nothing else, and no identity is in what it knows."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from compliance.crosschecks import Kind, Normaliser, packaged_crosschecks, read_crosschecks
from processors.crosscheck.engine import CrossChecker
from processors.crosscheck.facts import Digester, FactMaker, RecordFact, normalised
from processors.crosscheck.words import Checked, Closed, Hit, Reason, Subject, Superseded, Waiver
from processors.freshness.words import DAY
from schemas.errors import RegisterFileError
from schemas.resource import packaged_resources, packaged_text, resource_schema
from tests.builders import TODAY

CHECKS = packaged_crosschecks().checks
TOKEN, CHILD = b"t" * 16, b"c" * 16
AT = 1_800_000_000_000
LONG_AGO = AT - 400 * DAY


def maker() -> FactMaker:
    return FactMaker(CHECKS, Digester("d1", bytes(32)), lambda document, *_: CHILD if document == "111" else None)


def fact(resource: str, version: int = 1, record: bytes = b"", at: int = LONG_AGO, **data: Any) -> RecordFact:
    """One version of a record; its agency is called as its resource, unless `agency` says otherwise."""
    agency = data.pop("agency", resource)
    present = data.pop("present", True)
    made = maker()
    schema = resource_schema(packaged_text(resource))
    return RecordFact(
        resource,
        TOKEN,
        record,
        f"{resource}-{record.hex()}-{version}",
        version,
        at,
        agency,
        present,
        made.digests(schema, data),
        frozenset(made.holds(resource, data)),
        made.references(resource, data, TODAY),
    )


class Bench:
    """What is kept, batch by batch."""

    def __init__(self) -> None:
        self.subjects: dict[bytes, Subject] = {}
        self._checker = CrossChecker(CHECKS)

    def run(
        self, *facts: RecordFact, at: int = AT, waivers: Iterable[Waiver] = (), woken: Iterable[bytes] = ()
    ) -> Checked:
        done = self._checker.check(facts, waivers, self.subjects, at, woken)
        self.subjects |= done.subjects
        return done

    @property
    def standing(self) -> set[str]:
        return {hit.check for subject in self.subjects.values() for hit in subject.hits.values()}


HOUSEHOLD = {"name": "张三", "sex_code": "1", "ethnicity_code": "01", "household_status": "NORMAL"}
PERMIT = {"name": "张 三", "sex_code": "1", "ethnicity_code": "01"}
ENDED = {**PERMIT, "cancellation_date": 20_000}
DEAD = {**HOUSEHOLD, "household_status": "CANCELLED", "cancellation_reason": "DEATH"}
FAULTS: dict[str, tuple[RecordFact, ...]] = {
    "death_household": (fact("death_certificate", deceased_name="张三"), fact("household_registration", **HOUSEHOLD)),
    "death_reason": (
        fact("death_certificate", deceased_name="张三"),
        fact("household_registration", **{**DEAD, "cancellation_reason": "MOVED_OUT"}),
    ),
    "name_by_number": (fact("marriage", name="张四"), fact("household_registration", **HOUSEHOLD)),
    "permit_household": (
        fact("residence_permit", **{**ENDED, "sex_code": "2"}),
        fact("household_registration", **HOUSEHOLD),
    ),
    "permit_beside_household": (fact("residence_permit", **PERMIT), fact("household_registration", **HOUSEHOLD)),
    "enterprise_tax": (fact("enterprise_registration", enterprise_name="惠州甲公司"),),
    "tax_enterprise_name": (
        fact("enterprise_registration", enterprise_name="惠州甲公司"),
        fact("local_tax", organisation_name="惠州乙公司"),
    ),
    "birth_household": (fact("birth_certificate", newborn_name="小张", id_number="1"),),
    "birth_household_sex": (
        fact("birth_certificate", newborn_name="张三", sex_code="2"),
        fact("household_registration", **HOUSEHOLD),
    ),
    "birth_link": (
        fact("birth_certificate", newborn_name="张三", id_type="111", id_number="1"),
        fact("household_registration", **HOUSEHOLD),
    ),
    "permit_single": (
        fact("residence_permit", record=b"1", agency="east", **PERMIT),
        fact("residence_permit", record=b"2", agency="west", **PERMIT),
    ),
    "business_kind_single": (
        fact("enterprise_registration", enterprise_name="惠州甲公司"),
        fact("individual_business", business_name="惠州甲公司"),
        fact("local_tax", organisation_name="惠州甲公司"),
    ),
}


def test_every_packaged_check_has_its_fault() -> None:
    assert {check.id for check in CHECKS} == set(FAULTS)
    assert {check.kind for check in CHECKS} == set(Kind)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_by_its_own_check_alone(name: str) -> None:
    done = Bench().run(*FAULTS[name])
    assert [hit.check for hit in done.opened] == [name]
    assert (done.closed, done.revised) == ([], [])


def test_what_agrees_is_silent() -> None:
    bench = Bench()
    bench.run(
        fact("household_registration", **DEAD),
        fact("death_certificate", deceased_name="张三"),
        fact("death_certificate_police", deceased_name="张·三"),
        fact("residence_permit", **ENDED),
        fact("marriage", name="张三"),
        fact("birth_certificate", newborn_name="张三", sex_code="1"),
    )
    bench.run(
        fact("enterprise_registration", enterprise_name="惠州（甲）公司"),
        fact("national_tax", organisation_name="惠州(甲)公司"),
    )
    assert bench.standing == set()


@pytest.mark.parametrize("resource", sorted({name for check in CHECKS for name in check.left.resources}))
def test_checked_resources_and_fields_exist(resource: str) -> None:
    assert resource in packaged_resources()
    schema = resource_schema(packaged_text(resource))
    for check in CHECKS:
        for side, fields in (
            (check.left, [one.left for one in check.compare]),
            (check.right, [one.right for one in check.compare]),
        ):
            if side is None or resource not in side.resources:
                continue
            named = {*side.where, *side.given, *side.empty, *(one for one in fields if one != "@name")}
            named |= {check.link.type_field, check.link.number_field} if check.link else set()
            assert named <= schema.fields.keys(), check.id
            assert "@name" not in fields or schema.subject.name_field, check.id


# -- time ----------------------------------------------------------------------------------------------------------


def test_within_the_tolerance_nobody_is_told_and_the_subject_is_looked_at_again() -> None:
    bench = Bench()
    household, death = (
        fact("household_registration", **HOUSEHOLD),
        fact("death_certificate", at=AT, deceased_name="张三"),
    )
    done = bench.run(household, death)
    assert (done.opened, done.wakes) == ([], [(AT + 30 * DAY, TOKEN)])
    assert bench.run(at=AT + 30 * DAY - 1, woken=[TOKEN]).opened == []
    [hit] = bench.run(at=AT + 30 * DAY, woken=[TOKEN]).opened
    assert (hit.check, hit.since, hit.asked.resource) == ("death_household", AT + 30 * DAY, "household_registration")


def test_an_update_that_changes_nothing_that_is_compared_starts_no_new_tolerance() -> None:
    bench = Bench()
    bench.run(*FAULTS["death_household"])
    again = fact("household_registration", version=2, at=AT, household_township="某镇", **HOUSEHOLD)
    done = bench.run(again)
    assert ([hit.check for hit in done.revised], done.closed) == (["death_household"], [])
    assert done.superseded == [
        Superseded(
            "household_registration",
            "household_registration",
            "household_registration--1",
            "household_registration--2",
        )
    ]


# -- closing -------------------------------------------------------------------------------------------------------


def opened(name: str) -> tuple[Bench, Hit]:
    bench = Bench()
    [hit] = bench.run(*FAULTS[name]).opened
    return bench, hit


def test_the_owners_correction_closes_the_hit_and_supersedes_the_wrong_version() -> None:
    bench, hit = opened("name_by_number")
    assert (hit.left.event_id, hit.right and hit.right.event_id) == ("marriage--1", "household_registration--1")
    [closed] = bench.run(fact("marriage", version=2, name="张三")).closed
    assert closed == Closed(hit, Reason.CORRECTED, Superseded("marriage", "marriage", "marriage--1", "marriage--2"))


def test_a_change_of_the_other_side_closes_it_without_superseding_anything() -> None:
    bench, hit = opened("name_by_number")
    [closed] = bench.run(fact("household_registration", version=2, **{**HOUSEHOLD, "name": "张四"})).closed
    assert closed == Closed(hit, Reason.OTHER_CHANGED)


def test_what_was_missing_closes_it_when_it_comes() -> None:
    bench, hit = opened("enterprise_tax")
    [closed] = bench.run(fact("national_tax", organisation_name="惠州甲公司")).closed
    assert closed == Closed(hit, Reason.OTHER_CHANGED)


def test_a_record_that_is_gone_closes_it() -> None:
    bench, hit = opened("name_by_number")
    assert bench.run(fact("marriage", version=2, present=False)).closed == [Closed(hit, Reason.WITHDRAWN)]


def test_a_waived_pair_is_silent_until_a_compared_value_changes() -> None:
    bench, hit = opened("name_by_number")
    waiver = Waiver(TOKEN, hit.pair, hit.compared, "name changed, decree on file", "SHARING_OFFICER", AT)
    assert bench.run(waivers=[waiver]).closed == [Closed(hit, Reason.WAIVED)]
    assert bench.run(fact("marriage", version=2, name="张四")).opened == []
    [again] = bench.run(fact("marriage", version=3, name="张五")).opened
    assert again.pair == hit.pair
    with pytest.raises(ValueError, match="a waiver wants a reason"):
        replace(waiver, reason=" ")


def test_an_older_version_or_a_repeat_changes_nothing() -> None:
    bench, _ = opened("name_by_number")
    done = bench.run(*FAULTS["name_by_number"], fact("marriage", version=0, name="张三"))
    assert (done.subjects, done.opened, done.closed, done.revised) == ({}, [], [], [])


def test_the_police_are_asked_of_deaths_and_whoever_supplied_the_name_of_names() -> None:
    assert opened("death_household")[1].asked.agency == "household_registration"
    assert opened("name_by_number")[1].asked.agency == "marriage"


# -- what is not known ---------------------------------------------------------------------------------------------


def test_a_record_that_is_older_than_facts_is_in_no_hit() -> None:
    bench = Bench()
    bench.run(
        fact("enterprise_registration", enterprise_name="惠州甲公司"),
        replace(fact("local_tax"), key_id=None, holds=frozenset(), digests={}),
        fact("death_certificate", deceased_name="张三"),
        replace(fact("household_registration"), key_id=None, holds=frozenset(), digests={}),
    )
    assert bench.standing == set()
    bench.run(fact("household_registration", version=2, **HOUSEHOLD))
    assert bench.standing == {"death_household"}


def test_digests_of_two_keys_are_not_compared() -> None:
    left, right = FAULTS["name_by_number"]
    bench = Bench()
    bench.run(replace(left, key_id="d1"), replace(right, key_id="d2"))
    assert bench.standing == set()
    bench.run(replace(left, key_id="d2", version=2))
    assert bench.standing == {"name_by_number"}


# -- secrecy -------------------------------------------------------------------------------------------------------


def test_a_fact_holds_no_value_and_its_digests_only_mean_something_under_the_key() -> None:
    known = fact("marriage", name="张三")
    assert "张三" not in repr(known)
    assert "d1" in repr(Digester("d1", bytes(32)))
    assert repr(bytes(32)) not in repr(Digester("d1", bytes(32)))
    name = ("张三", Normaliser.NAME)
    assert Digester("d1", bytes(32)).of(*name) == known.digests["@name:NAME"]
    assert Digester("d2", b"k" * 32).of(*name) != known.digests["@name:NAME"]
    assert Digester("d1", bytes(32)).of("张三", Normaliser.TEXT) != known.digests["@name:NAME"]


@pytest.mark.parametrize(
    ("how", "one", "other"),
    [
        (Normaliser.NAME, "阿依古丽·买买提", "阿依古丽•买买提 "),
        (Normaliser.NAME, "ＡＮＮＡ　ＬＥＥ", "Anna Lee"),
        (Normaliser.CODE, " 0１ ", "01"),
        (Normaliser.TEXT, "惠州（甲）公司", "惠州(甲) 公司"),
        (Normaliser.DATE, 20_000, "2024-10-04"),
    ],
)
def test_values_that_mean_the_same_are_the_same(how: Normaliser, one: object, other: object) -> None:
    assert normalised(one, how) == normalised(other, how)


def test_nothing_has_no_digest() -> None:
    for value in (None, "", " ", "　"):
        assert Digester("d1", bytes(32)).of(value, Normaliser.NAME) is None
    assert normalised("张三", Normaliser.NAME) != normalised("张四", Normaliser.NAME)


# -- the file ------------------------------------------------------------------------------------------------------

ONE = """checks:
  - id: some_check
    kind: {kind}
    name_zh: 某
    name_en: some
    articles: "5"
    told_zh: 某
    told_en: some
    left: {{resources: [marriage]}}
"""


@pytest.mark.parametrize(
    ("kind", "more", "sentence"),
    [
        ("AGREES", "", "AGREES wants right side"),
        ("LINKED", "    right: {resources: [marriage]}\n", "LINKED has no right side"),
        ("EXCLUDES", "    right: {resources: [adoption]}\n    asks: NOBODY\n", "asks"),
        ("AGREES", "    right: {resources: [adoption]}\n", "compare belongs to AGREES"),
        ("LINKED", "", "link belongs to LINKED"),
        ("STATES", "    right: {resources: [adoption]}\n", "STATES wants a condition"),
        ("SINGLE_SOURCE", "    asks: RIGHT\n", "can ask the left side alone"),
        ("SINGLE_SOURCE", "    tolerance_days: -1\n", "tolerance_days"),
        ("SINGLE_SOURCE", "    surprise: 1\n", "surprise"),
    ],
)
def test_a_wrong_check_is_told_with_its_place(kind: str, more: str, sentence: str) -> None:
    with pytest.raises(RegisterFileError, match=r"mine\.yaml:\d+:\d+: checks") as told:
        read_crosschecks(ONE.format(kind=kind) + more, "mine.yaml")
    assert sentence in str(told.value)


def test_two_checks_of_one_id_are_refused() -> None:
    twice = ONE.format(kind="SINGLE_SOURCE")
    with pytest.raises(RegisterFileError, match="the ids of the checks names something twice"):
        read_crosschecks(twice + twice.removeprefix("checks:\n"), "mine.yaml")
