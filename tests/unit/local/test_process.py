"""Processes that outlive their starter: recorded before they run, never mistaken for another."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.local.process import Service, exclusive, port_is_free, start, stop, wait_until
from schemas.errors import LocalRunError

ENVIRONMENT = {"PATH": os.environ["PATH"]}
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
_DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)"
_TIDY = "signal.signal(signal.SIGTERM, lambda *_: sys.exit('tidied')); print('ready', flush=True)"
STUBBORN, TIDY = (
    [sys.executable, "-c", f"import signal, sys; {begin}\nwhile True: signal.pause()"] for begin in (_DEAF, _TIDY)
)
GUARD_S = 60.0


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service("sleeper", tmp_path / "run", tmp_path / "log")
    yield made
    stop([made], 0.0)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The signals that are sent, in their order; they arrive all the same."""
    signals: list[int] = []
    kill = os.kill

    def record(pid: int, sign: int) -> None:
        signals.append(sign)
        kill(pid, sign)

    monkeypatch.setattr(os, "kill", record)
    return signals


def said(service: Service, word: str) -> bool:
    return word in service.log_file.read_text(encoding="utf-8")


def test_a_started_process_is_recorded_in_a_session_of_its_own(service: Service, tmp_path: Path) -> None:
    start(service, SLEEP, ENVIRONMENT, tmp_path)
    pid = service.pid()
    assert pid is not None
    assert os.getsid(pid) != os.getsid(0)
    assert wait_until(lambda: b"sleep(60)" in Path(f"/proc/{pid}/cmdline").read_bytes(), GUARD_S)


def test_stopping_leaves_neither_process_nor_pid_file(service: Service, tmp_path: Path) -> None:
    start(service, SLEEP, ENVIRONMENT, tmp_path)
    assert stop([service], 5.0) == ("sleeper",)
    assert service.pid() is None
    assert not service.pid_file.exists()
    assert stop([service], 5.0) == ()


def test_a_process_deaf_to_sigterm_is_killed_at_the_deadline(service: Service, tmp_path: Path, sent: list[int]) -> None:
    """It never ends by itself, so its end is the kill's."""
    start(service, STUBBORN, ENVIRONMENT, tmp_path)
    assert wait_until(lambda: said(service, "deaf"), GUARD_S)
    assert stop([service], 0.3) == ("sleeper",)
    assert sent == [signal.SIGTERM, signal.SIGKILL]
    assert service.pid() is None


def test_a_process_that_ends_before_the_deadline_is_not_killed(
    service: Service, tmp_path: Path, sent: list[int]
) -> None:
    start(service, TIDY, ENVIRONMENT, tmp_path)
    assert wait_until(lambda: said(service, "ready"), GUARD_S)
    assert stop([service], GUARD_S) == ("sleeper",)
    assert sent == [signal.SIGTERM]
    assert said(service, "tidied")


def test_a_pid_that_now_belongs_to_another_process_is_not_ours(service: Service) -> None:
    with subprocess.Popen(SLEEP) as stranger:
        try:
            line = Path(f"/proc/{stranger.pid}/stat").read_text(encoding="utf-8").split()
            started = 21  # field 22 of proc(5), and the name has no space here
            line[started] = str(int(line[started]) - 1)
            service.run_dir.mkdir()
            service.pid_file.write_text(" ".join(line), encoding="utf-8")
            assert service.pid() is None
            assert stop([service], 1.0) == ()
            assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.parametrize("content", ["", "12", "nonsense", "1 (init) S", ") ) )"])
def test_a_torn_pid_file_names_no_process(service: Service, content: str) -> None:
    service.run_dir.mkdir()
    service.pid_file.write_text(content, encoding="utf-8")
    assert service.pid() is None


def test_what_cannot_be_started_is_said_with_its_log(service: Service, tmp_path: Path) -> None:
    start(service, ["/nonexistent/java"], ENVIRONMENT, tmp_path)
    assert wait_until(lambda: service.pid() is None, GUARD_S)
    assert said(service, "/nonexistent/java")


def test_a_taken_port_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not port_is_free("127.0.0.1", port)
    assert port_is_free("127.0.0.1", port)


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = (
        "import sys, time; from pathlib import Path; from bus.local.process import exclusive\n"
        "with exclusive(Path(sys.argv[1]), 'it'): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    with exclusive(lock, "it"):
        pass


def test_a_lock_that_stays_held_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bus.local.process._LOCK_S", 0.1)
    with exclusive(tmp_path / "lock", "it"), pytest.raises(LocalRunError, match="busy with it"):  # noqa: SIM117
        with exclusive(tmp_path / "lock", "it"):
            pytest.fail("two held one lock")
