"""A worker's slot: the lowest free number of its kind, held until its process ends, however it ends."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bus.workers import slot as module
from bus.workers.slot import Slot
from schemas.errors import BusError

HOLD = """
import sys
from pathlib import Path
from bus.workers.slot import Slot
slot = Slot(Path(sys.argv[1]), "admit")
print(slot.name, flush=True)
sys.stdin.read()
"""


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_first_worker_of_a_kind_takes_number_one(tmp_path: Path) -> None:
    slot = Slot(tmp_path, "admit")
    assert slot.name == "admit-1"
    assert slot.transactional_id == f"bus.admit-1.{socket.gethostname()}"
    slot.close()


def test_slots_are_counted_by_kind_and_the_lowest_free_one_is_next(tmp_path: Path) -> None:
    first, second, third = (Slot(tmp_path, "admit") for _ in range(3))
    other = Slot(tmp_path, "deliver")
    assert [slot.name for slot in (first, second, third, other)] == ["admit-1", "admit-2", "admit-3", "deliver-1"]
    second.close()
    again = Slot(tmp_path, "admit")
    assert again.name == "admit-2"
    for slot in (first, third, other, again):
        slot.close()


def test_the_successor_of_a_killed_worker_has_its_transactional_id(tmp_path: Path) -> None:
    """With another id the broker would keep the dead one's transaction open until its time-out."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as held:
        assert held.stdout is not None
        assert held.stdout.readline() == "admit-1\n"
        beside = Slot(tmp_path, "admit")
        assert beside.name == "admit-2"
        beside.close()
        os.kill(held.pid, signal.SIGKILL)
        held.wait(10)
        successor = Slot(tmp_path, "admit")
        assert successor.name == "admit-1"
        successor.close()


def test_no_child_of_a_worker_keeps_its_slot(tmp_path: Path) -> None:
    slot = Slot(tmp_path, "admit")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        slot.close()
        again = Slot(tmp_path, "admit")
        assert again.name == "admit-1"
        again.close()
        child.kill()


def test_the_last_slot_is_taken_and_then_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    slots = [Slot(tmp_path, "admit") for _ in range(3)]
    before = open_files()
    with pytest.raises(BusError, match="more than 3 workers of kind admit"):
        Slot(tmp_path, "admit")
    assert open_files() == before
    for slot in slots:
        slot.close()
