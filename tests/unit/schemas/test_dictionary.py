"""The data-element dictionary: every field of every resource, with everything that its schema says."""

import json
from pathlib import Path

import pytest

from bus.reference.language import dictionary_page, schemas_page
from schemas.codelists import names
from schemas.dictionary import code_uses, elements
from schemas.resource import packaged_text, resource_schema
from tests.builders import RESOURCES
from tests.catalogue import field, schema_text

PAGE = dictionary_page()


def section(resource: str) -> str:
    """The page's part on one resource."""
    return PAGE.split(f"\n## {resource}\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize("code", RESOURCES)
def test_every_field_stands_in_the_page_with_what_its_schema_says(code: str) -> None:
    specs = json.loads(packaged_text(code))["fields"]
    rows = [line for line in section(code).splitlines() if line.startswith("| `")]
    assert len(rows) == len(specs)
    for row, spec in zip(rows, specs, strict=True):
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        assert cells[0] == f"`{spec['name']}`"
        assert cells[1:3] == [spec["cn"], spec["article"]]
        assert cells[4] == spec["section"]
        assert cells[5] == spec.get("role", "")
        assert cells[6] == (f"`{spec['code_list']}`, {spec['code_policy']}" if "code_list" in spec else "")
        assert cells[7] == spec["sharing"]
        marks = [cell == "yes" for cell in (cells[8], cells[9], cells[10])]
        assert marks == [bool(spec.get(name)) for name in ("base_item", "required", "companion")]
        assert cells[11] == (f"`{spec['reference_of']}`" if "reference_of" in spec else "")


def test_every_resource_and_every_code_list_is_on_its_page() -> None:
    lists = PAGE.split("\n## Code lists", 1)[1]
    assert [name for name in names() if f"| `{name}` |" not in lists] == []
    assert [code for code in RESOURCES if f"dictionary.md#{code}" not in schemas_page()] == []


def test_a_decimal_shows_its_precision_and_scale() -> None:
    [capital] = [e for e in elements(resource_schema(packaged_text("enterprise_registration"))) if "decimal" in e.type]
    assert capital.name == "registered_capital"
    assert capital.type.startswith("decimal(")


def test_a_deprecated_field_is_marked() -> None:
    found = elements(resource_schema(schema_text("lamp", field("glow", deprecated=True))))
    assert [element.name for element in found if element.deprecated] == ["glow"]


def test_code_uses_are_the_fields_that_name_the_list() -> None:
    assert {(use.resource, use.field, use.policy) for use in code_uses("natural_resource_topic")} == {
        ("natural_resource_geospatial", "topic", "refuse")
    }
    assert {use.field for use in code_uses("gbt2261_1_sex")} == {"sex_code"}
    assert code_uses("no_such_list") == ()


def test_the_page_in_the_repository_is_the_one_that_is_made() -> None:
    folder = Path(__file__).parents[3] / "docs" / "reference"
    assert (folder / "dictionary.md").read_text(encoding="utf-8").endswith(PAGE)
