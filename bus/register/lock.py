"""Only one relay at a time publishes, one sender sends notices, one takes in what was found.

An advisory lock in PostgreSQL, a file lock beside an SQLite file.

Both are let go when their process ends, however it ends.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import sqlalchemy as sa

from bus.wire.deadline import Deadline
from schemas.errors import DeadlineError


class AnotherRelayError(DeadlineError):
    """Another process does this work; this one waits."""


_RELAY, _SENDER, _INTAKE = (4_413_002_018, "relay"), (4_413_002_019, "notices"), (4_413_002_020, "intake")
_LOOK_EVERY_S = 0.05


@contextmanager
def relay_lock(engine: sa.Engine, seconds: float) -> Iterator[None]:
    """Hold the right to publish; another who holds it is waited for.

    Raises:
        AnotherRelayError: another held it for all that time.
    """
    with _held(engine, _RELAY, Deadline(seconds, "the end of another relay's work on the register")):
        yield


@contextmanager
def sender_lock(engine: sa.Engine, seconds: float) -> Iterator[None]:
    """Hold the right to send notices; errors as `relay_lock`."""
    with _held(engine, _SENDER, Deadline(seconds, "the end of another sender's work on the notices")):
        yield


@contextmanager
def intake_lock(engine: sa.Engine, seconds: float) -> Iterator[None]:
    """Hold the right to take in what the streams found; errors as `relay_lock`."""
    with _held(engine, _INTAKE, Deadline(seconds, "the end of another intake's work on the register")):
        yield


def _held(engine: sa.Engine, work: tuple[int, str], deadline: Deadline) -> AbstractContextManager[None]:
    key, name = work
    return _advisory(engine, key, deadline) if engine.dialect.name == "postgresql" else _flock(engine, name, deadline)


@contextmanager
def _advisory(engine: sa.Engine, key: int, deadline: Deadline) -> Iterator[None]:
    # A connection of its own that is closed, not pooled: its session is what holds the lock.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()
        while not connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar():
            _look_again(deadline)
        yield


@contextmanager
def _flock(engine: sa.Engine, name: str, deadline: Deadline) -> Iterator[None]:
    descriptor = os.open(f"{engine.url.database}.{name}", os.O_RDWR | os.O_CREAT, 0o600)
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
