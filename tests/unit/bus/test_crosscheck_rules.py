"""A city's own cross-checks count beside the packaged ones, or are refused with file, place and rule."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bus.cli.main import bus
from bus.crosscheck.rules import checks_of
from bus.settings import load
from compliance.crosschecks import packaged_crosschecks
from schemas.errors import RegisterFileError, SettingsError

OWN = """\
checks:
  - id: marriage_name
    kind: AGREES
    name_zh: 婚姻登记姓名
    name_en: name in the marriage register
    articles: "5"
    told_zh: 婚姻登记的姓名与户籍登记不一致
    told_en: the name in the marriage register differs from the household registration
    left: {resources: [marriage]}
    right: {resources: [household_registration]}
    compare:
      - {left: name, right: name, normalise: NAME}
"""
PACKAGED = packaged_crosschecks().checks


def write(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_the_packaged_checks_count_alone() -> None:
    assert checks_of(load(crosschecks_file=None)) == PACKAGED


def test_a_citys_own_checks_come_behind_the_packaged_ones_and_are_shown(tmp_path: Path) -> None:
    file = write(tmp_path, OWN)
    found = checks_of(load(crosschecks_file=file))
    assert found[:-1] == PACKAGED
    assert (found[-1].id, found[-1].told_zh) == ("marriage_name", "婚姻登记的姓名与户籍登记不一致")
    runner = CliRunner(env={"BUS_CROSSCHECKS_FILE": str(file)})
    shown = json.loads(runner.invoke(bus, ["crosscheck", "rules", "--json"]).output)
    assert [rule["id"] for rule in shown] == [check.id for check in found]


def test_a_packaged_checks_id_is_not_given_again(tmp_path: Path) -> None:
    file = write(tmp_path, OWN.replace("id: marriage_name", f"id: {PACKAGED[0].id}"))
    with pytest.raises(SettingsError, match=f"BUS_CROSSCHECKS_FILE: {PACKAGED[0].id}: so a packaged check is named"):
        checks_of(load(crosschecks_file=file))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN.replace("kind: AGREES", "kind: LIKES"), r"own\.yaml:3:\d+: checks\.0\.kind: "),
        (OWN.replace("    compare:\n      - {left: name, right: name, normalise: NAME}\n", ""), "compare belongs to"),
        (OWN + OWN.removeprefix("checks:\n"), "the ids of the checks"),
        ("checks: []\n", r"own\.yaml:1:\d+: checks: "),
        ("- checks\n", r"own\.yaml:1:1: must be a mapping"),
    ],
)
def test_what_is_no_file_of_checks_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(RegisterFileError, match=said):
        checks_of(load(crosschecks_file=file))


def test_a_file_that_is_not_there_is_told_by_its_name_alone(tmp_path: Path) -> None:
    with pytest.raises(RegisterFileError, match=r"own\.yaml: cannot be read") as told:
        checks_of(load(crosschecks_file=tmp_path / "own.yaml"))
    assert not re.search(re.escape(str(tmp_path)), str(told.value))
