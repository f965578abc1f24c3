"""Fetching the programs: what is missing is said in words, half a download never counts."""

import os
from pathlib import Path

import pytest

from bus.local import artifacts
from bus.local.artifacts import java, program_folder, version
from schemas.errors import LocalRunError


def script(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH that holds nothing but what the test puts there, and the shell's own tools behind it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


@pytest.mark.usefixtures("only")
def test_missing_java_is_said_with_the_package_to_install() -> None:
    with pytest.raises(LocalRunError, match="apt-get install default-jre-headless"):
        java()


def test_java_that_is_too_old_is_said_with_its_version(only: Path) -> None:
    script(only, "java", """echo 'openjdk version "11.0.2" 2019-01-15' >&2""")
    with pytest.raises(LocalRunError, match=r"11\.0\.2"):
        java()


@pytest.mark.usefixtures("only")
def test_missing_maven_is_said_with_the_package_to_install(tmp_path: Path) -> None:
    with pytest.raises(LocalRunError, match="apt-get install maven"):
        program_folder(tmp_path / "cache", "kafka")


def maven(only: Path, text: str) -> None:
    tools = os.defpath
    script(
        only,
        "mvn",
        f'PATH={tools}\nfor word; do case "$word" in -Dtarget=*) t="${{word#-Dtarget=}}";; esac; done\n{text}',
    )


def test_a_failed_download_leaves_nothing_that_the_next_would_take_for_whole(only: Path, tmp_path: Path) -> None:
    maven(only, 'touch "$t/half.jar"; exit 1')
    with pytest.raises(LocalRunError, match=r"kafka-download\.log"):
        program_folder(tmp_path, "kafka")
    maven(only, 'touch "$t/whole.jar"')
    assert [file.name for file in program_folder(tmp_path, "kafka").iterdir()] == ["whole.jar"]


def test_a_program_is_fetched_once(only: Path, tmp_path: Path) -> None:
    maven(only, 'touch "$t/whole.jar"')
    folder = program_folder(tmp_path, "registry")
    (only / "mvn").unlink()
    assert program_folder(tmp_path, "registry") == folder
    assert version("registry") in folder.name


def test_a_changed_pom_is_fetched_anew(only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maven(only, 'touch "$t/whole.jar"')
    before = program_folder(tmp_path, "kafka")
    pom = artifacts.deploy_text("kafka/pom.xml")
    monkeypatch.setattr(artifacts, "deploy_text", lambda _: pom.replace("1.7.36", "1.7.35"))
    assert program_folder(tmp_path, "kafka") != before
