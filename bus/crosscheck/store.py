"""What the cross-check worker keeps on its own disk: subjects, when to look at them again, positions, what was told.

A cache in one SQLite file: the truth stands on Kafka, and a store that is lost, foreign, damaged or too old is built
anew.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bus.crosscheck import book, holdings
from bus.crosscheck.book import Book, Graded
from bus.crosscheck.heldfile import HeldFile
from bus.crosscheck.holdings import Source
from bus.crosscheck.records import Records, decoded, encoded
from processors.crosscheck.telling import Told, open_datum, told_of
from processors.digests import Standing
from processors.holding import Holding
from schemas.resource import envelope

Place = tuple[str, int]
NOW = 0
"""When to look at a subject that was not judged since it changed."""
# Of other tables than these the file is made anew.
_LAYOUT = "3"
# All of them or none: a process that ends in between must not leave a file that only looks whole.
_TABLES = f"""
BEGIN;
{holdings.TABLES}
{book.TABLES}
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE subject (token BLOB PRIMARY KEY, wake_at INTEGER, records BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX subject_wake_at ON subject (wake_at) WHERE wake_at IS NOT NULL;
CREATE TABLE position (topic TEXT, part INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, part)) WITHOUT ROWID;
CREATE TABLE told (
  pair TEXT PRIMARY KEY, token BLOB NOT NULL, closed_at INTEGER, check_id TEXT, asked TEXT, hit BLOB
) WITHOUT ROWID;
CREATE INDEX told_token ON told (token) WHERE closed_at IS NULL;
CREATE INDEX told_closed_at ON told (closed_at) WHERE closed_at IS NOT NULL;
CREATE TABLE waived (token BLOB, pair TEXT, compared BLOB, PRIMARY KEY (token, pair, compared)) WITHOUT ROWID;
COMMIT;
"""
# SQLite binds 32,766 values at the most; fewer make the same statement again, which is prepared once.
_MANY = 500
Waived = tuple[bytes, str, bytes]


@dataclass(slots=True)
class Changes:
    """What one turn changes, taken over in one transaction.

    Attributes:
        records: of subjects whose records changed; without any, the subject is forgotten.
        wake_at: of every touched subject, when to look at it again, None for never.
        told: what was told of pairs that stand.
        closed: by pair, when the bus told that it is none any more, and its token.
        dropped: pairs that nobody need know of any more.
        positions: where to read on.
        latest: no hit was told later than this, milliseconds.
        graded: of quality.
        moved: by source, versions that came, less those that went.
        compared: by source, what its latest digest left.
    """

    records: dict[bytes, Records] = field(default_factory=dict)
    wake_at: dict[bytes, int | None] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    closed: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    positions: Mapping[Place, int] = field(default_factory=dict)
    latest: int = 0
    graded: Graded = field(default_factory=Graded)
    moved: dict[Source, Holding] = field(default_factory=dict)
    compared: dict[Source, Standing] = field(default_factory=dict)


class Store:
    """One file, held by one process until it is closed or ends.

    Args:
        path: of the file; its folder is made.
        belongs_to: what the file is about, such as the cluster; one about anything else is made anew.
        at: now, milliseconds.
        keeps_ms: a file that was written last longer ago is made anew.
        patience_s: how long to wait for another process that holds it.

    Raises:
        DeadlineError: another process holds it.
        BusError: the disk cannot be read or written.
    """

    def __init__(self, path: Path, belongs_to: str, at: int, keeps_ms: int, patience_s: float) -> None:
        self._belongs_to = f"{_LAYOUT} {belongs_to}"
        self._hit = envelope("hit")
        self._subjects = 0
        self._standing: Counter[tuple[str, str]] = Counter()
        self._file = HeldFile(path, _TABLES, patience_s)
        self._connection = self._file.connection
        self.book = Book(self._connection, self._file.said)
        with self._file.said():
            written = int(self._about("written_at") or 0)
            if self._about("belongs_to") != self._belongs_to or not at - keeps_ms <= written:
                self.clear(at)
            self._count()

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def clear(self, at: int) -> None:
        """Forget everything: what it knows is to be read anew."""
        with self._file.whole() as connection:
            for table in ("about", "subject", "position", "told", "waived", "holding", "compared", *book.NAMES):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608  our own names
            self._set("belongs_to", self._belongs_to)
            self._set("written_at", str(at))
        self._count()

    def _count(self) -> None:
        [[self._subjects]] = self._connection.execute("SELECT count(*) FROM subject")
        rows = "SELECT check_id, asked, count(*) FROM told WHERE closed_at IS NULL GROUP BY check_id, asked"
        self._standing = Counter({(check, asked): number for check, asked, number in self._connection.execute(rows)})

    def _about(self, name: str) -> str | None:
        row = self._connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _set(self, name: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    # -- what it knows -------------------------------------------------------------------------------------------------

    @property
    def subjects(self) -> int:
        """How many subjects it knows."""
        return self._subjects

    @property
    def standing(self) -> Mapping[tuple[str, str], int]:
        """How many hits were told and stand, by check and asked agency."""
        return +self._standing

    @property
    def latest(self) -> int:
        """The time of the latest word that was told, milliseconds: no clock goes behind it."""
        with self._file.said():
            return int(self._about("latest") or 0)

    @property
    def rules(self) -> str | None:
        """By which rules the subjects were judged."""
        with self._file.said():
            return self._about("rules")

    @property
    def graded(self) -> bool:
        """Whether the sums of quality were taken up."""
        with self._file.said():
            return self._about("graded") is not None

    def positions(self) -> dict[Place, int]:
        """By topic and partition the offset to go on with."""
        with self._file.said():
            return {(topic, part): at for topic, part, at in self._connection.execute("SELECT * FROM position")}

    def records(self, tokens: Iterable[bytes]) -> dict[bytes, Records]:
        """What is known of subjects; one that is not known is left out."""
        with self._file.said():
            rows = self._of("SELECT token, records FROM subject WHERE token", tokens)
            return {token: decoded(token, value) for token, value in rows}

    def told(self, tokens: Iterable[bytes]) -> dict[bytes, dict[str, Told]]:
        """The hits that were told of subjects and stand, by pair."""
        found: dict[bytes, dict[str, Told]] = {}
        with self._file.said():
            rows = self._of("SELECT token, pair, hit FROM told WHERE closed_at IS NULL AND token", tokens)
            for token, pair, value in rows:
                told = told_of(self._hit.decode_physical(value))
                assert told is not None  # noqa: S101  only what stands is kept with its value
                found.setdefault(token, {})[pair] = told
        return found

    def _of(self, query: str, tokens: Iterable[bytes]) -> Iterator[Sequence[Any]]:
        left = list(tokens)
        for at in range(0, len(left), _MANY):
            part = left[at : at + _MANY]
            # The last part is filled up, so that the statement stays the same.
            part += part[-1:] * (_MANY - len(part)) if at else []
            yield from self._connection.execute(f"{query} IN ({', '.join('?' * len(part))})", part)

    def holding(self, source: Source) -> Holding:
        """What the bus holds of a source."""
        with self._file.said():
            return holdings.holding(self._connection, source)

    def compared(self, source: Source) -> Standing:
        """What the digests of a source left."""
        with self._file.said():
            return holdings.compared(self._connection, source)

    def due(self, at: int, limit: int) -> list[bytes]:
        """Subjects whose time has come, the longest waiting first."""
        with self._file.said():
            query = "SELECT token FROM subject WHERE wake_at <= ? ORDER BY wake_at LIMIT ?"
            return [token for [token] in self._connection.execute(query, (at, limit))]

    def expired(self, before: int, limit: int) -> list[str]:
        """Pairs that were closed before a time."""
        with self._file.said():
            query = "SELECT pair FROM told WHERE closed_at < ? ORDER BY closed_at LIMIT ?"
            return [pair for [pair] in self._connection.execute(query, (before, limit))]

    # -- what it takes over --------------------------------------------------------------------------------------------

    def keep(self, changes: Changes, at: int) -> None:
        """Take a turn's changes over, all or none."""
        with self._file.whole() as connection:
            gone = [token for token, records in changes.records.items() if not records]
            known = self._known(changes.records)
            connection.executemany("DELETE FROM subject WHERE token = ?", [(token,) for token in gone])
            connection.executemany(
                "INSERT INTO subject VALUES (?, ?, ?) ON CONFLICT (token) DO UPDATE SET wake_at = excluded.wake_at,"
                " records = excluded.records",
                [
                    (token, changes.wake_at.get(token), encoded(records))
                    for token, records in changes.records.items()
                    if records
                ],
            )
            connection.executemany(
                "UPDATE subject SET wake_at = ? WHERE token = ?",
                [(wake_at, token) for token, wake_at in changes.wake_at.items() if token not in changes.records],
            )
            standing = self._keep_told(connection, changes)
            holdings.keep(connection, changes.moved, changes.compared)
            connection.executemany(
                "INSERT OR REPLACE INTO position VALUES (?, ?, ?)",
                [(*place, position) for place, position in changes.positions.items()],
            )
            self.book.keep(changes.graded, at)
            if changes.latest:
                self._set("latest", str(max(changes.latest, int(self._about("latest") or 0))))
            self._set("written_at", str(at))
        self._subjects += len(changes.records.keys() - known - set(gone)) - len(known & set(gone))
        self._standing = standing

    def _known(self, tokens: Iterable[bytes]) -> set[bytes]:
        return {token for [token] in self._of("SELECT token FROM subject WHERE token", tokens)}

    def _keep_told(self, connection: sqlite3.Connection, changes: Changes) -> Counter[tuple[str, str]]:
        """What was told of pairs; how many stand then, by check and asked agency."""
        standing = Counter(self._standing)
        pairs = [told.hit.pair for told in changes.told]
        for pair in (*pairs, *changes.closed, *changes.dropped):
            query = "SELECT check_id, asked FROM told WHERE pair = ? AND closed_at IS NULL"
            standing.subtract(connection.execute(query, (pair,)).fetchall())
        standing.update((told.hit.check, told.hit.asked.agency) for told in changes.told)
        connection.executemany(
            "INSERT OR REPLACE INTO told VALUES (?, ?, NULL, ?, ?, ?)",
            [
                (
                    pair,
                    told.hit.token,
                    told.hit.check,
                    told.hit.asked.agency,
                    self._hit.encode_physical(open_datum(told)),
                )
                for pair, told in zip(pairs, changes.told, strict=True)
            ],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO told VALUES (?, ?, ?, NULL, NULL, NULL)",
            [(pair, token, at) for pair, (token, at) in changes.closed.items()],
        )
        connection.executemany("DELETE FROM told WHERE pair = ?", [(pair,) for pair in changes.dropped])
        return standing

    def take_up(self, told: Sequence[Mapping[str, Any]]) -> None:
        """Take over the latest messages of `quality`, once: from then on the book goes on by itself."""
        with self._file.whole():
            self.book.take_up(told)
            self._set("graded", "yes")

    def wake(self, tokens: Iterable[bytes]) -> None:
        """Look at subjects again, also at such as nothing is known of: what was told of them must be taken back."""
        with self._file.whole() as connection:
            before = connection.total_changes
            empty = encoded({})
            rows = [(token, NOW, empty) for token in tokens]
            connection.executemany("INSERT OR IGNORE INTO subject VALUES (?, ?, ?)", rows)
            self._subjects += connection.total_changes - before
            connection.executemany("UPDATE subject SET wake_at = ? WHERE token = ?", [(NOW, row[0]) for row in rows])

    def judge_by(self, rules: str) -> None:
        """From now on these rules count: every subject is looked at again where they were others."""
        if self.rules != rules:
            with self._file.whole() as connection:
                connection.execute("UPDATE subject SET wake_at = ?", (NOW,))
                self._set("rules", rules)

    def waive(self, waived: Iterable[Waived]) -> None:
        """Take over which pairs are waived; the subjects of those that were added or taken back are looked at again."""
        wanted = set(waived)
        with self._file.said():
            known: set[Waived] = set(self._connection.execute("SELECT token, pair, compared FROM waived").fetchall())
        if wanted != known:
            self.wake({token for token, _, _ in wanted ^ known})
            with self._file.whole() as connection:
                connection.executemany("DELETE FROM waived WHERE (token, pair, compared) = (?, ?, ?)", known - wanted)
                connection.executemany("INSERT INTO waived VALUES (?, ?, ?)", wanted - known)
