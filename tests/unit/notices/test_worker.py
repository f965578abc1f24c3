"""The worker that tells and sends, from a register in a file to a real HTTP server, one look at a time."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bus.notices.worker import NoticeWorker
from bus.register.lock import sender_lock
from bus.settings import Settings, load
from compliance.notice_kinds import NoticeKind
from compliance.register.noticebook import NoticeBook
from tests.receivers import webhook

SECRET = "0123456789abcdef-made-up"
# A Monday at ten in Huizhou.
WORKING = datetime(2026, 11, 30, 2, tzinfo=UTC)
# In force since then, the rule ends three months after that Monday: one thing that the register has to tell.
ENDS_SOON = date(WORKING.year - 5, WORKING.month, WORKING.day) + timedelta(days=90)


def settings_of(tmp_path: Path, url: str, effective: date | None = None) -> Settings:
    secret = tmp_path / "secret"
    secret.write_text(SECRET, encoding="utf-8")
    secret.chmod(0o600)
    return load(
        state_dir=tmp_path / "state",
        law_effective_date=effective,
        metrics_port=0,
        notice_webhook_url=url,
        notice_webhook_secret_file=secret,
    )


@contextmanager
def looking(settings: Settings, now: Callable[[], datetime]) -> Iterator[NoticeWorker]:
    """A worker that a test has look when it likes; its port and its database are let go."""
    worker = NoticeWorker(settings, now)
    try:
        yield worker
    finally:
        worker.server.stop()
        worker.register.engine.dispose()


def kinds(worker: NoticeWorker) -> list[NoticeKind]:
    return [told.notice.cause.kind for told in NoticeBook(worker.register).listed()]


def test_article_62_the_end_of_validity_is_told_to_the_authority_once(tmp_path: Path) -> None:
    with webhook() as hook, looking(settings_of(tmp_path, hook.url, ENDS_SOON), lambda: WORKING) as worker:
        for _ in range(2):
            worker.turn()
        assert kinds(worker) == [NoticeKind.LAW_EXPIRES]
    [received] = hook.received
    assert b"LAW_EXPIRES" in received.body
    assert (worker.health.ready, worker.health.problem) == (True, None)


def test_far_from_its_end_the_rule_is_told_to_nobody(tmp_path: Path) -> None:
    with webhook() as hook, looking(settings_of(tmp_path, hook.url, date(2026, 1, 1)), lambda: WORKING) as worker:
        worker.turn()
        assert kinds(worker) == []
    assert hook.received == []


def test_a_receiver_that_is_away_is_told_in_health_and_gets_the_notice_later(tmp_path: Path) -> None:
    now = [WORKING]
    with webhook() as hook, looking(settings_of(tmp_path, hook.url, ENDS_SOON), lambda: now[0]) as worker:
        hook.status = 503
        worker.turn()
        assert worker.health.problem is not None
        assert worker.health.ready
        hook.status = 204
        now[0] += timedelta(hours=1)
        worker.turn()
        assert worker.health.problem is None
    first, second = (json.loads(received.body)["id"] for received in hook.received)
    assert first == second


def test_what_waits_left_and_failed_is_told_by_way_as_figures(tmp_path: Path) -> None:
    now = [WORKING]

    def figures(worker: NoticeWorker) -> list[float | None]:
        names = ("bus_notices_waiting", "bus_notices_sent_total", "bus_notices_failed_total")
        return [worker.metrics.registry.get_sample_value(name, {"way": "WEBHOOK"}) for name in names]

    with webhook() as hook, looking(settings_of(tmp_path, hook.url, ENDS_SOON), lambda: now[0]) as worker:
        assert figures(worker) == [0, 0, 0]
        hook.status = 503
        worker.turn()
        assert figures(worker) == [1, 0, 1]
        hook.status = 204
        worker.turn()
        assert figures(worker) == [1, 0, 1], "tried again too early"
        now[0] += timedelta(hours=1)
        worker.turn()
        assert figures(worker) == [0, 1, 1]


def test_a_second_worker_stands_by(tmp_path: Path) -> None:
    with webhook() as hook, looking(settings_of(tmp_path, hook.url, ENDS_SOON), lambda: WORKING) as worker:
        with sender_lock(worker.register.engine, 1.0):
            worker.turn()
            assert hook.received == []
            assert worker.health.ready
            assert "another sender" in (worker.health.problem or "")
        worker.turn()
    assert len(hook.received) == 1


def test_it_ends_when_it_is_told_to_and_lets_its_port_go(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "https://nobody.invalid/")
    for _ in range(2):
        worker = NoticeWorker(settings, lambda: WORKING, every_s=0.01)
        worker.stop()
        worker.run()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", worker.server.port), 1):
        pass
