"""How a worker's process ends: at SIGTERM or SIGINT after its turn, and in its time whatever it waits for."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from math import ceil

from bus.wire.watch import overdue
from schemas.errors import DeadlineError

_LOOK_S = 0.5


def stop_when_signalled(stop: Callable[[], None], within_s: float) -> None:
    """At the first signal call `stop`; end the process when it still runs so many seconds later.

    A thread of its own hears of the signal: the main thread may be inside a call to a Kafka that does not answer, where
    Python runs no handler. Ending there is as good as being killed: the successor undoes what was open.
    """
    ear, mouth = socket.socketpair()
    mouth.setblocking(False)
    signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    threading.Thread(target=_wait, args=(ear, mouth, stop, within_s), name="signals", daemon=True).start()


def _wait(ear: socket.socket, mouth: socket.socket, stop: Callable[[], None], within_s: float) -> None:
    with ear, mouth:
        ear.recv(1)
        stop()
        time.sleep(within_s)
        _cut_off(f"did not end within {within_s:g} s (BUS_STOP_TIMEOUT_S) and was cut off")


def end_when_stuck() -> None:
    """From now on end the process when a call that is watched (`bus/wire/watch.py`) does not come back."""
    threading.Thread(target=_look, name="watch", daemon=True).start()


def _look() -> None:
    while (what := overdue()) is None:
        time.sleep(_LOOK_S)
    _cut_off(f"{what} did not come back in its time; the process ends, its successor begins again from Kafka")


def _cut_off(why: str) -> None:
    sys.stderr.write(f"error: {why}\n")
    sys.stderr.flush()
    os._exit(DeadlineError.exit_code)


def end_within(seconds: float) -> None:
    """Let the kernel end the process when it is not gone so many seconds from now.

    While Python comes to its end no thread runs any more, and a client's destructor may wait for Kafka.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(ceil(seconds))
