"""One SQLite file that one process holds, and that may be lost: where it is no database any more, it is made anew.

Its write-ahead log is not synced at each commit (`synchronous=NORMAL`): a killed process loses nothing, a power cut
loses the last commits, and the file stays whole.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from schemas.errors import BusError, DeadlineError, SchemaError

_CACHE_KIB = 16_384
# A page of subjects is written back once for many turns, which touch pages at random.
_LOG_PAGES = 32_768


class HeldFile:
    """The file, open until it is closed or the process ends.

    Args:
        path: of the file; its folder is made.
        tables: SQL that makes them, all or none, where the file is new; one is called `about`.
        patience_s: how long to wait for another process that holds it.

    Attributes:
        connection: each statement outside `whole` is a transaction of its own.

    Raises:
        DeadlineError: another process holds it.
        BusError: the disk cannot be read or written.
    """

    def __init__(self, path: Path, tables: str, patience_s: float) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.connection = self._connect(tables, patience_s)

    def close(self) -> None:
        """Let the file go."""
        self.connection.close()

    def _connect(self, tables: str, patience_s: float) -> sqlite3.Connection:
        """Open and hold the file; one that is no database any more is made anew."""
        for attempt in (1, 2):
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = sqlite3.connect(self._path, timeout=patience_s, isolation_level=None)
            try:
                for pragma in (
                    "locking_mode=EXCLUSIVE",
                    "journal_mode=WAL",
                    "synchronous=NORMAL",
                    f"cache_size=-{_CACHE_KIB}",
                    f"wal_autocheckpoint={_LOG_PAGES}",
                    "temp_store=MEMORY",
                ):
                    connection.execute(f"PRAGMA {pragma}").close()
                connection.execute("BEGIN EXCLUSIVE").close()
                found = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'about'").fetchone()[0]
                connection.execute("COMMIT").close()
                if not found:
                    connection.executescript(tables)
            except sqlite3.OperationalError as error:
                connection.close()
                if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                    raise DeadlineError(f"another process holds {self._path.name} for {patience_s:g} s") from None
                raise _trouble(error) from None
            except sqlite3.DatabaseError as error:
                connection.close()
                if attempt == 1:
                    self._remove()
                    continue
                raise _trouble(error) from None
            return connection
        raise AssertionError  # the second attempt returns or raises

    def _remove(self) -> None:
        for end in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                self._path.with_name(self._path.name + end).unlink()

    @contextmanager
    def said(self) -> Iterator[None]:
        """Errors in our words; a file that turns out to be damaged is removed, and the next start builds it anew.

        Raises:
            BusError: the disk cannot be read or written, or what was read is not what was written.
        """
        try:
            yield
        except sqlite3.OperationalError as error:
            raise _trouble(error) from None
        except (sqlite3.DatabaseError, SchemaError) as error:
            self.close()
            self._remove()
            raise _trouble(error) from None

    @contextmanager
    def whole(self) -> Iterator[sqlite3.Connection]:
        """One transaction; errors as `said`."""
        with self.said():
            self.connection.execute("BEGIN").close()
            try:
                yield self.connection
            except BaseException:
                self.connection.execute("ROLLBACK").close()
                raise
            self.connection.execute("COMMIT").close()


def _trouble(error: Exception) -> BusError:
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return BusError(f"the store of the cross-checks cannot be used ({name}); where it is damaged it is built anew")
