"""The README's quick start, step by step, as it stands there."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bus.local import cluster
from bus.settings import Settings
from bus.workers.supervisor import environment_of
from tests.local_cluster import fresh_settings
from tests.processes import processes_of
from tests.threads import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
GUARD_S = 300.0


def script() -> str:
    """The code blocks below "Step by step" as one shell script; a program is written to the file that its text names."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [steps] = re.findall(r"^### Step by step$(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    lines = ["set -euo pipefail"]
    for told, language, code in re.findall(r"(.*?)^```(\w+)\n(.*?)^```$", steps, re.MULTILINE | re.DOTALL):
        if language == "sh":
            lines.append(code)
        else:
            assert language == "python"
            [name] = re.findall(r"`(\w+\.py)`", told)
            lines.append(f"cat >{name} <<'END OF PROGRAM'\n{code}END OF PROGRAM\n")
    return "\n".join(lines)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    made = fresh_settings(tmp_path / "state")
    try:
        yield made
    finally:
        cluster.down(made, wipe=True)


def test_the_quick_start_works_as_it_is_written_and_leaves_nothing_running(settings: Settings, tmp_path: Path) -> None:
    environment = {**os.environ, **environment_of(settings), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        ["bash", "-c", script()],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A group of its own, so that a failure half way leaves no worker.
        process_group=0,
    ) as shell:
        try:
            out, err = shell.communicate(timeout=GUARD_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, err
    assert err == ""
    lines = out.splitlines()
    assert lines.count("admitted") == 3
    assert "E_CODE (Art 38): the code is not in its code list" in out
    deliveries = [line for line in lines if line.startswith("UPDATE from migrant_services with ")]
    fields = "name, id_type, id_number, residence_county, registration_date, cancellation_date"
    assert [line.partition(" with ")[2] for line in deliveries] == [fields] * 3
    assert lines[-1].startswith("stopped ")
    until(lambda: processes_of(settings.state_dir) == [], "the end of every process")
