"""The rest of the language: a few rows of each other resource through the SDK, and a newborn who gets a number."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from bus.demo.databases import SEED
from bus.demo.people import Maker
from bus.demo.register import LINKS, OTHERS, other_grant, owners_of
from bus.publisher import Publisher
from bus.settings import Settings
from connectors.table import SHANGHAI
from schemas.words import Change

ROWS = 3
_BIRTHS, _POLICE = "birth_certificate", "psb"


@dataclass(frozen=True, slots=True)
class Told:
    """What was published.

    Attributes:
        rows: admitted rows by grant.
        refused: what was refused, in words; nothing as a rule.
        newborn: a birth certificate that was published.
    """

    rows: dict[str, int]
    refused: list[str]
    newborn: dict[str, Any]


def publish_others(settings: Settings) -> Told:
    """Publish rows of every other resource, each by its owner, and wait for their receipts."""
    made = dict(_rows())
    rows: dict[str, int] = {}
    refused: list[str] = []
    for owner in sorted({owners_of(resource)[0] for resource in OTHERS}):
        with Publisher(owner, settings=settings) as publisher:
            for resource in (other for other in OTHERS if owners_of(other)[0] == owner):
                receipts = publisher.publish(resource, [_change(row) for row in made[resource]]).receipts()
                rows[other_grant(resource)] = sum(receipt.admitted for receipt in receipts)
                refused += [f"{resource}: {receipt.reason}" for receipt in receipts if not receipt.admitted]
    return Told(rows, refused, made[_BIRTHS][0])


def give_number(settings: Settings, newborn: dict[str, Any]) -> list[str]:
    """The police give a newborn its citizen number: an identity link; what was refused, in words."""
    maker = Maker(Random(SEED + 1))  # noqa: S311  made-up people need no secret chance
    link = {
        "old_id_type": "117",
        "old_id_number": newborn["birth_certificate_number"],
        "new_id_type": "111",
        "new_id_number": maker.citizen_number("441302", newborn["birth_date"], newborn["sex_code"]),
        "kind": "NUMBER_ASSIGNED",
        "effective_on": None,
        "basis": None,
    }
    with Publisher(_POLICE, settings=settings) as publisher:
        receipts = publisher.publish(LINKS, [_change(link)]).receipts()
    return [f"{LINKS}: {receipt.reason}" for receipt in receipts if not receipt.admitted]


def _rows() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    today = datetime.now(UTC).astimezone(SHANGHAI).date()
    maker = Maker(Random(SEED), today)  # noqa: S311  made-up people need no secret chance
    for resource in OTHERS:
        yield resource, [maker.row(resource) for _ in range(ROWS)]


def _change(row: dict[str, Any]) -> Change:
    return Change(data=row, business_time=datetime.now(UTC))
