"""The Makefile's targets: each is told by `make help` and none is a file's name by accident."""

import os
import re
import subprocess

from tests.compose_file import ROOT

EXPECTED = ["help", "setup", "demo", "test", "lint", "unit", "format", "bench", "up", "down", "clean"]


def test_every_target_of_the_makefile_is_told_by_help() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", text, re.MULTILINE))
    # A make that calls this test says where it is; its flags are not for the one called here.
    alone = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    said = subprocess.run(["make", "help"], cwd=ROOT, env=alone, capture_output=True, text=True, check=True).stdout
    told = {line.split()[0] for line in said.splitlines()}
    assert targets == told
    assert set(EXPECTED) <= told
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony is not None
    assert targets == set(phony[1].split())


def test_the_shell_scripts_parse() -> None:
    for script in ("deploy/setup.sh", ".ci/run"):
        subprocess.run(["bash", "-n", script], cwd=ROOT, check=True)
