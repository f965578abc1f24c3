"""The house holds: pages tell the truth, files stay small, and each library is known where it should be."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import bus as house_package
from bus.cli.main import bus
from bus.reference import pages
from schemas.identity import identify
from schemas.refusals import RULES, RefusalCode, Refused
from tests.builders import TODAY

ROOT = Path(__file__).parents[2]
ROOMS = ("bus", "schemas", "compliance", "processors", "connectors", "deploy")
LONGEST = 450


def sources(*rooms: str) -> list[Path]:
    return [path for room in rooms for path in (ROOT / room).rglob("*.py")]


@pytest.mark.parametrize("name", sorted(pages(bus)))
def test_a_reference_page_says_what_the_code_says(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == pages(bus)[name], "run `make docs`"


@pytest.mark.parametrize("page", ["README.md", "docs/catalogue.md"])
def test_every_command_that_a_page_shows_exists_with_its_options(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = [line.partition("#")[0] for line in text.splitlines() if line.startswith("bus ")]
    assert lines
    for line in lines:
        command: click.Command = bus
        for word in shlex.split(line.partition(">")[0])[1:]:
            if word.startswith("--"):
                assert word in {name for parameter in command.params for name in parameter.opts}, line
            elif isinstance(command, click.Group):
                found = command.get_command(click.Context(command), word)
                assert found is not None, line
                command = found
        assert not isinstance(command, click.Group), line


def test_every_refusal_code_has_its_rule() -> None:
    assert set(RULES) == set(RefusalCode)


def test_every_refusal_code_is_named_by_a_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert [code for code in RefusalCode if code.value not in tests] == []


def test_no_file_is_longer_than_one_can_read() -> None:
    long = {
        str(path.relative_to(ROOT)): n
        for path in sources(*ROOMS)
        if (n := len(path.read_text().splitlines())) > LONGEST
    }
    assert long == {}


@pytest.mark.parametrize(
    ("library", "where"),
    [
        ("confluent_kafka", "bus/"),
        ("prometheus_client", "bus/"),
        ("click", "bus/"),
        ("fastavro", "schemas/codec.py"),
        ("openpyxl", ("bus/catalogue/workbook.py", "bus/register/figures_workbook.py")),
        ("sqlalchemy", ("connectors/", "bus/demo/", "bus/bench/register.py", "compliance/register/", "bus/register/")),
        ("alembic", "compliance/register/"),
    ],
)
def test_a_library_is_known_in_its_room_alone(library: str, where: str | tuple[str, ...]) -> None:
    imports = re.compile(rf"^\s*(from|import) {library}\b", re.MULTILINE)
    users = [str(p.relative_to(ROOT)) for p in sources(*ROOMS) if imports.search(p.read_text(encoding="utf-8"))]
    assert users
    assert [user for user in users if not user.startswith(where)] == []


def test_a_worker_of_records_starts_without_the_libraries_of_others() -> None:
    def loaded(*modules: str) -> set[str]:
        code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    own = loaded("bus.cli.main", "bus.cli.run", "bus.workers.wiring")
    assert "confluent_kafka" in own
    assert not {"sqlalchemy", "alembic", "openpyxl", "faust"} & own
    # Nor does any kind load what makes another one, or the supervisor any.
    assert not {"bus.workers.wiring", "confluent_kafka"} & loaded("bus.cli.main", "bus.cli.run")


def test_what_an_agency_imports_is_loaded_when_it_is_asked_for() -> None:
    code = "import bus, sys; print('confluent_kafka' in sys.modules, *(getattr(bus, n).__name__ for n in bus.__all__))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["False", *house_package.__all__], done.stderr
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = house_package.Nothing


def test_the_environment_and_the_clock_are_read_in_the_house_alone() -> None:
    rules = re.compile(r"os\.environ|time\.time|datetime\.now|date\.today")
    users = [
        str(p.relative_to(ROOT))
        for p in sources("schemas", "compliance", "processors", "connectors")
        if rules.search(p.read_text(encoding="utf-8"))
    ]
    assert users == []


def test_no_valid_identity_number_stands_in_a_document() -> None:
    pattern = re.compile(r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])")
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for number in pattern.findall(path.read_text(encoding="utf-8")):
            assert isinstance(identify("111", number, TODAY), Refused), path


def test_no_large_or_secret_file_is_kept() -> None:
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert [name for name in names if name.endswith((".key", ".pem", ".crt", ".sqlite", ".jar"))] == []
