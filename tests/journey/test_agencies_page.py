"""The examples of docs/agencies.md, in their order, as they stand there, on the example register."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bus.settings import Settings
from bus.workers.supervisor import environment_of
from tests.threads import WAIT_S, running, until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]

PAGE = Path(__file__).parents[2] / "docs" / "agencies.md"
# Programs that start anew for each look, on a busy machine.
LOOKS_S = 120.0
DELIVERY = "delivery.hrss.residence_permit.hrss-permits"
DELIVERED = ["CORRECT", "CREATE", "CREATE", "UPDATE", "leaves"]


class Desk:
    """An agency's developer: a folder with the page's files, and a shell."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, **environment_of(settings), "PATH": path}
        text = PAGE.read_text(encoding="utf-8")
        self.shell = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for told, language, code in re.findall(r"(.*?)^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            if language in ("python", "sql"):
                name = re.findall(r"`(\w+\.(?:py|sql))`", told)[-1]
                (folder / name).write_text(code, encoding="utf-8")
            elif language == "yaml":
                (folder / code.splitlines()[0].removeprefix("# ")).write_text(code, encoding="utf-8")

    def run(self, *words: str) -> str:
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr[-1_000:]
        return done.stdout

    def told(self, beginning: str) -> str:
        """The one block of shell lines that begins so."""
        [block] = [block for block in self.shell if block.startswith(beginning)]
        return block

    @contextmanager
    def serving(self, command: str) -> Iterator[None]:
        """A command of the page that runs until it is stopped."""
        process = subprocess.Popen(self.told(command).split(), cwd=self.folder, env=self.environment)
        try:
            yield
        finally:
            process.terminate()
            assert process.wait(WAIT_S) == 0


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    try:
        with sqlite3.connect(database) as connection:
            return connection.execute(query).fetchall()
    except sqlite3.OperationalError:
        # Not made yet.
        return []


def test_every_example_of_the_agencies_page_does_what_it_says(own_bus: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "desk"
    folder.mkdir()
    desk = Desk(folder, own_bus)
    for agency in ("migrant_services", "hrss"):
        desk.run("bus", "local", "certificate", agency)
    (folder / "register.yaml").write_text(desk.run("bus", "register", "example"), encoding="utf-8")
    desk.run("bus", "register", "apply", "register.yaml")
    with running(own_bus, "admit", "deliver"):
        answers = desk.run("python", "publish.py").splitlines()
        assert [line.split()[1:3] for line in answers] == [["True", "None"], ["False", "E_OWNER"], ["False", "E_CODE"]]
        assert "2 admitted, 0 refused" in desk.run("python", "correct.py")
        _connector(desk)
        told: list[str] = []

        def all_told() -> bool:
            # It ends when nothing comes for a while; what it told is committed, and the next run goes on behind it.
            told.extend(desk.run("python", "subscribe.py").splitlines())
            return len(told) >= len(DELIVERED)

        until(all_told, "every delivery", LOOKS_S)
        assert sorted(line.split()[0] for line in told) == DELIVERED
        assert any(line.startswith("leaves ") and line.endswith(" WITHDRAWN") for line in told)
        _sink(desk)
        _plain(desk)


def _connector(desk: Desk) -> None:
    with sqlite3.connect(desk.folder / "source.sqlite") as connection:
        connection.executescript((desk.folder / "source.sql").read_text(encoding="utf-8"))
    said: list[str] = []

    def told() -> bool:
        said.append(desk.run("python", "plain.py", "migrant_services", "refused.migrant_services"))
        return "'CONNECTOR'" in said[-1]

    with desk.serving("bus run connector"):
        until(told, "the refusal of the second row", LOOKS_S)
    assert "'source:permits'" in said[-1]
    assert "'E_OWNER'" in "".join(said)


def _sink(desk: Desk) -> None:
    copy = desk.folder / "copy.sqlite"
    with desk.serving("bus run sink"):
        query = "select id_number, bus_owner from residence_permits order by id_number"
        wanted = [("H00000001", "migrant_services"), ("H00000011", "migrant_services")]
        until(lambda: rows(copy, query) == wanted, "the current rows", LOOKS_S)
    assert rows(copy, "select count(*) from residence_permits_positions") != [(0,)]


def _plain(desk: Desk) -> None:
    plain, other = desk.told("python plain.py").splitlines()
    assert other.split()[-1] == "refused.migrant_services"
    said = ""

    def told() -> bool:
        nonlocal said
        said += desk.run(*plain.split())
        return "tombstone" in said

    until(told, "what a plain client reads", LOOKS_S)
    assert said.count("tombstone") == 1
    assert said.count("'WITHDRAW'") == 1
    desk.run("bash", "-c", desk.told("folder="))
    assert b"H00000011" in (desk.folder / "values.bin").read_bytes()
    assert DELIVERY in plain
