"""`bus codes` and `bus schema describe`: facts for people and for programs, and the exit codes."""

import json
from pathlib import Path

import pytest

from schemas.codelists import load, names
from tests.builders import RESOURCES
from tests.catalogue import field, schema_text
from tests.command import Command


def test_all_lists_are_told_with_standard_version_source_and_users(bus_command: Command) -> None:
    ran = bus_command("codes", "--json")
    found = {facts["list"]: facts for facts in json.loads(ran.out)}
    assert set(found) == set(names())
    sex = found["gbt2261_1_sex"]
    assert (sex["standard"], sex["version"], sex["rows"], sex["verified"]) == ("GB/T 2261.1-2003", "2003", 4, 4)
    assert {"resource": "household_registration", "field": "sex_code", "policy": "refuse"} in sex["used_by"]
    assert found["gbt4754_industry"]["verified"] == 0
    text = bus_command("codes").out
    assert [name for name in names() if name not in text] == []


def test_one_list_is_told_with_its_rows_on_a_day(bus_command: Command) -> None:
    then = json.loads(bus_command("codes", "gbt2260_division", "--on", "2000-01-01", "--json").out)["codes"]
    now = json.loads(bus_command("codes", "gbt2260_division", "--on", "2026-01-01", "--json").out)["codes"]
    every = json.loads(bus_command("codes", "gbt2260_division", "--json").out)["codes"]
    assert "441381" in {row["code"] for row in then}
    assert "441381" not in {row["code"] for row in now}
    assert len(every) == len(load("gbt2260_division").rows)
    text = bus_command("codes", "gbt2261_1_sex").out
    for said in (
        "standard: GB/T 2261.1-2003",
        "source: ",
        "verified: 4 of 4",
        "used by: household_registration.sex_code (refuse)",
    ):
        assert said in text
    assert "男性" in text


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("gbt2261_1_sex", "1"), 0, "男性"),
        (("gbt2261_1_sex", "7"), 1, "gbt2261_1_sex has no such code"),
        (("gbt2260_division", "441381", "--on", "2026-01-01"), 1, "has no such code on 2026-01-01"),
        (("gbt2260_division", "441381", "--on", "2000-01-01"), 0, "惠阳"),
        (("gbt2260_division", "441302003"), 0, "it lies under 惠城区"),
        (("no_such_list",), 2, "there is no code list"),
        (("gbt2261_1_sex", "--on", "yesterday"), 2, "yesterday"),
    ],
)
def test_a_code_is_looked_up_and_the_exit_code_says_whether_it_is_there(
    bus_command: Command, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = bus_command("codes", *arguments)
    assert ran.code == code
    assert said in ran.out + ran.err


def test_a_code_is_told_to_programs_with_what_is_known_of_it(bus_command: Command) -> None:
    ran = bus_command("codes", "gbt2261_1_sex", "7", "--json")
    assert ran.code == 1
    assert json.loads(ran.out) == {"list": "gbt2261_1_sex", "code": "7", "known": False, "name": None, "codes": []}
    town = json.loads(bus_command("codes", "gbt2260_division", "441302003", "--json").out)
    assert (town["known"], town["name"], town["codes"]) == (True, "惠城区", [])


@pytest.mark.parametrize("code", RESOURCES)
def test_a_resource_is_described_field_by_field(bus_command: Command, code: str) -> None:
    facts = json.loads(bus_command("schema", "describe", code, "--json").out)
    assert {fact["resource"] for fact in facts} == {code}
    text = bus_command("schema", "describe", code).out
    assert [fact["name"] for fact in facts if fact["name"] not in text] == []


def test_one_field_is_described(bus_command: Command) -> None:
    [fact] = json.loads(bus_command("schema", "describe", "education", "student_name", "--json").out)
    assert fact["reference_of"] == "household_registration.name"
    text = bus_command("schema", "describe", "education", "student_name").out
    assert "cn: 学生姓名" in text
    assert "required: yes" in text
    assert "deprecated" not in text


def test_a_schema_file_that_does_not_travel_with_the_bus_is_described_too(bus_command: Command, tmp_path: Path) -> None:
    path = tmp_path / "lamp.avsc"
    path.write_text(schema_text("lamp", field("glow", "亮度", deprecated=True)), encoding="utf-8")
    ran = bus_command("schema", "describe", path)
    assert ran.code == 0
    assert "亮度" in ran.out
    assert "deprecated" in ran.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("lamp",), 2, "no packaged schema for resource lamp"),
        (("marriage", "shoe_size"), 2, "has no field shoe_size; there are: marriage_registration_date"),
        (("nowhere.avsc",), 2, "nowhere.avsc: cannot be read"),
        (("pyproject.avsc",), 1, "the resource schema is not JSON: Expecting value in line 1, column 2"),
    ],
)
def test_what_cannot_be_described_is_said_in_a_sentence(
    bus_command: Command,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    (tmp_path / "pyproject.avsc").write_text("[project]", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ran = bus_command("schema", "describe", *arguments)
    assert ran.code == code
    assert said in ran.err
