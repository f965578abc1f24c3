"""What sharing can give is not collected again, and a county leaves the city's fields as they are (Art 5, 11, 41)."""

from typing import Any

import pytest

from compliance.models import CatalogueEntry, FieldPolicy, OwnerRule
from compliance.proposal import propose
from schemas.resource import packaged_resources
from schemas.words import SharingClass
from tests.catalogue import CIRCULAR, LAW, PUBLISHED, against, agencies, codes, entry, field, register, schema_text


def household() -> CatalogueEntry:
    return propose("household_registration", PUBLISHED)


def census(spec: dict[str, Any], policy: FieldPolicy | None = None, **head: Any) -> CatalogueEntry:
    """A new resource about persons, with one further field."""
    fields = {spec["name"]: policy} if policy is not None else {}
    return entry(schema_text("census", spec, **head), fields=fields)


def test_an_item_that_an_entry_supplies_is_not_collected_again_and_the_error_points_to_it() -> None:
    found = against(census(field("nation", "民族")), view=register(household()))
    assert len(found) == 1
    assert "E_REPEAT (Art 5, 11)" in found[0]
    assert found[0].endswith("nation 民族: see household_registration.ethnicity_code")


@pytest.mark.parametrize("cn", ["民 族", "民族 ", "　民族"])
def test_an_item_is_the_same_whatever_its_spaces_and_widths(cn: str) -> None:
    assert codes(census(field("nation", cn)), view=register(household())) == ["E_REPEAT"]


@pytest.mark.parametrize(
    ("spec", "policy"),
    [
        (field("nation", "民族", reference_of="household_registration.ethnicity_code"), None),
        (field("nation", "民族", companion=True), None),
        (field("nation", "民族"), FieldPolicy(repeats_under=LAW)),
        (field("nation", "民族成份"), None),
    ],
)
def test_a_copy_that_names_its_authority_a_companion_and_what_a_law_wants_are_taken(
    spec: dict[str, Any], policy: FieldPolicy | None
) -> None:
    assert codes(census(spec, policy), view=register(household())) == []


def test_a_circular_is_no_law() -> None:
    repeated = census(field("nation", "民族"), FieldPolicy(repeats_under=CIRCULAR))
    assert codes(repeated, view=register(household())) == ["E_REPEAT"]


def test_the_same_word_about_another_kind_of_subject_is_another_item() -> None:
    organisation = {"kind": "organisation", "type_constant": "USCC", "number_field": "number"}
    assert codes(census(field("nation", "民族"), subject=organisation), view=register(household())) == []


def test_copies_and_retired_entries_supply_nothing() -> None:
    copying = entry(schema_text("copying", field("eye", "眼色", reference_of="household_registration.photo")))
    assert codes(census(field("eye", "眼色")), view=register(household(), copying)) == []
    supplying = entry(schema_text("copying", field("eye", "眼色")))
    assert codes(census(field("eye", "眼色")), view=register(supplying)) == ["E_REPEAT"]
    retired = supplying.model_copy(update={"state": "RETIRED"})
    assert codes(census(field("eye", "眼色")), view=register(retired)) == []


def test_of_two_new_entries_in_one_file_the_first_supplies() -> None:
    other = entry(schema_text("copying", field("eye", "眼色")))
    found = against(other, census(field("eye", "眼色")))
    assert [line for line in found if "E_REPEAT" in line] == found
    assert len(found) == 1
    assert "catalogue census@1" in found[0]


def test_the_resources_of_chapter_2_come_first_wherever_they_stand_and_may_repeat_each_other() -> None:
    everything = [propose(code, PUBLISHED) for code in packaged_resources()]
    owners = {code for known in everything for rule in known.owners for code in rule.agencies}
    named = [agencies()[0].model_copy(update={"code": code}) for code in sorted(owners | {"psb"})]
    view = register(*named)
    assert against(*everything, view=view) == []
    assert codes(census(field("nation", "民族")), *everything, view=view) == ["E_REPEAT"]


