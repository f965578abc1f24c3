"""The heartbeats of a connector: how often, and that they never say more than is known to be true."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bus.settings import Settings, load
from bus.wire.clients import Principal
from bus.workers.signs import Signs
from compliance.view import RegisterView
from connectors.source import Batch
from processors.batch import Outgoing
from processors.freshness.words import Key, millis

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MORE = Batch((), "[1]")
"""A look that did not find the end."""


class Spoken:
    """Signs with every datum that they made."""

    def __init__(self, settings: Settings, *, whole: bool = True) -> None:
        self.data: list[dict[str, Any]] = []
        principal, key = Principal.agency(settings, "psb"), Key("psb", "residence_permit")
        self.signs = Signs(settings, principal, "permits", key, RegisterView(), self._framed, whole=whole)

    def _framed(self, topic: str, name: str, key: str, datum: dict[str, Any]) -> Outgoing:
        assert (topic, name, key) == ("heartbeat.psb", "heartbeat", "psb.residence_permit")
        self.data.append(datum)
        return {"key": key.encode(), "value": b"", "partition": 0}

    def look(self, batch: Batch, seconds: float = 0, *, commits: bool = True) -> Mapping[str, Sequence[Outgoing]]:
        found = self.signs.due(batch, NOW + timedelta(seconds=seconds))
        if commits:
            self.signs.committed()
        return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(state_dir=tmp_path, connector_heartbeat_s=60)


def ended(seconds: float) -> Batch:
    """A look that found the end of the table."""
    return Batch((), "[1]", NOW + timedelta(seconds=seconds), NOW - timedelta(days=400))


def test_a_heartbeat_goes_out_at_once_and_then_after_each_period(settings: Settings) -> None:
    spoken = Spoken(settings)
    sent = [second for second in range(0, 181, 20) if spoken.look(MORE, second)]
    assert sent == [0, 60, 120, 180]
    assert [datum["sent_at"] for datum in spoken.data] == [millis(NOW) + second * 1000 for second in sent]
    assert {datum["connector"] for datum in spoken.data} == {"permits"}


def test_a_heartbeat_whose_transaction_was_aborted_goes_out_at_the_next_look(settings: Settings) -> None:
    spoken = Spoken(settings)
    assert spoken.look(MORE, commits=False)
    assert spoken.look(MORE, 1)
    assert not spoken.look(MORE, 2)


def test_a_heartbeat_says_up_to_when_the_source_was_last_read_to_its_end(settings: Settings) -> None:
    spoken = Spoken(settings)
    for second, batch in [(0, MORE), (60, ended(59)), (120, MORE), (180, ended(179))]:
        assert spoken.look(batch, second)
    at = millis(NOW)
    assert [datum["complete_until"] for datum in spoken.data] == [None, at + 59_000, at + 59_000, at + 179_000]


def test_a_part_of_a_resource_never_speaks_of_completeness(settings: Settings) -> None:
    spoken = Spoken(settings, whole=False)
    assert spoken.look(ended(-1))
    assert [datum["complete_until"] for datum in spoken.data] == [None]
