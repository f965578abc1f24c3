"""The webhook against a real HTTP server: signed, once, nowhere else, and errors without what is secret."""

import hashlib
import hmac
import json
import ssl

import pytest

from bus.address import WEBHOOK_SECRET, url_problem
from bus.notices.transport import NotSent
from bus.notices.webhook import NOTICE_ID, SIGNATURE, Webhook
from compliance.notice_kinds import SendProblem
from compliance.notice_text import as_json
from compliance.notices import Notice, to_tell
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from tests.notices import cause
from tests.receivers import free_port, webhook
from tests.register import NOW

SECRET = b"0123456789abcdef-made-up"
TIMEOUT_S = 30.0


@pytest.fixture
def notice() -> Notice:
    [made] = to_tell([cause()], {}, RegisterView(), WorkCalendar.packaged(), NOW)
    return made


def problem(answer: NotSent | None) -> SendProblem:
    """Of an answer that tells neither path nor token nor secret."""
    assert answer is not None
    assert "t0ken" not in answer.sentence
    assert "/in" not in answer.sentence
    assert SECRET.decode() not in answer.sentence
    assert "\n" not in answer.sentence
    return answer.problem


def test_a_notice_is_posted_as_json_and_whoever_has_the_secret_can_check_it(notice: Notice) -> None:
    with webhook() as hook:
        assert Webhook(hook.url, SECRET, TIMEOUT_S).send(notice, NOW) is None
    [received] = hook.received
    assert received.path == "/in?token=t0ken"
    expected = hmac.new(SECRET, received.body, hashlib.sha256).hexdigest()
    assert received.headers[SIGNATURE] == f"sha256={expected}"
    assert received.headers[NOTICE_ID] == str(notice.id)
    assert received.headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(received.body) == {**as_json(notice), "sent_at": "2026-09-01T09:00:00+08:00"}


def test_over_https_the_certificate_is_checked(
    notice: Notice, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    with webhook(server_tls) as hook:
        assert problem(Webhook(hook.url, SECRET, TIMEOUT_S).send(notice, NOW)) is SendProblem.TLS
        assert hook.received == []
        assert Webhook(hook.url, SECRET, TIMEOUT_S, trusting).send(notice, NOW) is None
    assert len(hook.received) == 1


def test_a_redirect_is_not_followed(notice: Notice) -> None:
    with webhook() as other, webhook() as hook:
        hook.status, hook.location = 307, other.url
        answer = Webhook(hook.url, SECRET, TIMEOUT_S).send(notice, NOW)
    assert problem(answer) is SendProblem.REFUSED
    assert answer == NotSent(
        SendProblem.REFUSED,
        f"the webhook at {hook.url.partition('/in')[0]} answers with a redirect (307), which is not followed",
    )
    assert (len(hook.received), other.received) == (1, [])


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
def test_what_is_not_taken_over_is_refused(notice: Notice, status: int) -> None:
    with webhook() as hook:
        hook.status = status
        answer = Webhook(hook.url, SECRET, TIMEOUT_S).send(notice, NOW)
    assert problem(answer) is SendProblem.REFUSED
    assert answer is not None
    assert f"({status})" in answer.sentence


def test_one_that_does_not_answer_is_left_after_the_timeout(notice: Notice) -> None:
    with webhook(holds=True) as hook:
        assert problem(Webhook(hook.url, SECRET, 0.2).send(notice, NOW)) is SendProblem.TIMEOUT


def test_one_that_is_not_there_is_unreachable_and_one_without_tls_is_not_spoken_to(notice: Notice) -> None:
    nobody = Webhook(f"http://127.0.0.1:{free_port()}/in", SECRET, TIMEOUT_S)
    assert problem(nobody.send(notice, NOW)) is SendProblem.UNREACHABLE
    with webhook() as hook:
        plain = Webhook(hook.url.replace("http:", "https:"), SECRET, TIMEOUT_S)
        assert problem(plain.send(notice, NOW)) is SendProblem.TLS
    assert hook.received == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example",
        "ftp://h/in",
        "file:///etc/passwd",
        "https://",
        "http://h:0/",
        "http://h:x/",
        "https://h/a b",
    ],
)
def test_another_address_is_none(url: str) -> None:
    assert url_problem(url, WEBHOOK_SECRET) == "is not an address: https or http, with a host"
    with pytest.raises(ValueError, match="is not an address"):
        Webhook(url, SECRET, TIMEOUT_S)


def test_a_password_in_the_address_and_a_short_secret_are_refused() -> None:
    told = url_problem("https://bus:passw0rd@h/", WEBHOOK_SECRET)
    assert told is not None
    assert "passw0rd" not in told
    assert url_problem("https://hooks.example:8443/in?token=1", WEBHOOK_SECRET) is None
    with pytest.raises(ValueError, match="the secret has less than 16 bytes"):
        Webhook("https://h/", b"short", TIMEOUT_S)
