"""`bus run all`: one process for each worker, started again when it ends, stopped together.

A worker that was fenced or lost Kafka ends by itself; its successor reads everything it needs from Kafka.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bus.settings import Settings
from bus.wire.deadline import Deadline

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
_LOOK_S = 0.2


@dataclass(slots=True)
class _Child:
    arguments: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]
    pause_s: float = _FIRST_PAUSE_S
    restart_at: Deadline | None = None


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
        """Run until stopped."""
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
            child.restart_at = Deadline(child.pause_s, "a restart")
            child.pause_s = min(child.pause_s * 2, _LONGEST_PAUSE_S)
        elif child.restart_at is not None and child.restart_at.over:
            child.process, child.restart_at = _start(child.arguments, child.environment), None

    def _end(self, children: Sequence[_Child]) -> None:
        for child in children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        deadline = Deadline(self._settings.stop_timeout_s, "the workers' end")
        for child in children:
            try:
                child.process.wait(max(0.1, deadline.left))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()


def _start(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "bus", "run", *arguments], env=environment)  # noqa: S603  our own command


def settings_of(settings: Settings, number: int) -> Settings:
    """The settings of one of several processes, counted from 0: each serves its metrics on a port of its own."""
    port = settings.metrics_port + number if settings.metrics_port else 0
    return settings.model_copy(update={"metrics_port": port})


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, for a process of our own."""
    return {f"BUS_{name.upper()}": str(value) for name, value in settings.model_dump().items() if value is not None}
