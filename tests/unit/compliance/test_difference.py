"""What applying a register file would change, and what it may not."""

import json
import re
from datetime import date
from typing import Any

import pytest

from compliance.difference import GRANT_MOVES, Action, after, check, difference, known
from compliance.models import (
    Agreement,
    CatalogueEntry,
    FieldPolicy,
    Grant,
    GrantState,
    LegalBasis,
    OwnerRule,
    RegisterModel,
    RowScope,
)
from compliance.positions import Place
from compliance.registerfile import Item, RegisterFile
from schemas.errors import RegisterFileError
from schemas.resource import packaged_text
from schemas.words import SharingClass
from tests.builders import PERMIT
from tests.hall import DAY, NOW, POLICE, STATS, Hall

TEXT = packaged_text(PERMIT)


@pytest.fixture
def hall() -> Hall:
    return Hall(TEXT)


def file(*models: RegisterModel) -> RegisterFile:
    """A file with these entries, the first in line 10, the next in line 20, …"""
    items = (Item(model.kind, model, Place(10 * number, 3)) for number, model in enumerate(models, 1))
    return RegisterFile("r.yaml", tuple(items))


def problems(hall: Hall, *models: RegisterModel) -> list[str]:
    """What stands against a file, without the place."""
    try:
        check(hall.view, file(*models))
    except RegisterFileError as error:
        lines = str(error).splitlines()
        assert all(re.match(r"r\.yaml:\d+:3: (agency|catalogue|review|grant) \S+: ", line) for line in lines)
        return [line.split(": ", 2)[2] for line in lines]
    return []


def version(hall: Hall, number: int = 2, **changes: Any) -> CatalogueEntry:
    """The next version of the hall's entry, not yet published."""
    content = {**hall.entry.model_dump(by_alias=True), "version": number, **changes}
    return CatalogueEntry.model_validate(content)


def granted(hall: Hall, **changes: Any) -> Grant:
    return hall.grant(("sex_code", "name"), **changes).grant


def schema(**changes: Any) -> str:
    return json.dumps({**json.loads(TEXT), **changes})


# -- difference ----------------------------------------------------------------------------------------------------


def test_what_is_new_is_added_what_differs_is_changed_and_the_rest_is_the_same(hall: Hall) -> None:
    same, police = hall.view.agency(STATS), hall.view.agency(POLICE)
    assert same is not None
    assert police is not None
    moved = police.model_copy(update={"name": "新名", "division": "441302"})
    found = difference(hall.view, file(same, moved, version(hall), hall.entry, granted(hall)))
    assert [(row.kind, row.key, row.action, row.fields) for row in found] == [
        ("agency", STATS, Action.SAME, ()),
        ("agency", POLICE, Action.CHANGE, ("name", "division")),
        ("catalogue", f"{PERMIT}@2", Action.ADD, ()),
        ("catalogue", f"{PERMIT}@1", Action.SAME, ()),
        ("grant", "g1", Action.ADD, ()),
    ]
    assert [row.model for row in found] == [same, moved, version(hall), hall.entry, granted(hall)]


def test_an_empty_file_changes_nothing(hall: Hall) -> None:
    assert difference(hall.view, file()) == ()
    assert problems(hall) == []


def test_every_kind_of_entry_is_compared_with_what_the_register_has_of_its_key(hall: Hall) -> None:
    grant = granted(hall)
    hall.view.apply("grant", grant.id, grant)
    review, agency = hall.view.review(POLICE, "R1"), hall.view.agency(POLICE)
    assert review is not None
    assert agency is not None
    for model in (agency, hall.entry, review, grant):
        assert known(hall.view, model) is model
    assert known(hall.view, review.model_copy(update={"agency": STATS})) is None


def test_afterwards_the_file_stands_over_the_register_and_the_register_is_as_it_was(hall: Hall) -> None:
    hall.publish(TEXT, version=2)
    hall.view.apply("grant", "g1", granted(hall))
    before = hall.view.version
    then = after(hall.view, file(version(hall, 3), granted(hall, state=GrantState.SUSPENDED)))
    assert [entry.version for entry in then.versions(PERMIT)] == [1, 2, 3]
    assert (len(then.agencies()), len(then.reviews()), len(then.grants())) == (2, 1, 1)
    grant, old = then.grant("g1"), hall.view.grant("g1")
    assert grant is not None
    assert old is not None
    assert (grant.state, old.state) == (GrantState.SUSPENDED, GrantState.ACTIVE)
    assert hall.view.version == before
    assert hall.view.entry_version(PERMIT, 3) is None


