"""What the bus holds of each source, in counts and digests by key range; kept in the commit of the records it is of."""

import json
import sqlite3
from collections.abc import Mapping

from bus.crosscheck.records import Records
from processors.digests import Standing
from processors.holding import DIGEST_BYTES, Holding

Source = tuple[str, str]
"""Agency and resource."""

TABLES = """
CREATE TABLE holding (
  agency TEXT, resource TEXT, part INTEGER, ids INTEGER NOT NULL, digest BLOB NOT NULL,
  PRIMARY KEY (agency, resource, part)
) WITHOUT ROWID;
CREATE TABLE compared (
  agency TEXT, resource TEXT, standing TEXT NOT NULL, PRIMARY KEY (agency, resource)
) WITHOUT ROWID;
"""
_EMPTY = bytes(DIGEST_BYTES)


def count(before: Records, after: Records, moved: dict[Source, Holding]) -> None:
    """Note which versions of one subject came and which went.

    Args:
        before: its records as they were kept.
        after: as they will be.
        moved: by source, what came less what went.
    """
    for name in before.keys() | after.keys():
        was, now = before.get(name), after.get(name)
        if was is now:
            continue
        if was is not None and was.present:
            moved.setdefault((was.agency, was.resource), Holding()).remove(was.event_id)
        if now is not None and now.present:
            moved.setdefault((now.agency, now.resource), Holding()).add(now.event_id)


def holding(connection: sqlite3.Connection, source: Source) -> Holding:
    """What the bus holds of a source."""
    query = "SELECT part, ids, digest FROM holding WHERE (agency, resource) = (?, ?)"
    return Holding(connection.execute(query, source))


def compared(connection: sqlite3.Connection, source: Source) -> Standing:
    """What the digests of a source left."""
    query = "SELECT standing FROM compared WHERE (agency, resource) = (?, ?)"
    row = connection.execute(query, source).fetchone()
    return Standing() if row is None else Standing.from_plain(json.loads(row[0]))


def keep(connection: sqlite3.Connection, moved: Mapping[Source, Holding], standings: Mapping[Source, Standing]) -> None:
    """Take over what came and went, and what digests left; within the caller's transaction."""
    for source, delta in moved.items():
        found = holding(connection, source)
        touched = [number for number, _, _ in delta.ranges()]
        found.merge(delta)
        now = {number: (ids, digest) for number, ids, digest in found.ranges()}
        connection.executemany(
            "INSERT OR REPLACE INTO holding VALUES (?, ?, ?, ?, ?)",
            [(*source, number, *now.get(number, (0, _EMPTY))) for number in touched],
        )
    connection.executemany(
        "INSERT OR REPLACE INTO compared VALUES (?, ?, ?)",
        [(*source, json.dumps(standing.plain())) for source, standing in standings.items()],
    )
