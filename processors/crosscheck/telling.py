"""A hit as one message of the topic `hit`, from which both people's cases and a restarted worker read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processors.crosscheck.words import Closed, Hit, Superseded, Version

OPEN, CLOSED = "OPEN", "CLOSED"


@dataclass(frozen=True, slots=True)
class Told:
    """A hit that stands, as it was told last, and when it was told first and last (milliseconds)."""

    hit: Hit
    opened_at: int
    told_at: int


def open_datum(told: Told, superseded: Superseded | None = None) -> dict[str, Any]:
    """The physical datum of `schemas/envelope/hit.avsc` for a hit that stands.

    Args:
        told: the hit.
        superseded: the correction that its owner made although it goes on.
    """
    return _datum(told, OPEN, None, superseded)


def closed_datum(closed: Closed, opened_at: int, at: int) -> dict[str, Any]:
    """The same for a hit that is none any more, with the versions that it was told with."""
    return _datum(Told(closed.hit, opened_at, at), CLOSED, closed.reason.value, closed.superseded)


def told_of(datum: Mapping[str, Any]) -> Told | None:
    """The hit that a message tells; None where it closes one."""
    if datum["state"] != OPEN:
        return None
    hit = Hit(
        datum["check"],
        datum["token"],
        _version(datum["left"]),
        None if datum["right"] is None else _version(datum["right"]),
        tuple(datum["fields"]),
        datum["since"],
        datum["compared"],
        datum["asks_right"],
    )
    return Told(hit, datum["opened_at"], datum["told_at"])


def _datum(told: Told, state: str, reason: str | None, superseded: Superseded | None) -> dict[str, Any]:
    hit = told.hit
    return {
        "pair": hit.pair,
        "check": hit.check,
        "token": hit.token,
        "state": state,
        "reason": reason,
        "left": _side(hit.left),
        "right": None if hit.right is None else _side(hit.right),
        "fields": list(hit.fields),
        "since": hit.since,
        "compared": hit.compared,
        "asks_right": hit.asks_right,
        "superseded": None
        if superseded is None
        else {
            "resource": superseded.resource,
            "agency": superseded.agency,
            "wrong_event_id": superseded.wrong_event_id,
            "right_event_id": superseded.right_event_id,
        },
        "opened_at": told.opened_at,
        "told_at": told.told_at,
    }


def _side(version: Version) -> dict[str, Any]:
    return {
        "resource": version.resource,
        "record": version.record,
        "event_id": version.event_id,
        "agency": version.agency,
        "division": version.division,
    }


def _version(side: Mapping[str, Any]) -> Version:
    return Version(side["resource"], side["record"], side["event_id"], side["agency"], side["division"])
