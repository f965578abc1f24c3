"""The digest of a connector's source: when it is taken, in how many parts, and what is left out of it."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bus.settings import Settings, load
from bus.wire.clients import Principal
from bus.workers import digests
from bus.workers.digests import Digests
from connectors.source import Batch, Stretch
from processors.batch import Outgoing
from processors.freshness.words import Key, millis
from processors.holding import Holding
from schemas.refusals import RefusalCode, Refused
from schemas.resource import envelope
from schemas.words import Change, Operation

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY = Key("psb", "residence_permit")
PART = 3
UNREADABLE = Refused(RefusalCode.E_SCHEMA, "")


def row(number: int, operation: Operation = Operation.UPDATE, **data: object) -> Change:
    return Change(data, NOW, operation, event_id=str(uuid.UUID(int=number)))


def holding(*numbers: int) -> Holding:
    found = Holding()
    for number in numbers:
        found.add(str(uuid.UUID(int=number)))
    return found


class Message:
    """What is asked of a message here."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def offset(self) -> int:
        return self._offset


class Desk:
    """Digests over rows in memory; what stands on the agency's topics is handed in."""

    def __init__(self, settings: Settings, rows: Sequence[Change | Refused], *, whole: bool = True) -> None:
        self.rows = list(rows)
        self.asked: list[tuple[str | None, str]] = []
        self.topics: dict[str, list[bytes]] = {}
        self.data: list[dict[str, Any]] = []
        principal = Principal.agency(settings, KEY.agency)
        self.digests = Digests(settings, principal, "permits", KEY, self, self._can_publish, self._framed, whole=whole)

    def read(self, cursor: str | None, limit: int, now: datetime) -> Batch:
        raise AssertionError((cursor, limit, now))

    def close(self) -> None:
        raise AssertionError

    def scan(self, after: str | None, until: str, limit: int) -> Stretch:
        self.asked.append((after, until))
        begin = int(after or 0)
        part = self.rows[begin : begin + limit]
        return Stretch(tuple(part), str(begin + limit) if len(part) == limit else None)

    @staticmethod
    def _can_publish(change: Change, on: date) -> bool:
        assert on == date(2026, 6, 1)
        return change.data.get("large") is None

    def _framed(self, topic: str, name: str, key: str, datum: dict[str, Any]) -> Outgoing:
        assert (topic, name, key) == ("digest.psb", "digest", str(KEY))
        self.data.append(datum)
        return {"key": key.encode(), "value": envelope(name).encode_physical(datum), "partition": 0}

    def payloads(self, _: Settings, principal: Principal, topic: str) -> Iterator[tuple[Message, bytes]]:
        assert principal.name == "agency-psb"
        for offset, payload in enumerate(self.topics.get(topic, ())):
            yield Message(offset), payload

    def refuse(self, number: int, resource: str = KEY.resource) -> None:
        facts = {field["name"]: "" for field in envelope("refusal").schema["fields"] if field["type"] == "string"}
        numbers = {"partition": 0, "offset": 0, "index": 0, "refused_at": 0}
        datum = {**facts, **numbers, "resource": resource, "event_id": str(uuid.UUID(int=number))}
        self.topics.setdefault("refused.psb", []).append(envelope("refusal").encode_physical(datum))

    def look(
        self, seconds: float = 0, *, batch: Batch | None = None, refused_from: int = 0, commits: bool = True
    ) -> Mapping[str, Sequence[Outgoing]]:
        found = self.digests.due(batch or ended(seconds), refused_from, NOW + timedelta(seconds=seconds))
        if found and commits:
            self.digests.committed()
        return found

    def whole_scan(self, seconds: float = 0, **more: Any) -> dict[str, Any]:
        """Turns until a digest comes; the one."""
        for _ in range(20):
            if self.look(seconds, **more):
                return self.data[-1]
        raise AssertionError


def ended(seconds: float) -> Batch:
    """A look that found the end of the table."""
    return Batch((), "[9]", NOW + timedelta(seconds=seconds - 1))


def held(datum: dict[str, Any]) -> Holding:
    return Holding((one["range"], one["count"], one["digest"]) for one in datum["ranges"])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(state_dir=tmp_path, connector_digest_s=60, connector_batch_rows=PART)


