"""The resource files: complete, in the regulation's own words and order, with attributes that do not contradict."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import Codec
from schemas.codelists import names as code_lists
from schemas.identity import DOCUMENT_TYPES
from schemas.resource import packaged_resources, packaged_text

SENTENCES: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[2] / "data" / "enumerations.json").read_text(encoding="utf-8")
)
RESOURCES = packaged_resources()
HEAD = {"type", "name", "namespace", "doc", "resource", "cn", "article", "subject", "record_key", "division"}
HEAD_ALL = HEAD | {"freshness", "fields"}
FIELD = {"name", "type", "default", "doc", "cn", "article", "section", "sharing"}
OPTIONAL = {"required", "base_item", "companion", "role", "code_list", "code_policy", "reference_of"}


def resource(code: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(packaged_text(code))
    return parsed


def fields(code: str) -> dict[str, dict[str, Any]]:
    return {spec["name"]: spec for spec in resource(code)["fields"]}


def items(sentence: str) -> list[str]:
    """The items of an enumeration: parted by 、 or ，, the last two by 和, a person and its number by 及其."""
    found: list[str] = []
    for part in re.split(r"[、，,。](?![^(]*\))", sentence):
        pieces = re.split(r"和|及其", part) if "(" not in part.split("和")[0] else [part]
        found += [piece for piece in pieces if piece]
    return found


def test_the_four_resources_of_this_version_travel_with_the_bus() -> None:
    wanted = {"household_registration", "residence_permit", "enterprise_registration", "individual_business"}
    assert wanted <= set(RESOURCES)
    assert set(SENTENCES) >= wanted


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_the_listed_fields_are_the_regulations_own_enumeration_in_its_order(code: str) -> None:
    listed = [spec["cn"] for spec in fields(code).values() if not spec.get("companion")]
    assert listed == items(SENTENCES[code]["sentence"])
    assert resource(code)["article"] == SENTENCES[code]["article"]


@pytest.mark.parametrize("code", RESOURCES)
def test_a_resource_file_is_avro_with_ascii_names_and_the_head_that_the_rules_read(code: str) -> None:
    head = resource(code)
    assert set(head) == HEAD_ALL
    assert head["resource"] == code
    assert head["name"] == "".join(word.capitalize() for word in code.split("_"))
    assert head["namespace"] == "cn.gov.huizhou.exchange"
    assert head["freshness"] in ("DYNAMIC", "STATIC")
    assert Codec(head).fingerprint


@pytest.mark.parametrize("code", RESOURCES)
def test_every_business_field_is_nullable_with_default_null_and_carries_the_law(code: str) -> None:
    for name, spec in fields(code).items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name
        assert set(spec) >= FIELD, name
        assert set(spec) <= FIELD | OPTIONAL, name
        assert spec["type"][0] == "null", name
        assert len(spec["type"]) == 2, name
        assert spec["default"] is None, name
        assert spec["section"] in ("open", "identity", "restricted"), name
        assert spec["sharing"] in ("UNCONDITIONAL", "CONDITIONAL", "NOT_SHARED"), name
        assert re.fullmatch(r"\d{1,2}(\(\d\))?", spec["article"]), name
        assert spec["doc"].endswith("."), name
        assert not any("enum" in str(part) for part in spec["type"]), "codes are strings with a list (decisions 3)"


@pytest.mark.parametrize("code", RESOURCES)
def test_base_items_are_unconditional_and_nothing_else_is(code: str) -> None:
    for name, spec in fields(code).items():
        assert (spec["sharing"] == "UNCONDITIONAL") is spec.get("base_item", False), name


@pytest.mark.parametrize("code", RESOURCES)
def test_coded_fields_name_a_list_that_exists_and_sex_and_document_type_refuse(code: str) -> None:
    for name, spec in fields(code).items():
        assert ("code_list" in spec) is ("code_policy" in spec), name
        if "code_list" in spec:
            assert spec["code_list"] in code_lists(), name
            strict = name == "sex_code" or name.endswith("id_type")
            assert spec["code_policy"] == ("refuse" if strict else "flag"), name


@pytest.mark.parametrize("code", RESOURCES)
def test_the_roles_are_those_of_the_subject_rule(code: str) -> None:
    subject = resource(code)["subject"]
    roles = {spec["role"]: name for name, spec in fields(code).items() if "role" in spec}
    wanted = {
        "subject_type": subject["type_field"],
        "subject_number": subject["number_field"],
        "subject_name": subject["name_field"],
    }
    assert roles == {role: name for role, name in wanted.items() if name}
    assert (subject["type_field"] is None) is (subject["type_constant"] is not None)
    for constant in (subject["type_constant"], subject["fallback_type"]):
        assert constant is None or constant in DOCUMENT_TYPES
    assert (subject["fallback_type"] is None) is (subject["fallback_number_field"] is None)


@pytest.mark.parametrize("code", RESOURCES)
def test_whatever_names_a_field_names_one_that_exists(code: str) -> None:
    head, known = resource(code), fields(code)
    subject = head["subject"]
    named = [subject[part] for part in ("type_field", "number_field", "name_field", "fallback_number_field")]
    division = head["division"]
    assert division == {"publisher": True} or list(division) == ["field"]
    for name in [*named, *head["record_key"], division.get("field")]:
        assert name is None or name in known
    for spec in known.values():
        if "reference_of" in spec:
            other, _, field = spec["reference_of"].partition(".")
            assert field in fields(other)
            assert other != code


@pytest.mark.parametrize("code", RESOURCES)
def test_no_name_or_number_of_a_person_or_subject_lies_in_the_open_section(code: str) -> None:
    head = resource(code)
    for name, spec in fields(code).items():
        is_identity = (
            re.search(r"(^|_)(name|id_type|id_number|registration_number|permit_number|credit_code)$", name)
            and name != "division_name"
        )
        if is_identity or "role" in spec or name in head["record_key"]:
            assert spec["section"] == "identity", name


def test_photos_and_home_addresses_are_restricted() -> None:
    assert fields("household_registration")["photo"]["section"] == "restricted"
    for name in ("residence_address_detail", "household_address"):
        assert fields("residence_permit")[name]["section"] == "restricted"


@pytest.mark.parametrize("code", RESOURCES)
def test_what_keys_a_record_is_left_to_the_key_rule(code: str) -> None:
    head = resource(code)
    subject = head["subject"]
    keys = [subject[part] for part in ("type_field", "number_field", "fallback_number_field")]
    for name in [*keys, *head["record_key"]]:
        assert name is None or "required" not in fields(code)[name], "its absence is E_NO_KEY, not E_SCHEMA"


def test_beside_every_number_of_a_document_stands_its_type() -> None:
    for code in RESOURCES:
        known = fields(code)
        for name in known:
            if name.endswith("id_number") and name != "citizen_id_number":
                assert name.replace("id_number", "id_type") in known, name


def test_resource_files_are_packaged_where_the_bus_looks_for_them() -> None:
    assert (files("schemas") / "resources" / "residence_permit.avsc").is_file()