# -- the life of a grant -------------------------------------------------------------------------------------------

S = GrantState
# Decisions 33, in full: state → every state that may follow.
LAWFUL: dict[GrantState | None, set[GrantState]] = {
    None: {S.PENDING, S.ACTIVE},
    S.PENDING: {S.PENDING, S.ACTIVE, S.ENDED, S.REVOKED},
    S.ACTIVE: {S.ACTIVE, S.SUSPENDED, S.EXPIRED, S.REVOKED, S.ENDED},
    S.SUSPENDED: {S.SUSPENDED, S.ACTIVE, S.EXPIRED, S.REVOKED, S.ENDED},
    S.EXPIRED: {S.EXPIRED},
    S.REVOKED: {S.REVOKED},
    S.ENDED: {S.ENDED},
}


@pytest.mark.parametrize("before", list(LAWFUL), ids=str)
@pytest.mark.parametrize("then", list(S), ids=str)
def test_a_grant_goes_from_state_to_state_as_the_table_says(
    hall: Hall, before: GrantState | None, then: GrantState
) -> None:
    if before is not None:
        hall.view.apply("grant", "g1", granted(hall, state=before))
    told = problems(hall, granted(hall, state=then))
    if then in LAWFUL[before]:
        assert told == []
    else:
        assert told == [f"a grant cannot go from {before.value if before else 'nothing'} to {then.value}"]


def test_what_has_ended_is_final() -> None:
    assert set(S) - {state for state in GRANT_MOVES if state} == {S.EXPIRED, S.REVOKED, S.ENDED}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subscriber", POLICE),
        ("resource", "household_registration"),
        ("fields", ("sex_code",)),
        ("fields", ("name", "sex_code")),
        ("rows", RowScope(divisions=("441302",))),
        ("purpose", "别的用途"),
    ],
)
def test_the_scope_of_a_grant_never_changes(hall: Hall, name: str, value: object) -> None:
    household = packaged_text("household_registration")
    hall.publish(household)
    hall.view.apply("grant", "g1", granted(hall))
    told = problems(hall, granted(hall).model_copy(update={name: value}))
    assert f"{name} of a grant never changes; make a new grant (decisions 19)" in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("valid_until", date(2027, 12, 31)),
        ("legal_basis", LegalBasis(title="统计法", article="8")),
        ("confirmation_number", "QR-2"),
        ("disposal", "RETAIN"),
        (
            "agreement",
            Agreement(
                number="A2",
                signed_by_provider=date(2026, 2, 1),
                signed_by_subscriber=date(2026, 2, 1),
                valid_from=date(2026, 2, 1),
                valid_until=date(2027, 1, 1),
            ),
        ),
    ],
)
def test_what_a_grant_rests_on_may_be_renewed(hall: Hall, name: str, value: object) -> None:
    hall.view.apply("grant", "g1", granted(hall))
    renewed = granted(hall).model_copy(update={name: value})
    assert problems(hall, renewed) == []
    assert [row.fields for row in difference(hall.view, file(renewed))] == [(name,)]


def test_a_grant_is_of_what_there_is(hall: Hall) -> None:
    assert problems(hall, granted(hall, subscriber="nobody")) == ["there is no agency nobody"]
    assert problems(hall, granted(hall, resource="unheard_of")) == ["there is no catalogue entry unheard_of"]
    assert problems(hall, granted(hall).model_copy(update={"fields": ("nickname", "sex_code", "shoe_size")})) == [
        "the resource has no field nickname, shoe_size"
    ]


def test_a_grant_may_stand_in_one_file_with_what_it_needs(hall: Hall) -> None:
    newcomer = hall.agency("newcomer")
    hall.view.apply("agency", "newcomer", None)
    assert problems(hall, granted(hall, subscriber="newcomer"), newcomer) == []


# -- versions of an entry ------------------------------------------------------------------------------------------


def test_the_next_version_of_an_entry_may_be_published(hall: Hall) -> None:
    assert problems(hall, version(hall)) == []
    assert problems(hall, version(hall), version(hall, 3)) == []


def test_versions_follow_one_another(hall: Hall) -> None:
    assert problems(hall, version(hall, 3)) == ["version 2 is missing; versions follow one another (Art 14)"]


@pytest.mark.parametrize(
    "changes", [{"update_frequency": "每日"}, {"schema": schema(cn="别名")}, {"grace_days": 1}], ids=str
)
def test_a_published_version_never_changes(hall: Hall, changes: dict[str, Any]) -> None:
    assert problems(hall, version(hall, 1, **changes)) == [
        "a published version never changes; publish the next version (Art 39, 40)"
    ]