@pytest.fixture
def made(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(settings, [row(number) for number in range(7)])
    monkeypatch.setattr(digests, "payloads", desk.payloads)
    return desk


def test_a_source_is_scanned_a_part_at_each_turn_up_to_the_cursor_of_the_beginning(made: Desk) -> None:
    for second in range(2):
        assert not made.look(second)
        assert made.digests.busy
    # The cursor went on meanwhile.
    [[message]] = made.look(2, batch=Batch((row(99),), "[99]", NOW)).values()
    assert made.asked == [(None, "[9]"), ("3", "[9]"), ("6", "[9]")]
    [datum] = made.data
    assert envelope("digest").decode_physical(message["value"] or b"") == datum
    assert held(datum) == holding(*range(7))
    assert (datum["agency"], datum["resource"], datum["connector"]) == ("psb", "residence_permit", "permits")
    # Both as of the beginning of the scan.
    assert (datum["taken_at"], datum["complete_until"]) == (millis(NOW), millis(NOW) - 1_000)
    assert not made.digests.busy


def test_a_digest_is_taken_at_once_and_then_after_each_period(made: Desk) -> None:
    taken = []
    for second in range(0, 200, 10):
        while made.look(second) or made.digests.busy:
            pass
        taken.append(len(made.data))
    assert [10 * taken.index(number) for number in (1, 2, 3, 4)] == [0, 60, 120, 180]
    assert taken[-1] == 4


def test_a_successor_goes_by_what_was_told_before(made: Desk, settings: Settings) -> None:
    made.whole_scan()
    others = [{**made.data[0], "connector": "other", "taken_at": millis(NOW) + 50_000}]
    others.append({**made.data[0], "resource": "other", "taken_at": millis(NOW) + 50_000})
    made.topics["digest.psb"] = [envelope("digest").encode_physical(one) for one in (made.data[0], *others)] + [b"\xff"]
    successor = Desk(settings, made.rows)
    assert not successor.look(59)
    assert not successor.digests.busy
    successor.look(60)
    assert successor.digests.busy


def test_a_digest_whose_transaction_was_aborted_goes_out_at_the_next_turn(made: Desk) -> None:
    first = made.whole_scan(commits=False)
    asked = list(made.asked)
    assert made.whole_scan(1) == first
    assert made.asked == asked
    assert not made.look(2)
    assert not made.digests.busy


def test_no_scan_begins_before_the_end_of_the_source_was_found(made: Desk) -> None:
    full = Batch(tuple(row(number) for number in range(PART)), "[9]")
    assert not made.look(batch=full)
    assert not made.digests.busy
    part = Batch(full.rows[1:], "[9]")
    datum = made.whole_scan(batch=part)
    # A table of times in texts: nobody knows up to when.
    assert datum["complete_until"] is None


def test_an_empty_source_has_an_empty_digest(made: Desk) -> None:
    [datum] = [made.whole_scan(batch=Batch((), None, NOW))]
    assert (datum["ranges"], datum["refused"], made.asked) == ([], 0, [])


def test_what_was_refused_is_left_out_and_counted_and_what_was_withdrawn_is_left_out(made: Desk) -> None:
    made.rows = [row(1), UNREADABLE, row(2, large=True), row(3), row(4, Operation.WITHDRAW), row(5, Operation.CANCEL)]
    made.refuse(3)
    made.refuse(1, "marriage")
    made.refuse(77)
    made.topics["refused.psb"].append(b"\xff")
    datum = made.whole_scan()
    assert held(datum) == holding(1, 5)
    assert datum["refused"] == 3


def test_what_was_refused_before_the_source_was_read_anew_counts_no_more(made: Desk) -> None:
    for number in (1, 2, 3):
        made.refuse(number)
    datum = made.whole_scan(refused_from=2)
    assert (datum["refused"], held(datum)) == (1, holding(0, 1, 2, 4, 5, 6))


@pytest.mark.parametrize(("every", "whole"), [(0, True), (60, False)], ids=["never", "a part of the resource"])
def test_nothing_is_told_where_it_is_not_wanted_or_says_nothing(tmp_path: Path, every: float, *, whole: bool) -> None:
    desk = Desk(load(state_dir=tmp_path, connector_digest_s=every), [row(1)], whole=whole)
    for second in (0, 100_000):
        assert not desk.look(second)
        assert not desk.digests.busy