def test_a_field_that_a_later_version_adds_is_a_new_one() -> None:
    view = register(household(), entry(schema_text("census")))
    added = census(field("nation", "民族")).model_copy(update={"version": 2})
    assert codes(added, view=view) == ["E_REPEAT"]
    kept = register(household(), census(field("nation", "民族"), FieldPolicy(repeats_under=LAW)))
    assert codes(added, view=kept) == [], "what was collected before goes on"


@pytest.mark.parametrize(
    "target", ["household_registration.shoe_size", "nowhere.name", "household_registration", "census.area"]
)
def test_a_copy_points_to_a_field_that_there_is(target: str) -> None:
    copy = census(field("nation", "民族", reference_of=target))
    assert codes(copy, view=register(household())) == ["E_REFERENCE"]


def test_a_copy_may_point_to_a_packaged_resource_that_is_not_registered_yet() -> None:
    assert codes(census(field("nation", "民族", reference_of="household_registration.ethnicity_code"))) == []


# -- counties --------------------------------------------------------------------------------------------------------

COUNTY = (OwnerRule(agencies=("county_bureau",), divisions=("441322",)),)


def county(spec: dict[str, Any], owners: tuple[OwnerRule, ...] = COUNTY, **changes: Any) -> CatalogueEntry:
    """An entry of 441322's own catalogue."""
    return entry(schema_text("county_census", spec), scope="441322", owners=owners, **changes)


def test_a_county_lists_its_own_items() -> None:
    assert codes(county(field("pond", "鱼塘")), view=register(household())) == []


@pytest.mark.parametrize(
    "owners",
    [
        (OwnerRule(agencies=("county_bureau",)),),
        (OwnerRule(agencies=("county_bureau",), divisions=("441300",)),),
        (OwnerRule(agencies=("county_bureau",), divisions=("441322", "441323")),),
    ],
)
def test_a_countys_owners_stay_in_the_county(owners: tuple[OwnerRule, ...]) -> None:
    assert codes(county(field("pond", "鱼塘"), owners)) == ["E_COUNTY"]


def test_a_county_gives_no_city_item_another_owner_even_where_a_law_lets_it_collect() -> None:
    repeated = county(
        field("nation", "民族"), fields={"nation": FieldPolicy(repeats_under=LAW, sharing="UNCONDITIONAL")}
    )
    assert codes(repeated, view=register(household())) == ["E_COUNTY"]
    same = (OwnerRule(agencies=("psb",), divisions=("441322",)),)
    assert codes(repeated.model_copy(update={"owners": same}), view=register(household())) == []


def test_a_county_gives_no_city_item_another_class() -> None:
    copy = field("nation", "民族", reference_of="household_registration.ethnicity_code")
    assert codes(county(copy), view=register(household())) == ["E_COUNTY"]
    as_the_city = {"nation": FieldPolicy(sharing=SharingClass.UNCONDITIONAL)}
    assert codes(county(copy, fields=as_the_city), view=register(household())) == []
    renamed = field("nation", "民族成份", reference_of="household_registration.ethnicity_code")
    assert codes(county(renamed), view=register(household())) == ["E_COUNTY"], "a copy under another name"


def test_a_county_neither_hinders_the_city_nor_another_county() -> None:
    view = register(county(field("pond", "鱼塘")))
    assert codes(census(field("pond", "鱼塘")), view=view) == []
    neighbour = entry(
        schema_text("neighbour", field("pond", "鱼塘")),
        scope="441323",
        owners=(OwnerRule(agencies=("county_bureau",), divisions=("441323",)),),
    )
    assert codes(neighbour, view=view) == []
    twice = entry(schema_text("twice", field("pond", "鱼塘")), scope="441322", owners=COUNTY)
    assert codes(twice, view=view) == ["E_REPEAT"]


def test_an_entry_of_the_city_never_becomes_a_countys() -> None:
    taken = entry(version=2, scope="441322", owners=(OwnerRule(agencies=("psb",), divisions=("441322",)),))
    assert "E_COUNTY" in codes(taken, view=register(entry()))