def test_an_entry_may_be_retired_once_and_for_all(hall: Hall) -> None:
    assert problems(hall, version(hall, 1, state="RETIRED")) == []
    hall.publish(TEXT, version=1, state="RETIRED")
    retired = hall.view.entry(PERMIT)
    assert retired is not None
    again = CatalogueEntry.model_validate({**retired.model_dump(by_alias=True), "state": "PUBLISHED"})
    assert problems(hall, again) == ["a retired entry stays retired; publish the next version (Art 39)"]
    assert problems(hall, version(hall)) == []


def test_the_number_of_partitions_never_changes(hall: Hall) -> None:
    told = problems(hall, version(hall, partitions=hall.entry.partitions + 1))
    assert told == ["partitions differ from another version; a topic is never re-partitioned (decisions 17)"]


# -- the schema of an entry ----------------------------------------------------------------------------------------


def test_a_malformed_schema_is_told_with_its_attribute_and_the_entrys_line(hall: Hall) -> None:
    fields = json.loads(TEXT)["fields"]
    fields[3].pop("section")
    entry = version(hall, schema=schema(fields=fields, freshness="NOW"))
    with pytest.raises(RegisterFileError) as refused:
        check(hall.view, file(hall.entry, entry))
    assert str(refused.value) == (
        f"r.yaml:20:3: catalogue {PERMIT}@2: resource {PERMIT}: freshness must be one of DYNAMIC, STATIC; "
        f"field {fields[3]['name']}: section must be one of open, identity, restricted"
    )
    assert problems(hall, version(hall, schema="{")) == [
        "the resource schema is not JSON: Expecting property name enclosed in double quotes in line 1, column 2"
    ]


def test_a_grant_on_an_entry_with_a_malformed_schema_leaves_the_word_to_the_entry(hall: Hall) -> None:
    told = problems(hall, version(hall, schema="[]"), granted(hall))
    assert told == ["the resource schema is not a JSON object"]


def test_a_schema_is_of_the_resource_of_its_entry(hall: Hall) -> None:
    household = packaged_text("household_registration")
    assert problems(hall, version(hall, schema=household))[0] == "the schema is of resource household_registration"


def retyped(name: str, kind: object) -> str:
    fields = [{**spec, "type": ["null", kind]} if spec["name"] == name else spec for spec in json.loads(TEXT)["fields"]]
    return schema(fields=fields)


def test_a_field_keeps_its_type_and_the_record_its_name_through_all_versions(hall: Hall) -> None:
    """Also between two versions of one file, of which the registry knows neither yet."""
    told = "field household_address: the type differs from version 1; readers would break, add a field (Art 40)"
    assert problems(hall, version(hall, schema=retyped("household_address", "bytes"))) == [told]
    assert problems(hall, version(hall, schema=schema(name="Other"))) == [
        "the schema's name differs from version 1; readers would break (Art 40)"
    ]
    hall.view.apply("catalogue", f"{PERMIT}@1", None)
    assert problems(hall, hall.entry, version(hall, schema=retyped("household_address", "bytes"))) == [told]


def test_a_field_may_come_and_go(hall: Hall) -> None:
    fields = [spec for spec in json.loads(TEXT)["fields"] if spec["name"] != "household_address"]
    more = {"name": "nickname", "type": ["null", "string"], "default": None, "cn": "别名", "section": "open"}
    assert problems(hall, version(hall, schema=schema(fields=[*fields, more]))) == []


# -- owners --------------------------------------------------------------------------------------------------------


def test_owners_are_agencies_of_the_register(hall: Hall) -> None:
    rules = (OwnerRule(agencies=("nobody", POLICE)),)
    assert problems(hall, version(hall, owners=rules)) == ["there is no agency nobody"]


def test_an_owner_rule_goes_by_a_field_that_the_schema_has(hall: Hall) -> None:
    rules = (OwnerRule(agencies=(POLICE,), field="shoe_size", values=("43",)),)
    assert problems(hall, version(hall, owners=rules)) == ["owner rule names field shoe_size, which the schema lacks"]


