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
HEAD_ALL = HEAD | {"freshness", "fields", "owner", "responsible_department"}
HEAD_SOME = {"part_of", "owner_field"}
FIELD = {"name", "type", "default", "doc", "cn", "article", "section", "sharing"}
OPTIONAL = {"required", "base_item", "companion", "role", "art28", "code_list", "code_policy", "reference_of"}
ART_28 = ("name", "id_type", "id_number")


def resource(code: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(packaged_text(code))
    return parsed


def fields(code: str) -> dict[str, dict[str, Any]]:
    return {spec["name"]: spec for spec in resource(code)["fields"]}


def key_fields(code: str) -> list[str]:
    """Every field that may take part in the record's own key."""
    parts = resource(code)["record_key"]
    return [name for part in parts for name in ([part] if isinstance(part, str) else part)]


# What the rule of parting would cut wrongly: an item with 和 in its own name, and three that share their last word.
WHOLE = {"参加社区服务和社会实践情况": "参加社区服务与社会实践情况"}
SHARED = {"省、市、县名称": "省名称、市名称、县名称"}


def items(sentence: str) -> list[str]:
    """The items of an enumeration: parted by 、 or ，, the last two by 和, a person and its number by 及其."""
    for written, whole in {**WHOLE, **SHARED}.items():
        sentence = sentence.replace(written, whole)
    found: list[str] = []
    for part in re.split(r"[、，,。](?![^(]*\))", sentence):
        pieces = re.split(r"和|及其", part) if "(" not in part.split("和")[0] else [part]
        found += [piece for piece in pieces if piece]
    whole = {changed: written for written, changed in WHOLE.items()}
    return [whole.get(item, item) for item in found]


def test_all_resources_of_articles_18_to_35_travel_with_the_bus() -> None:
    assert len(RESOURCES) == 26
    assert set(SENTENCES) == set(RESOURCES) - {"natural_resource_geospatial"}, "Art 35 lists topics, not fields"


def test_the_listed_fields_are_236_and_article_28_asks_three_of_eleven_resources() -> None:
    """As counted in the regulation's sentences; the dead and the holders of permits are listed with all three."""
    listed = [spec for code in SENTENCES for spec in fields(code).values() if not spec.get("companion")]
    assert len(listed) == 236
    asked = [
        code
        for code in SENTENCES
        if any("28" in (s["article"], s.get("art28")) or "art28" in s for s in fields(code).values())
    ]
    eleven = [code for code in asked if resource(code)["subject"]["kind"] == "person"]
    assert len(eleven) == 11
    for code in eleven:
        played = {spec.get("art28", name) for name, spec in fields(code).items()}
        assert played >= set(ART_28), code


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_the_listed_fields_are_the_regulations_own_enumeration_in_its_order(code: str) -> None:
    listed = [spec["cn"] for spec in fields(code).values() if not spec.get("companion")]
    assert listed == items(SENTENCES[code]["sentence"])
    assert resource(code)["article"] == SENTENCES[code]["article"]


@pytest.mark.parametrize("code", RESOURCES)
def test_a_resource_file_is_avro_with_ascii_names_and_the_head_that_the_rules_read(code: str) -> None:
    head = resource(code)
    assert HEAD_ALL <= set(head) <= HEAD_ALL | HEAD_SOME
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
            strict = name in ("sex_code", "topic") or name.endswith("id_type")
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
    for name in [*named, *key_fields(code), division.get("field"), head.get("owner_field")]:
        assert name is None or name in known
    assert head.get("part_of") is None or head["part_of"] in RESOURCES
    for spec in known.values():
        if "reference_of" in spec:
            other, _, field = spec["reference_of"].partition(".")
            assert field in fields(other)
            assert other != code


PLACES = ("division_name", "province_name", "city_name", "county_name", "police_station_name", "employer_name")
PAPERS = ("qualification_certificate_name", "practice_certificate_name", "medical_institution_name")
OWN_NUMBERS = ("approval_number", "licence_number")


@pytest.mark.parametrize("code", RESOURCES)
def test_no_name_or_number_of_a_person_or_subject_lies_in_the_open_section(code: str) -> None:
    if resource(code)["subject"]["kind"] == "feature":
        return
    for name, spec in fields(code).items():
        told = re.search(r"(_|^)(name|number|id_type|credit_code|signature|taxpayer_id)$", name)
        if (told and name not in (*PLACES, *PAPERS, *OWN_NUMBERS)) or "role" in spec:
            assert spec["section"] != "open", name
        if "role" in spec:
            assert spec["section"] == "identity", name


def test_what_the_law_calls_sensitive_is_restricted() -> None:
    """Sensitive by Article 28 of the Personal Information Protection Law: health, minors, poverty, home, accounts."""
    for code, name in (
        ("disability", "disability_certificate_number"),
        ("death_certificate", "death_cause"),
        ("birth_certificate", "health_status_code"),
        ("minimum_living_allowance", "allowance_certificate_number"),
        ("housing_fund", "account_status"),
        ("education", "vaccination_info"),
        ("adoption", "adoption_certificate_number"),
    ):
        assert fields(code)[name]["section"] == "restricted", (code, name)


def test_the_two_parts_of_a_death_certificate_have_one_subject_and_one_record_key() -> None:
    medical, police = resource("death_certificate"), resource("death_certificate_police")
    assert police["part_of"] == "death_certificate"
    assert police["subject"] == medical["subject"]
    assert police["record_key"] == medical["record_key"]


def test_photos_and_home_addresses_are_restricted() -> None:
    assert fields("household_registration")["photo"]["section"] == "restricted"
    for name in ("residence_address_detail", "household_address"):
        assert fields("residence_permit")[name]["section"] == "restricted"


@pytest.mark.parametrize("code", RESOURCES)
def test_what_keys_a_record_is_left_to_the_key_rule(code: str) -> None:
    head = resource(code)
    subject = head["subject"]
    keys = [subject[part] for part in ("type_field", "number_field", "fallback_number_field")]
    for name in [*keys, *key_fields(code)]:
        assert name is None or "required" not in fields(code)[name], "its absence is E_NO_KEY, not E_SCHEMA"


def test_beside_every_number_of_a_document_stands_its_type() -> None:
    for code in RESOURCES:
        known = fields(code)
        for name in known:
            if name.endswith("id_number") and name != "citizen_id_number":
                assert name.replace("id_number", "id_type") in known, name


def test_resource_files_are_packaged_where_the_bus_looks_for_them() -> None:
    assert (files("schemas") / "resources" / "residence_permit.avsc").is_file()
