"""What the streams say, made up: alarms, hits of cross-checks, differences of digests, as they stand on the wire."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from compliance.crosschecks import Comparison, CrossCheck, Kind, Normaliser, Side
from tests.procedures import EVENT, OTHER_EVENT, TOKEN
from tests.register import CITY, NOW

PAIR = "10000000-0000-4000-8000-000000000001"
SAME, ANOTHER = b"\x01" * 16, b"\x02" * 16
_IDS = UUID(int=7)


def check(kind: Kind = Kind.AGREES, **changes: Any) -> CrossCheck:
    """A check of lamps against benches."""
    values: dict[str, Any] = {
        "id": "lamp_bench",
        "kind": kind,
        "name_zh": "路灯与长椅",
        "name_en": "lamps and benches",
        "articles": "5",
        "told_zh": "路灯与长椅的区域不一致",
        "told_en": "the areas differ",
        "left": Side(resources=("lamp",)),
        "right": None if kind in (Kind.LINKED, Kind.SINGLE_SOURCE) else Side(resources=("bench",), given=("area",)),
        "compare": (Comparison(left="area", right="number", normalise=Normaliser.TEXT),) if kind is Kind.AGREES else (),
        **changes,
    }
    return CrossCheck(**values)


def millis(at: datetime) -> int:
    """As times stand on the wire."""
    return int(at.timestamp() * 1000)


def side(event: str = EVENT, **changes: Any) -> dict[str, Any]:
    """One version of the police's lamp."""
    values = {"resource": "lamp", "record": b"", "event_id": event, "agency": "psb", "division": CITY}
    return {**values, **changes}


def hit(at: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """An open hit; the asked side is the police's lamp."""
    values = {
        "pair": PAIR,
        "check": "lamp_bench",
        "token": bytes.fromhex(TOKEN),
        "state": "OPEN",
        "reason": None,
        "left": side(),
        "right": side(OTHER_EVENT, resource="bench", agency="aic"),
        "fields": ["area"],
        "since": millis(NOW),
        "compared": SAME,
        "asks_right": False,
        "superseded": None,
        "opened_at": millis(NOW),
        "told_at": millis(at),
    }
    return {**values, **changes}


def closed(at: datetime, reason: str, right_event: str | None = None, **changes: Any) -> dict[str, Any]:
    """The end of the hit; with the event that corrected it."""
    superseded = None
    if right_event is not None:
        superseded = {"resource": "lamp", "agency": "psb", "wrong_event_id": EVENT, "right_event_id": right_event}
    return hit(at, state="CLOSED", reason=reason, superseded=superseded, **changes)


def difference(at: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """An open difference of the police's lamps over two ranges of keys."""
    ranges = [{"key_range": name, "source_count": 3, "bus_count": 2} for name in ("00", "40")]
    values = {
        "agency": "psb",
        "resource": "lamp",
        "state": "OPEN",
        "since": millis(NOW),
        "complete_until": millis(NOW),
        "refused": 2,
        "ranges": ranges,
        "told_at": millis(at),
    }
    return {**values, **changes}


def alarm(since: datetime = NOW, cleared: datetime | None = None, **changes: Any) -> dict[str, Any]:
    """The alarm that the police's lamps are silent, raised or cleared."""
    values = {
        "alarm_id": str(uuid5(_IDS, since.isoformat())),
        "code": "SILENT",
        "agency": "psb",
        "resource": "lamp",
        "field_group": None,
        "about": None,
        "owner": "psb",
        "severity": "URGENT",
        "advisory": False,
        "article": "10, 16",
        "reason_zh": "静默",
        "reason_en": "silent",
        "todo_zh": "检查",
        "todo_en": "look",
        "runbook": "docs/freshness.md#silent",
        "since": millis(since),
        "raised_at": millis(since),
        "cleared_at": None if cleared is None else millis(cleared),
    }
    return {**values, **changes}
