"""`bus catalogue …` offline: propose, show, compare, export, import; and what each ends with."""

import json
from pathlib import Path

import pytest

from bus.catalogue.workbook import write_workbook
from compliance.entry import CatalogueEntry
from compliance.registerfile import read_register_file
from compliance.registertext import catalogue_text
from tests.builders import RESOURCES
from tests.catalogue import entry, field, register, schema_text
from tests.command import Command

AGENCIES = """\
version: '1'
agencies:
- {code: psb, name: 公安局, credit_code: 11441300007212348P, type: ADMINISTRATIVE_ORGAN, division: 441300}
- {code: aic, name: 工商局, credit_code: 11441300007212348P, type: ADMINISTRATIVE_ORGAN, division: 441300}
"""


def write(path: Path, *entries: CatalogueEntry) -> Path:
    """A register file with two agencies and some entries."""
    path.write_text(AGENCIES + catalogue_text(entries).removeprefix("version: '1'\n"), encoding="utf-8")
    return path


@pytest.fixture
def standing(tmp_path: Path) -> Path:
    """A register that holds one entry in two versions, and another one."""
    second = entry(schema_text("lamp", field("glow", "亮度")), version=2)
    return write(tmp_path / "register.yaml", entry(), second, entry(schema_text("bench")))


def test_the_whole_catalogue_is_proposed_as_a_register_file(bus_command: Command, tmp_path: Path) -> None:
    ran = bus_command("catalogue", "generate", "--published", "2026-01-01")
    assert ran.code == 0
    path = tmp_path / "r.yaml"
    path.write_text(ran.out, encoding="utf-8")
    assert [item.model.key for item in read_register_file(path).items] == [f"{code}@1" for code in RESOURCES]
    assert "{packaged" not in ran.out
    assert "packaged: marriage" in ran.out
    assert ran.out.startswith("# A proposal")


def test_named_resources_alone_are_proposed_each_once(bus_command: Command) -> None:
    ran = bus_command("catalogue", "generate", "marriage", "education", "marriage", "--partitions", "12")
    assert ran.out.count("packaged: ") == 2
    assert ran.out.count("partitions: 12") == 2
    assert "institution_code" in ran.out
    assert bus_command("catalogue", "generate", "lamp").code == 2


def test_the_catalogue_is_shown_with_the_newest_versions(bus_command: Command, standing: Path) -> None:
    found = {
        fact["resource"]: fact
        for fact in json.loads(bus_command("catalogue", "show", "--file", standing, "--json").out)
    }
    assert {name: (fact["version"], fact["versions"]) for name, fact in found.items()} == {
        "bench": (1, [1]),
        "lamp": (2, [1, 2]),
    }
    text = bus_command("catalogue", "show", "--file", standing).out
    assert "2 of 2" in text
    assert "有条件共享" in text


