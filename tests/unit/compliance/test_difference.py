"""What applying a register file would change, and what it may not; an entry's rules one by one: test_entry_rules.py."""

import json
import re
from datetime import date
from typing import Any

import pytest

from compliance.difference import GRANT_MOVES, Action, after, check, difference, known
from compliance.models import Agreement, CatalogueEntry, Grant, GrantState, LegalBasis, RegisterModel, RowScope
from compliance.positions import parse
from compliance.registerfile import SECTIONS, VERSION, Item, RegisterFile
from compliance.registertext import plain_yaml
from schemas.errors import RegisterFileError
from schemas.resource import packaged_text
from tests.builders import PERMIT
from tests.hall import Hall
from tests.hall_register import POLICE, STATS

TEXT = packaged_text(PERMIT)
SECTION_OF = {kind: section for section, kind in SECTIONS.items()}
NO_SCHEMA = "E_SCHEMA (Art 38): the schema is not one of this resource: "
TYPE_FOR_EVER = (
    "E_INCOMPATIBLE (Art 38, 40): the schema would break readers or writers of an earlier version: "
    "a field keeps its type for ever: "
)


@pytest.fixture
def hall() -> Hall:
    return Hall(TEXT)


def text_of(*models: RegisterModel) -> str:
    """A register file with these entries, its sections in the order in which the entries come."""
    content: dict[str, Any] = {"version": VERSION}
    for model in models:
        content.setdefault(SECTION_OF[model.kind], []).append(model.model_dump(mode="json", by_alias=True))
    return plain_yaml(content)


def file(*models: RegisterModel) -> RegisterFile:
    """These entries with their places in that file."""
    document = parse(text_of(*models), "r.yaml")
    items = []
    for section in (section for section in document.content if section != "version"):
        for index, model in enumerate(model for model in models if SECTION_OF[model.kind] == section):
            path = (section, index)
            items.append(Item(model.kind, model, document.place(path), document, path))
    return RegisterFile("r.yaml", tuple(items))


def told(hall: Hall, *models: RegisterModel) -> list[tuple[str, str]]:
    """What stands against a file, with the place of each."""
    try:
        check(hall.view, file(*models))
    except RegisterFileError as error:
        shape = re.compile(r"(r\.yaml:\d+:\d+): (?:agency|catalogue|review|grant) \S+: (.+)")
        lines = [shape.fullmatch(line) for line in str(error).splitlines()]
        assert None not in lines
        return [(line[1], line[2]) for line in lines if line is not None]
    return []


def problems(hall: Hall, *models: RegisterModel) -> list[str]:
    """What stands against a file, without the places."""
    return [what for _, what in told(hall, *models)]


def place(text: str, start: str, number: int = 1) -> str:
    """Where a line of a file starts, behind its indent, with this; the first one or a later one."""
    found = [
        (line, len(content) - len(content.lstrip(" -")) + 1)
        for line, content in enumerate(text.splitlines(), 1)
        if content.lstrip(" -").startswith(start)
    ]
    line, column = found[number - 1]
    return f"r.yaml:{line}:{column}"


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
    refused = f"a grant cannot go from {before.value if before else 'nothing'} to {then.value}"
    assert problems(hall, granted(hall, state=then)) == ([] if then in LAWFUL[before] else [refused])


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
    found = problems(hall, granted(hall).model_copy(update={name: value}))
    assert f"{name} of a grant never changes; make a new grant (decisions 19)" in found


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
    what = "E_VERSION_GAP (Art 14): versions follow one another, in number and in time of publication"
    assert problems(hall, version(hall, 3)) == [f"{what}: version 2 is missing"]


@pytest.mark.parametrize(
    ("name", "value"), [("update_frequency", "每日"), ("schema", schema(cn="别名")), ("grace_days", 1)]
)
def test_a_published_version_never_changes(hall: Hall, name: str, value: object) -> None:
    entry = version(hall, 1, **{name: value})
    what = f"E_IMMUTABLE (Art 39, 40): a published version never changes; publish the next version: {name}"
    assert told(hall, entry) == [(place(text_of(entry), f"{name}:"), what)]


