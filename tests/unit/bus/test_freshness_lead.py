"""Who leads, and a new lead: what it missed is folded before what came meanwhile, whatever came first."""

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest
from mode.threads import WorkerThread

from bus.freshness.backlog import Backlog
from bus.freshness.shell import AllToOne, Shell
from bus.freshness.worker import _Lead, limits_of
from bus.settings import Settings
from processors.batch import InMessage
from processors.freshness.targets import Limits
from schemas.errors import KafkaUnavailableError

ENDS = {("pulse", 0): 7, ("heartbeat.psb", 0): 3}


def message(offset: int) -> InMessage:
    return InMessage("pulse", 0, offset, 0, None, None, {})


def lead(folded: list[int], positions: dict[str, int]) -> tuple[_Lead, Any]:
    """A lead whose backlog ends when the test says so."""
    backlog = SimpleNamespace(over=False, error=None, ends=ENDS)
    desk = cast("Any", SimpleNamespace(positions=positions))
    return _Lead(1, desk, cast("Any", None), cast("Backlog", backlog), lambda one: folded.append(one.offset)), backlog


def test_what_comes_while_the_backlog_is_read_waits_for_its_end() -> None:
    folded: list[int] = []
    found, backlog = lead(folded, {})
    found.observe(message(7))
    found.observe(message(9))
    begun: list[int] = []

    def missed_all() -> bool:
        return found.missed_all(lambda: begun.append(len(folded)))

    assert (missed_all(), folded, begun) == (False, [], [])
    backlog.over = True
    assert missed_all()
    found.observe(message(11))
    assert folded == [7, 9, 11]
    # The register is taken over once, before what was held back is folded.
    assert (missed_all(), begun) == (True, [0])


def test_a_backlog_that_cannot_be_read_ends_the_worker() -> None:
    folded: list[int] = []
    found, backlog = lead(folded, {})
    found.observe(message(7))
    backlog.over, backlog.error = True, KafkaUnavailableError("away")
    with pytest.raises(KafkaUnavailableError, match="away"):
        found.missed_all(lambda: None)
    assert folded == []


def test_it_goes_on_behind_the_backlog_or_behind_what_is_known_since() -> None:
    found, _ = lead([], {"pulse/0": 12, "heartbeat.psb/0": 1})
    assert found.places() == {("pulse", 0): 12, ("heartbeat.psb", 0): 3}


def test_the_settings_defaults_are_the_rules_own() -> None:
    assert limits_of(Settings()) == Limits()
    assert limits_of(Settings(freshness_silent_after_s=0.0001)).silent_after == 1


class Clinging:
    """What a thread of an app runs until it is let go."""

    def __init__(self, app: object) -> None:
        self.app, self.let_go = app, threading.Event()

    def _start_thread(self) -> None:
        self.let_go.wait()


def test_an_app_has_ended_once_its_own_thread_has() -> None:
    app, other = object(), object()
    clinging = Clinging(app)
    thread = WorkerThread(clinging)
    thread.start()
    try:
        assert not Shell.ended(app, 0.01)
        assert Shell.ended(other, 0.01)
    finally:
        clinging.let_go.set()
    assert Shell.ended(app, 10.0)
    assert not thread.is_alive()


class Cluster:
    """What a client knows of the topics."""

    @staticmethod
    def partitions_for_topic(topic: str) -> set[int] | None:
        return {"pulse": {0}, "heartbeat.psb": {1, 0}}.get(topic)


def test_one_gets_everything_and_keeps_it_when_others_come() -> None:
    topics = ["pulse", "heartbeat.psb", "heartbeat.new"]
    leads, follows = AllToOne(lambda: True), AllToOne(lambda: False)
    found = follows.assign(Cluster(), {"b": follows.metadata(topics), "a": follows.metadata(topics)})
    assert {member: dict(one.assignment) for member, one in found.items()} == {
        "a": {"heartbeat.new": [], "heartbeat.psb": [0, 1], "pulse": [0]},
        "b": {},
    }
    found = follows.assign(Cluster(), {"b": leads.metadata(topics), "a": follows.metadata(topics)})
    assert [member for member, one in found.items() if one.assignment] == ["b"]
