"""The wheel, installed in an empty environment and used far from the checkout, is the whole bus."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bus.local import cluster
from bus.settings import Settings
from bus.workers.supervisor import environment_of
from schemas.resource import packaged_resources
from tests.local_cluster import fresh_settings
from tests.processes import processes_of
from tests.threads import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(700)]

ROOT = Path(__file__).parents[2]
ROOMS = ("bus", "schemas", "compliance", "processors", "connectors", "deploy")
GUARD_S = 300.0
# Told by the program itself: where its modules are, where it would look for others, what data it finds.
INSIDE = f"""
import importlib, json, sys
from bus.local.artifacts import deploy_text
from schemas.resource import packaged_resources, packaged_text
files = [importlib.import_module(room).__file__ for room in {ROOMS}]
print(json.dumps({{"files": files, "path": sys.path, "resources": [len(packaged_text(n)) > 0 and n for n in
packaged_resources()], "properties": "ssl.client.auth" in deploy_text("kafka/server.properties")}}))
"""


@dataclass(frozen=True, slots=True)
class Away:
    """The installed bus: its environment, and a folder to work in that knows nothing of the checkout."""

    venv: Path
    folder: Path
    settings: Settings

    def run(self, program: str, *words: str) -> str:
        """What a program of the environment prints; it must succeed and complain of nothing."""
        # Only what a login shell would have: no variable leads back to the checkout.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME", "LANG") if name in os.environ}
        done = subprocess.run(
            [self.venv / "bin" / program, *words],
            cwd=self.folder,
            env={**kept, **environment_of(self.settings), "TMPDIR": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=GUARD_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    python("build", "--wheel", "--outdir", str(folder), str(ROOT))
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def away(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Away]:
    folder = tmp_path_factory.mktemp("away")
    venv = folder / "venv"
    python("venv", "--without-pip", str(venv))
    python("pip", "--python", str(venv / "bin" / "python"), "install", "--quiet", "--no-compile", str(wheel))
    (folder / "work").mkdir()
    settings = fresh_settings(folder / "state")
    try:
        yield Away(venv, folder / "work", settings)
    finally:
        cluster.down(settings.model_copy(update={"state_dir": settings.state_dir / "demo"}), wipe=True)


def python(module: str, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *words], capture_output=True, text=True, timeout=GUARD_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_holds_every_file_of_the_rooms_and_no_other(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "--", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=True)
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    # Files that stand here and are not committed yet are packed too.
    unknown = {name for name in packed - set(listed.stdout.splitlines()) if not (ROOT / name).is_file()}
    assert unknown == set()
    assert set(listed.stdout.splitlines()) - packed == set()
    assert {name.split("/")[0] for name in packed} == set(ROOMS)


def test_code_and_data_come_from_the_installed_wheel(away: Away) -> None:
    told = json.loads(away.run("python", "-c", INSIDE))
    assert all(Path(file).is_relative_to(away.venv) for file in told["files"])
    assert [path for path in told["path"] if Path(path).is_relative_to(ROOT)] == []
    assert told["resources"] == list(packaged_resources())
    assert told["properties"]


def test_the_main_job_runs_from_it_and_leaves_nothing_running(away: Away) -> None:
    said = away.run("bus", "demo", "--people", "60", "--keep")
    [changed] = re.findall(r"^6\. (\d+) rows of 441302 change at the source$", said, re.MULTILINE)
    for what, number in {
        # Beside permits and enterprises: three rows of each of 24 resources, and one identity link.
        "admitted": 66 + 73 + 2 * int(changed),
        "refused (all on purpose)": 12,
        "delivered under demo-full ": 60 + 2 * int(changed),
        "delivered under demo-expired ": 0,
    }.items():
        assert re.search(rf"│ {re.escape(what)}.*│ {number} +│", said.partition("done in")[2]), said
    kept = dict(re.findall(r"^  export BUS_(\w+)=(.*)$", said, re.MULTILINE))
    demo = away.settings.model_copy(update={name.lower(): value for name, value in kept.items()})
    left = Away(away.venv, away.folder, demo.model_copy(update={"state_dir": Path(kept["STATE_DIR"])}))
    # As it told us to go on; `up` finds what runs already.
    assert json.loads(left.run("bus", "local", "up", "--json"))["running"]
    assert re.search(r"g-\d{4}-00002 +│ REVOKED", left.run("bus", "register", "show"))
    assert "stopped demo-admit" in left.run("bus", "local", "down", "--wipe")
    until(lambda: processes_of(away.settings.state_dir) == [], "the end of every process")