def test_an_entry_may_be_retired_once_and_for_all(hall: Hall) -> None:
    assert problems(hall, version(hall, 1, state="RETIRED")) == []
    hall.publish(TEXT, version=1, state="RETIRED")
    retired = hall.view.entry(PERMIT)
    assert retired is not None
    again = CatalogueEntry.model_validate({**retired.model_dump(by_alias=True), "state": "PUBLISHED"})
    what = "E_RETIRED (Art 39): a retired entry stays retired; publish the next version"
    assert told(hall, again) == [(place(text_of(again), "state:"), what)]
    assert problems(hall, version(hall)) == []


def test_the_number_of_partitions_never_changes(hall: Hall) -> None:
    [what] = problems(hall, version(hall, partitions=hall.entry.partitions + 1))
    assert what == (
        "E_PARTITIONS (Art 40): the number of partitions differs from another version's: a topic is never "
        "re-partitioned (decisions 17)"
    )


# -- the schema of an entry ----------------------------------------------------------------------------------------


def test_a_malformed_schema_is_told_with_its_attribute_and_the_schemas_line(hall: Hall) -> None:
    fields = json.loads(TEXT)["fields"]
    fields[3].pop("section")
    entry = version(hall, schema=schema(fields=fields, freshness="NOW"))
    with pytest.raises(RegisterFileError) as refused:
        check(hall.view, file(hall.entry, entry))
    assert str(refused.value) == (
        f"{place(text_of(hall.entry, entry), 'schema:', 2)}: catalogue {PERMIT}@2: "
        f"{NO_SCHEMA}resource {PERMIT}: freshness must be one of DYNAMIC, STATIC; "
        f"field {fields[3]['name']}: section must be one of open, identity, restricted"
    )
    what = "the resource schema is not JSON: Expecting property name enclosed in double quotes in line 1, column 2"
    assert problems(hall, version(hall, schema="{")) == [f"{NO_SCHEMA}{what}"]


def test_a_grant_on_an_entry_with_a_malformed_schema_leaves_the_word_to_the_entry(hall: Hall) -> None:
    found = problems(hall, version(hall, schema="[]"), granted(hall))
    assert found == [f"{NO_SCHEMA}the resource schema is not a JSON object"]


def test_a_schema_is_of_the_resource_of_its_entry(hall: Hall) -> None:
    household = packaged_text("household_registration")
    found = problems(hall, version(hall, schema=household))
    assert found[0] == f"{NO_SCHEMA}it is of resource household_registration"


def retyped(name: str, kind: object) -> str:
    fields = [{**spec, "type": ["null", kind]} if spec["name"] == name else spec for spec in json.loads(TEXT)["fields"]]
    return schema(fields=fields)


def test_a_field_keeps_its_type_and_the_record_its_name_through_all_versions(hall: Hall) -> None:
    """Also between two versions of one file, of which the registry knows neither yet."""
    what = f"{TYPE_FOR_EVER}household_address has another type in version 1; deprecate it and add a new field"
    assert problems(hall, version(hall, schema=retyped("household_address", "bytes"))) == [what]
    renamed = version(hall, schema=schema(name="Other"))
    assert problems(hall, renamed) == [f"{TYPE_FOR_EVER}the record's own name changes"]
    hall.view.apply("catalogue", f"{PERMIT}@1", None)
    both = hall.entry, version(hall, schema=retyped("household_address", "bytes"))
    assert told(hall, *both) == [(place(text_of(*both), "schema:", 2), what)]


# -- reviews and the whole file ------------------------------------------------------------------------------------


def test_a_review_is_of_an_agency_and_a_resource_that_there_are(hall: Hall) -> None:
    review = hall.view.review(POLICE, "R1")
    assert review is not None
    wrong = review.model_copy(update={"agency": "nobody", "resource": "unheard_of"})
    assert problems(hall, wrong) == ["there is no agency nobody", "there is no catalogue entry unheard_of"]


def test_every_problem_of_a_file_is_told_at_once_with_its_line(hall: Hall) -> None:
    wrong = version(hall, 3, partitions=9), granted(hall, subscriber="nobody", state=GrantState.ENDED)
    text = text_of(*wrong)
    places = [place(text, "version:", 2), place(text, "partitions:"), *[place(text, "id: g1")] * 2]
    assert [at for at, _ in told(hall, *wrong)] == places
    assert [what.partition(" (")[0] for what in problems(hall, *wrong)] == [
        "E_VERSION_GAP",
        "E_PARTITIONS",
        "a grant cannot go from nothing to ENDED",
        "there is no agency nobody",
    ]
