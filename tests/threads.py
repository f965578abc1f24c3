"""Workers in threads of the test's process, and waits that end at once when one of them did."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol, TypeVar

from bus.settings import Settings
from bus.wire.clients import OnStep, no_step
from bus.wire.deadline import Deadline
from bus.workers.health import Health
from bus.workers.wiring import Worker, admit_worker, deliver_worker, relocate_worker

WAIT_S = 40.0
# What ended workers that a test still needs.
_ended: list[BaseException] = []


class Works(Protocol):
    """A worker of any kind."""

    def run(self) -> None: ...

    def stop(self) -> None: ...


W = TypeVar("W", bound=Works)


class HasHealth(Works, Protocol):
    """A worker that tells whether it is ready."""

    health: Health


class Leads(Works, Protocol):
    """A worker of which one leads."""

    @property
    def leads(self) -> bool: ...


def ready(worker: HasHealth) -> bool:
    return worker.health.ready


def leads(worker: Leads) -> bool:
    return worker.leads


def until(holds: Callable[[], bool], what: str, seconds: float = WAIT_S) -> None:
    """Look until it holds, with a deadline; what ended a worker of the test is raised, since nothing more will come."""
    deadline = Deadline(seconds, what)
    while not holds():
        if _ended:
            raise _ended[0]
        deadline.check()
        time.sleep(0.05)


@contextmanager
def in_thread(worker: W, begun: Callable[[W], bool] = lambda _: True) -> Iterator[W]:
    """Run a worker once it has begun; it is stopped at the end, and what ended it before is raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            worker.run()
        except BaseException as error:  # noqa: BLE001  raised in the test
            errors.append(error)
            _ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        until(lambda: begun(worker), "the worker")
        yield worker
    finally:
        worker.stop()
        thread.join(WAIT_S)
        for error in errors:
            _ended.remove(error)
            raise error
    assert not thread.is_alive()


@contextmanager
def running(settings: Settings, *kinds: str, on_step: OnStep = no_step) -> Iterator[dict[str, Worker]]:
    """Real workers of these kinds, in threads."""
    makers = {"admit": admit_worker, "deliver": deliver_worker, "relocate": relocate_worker}
    with ExitStack() as stack:
        workers = {kind: stack.enter_context(in_thread(makers[kind](settings, on_step))) for kind in kinds}
        # All end at once, not one after another.
        stack.callback(lambda: [worker.stop() for worker in workers.values()])
        yield workers