def test_one_version_is_shown_with_its_fields_and_owners(bus_command: Command, standing: Path) -> None:
    text = bus_command("catalogue", "show", "lamp", "--file", standing).out
    for said in ("lamp version 2 (versions: 1, 2)", "related_systems: [", "owner: psb; divisions 441300", "亮度"):
        assert said in text
    old = bus_command("catalogue", "show", "lamp", "--version", "1", "--file", standing).out
    assert "lamp version 1" in old
    assert "亮度" not in old


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lantern",), "no catalogue entry lantern; there are: bench, lamp"),
        (("lamp", "--version", "3"), "no catalogue entry lamp@3; there are: lamp@1, lamp@2"),
        (("--version", "1"), "--version wants a RESOURCE"),
    ],
)
def test_what_is_not_there_ends_with_2_and_says_what_is(
    bus_command: Command, standing: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = bus_command("catalogue", "show", *arguments, "--file", standing)
    assert ran.code == 2
    assert said in ran.err


def test_differences_are_told_field_by_field(bus_command: Command, standing: Path, tmp_path: Path) -> None:
    text = schema_text("lamp", field("glow", "亮度", deprecated=True), field("lens", "灯罩"))
    third = write(tmp_path / "new.yaml", entry(text, version=3, platform="新平台"))
    ran = bus_command("catalogue", "diff", third, "--file", standing)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [
        "lamp: version 2 → version 3",
        "  + lens added",
        "  ~ glow deprecated: still read, no longer asked for",
        "  ~ platform",
    ]
    facts = json.loads(bus_command("catalogue", "diff", third, "--file", standing, "--json").out)
    assert facts["problems"] == []
    assert facts["entries"][0]["added"] == ["lens"]
    assert facts["entries"][0]["deprecated"] == ["glow"]


def test_what_the_register_has_already_is_no_difference(bus_command: Command, standing: Path) -> None:
    ran = bus_command("catalogue", "diff", standing, "--file", standing)
    assert (ran.code, ran.out) == (0, "the file changes nothing in the catalogue\n")


def test_what_speaks_against_a_file_is_told_with_its_line_and_ends_with_2(
    bus_command: Command, standing: Path, tmp_path: Path
) -> None:
    wrong = write(tmp_path / "new.yaml", entry(version=3, related_systems=(), conditions="无"))
    ran = bus_command("catalogue", "diff", wrong, "--file", standing)
    assert ran.code == 2
    assert "- glow removed" in ran.out
    assert "new.yaml:6:3: catalogue lamp@3: E_CONTENT_MISSING (Art 39)" in ran.err
    assert "E_NO_CONDITIONS (Art 4)" in ran.err
    facts = bus_command("catalogue", "diff", wrong, "--file", standing, "--json")
    assert facts.code == 2
    assert len(json.loads(facts.out)["problems"]) == 2


def test_the_catalogue_is_exported_for_platforms(bus_command: Command, standing: Path, tmp_path: Path) -> None:
    target = tmp_path / "catalogue.json"
    ran = bus_command("catalogue", "export", "--format", "json", target, "--file", standing, "--json")
    assert json.loads(ran.out) == {"files": [str(target)], "entries": 2, "no_cycle": []}
    found = json.loads(target.read_text(encoding="utf-8"))["目录"]
    assert [one["扩展"]["资源编码"] for one in found] == ["bench", "lamp"]
    assert found[1]["信息资源提供方代码"] == ["11441300007212348P"]


def test_export_and_import_of_a_workbook_leave_no_difference(
    bus_command: Command, standing: Path, tmp_path: Path
) -> None:
    target = tmp_path / "catalogue.xlsx"
    ran = bus_command("catalogue", "export", "--format", "xlsx", target, "--file", standing)
    assert ran.code == 0
    assert "2 entries" in ran.out
    assert "lamp@2.avsc" in ran.out
    back = tmp_path / "back.yaml"
    back.write_text(bus_command("catalogue", "import", target).out, encoding="utf-8")
    assert (
        bus_command("catalogue", "diff", back, "--file", standing).out == "the file changes nothing in the catalogue\n"
    )


def test_an_import_with_errors_prints_no_file_and_ends_with_2(bus_command: Command, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.xlsx"
    write_workbook(path, register(), [entry(related_systems=(), update_frequency="经常")])
    ran = bus_command("catalogue", "import", path)
    assert (ran.code, ran.out) == (2, "")
    assert "error: catalogue.xlsx: 目录 row 2 column S (更新周期): E_FREQUENCY (Art 16)" in ran.err
    assert "catalogue.xlsx: 目录 row 2 column Y (关联信息系统): E_CONTENT_MISSING (Art 39)" in ran.err


def test_a_cycle_that_the_guide_lacks_is_exported_and_told(bus_command: Command, tmp_path: Path) -> None:
    old = write(tmp_path / "r.yaml", entry(update_frequency="经常"))
    ran = bus_command("catalogue", "export", "--format", "json", tmp_path / "c.json", "--file", old)
    assert ran.code == 0
    assert "no code for the update frequency of lamp@1" in ran.err


def test_a_register_file_with_errors_and_a_place_that_cannot_be_written_end_with_2(
    bus_command: Command, standing: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("version: 2\n", encoding="utf-8")
    assert bus_command("catalogue", "show", "--file", broken).code == 2
    for form in ("json", "xlsx"):
        target = tmp_path / "nowhere" / "c"
        ran = bus_command("catalogue", "export", "--format", form, target, "--file", standing)
        assert ran.code == 2
        assert "cannot be written" in ran.err


def test_without_a_file_the_register_on_kafka_is_asked_and_its_absence_ends_with_3(
    bus_command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BUS_STATE_DIR", str(tmp_path / "state"))
    ran = bus_command("catalogue", "show")
    assert ran.code == 3
    assert ran.err.startswith("error: ")
