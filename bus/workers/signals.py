"""SIGTERM and SIGINT for a worker's process: it ends after its turn, and at its stop time-out in any case."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

from schemas.errors import DeadlineError


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
        sys.stderr.write(f"error: did not end within {within_s:g} s (BUS_STOP_TIMEOUT_S) and was cut off\n")
        sys.stderr.flush()
        os._exit(DeadlineError.exit_code)
