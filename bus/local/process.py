"""Processes that outlive the command that started them: pid files, start, stop, ports.

A pid file holds the process's line of /proc/<pid>/stat, written by the process itself before it becomes
java: there is no moment at which it runs unrecorded, whatever kills `bus local up`. A pid counts as ours
only while its start time is the recorded one, so a pid that the kernel gave to another process is never
signalled. Linux only, as Kafka's production is.
"""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import LocalRunError

_POLL_S = 0.05
_RECORD_S = 5.0
_LOCK_S = 120.0
_LOG_ROTATE_BYTES = 10 * 1024 * 1024
# Records itself, then becomes the program: $1 is the pid file, the rest the program's words.
_RECORD = 'cat "/proc/$$/stat" > "$1.new" && mv "$1.new" "$1" && shift && exec "$@"'
# The middle shell ends at once, so that the process belongs to init and never becomes a zombie of ours.
_DETACH = '/bin/sh -c "$0" sh "$@" &'


@dataclass(frozen=True, slots=True)
class Service:
    """A process of the local run: its name, and where its pid file and log are."""

    name: str
    run_dir: Path
    log_dir: Path

    @property
    def pid_file(self) -> Path:
        """The pid file, `run/<name>.pid`."""
        return self.run_dir / f"{self.name}.pid"

    @property
    def log_file(self) -> Path:
        """Both output streams, `log/<name>.log`."""
        return self.log_dir / f"{self.name}.log"

    def pid(self) -> int | None:
        """The pid of the running process, None when it does not run (any more)."""
        try:
            recorded = self.pid_file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        pid, _, started = _parse_stat(recorded)
        try:
            now = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        _, state, really_started = _parse_stat(now)
        alive = state not in "ZX" or _threads(pid) > 1
        return pid if pid > 0 and started == really_started and alive else None


def _threads(pid: int) -> int:
    """How many threads are left; a process whose first thread is gone holds its ports until the last is."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return 0


def _parse_stat(line: str) -> tuple[int, str, str]:
    """Pid, state, start time (field 22 of proc(5)); the program's name before them may hold any character."""
    head, _, tail = line.rpartition(")")
    fields = tail.split()
    try:
        return int(head.split(" ", 1)[0]), fields[0], fields[19]
    except (ValueError, IndexError):
        return -1, "X", ""


def start(service: Service, command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> None:
    """Start a detached process in its own session and return once its pid is on disk.

    Raises:
        LocalRunError: when it could not be started within a few seconds.
    """
    service.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    service.log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    service.pid_file.unlink(missing_ok=True)
    if service.log_file.exists() and service.log_file.stat().st_size > _LOG_ROTATE_BYTES:
        service.log_file.replace(service.log_file.with_suffix(".log.1"))
    with service.log_file.open("ab") as log:
        subprocess.run(  # noqa: S603  the words are ours, no shell parses them
            ["/bin/sh", "-c", _DETACH, _RECORD, str(service.pid_file), *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
            check=True,
        )
    if not wait_until(service.pid_file.exists, _RECORD_S):
        raise LocalRunError(f"{service.name} did not start; see {service.log_file}")


def stop(services: Sequence[Service], timeout_s: float) -> tuple[str, ...]:
    """End processes: SIGTERM to all, SIGKILL to those that are still there at the deadline; returns who ran.

    Raises:
        LocalRunError: when a process survives even SIGKILL.
    """
    running = [service for service in services if service.pid() is not None]
    for sign, wait_s in ((signal.SIGTERM, timeout_s), (signal.SIGKILL, _RECORD_S)):
        for service in running:
            pid = service.pid()
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
        if wait_until(lambda: all(service.pid() is None for service in running), wait_s):
            break
    else:
        left = ", ".join(f"{service.name} (pid {service.pid()})" for service in running if service.pid())
        raise LocalRunError(f"could not end {left}")
    for service in services:
        service.pid_file.unlink(missing_ok=True)
    return tuple(service.name for service in running)


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Poll until the condition holds; False when it did not within `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: connections that are only fading out (TIME_WAIT) do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


@contextlib.contextmanager
def exclusive(lock_file: Path, what: str) -> Iterator[int]:
    """Hold a lock file; the kernel lets go of it when the holder dies, so nothing is ever left locked.

    Yields:
        The file descriptor, for a child that must keep the lock until it has ended too.

    Raises:
        LocalRunError: when somebody else holds it for two minutes.
    """
    lock_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lock_file.open("ab") as file:

        def taken() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        if not wait_until(taken, _LOCK_S):
            raise LocalRunError(f"another process has been busy with {what} for {_LOCK_S:.0f} s ({lock_file})")
        yield file.fileno()
