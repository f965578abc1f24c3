"""What no command foresaw leaves as one sentence too: its kind and place, never its own text."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bus.cli import codes
from bus.cli.main import main
from tests.command import Command

SECRET = "a-number-that-nobody-may-read"


def test_an_error_of_the_bus_itself_is_told_by_kind_and_place_without_its_text(
    bus_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: str) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(codes, "load", broken)
    ran = bus_command("codes", "gbt2261_1_sex")
    assert ran.code == 3
    assert ran.err.startswith("error: an error of the bus itself, please report it: ValueError at bus/cli/codes.py:")
    assert ran.err.count("\n") == 1
    assert SECRET not in ran.err


def test_what_the_operating_system_says_of_a_file_is_told(bus_command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    ran = bus_command("docs", tmp_path / "file" / "below")
    assert ran.code == 3
    assert ran.err.startswith(f"error: Not a directory: {tmp_path / 'file' / 'below'}")
    assert " (at bus/reference/__init__.py:" in ran.err
    assert ran.err.count("\n") == 1


def test_an_error_in_a_thread_is_told_without_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "argv", ["bus", "--help"])
    with pytest.raises(SystemExit):
        main()
    thread = threading.Thread(target=broken)
    thread.start()
    thread.join()
    said = capsys.readouterr().err
    assert said.startswith("error: an error of the bus itself, please report it: ValueError")
    assert SECRET not in said


def test_a_terminal_that_knows_no_chinese_shows_signs_in_its_place() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bus", "codes", "gbt2261_1_sex"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert b"\\u7537" in ran.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("report", "annual", "--as-of", "9999-12-31"),
        ("report", "coverage", "--as-of", "0001-01-01"),
        ("notice", "settle", "--at", "0001-01-01"),
        ("explain", "hrss", "adoption", "--at", "9999-12-31"),
    ],
)
def test_the_first_and_the_last_day_of_the_calendar_are_days_like_others(
    bus_command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("BUS_STATE_DIR", str(tmp_path))
    ran = bus_command(*words)
    # `explain` ends with 1: nobody may do anything in an empty register.
    assert ran.code == (1 if words[0] == "explain" else 0)
    assert "error" not in ran.err


@pytest.mark.parametrize("words", [("clock", "list"), ("notice", "list"), ("crosscheck", "list")])
def test_more_rows_than_a_database_counts_are_wrong_usage(bus_command: Command, words: tuple[str, ...]) -> None:
    assert bus_command(*words, "--limit", 10**30).code == 2