def rule(who: str = POLICE, **bounds: Any) -> OwnerRule:
    return OwnerRule(agencies=(who,), **bounds)


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ({}, {}, True),
        ({}, {"divisions": ("441302",)}, True),
        ({"divisions": ("441302",)}, {"divisions": ("441303",)}, False),
        ({"divisions": ("441300",)}, {"divisions": ("441302",)}, True),
        ({"divisions": ("441302001",)}, {"divisions": ("441302",)}, True),
        ({"divisions": ("441302001",)}, {"divisions": ("441302002",)}, False),
        ({"effective_until": NOW}, {"effective_from": NOW}, False),
        ({"effective_until": NOW + DAY}, {"effective_from": NOW}, True),
        ({"effective_from": NOW, "effective_until": NOW + DAY}, {"effective_until": NOW}, False),
        ({"field": "sex_code", "values": ("1",)}, {"field": "sex_code", "values": ("2",)}, False),
        ({"field": "sex_code", "values": ("1", "2")}, {"field": "sex_code", "values": ("2",)}, True),
        ({"field": "sex_code", "values": ("1",)}, {"field": "name", "values": ("2",)}, True),
        ({"field": "sex_code", "values": ("1",)}, {}, True),
        (
            {"field": "sex_code", "values": ("1",), "divisions": ("441302",)},
            {"field": "name", "values": ("2",), "divisions": ("441303",)},
            False,
        ),
    ],
    ids=str,
)
def test_no_datum_has_two_sources(hall: Hall, one: dict[str, Any], other: dict[str, Any], *, overlap: bool) -> None:
    rules = (rule(POLICE, **one), rule(STATS, **other))
    assert overlapping(*rules) is overlapping(*rules[::-1]) is overlap
    wanted = ["two owner rules overlap: one datum would have two sources (Art 5, 11)"] if overlap else []
    assert problems(hall, version(hall, owners=rules)) == wanted


# -- what the entry says of single fields --------------------------------------------------------------------------

_LAW = LegalBasis(title="某法", article="1", level="LAW")
_OTHER = LegalBasis(title="通知", article="1", level="OTHER")


@pytest.mark.parametrize(
    ("name", "policy", "told"),
    [
        ("shoe_size", {}, "field policy for shoe_size, which the schema lacks"),
        (
            "sex_code",
            {"sharing": "CONDITIONAL", "conditions": "x"},
            "sex_code is a base item and must be UNCONDITIONAL",
        ),
        ("sex_code", {"sharing": "UNCONDITIONAL"}, None),
        ("sex_code", {"required": True}, None),
        (
            "household_address",
            {"sharing": "NOT_SHARED"},
            "household_address is NOT_SHARED without a statute, regulation, policy or government rule",
        ),
        (
            "household_address",
            {"sharing": "NOT_SHARED", "legal_basis": _OTHER},
            "household_address is NOT_SHARED without a statute, regulation, policy or government rule",
        ),
        ("household_address", {"sharing": "NOT_SHARED", "legal_basis": _LAW}, None),
        ("household_address", {"sharing": "CONDITIONAL"}, "household_address is CONDITIONAL without its conditions"),
        ("household_address", {"sharing": "CONDITIONAL", "conditions": "签协议"}, None),
        ("household_address", {"sharing": "UNCONDITIONAL"}, None),
    ],
)
def test_what_an_entry_says_of_a_field_is_lawful(
    hall: Hall, name: str, policy: dict[str, Any], told: str | None
) -> None:
    entry = version(hall, fields={name: FieldPolicy(**policy)})
    found = problems(hall, entry)
    assert [line.removesuffix(" (Art 4)") for line in found] == ([told] if told else [])


def test_the_base_items_of_the_tests_are_those_of_the_schema() -> None:
    spec = {field["name"]: field for field in json.loads(TEXT)["fields"]}
    assert spec["sex_code"]["base_item"]
    assert not spec["household_address"].get("base_item")
    assert spec["household_address"]["sharing"] == SharingClass.CONDITIONAL


# -- reviews and the whole file ------------------------------------------------------------------------------------


def test_a_review_is_of_an_agency_and_a_resource_that_there_are(hall: Hall) -> None:
    review = hall.view.review(POLICE, "R1")
    assert review is not None
    wrong = review.model_copy(update={"agency": "nobody", "resource": "unheard_of"})
    assert problems(hall, wrong) == ["there is no agency nobody", "there is no catalogue entry unheard_of"]


def test_every_problem_of_a_file_is_told_at_once_with_its_line(hall: Hall) -> None:
    wrong = file(version(hall, 3, partitions=9), granted(hall, subscriber="nobody", state=GrantState.ENDED))
    with pytest.raises(RegisterFileError) as refused:
        check(hall.view, wrong)
    assert [line.split(": ")[0] for line in str(refused.value).splitlines()] == ["r.yaml:10:3"] * 2 + [
        "r.yaml:20:3"
    ] * 2
