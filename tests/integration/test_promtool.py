"""Promtool proves the rules: minutes and days of made-up series, too many for the tests that run in seconds."""

import re
import subprocess

from tests.compose_file import ROOT
from tests.prometheus import program

FOLDER = ROOT / "deploy" / "prometheus"


def promtool(*words: str) -> str:
    done = subprocess.run(
        [program("promtool"), *words],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_promtool_accepts_the_configuration_with_its_rules() -> None:
    said = promtool("check", "config", "prometheus.yml")
    for name, kind in (("alerts", "alert"), ("recording", "record")):
        text = (FOLDER / "rules" / f"{name}.yml").read_text(encoding="utf-8")
        assert f"{len(re.findall(rf'^ *- {kind}: ', text, re.MULTILINE))} rules found" in said


def test_every_alarm_fires_and_ends_as_promtools_unit_tests_say() -> None:
    names = sorted(path.name for path in (FOLDER / "tests").glob("*.yml"))
    assert promtool("test", "rules", *(f"tests/{name}" for name in names)).count("SUCCESS") == len(names)
