"""A call that does not come back in its time ends its process, also where no Python code can run in that thread."""

import signal
import subprocess
import sys

import pytest

from bus.wire.watch import overdue, within

LONG_AGO = -60.0
GUARD_S = 40.0


def test_a_call_in_its_time_is_not_overdue() -> None:
    with within(60.0, "a call"):
        assert overdue() is None


def test_a_call_that_did_not_come_back_is_named_until_it_does() -> None:
    with within(60.0, "another"), within(LONG_AGO, "sending offsets"):
        assert overdue() == "sending offsets"
    assert overdue() is None


def test_a_call_that_failed_is_over_too() -> None:
    with pytest.raises(ValueError, match="no"), within(LONG_AGO, "a call"):
        raise ValueError("no")
    assert overdue() is None


def ended(code: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=GUARD_S, check=False)
    return done.returncode, done.stderr


def test_a_process_with_an_overdue_call_ends_and_says_which() -> None:
    code = (
        "import threading\n"
        "from bus.wire.watch import within\n"
        "from bus.workers.signals import end_when_stuck\n"
        "end_when_stuck()\n"
        f"with within({LONG_AGO}, 'sending offsets'): threading.Event().wait()\n"
    )
    sentence = "error: sending offsets did not come back in its time; the process ends, its successor begins again from Kafka\n"
    assert ended(code) == (3, sentence)


def test_a_process_that_cannot_come_to_its_end_is_ended_by_the_kernel() -> None:
    code = "import threading\nfrom bus.workers.signals import end_within\nend_within(0.1)\nthreading.Event().wait()\n"
    assert ended(code) == (-signal.SIGALRM, "")
