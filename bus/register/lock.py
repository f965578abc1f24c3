"""Only one relay at a time publishes: an advisory lock in PostgreSQL, a file lock beside an SQLite file.

Both are let go when their process ends, however it ends.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from bus.wire.deadline import Deadline
from schemas.errors import DeadlineError


class AnotherRelayError(DeadlineError):
    """Another process publishes what the register decided; this one waits."""


_KEY = 4_413_002_018
_LOOK_EVERY_S = 0.05


@contextmanager
def relay_lock(engine: sa.Engine, seconds: float) -> Iterator[None]:
    """Hold the right to publish; another who holds it is waited for.

    Raises:
        AnotherRelayError: another held it for all that time.
    """
    deadline = Deadline(seconds, "the end of another relay's work on the register")
    holder = _advisory(engine, deadline) if engine.dialect.name == "postgresql" else _flock(engine, deadline)
    with holder:
        yield


@contextmanager
def _advisory(engine: sa.Engine, deadline: Deadline) -> Iterator[None]:
    # A connection of its own that is closed, not pooled: its session is what holds the lock.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()
        while not connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEY}).scalar():
            _look_again(deadline)
        yield


@contextmanager
def _flock(engine: sa.Engine, deadline: Deadline) -> Iterator[None]:
    descriptor = os.open(f"{engine.url.database}.relay", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _look_again(deadline)
            else:
                break
        yield
    finally:
        os.close(descriptor)


def _look_again(deadline: Deadline) -> None:
    try:
        deadline.check()
    except DeadlineError as error:
        raise AnotherRelayError(str(error)) from None
    time.sleep(_LOOK_EVERY_S)
