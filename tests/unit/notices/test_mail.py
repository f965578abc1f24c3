"""Mail against a real SMTP server: over TLS where it is wanted, to the role's mailbox, errors without any address."""

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from bus.address import is_mailbox
from bus.notices.mail import Mail, Server, read_addresses
from bus.notices.transport import NotSent
from compliance.notice_kinds import SendProblem
from compliance.notice_text import text_of
from compliance.notices import Notice, to_tell, withdrawal
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from schemas.errors import SettingsError
from tests.notices import agency, cause
from tests.receivers import PASSWORD, USER, Mailbox, free_port, mail_server
from tests.register import NOW

TO = "somebody.real@health.example"
ADDRESSES = {"health/SHARING_OFFICER": TO}
TIMEOUT_S = 30.0


@pytest.fixture
def notice() -> Notice:
    view = RegisterView()
    view.apply("agency", "health", agency())
    [made] = to_tell([cause()], {}, view, WorkCalendar.packaged(), NOW)
    return made


def mail(box: Mailbox, tls: ssl.SSLContext | None = None, starttls: str = "required", **changes: Any) -> Mail:
    values: dict[str, Any] = {"host": "127.0.0.1", "port": box.port, "tls": starttls, "sender": "bus@city.example"}
    return Mail(Server(**{**values, **changes}), ADDRESSES, TIMEOUT_S, tls)


def problem(answer: NotSent | None) -> SendProblem:
    """Of an answer that tells no address and no password."""
    assert answer is not None
    for secret in (TO, TO.partition("@")[0], PASSWORD):
        assert secret not in answer.sentence
    assert "\n" not in answer.sentence
    return answer.problem


def test_a_notice_reaches_the_mailbox_of_its_role_over_tls_in_both_languages(
    notice: Notice, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    with mail_server(server_tls) as box:
        assert mail(box, trusting).send(notice, NOW) is None
    [message] = box.received
    text = text_of(notice)
    assert box.encrypted == [True]
    assert message["To"] == TO
    assert message["Subject"] == f"{text.subject_zh} {text.subject_en}"
    assert message["Message-ID"] == f"<{notice.id}@city.example>"
    assert message["Date"] == "Tue, 01 Sep 2026 01:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines() == [*text.body_zh.splitlines(), "", *text.body_en.splitlines()]


def test_a_withdrawal_answers_the_notice_that_it_takes_back(notice: Notice) -> None:
    back = withdrawal(notice, WorkCalendar.packaged(), NOW)
    with mail_server() as box:
        assert mail(box, starttls="offered").send(back, NOW) is None
    [message] = box.received
    assert message["In-Reply-To"] == f"<{notice.id}@city.example>"
    assert message["Message-ID"] != f"<{notice.id}@city.example>"


def test_without_starttls_nothing_is_sent_where_it_is_required_or_an_account_is_used(notice: Notice) -> None:
    with mail_server() as box:
        assert problem(mail(box).send(notice, NOW)) is SendProblem.TLS
        with_account = mail(box, starttls="offered", user=USER, password=PASSWORD)
        assert problem(with_account.send(notice, NOW)) is SendProblem.TLS
        assert (box.received, box.accounts) == ([], [])
        assert mail(box, starttls="offered").send(notice, NOW) is None
    assert box.encrypted == [False]


def test_where_starttls_is_offered_it_is_used_and_the_certificate_checked(
    notice: Notice, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    with mail_server(server_tls) as box:
        assert problem(mail(box, starttls="offered").send(notice, NOW)) is SendProblem.TLS
        assert box.received == []
        assert mail(box, trusting, starttls="offered").send(notice, NOW) is None
    assert box.encrypted == [True]


def test_an_account_logs_in_and_a_wrong_password_is_refused(
    notice: Notice, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    with mail_server(server_tls, wants_account=True) as box:
        wrong = mail(box, trusting, user=USER, password="another one")  # noqa: S106  made up
        assert problem(wrong.send(notice, NOW)) is SendProblem.REFUSED
        assert problem(mail(box, trusting).send(notice, NOW)) is SendProblem.REFUSED
        assert box.received == []
        assert mail(box, trusting, user=USER, password=PASSWORD).send(notice, NOW) is None
    assert box.accounts[-1] == USER
    assert len(box.received) == 1


def test_a_mailbox_that_the_server_does_not_know_is_told_by_its_role(notice: Notice) -> None:
    with mail_server() as box:
        box.refuses = TO
        answer = mail(box, starttls="offered").send(notice, NOW)
    assert problem(answer) is SendProblem.REFUSED
    expected = f"the mail server at 127.0.0.1:{box.port} refuses the mail for health/SHARING_OFFICER (550)"
    assert answer == NotSent(SendProblem.REFUSED, expected)


def test_a_role_without_a_mailbox_and_a_server_that_is_not_there_are_told(notice: Notice) -> None:
    nobody = Mail(Server("127.0.0.1", free_port(), "offered", "bus@city.example"), {}, TIMEOUT_S)
    answer = nobody.send(notice, NOW)
    assert answer == NotSent(SendProblem.NO_ADDRESS, "no mailbox is known for health/SHARING_OFFICER")
    away = mail(Mailbox(port=free_port()), starttls="offered")
    assert problem(away.send(notice, NOW)) is SendProblem.UNREACHABLE


def test_a_server_that_does_not_answer_is_left_after_the_timeout(notice: Notice) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        silent = Mail(Server("127.0.0.1", port, "offered", "bus@city.example"), ADDRESSES, 0.2)
        assert problem(silent.send(notice, NOW)) is SendProblem.TIMEOUT


# -- the file of mailboxes -----------------------------------------------------------------------------------------


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_mailboxes_are_read_from_a_private_file(tmp_path: Path) -> None:
    path = private(tmp_path / "m.yaml", f"health/SHARING_OFFICER: {TO}\nAUTHORITY_CITY: a@city.example\n")
    assert read_addresses(path) == {**ADDRESSES, "AUTHORITY_CITY": "a@city.example"}


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        (f"a/LEADER: {TO}\n", 0o644, "is open to other users; it must have mode 600"),
        (f"- {TO}\n", 0o600, "is no mapping"),
        (f"1: {TO}\n", 0o600, "is no mapping"),
        (f"a/LEADER: {TO}\nb/LEADER: '{TO}, b@c'\n", 0o600, "entry 2 holds no address"),
        (f"{TO}: [\n", 0o600, "is not YAML"),
        (f"{TO}: 2026-99-99\n", 0o600, "is not YAML"),
        (f"{TO}: {'[' * 5_000}\n", 0o600, "is not YAML"),
        ("", 0o600, "is empty"),
    ],
)
def test_a_file_that_is_open_or_wrong_is_refused_without_an_address(
    tmp_path: Path, text: str, mode: int, told: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        read_addresses(private(tmp_path / "m.yaml", text, mode))
    assert told in str(refused.value)
    assert str(refused.value).startswith(f"BUS_NOTICE_ADDRESSES_FILE: {tmp_path / 'm.yaml'}")
    assert "somebody" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\nBcc: d@e", "a@b,c@d", "<a@b>", "李@某.cn", 7, None]
)
def test_what_could_be_more_than_one_address_is_none(text: object) -> None:
    assert not is_mailbox(text)
    assert is_mailbox("a.b+c@d-e.example")
