"""Calls that must have returned by now: what a client's own time-out does not end, the process's end does.

librdkafka's `send_offsets_to_transaction` may wait past its time-out for a coordinator that it will never hear of
(librdkafka issues 5456 and 5511), and no Python code can take a thread out of it. So each such call notes here by when
it must be back; `bus/workers/signals.py` looks and ends the process, whose successor begins again from Kafka.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

_GRACE_S = 5.0
_due: dict[object, tuple[float, str]] = {}


@contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    """Note that the block must be left within so many seconds, and a few more."""
    call = object()
    _due[call] = time.monotonic() + seconds + _GRACE_S, what
    try:
        yield
    finally:
        del _due[call]


def overdue() -> str | None:
    """What should have ended by now in any thread of this process and has not."""
    now = time.monotonic()
    return next((what for end, what in list(_due.values()) if now > end), None)
