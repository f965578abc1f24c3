"""`bus run all`: one process for each worker, started again when it ends, stopped together.

A worker that was fenced or lost Kafka ends by itself; its successor reads everything it needs from Kafka. None outlives
its supervisor, however that ends.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bus.settings import Settings
from bus.wire.deadline import Deadline
from schemas.errors import DeadlineError

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
_LOOK_S = 0.2
# A worker that ran for so long before it ended is started again at once, as at first.
_STEADY_S = 60.0
# A worker ends itself at its stop time-out; only one that cannot even do that is killed.
_GRACE_S = 2.0
_PR_SET_PDEATHSIG = 1
SHARING = ("admit", "deliver", "relocate")
"""The kinds of which several processes share the work."""
SINGLE = ("register", "freshness", "crosscheck", "intake", "notices")
"""The kinds of which one process works; a second one would only stand by."""


@dataclass(slots=True)
class _Child:
    arguments: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]
    pause_s: float = _FIRST_PAUSE_S
    restart_at: Deadline | None = None
    steady: Deadline = field(default_factory=lambda: Deadline(_STEADY_S, "a steady worker"))


class Supervisor:
    """Keeps the given `bus run …` commands running.

    Args:
        settings: passed on through the environment.
        commands: arguments after `bus run`, one list a process.
    """

    def __init__(self, settings: Settings, commands: Sequence[Sequence[str]]) -> None:
        self._settings = settings
        self._commands = commands
        self._stop = threading.Event()

    def stop(self) -> None:
        """End all processes; safe from a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Run until stopped.

        Raises:
            DeadlineError: a worker was cut off, or ended with an error while it was stopped.
        """
        children = []
        for number, arguments in enumerate(self._commands):
            environment = {**os.environ, **environment_of(settings_of(self._settings, number))}
            children.append(_Child(arguments, environment, _start(arguments, environment)))
        try:
            while not self._stop.wait(_LOOK_S):
                for child in children:
                    self._look_after(child)
        finally:
            self._end(children)

    def _look_after(self, child: _Child) -> None:
        if child.restart_at is None and child.process.poll() is not None:
            # Longer and longer pauses, so that a worker that cannot start does not spin.
            if child.steady.over:
                child.pause_s = _FIRST_PAUSE_S
            child.restart_at = Deadline(child.pause_s, "a restart")
            child.pause_s = min(child.pause_s * 2, _LONGEST_PAUSE_S)
        elif child.restart_at is not None and child.restart_at.over:
            child.process, child.restart_at = _start(child.arguments, child.environment), None
            child.steady = Deadline(_STEADY_S, "a steady worker")

    def _end(self, children: Sequence[_Child]) -> None:
        running = [child for child in children if child.process.poll() is None]
        for child in running:
            child.process.send_signal(signal.SIGTERM)
        deadline = Deadline(self._settings.stop_timeout_s + _GRACE_S, "the workers' end")
        for child in running:
            try:
                child.process.wait(max(0.1, deadline.left))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        # SIGTERM also ends one that had not come to listen to it yet.
        unclean = [child for child in running if child.process.returncode not in {0, -signal.SIGTERM}]
        if unclean:
            names = ", ".join(f"{' '.join(child.arguments)} ({child.process.returncode})" for child in unclean)
            raise DeadlineError(f"workers did not end as they should, by exit code: {names}")


def _start(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    libc = ctypes.CDLL(None)
    supervisor = os.getpid()

    def end_with_us() -> None:
        """In the new process: SIGTERM when the supervisor is gone (Linux, prctl(2)), also if it went just now."""
        # Ours would swallow one that comes before the new program begins.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # A terminal sends Ctrl-C to all of us, and SIGTERM follows: a worker hears the former once it listens.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != supervisor:
            os._exit(DeadlineError.exit_code)

    return subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, "-m", "bus", "run", *arguments],
        env=environment,
        preexec_fn=end_with_us,  # noqa: PLW1509  the supervisor has one thread only
    )


def settings_of(settings: Settings, number: int) -> Settings:
    """The settings of one of several processes, counted from 0: each serves its metrics on a port of its own."""
    port = settings.metrics_port + number if settings.metrics_port else 0
    return settings.model_copy(update={"metrics_port": port})


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, for a process of our own."""
    return {f"BUS_{name.upper()}": str(value) for name, value in settings.model_dump().items() if value is not None}
