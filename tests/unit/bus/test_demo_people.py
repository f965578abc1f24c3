"""The made-up people: what is right is right in every rule, what is wrong is wrong in exactly one."""

from datetime import date

import pytest

from bus.demo.people import TODAY, generate
from bus.demo.wrongs import WrongRow
from processors.keying import subject_of
from schemas.codelists import load
from schemas.identity import Identity, birth_date_of, sex_of
from schemas.identity.words import UNCHECKED
from schemas.refusals import RefusalCode, Refused
from schemas.resource import ResourceSchema, packaged_text, resource_schema
from tests.builders import HOUSEHOLD, PERMIT, RESOURCES, Row, canary_person, corruptions, permit, rows


def schema_of(resource: str) -> ResourceSchema:
    return resource_schema(packaged_text(resource))


def first_fault(resource: str, row: Row) -> Refused | None:
    """The first rule of the resource that the row breaks, in the order in which admit asks."""
    schema = schema_of(resource)
    mistyped = schema.check(row)
    if mistyped:
        return mistyped
    for name, spec in schema.fields.items():
        if spec.required and row[name] in (None, ""):
            return Refused(RefusalCode.E_SCHEMA, "missing", name)
    for name, spec in schema.fields.items():
        if spec.code_list and row[name] is not None and not load(spec.code_list).contains(row[name], TODAY):
            return Refused(RefusalCode.E_CODE, "unknown", name)
    division = schema.division_field
    if division and not row[division].startswith("4413"):
        return Refused(RefusalCode.E_OWNER, "elsewhere", division)
    found = subject_of(schema, row, TODAY)
    if isinstance(found, Refused):
        return found
    missing = [name for name in schema.record_key_fields if not row[name]]
    return Refused(RefusalCode.E_NO_KEY, "missing", missing[0]) if missing else None


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_made_up_row_has_the_fields_of_its_schema_and_breaks_no_rule(resource: str) -> None:
    for row in rows(resource, 100):
        assert list(row) == list(schema_of(resource).fields)
        assert first_fault(resource, row) is None
        found = subject_of(schema_of(resource), row, TODAY)
        assert isinstance(found, Identity)
        assert set(found.flags) <= {UNCHECKED}, "only the unidentified dead rest on a form that nobody could verify"


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("seed", range(5))
def test_a_wrong_row_is_wrong_in_exactly_the_way_it_says(resource: str, seed: int) -> None:
    found: list[WrongRow] = list(corruptions(resource, seed))
    assert len(found) >= 4
    for wrong in found:
        fault = first_fault(resource, wrong.row)
        assert fault is not None, wrong.why
        assert (fault.code, fault.field) == (wrong.code, wrong.field_name), wrong.why


def test_the_same_seed_gives_the_same_town_and_another_one_another() -> None:
    assert generate(1, 20) == generate(1, 20)
    assert generate(1, 20) != generate(2, 20)
    town = generate(1, 20, permits=3, enterprises=2, businesses=0)
    assert [len(made) for made in town.rows().values()] == [20, 3, 2, 0]


@pytest.mark.parametrize("resource", RESOURCES)
def test_no_two_rows_of_a_town_are_of_one_subject(resource: str) -> None:
    schema = schema_of(resource)
    made = rows(resource, 400, seed=3)
    keys = {
        (found.document_type, found.stable)
        for row in made
        if isinstance(found := subject_of(schema, row, TODAY), Identity)
    }
    assert len(keys) == len(made)


def test_sex_and_birth_date_agree_with_the_number_inside_the_row() -> None:
    for row in rows(HOUSEHOLD, 100):
        assert sex_of(row["citizen_id_number"]) == row["sex_code"]
    for row in rows(PERMIT, 200):
        if row["id_type"] != "516":
            assert birth_date_of(row["id_number"]) == row["birth_date"]


def test_nothing_in_a_town_lies_after_its_day() -> None:
    for made in generate(5, 200).rows().values():
        for row in made:
            assert all(value <= TODAY for value in row.values() if isinstance(value, date))


def test_a_cancelled_registration_has_all_four_of_its_fields_and_a_normal_one_none() -> None:
    parts = ("pre_cancellation_division", "pre_cancellation_police_station", "cancellation_date", "cancellation_reason")
    seen = set()
    for row in rows(HOUSEHOLD, 300):
        seen.add(row["household_status"])
        assert all((row[part] is not None) is (row["household_status"] == "CANCELLED") for part in parts)
    assert seen == {"NORMAL", "CANCELLED"}


def test_neither_a_town_nor_a_wrong_row_shows_a_person_when_printed() -> None:
    town = generate(1, 5)
    assert town.people[0]["citizen_id_number"] not in repr(town)
    wrong = next(corruptions(HOUSEHOLD))
    assert wrong.row["name"] not in repr(wrong)


def test_a_builder_takes_known_fields_only() -> None:
    assert permit(name="王小云")["name"] == "王小云"
    with pytest.raises(ValueError, match="no_such_field"):
        permit(no_such_field=1)


def test_the_canary_is_valid_and_unlike_anybody_else() -> None:
    assert first_fault(HOUSEHOLD, canary_person()) is None
    assert canary_person() == canary_person()
