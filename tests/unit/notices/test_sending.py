"""A pass over what waits, with the transports that the settings name, from a register to real servers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bus.notices.sending import send_waiting, transports, ways_of
from bus.notices.transport import NotSent
from bus.register.place import opened
from bus.settings import load
from compliance.notice_kinds import SendProblem, Way
from compliance.notices import Notice
from compliance.register.noticebook import NoticeBook
from compliance.register.service import Register
from schemas.errors import SettingsError
from tests.command import Command
from tests.notices import agency, cause
from tests.receivers import free_port, mail_server, webhook
from tests.register import NOW, OPERATOR, sqlite_register

SECRET = "0123456789abcdef-made-up"


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@dataclass
class Fake:
    """A way whose answers a test sets."""

    answer: NotSent | None = None
    sent: list[Notice] = field(default_factory=list)

    def send(self, notice: Notice, at: datetime) -> NotSent | None:
        del at
        self.sent.append(notice)
        return self.answer


def at(instant: datetime) -> Callable[[], datetime]:
    return lambda: instant


def filled(register: Register, count: int) -> NoticeBook:
    register.put([agency()], OPERATOR, NOW)
    book = NoticeBook(register, [Way.WEBHOOK])
    book.tell([cause(matter=f"CPL-2026-{number:05d}") for number in range(count)], NOW)
    return book


def test_a_pass_sends_each_notice_once_and_goes_on_behind_one_that_is_refused(tmp_path: Path) -> None:
    with sqlite_register(tmp_path) as register:
        book, way = filled(register, 3), Fake(NotSent(SendProblem.REFUSED, "no"))
        assert len(send_waiting(book, {Way.WEBHOOK: way}, at(NOW)).failed) == 3
        way.answer = None
        assert send_waiting(book, {Way.WEBHOOK: way}, at(NOW)).sent == 0, "it waits before it tries again"
        assert send_waiting(book, {Way.WEBHOOK: way}, at(NOW + timedelta(minutes=1))).sent == 3
        assert send_waiting(book, {Way.WEBHOOK: way}, at(NOW + timedelta(days=9))).sent == 0
    assert len(way.sent) == 6


def test_where_nobody_is_there_the_rest_waits_without_a_wait_that_grows(tmp_path: Path) -> None:
    with sqlite_register(tmp_path) as register:
        book, way = filled(register, 3), Fake(NotSent(SendProblem.UNREACHABLE, "no"))
        assert len(send_waiting(book, {Way.WEBHOOK: way}, at(NOW)).failed) == 1
        way.answer = None
        assert send_waiting(book, {Way.WEBHOOK: way}, at(NOW)).sent == 2
        assert [one.attempts for one in book.waiting(NOW + timedelta(minutes=1))] == [1]


def test_without_settings_there_is_no_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BUS_NOTICE_WEBHOOK_URL", raising=False)
    assert ways_of(load()) == ()
    assert transports(load()) == {}


@pytest.mark.parametrize(
    ("name", "text", "mode", "told"),
    [
        ("secret", SECRET, 0o640, "BUS_NOTICE_WEBHOOK_SECRET_FILE: {} is open to other users"),
        ("secret", "short", 0o600, "BUS_NOTICE_WEBHOOK_SECRET_FILE: {}: the secret has less than 16 bytes"),
        ("secret", None, 0o600, "BUS_NOTICE_WEBHOOK_SECRET_FILE: {} cannot be read"),
        ("ca", "no certificate", 0o600, "BUS_NOTICE_CA_FILE: {} holds no certificates"),
    ],
)
def test_a_secret_that_is_none_or_open_ends_the_start_in_words(
    tmp_path: Path, name: str, text: str | None, mode: int, told: str
) -> None:
    private(tmp_path / "secret", SECRET)
    path = tmp_path / name
    if text is None:
        path.unlink()
    else:
        private(path, text, mode)
    ca = path if name == "ca" else None
    settings = load(notice_webhook_url="https://h/", notice_webhook_secret_file=tmp_path / "secret", notice_ca_file=ca)
    with pytest.raises(SettingsError) as refused:
        transports(settings)
    assert str(refused.value).startswith(told.format(path))
    assert SECRET not in str(refused.value)


def test_the_command_sends_by_both_ways_once_and_says_what_did_not_leave(
    bus_command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BUS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("BUS_NOTICE_WEBHOOK_URL", raising=False)
    assert bus_command("notice", "send").code == 2
    with webhook() as hook, mail_server() as box:
        for name, value in {
            "WEBHOOK_URL": hook.url,
            "WEBHOOK_SECRET_FILE": private(tmp_path / "secret", SECRET),
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": box.port,
            "SMTP_STARTTLS": "offered",
            "SMTP_FROM": "bus@city.example",
            "ADDRESSES_FILE": private(tmp_path / "m.yaml", "health/SHARING_OFFICER: somebody@health.example\n"),
        }.items():
            monkeypatch.setenv(f"BUS_NOTICE_{name}", str(value))
        with opened(load()) as register:
            register.put([agency()], OPERATOR, NOW)
            NoticeBook(register, ways_of(load())).tell([cause(), cause(agency="land")], NOW)
        ran = bus_command("notice", "send")
        assert (ran.code, ran.out) == (3, "3 sent\n")
        assert ran.err == "not sent: no mailbox is known for AUTHORITY_CITY\n"
        assert bus_command("notice", "send").out == "0 sent\n"
    assert len(hook.received) == 2
    assert [message["To"] for message in box.received] == ["somebody@health.example"]
    monkeypatch.setenv("BUS_NOTICE_SMTP_PORT", str(free_port()))
    assert '"MAIL"' in bus_command("notice", "list", "--json").out
