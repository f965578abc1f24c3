"""Sends what waits: which ways the settings name, and one pass over the notices whose hour has come."""

import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bus.notices.mail import Mail, Server, read_addresses
from bus.notices.transport import NotSent, Transport, read_private
from bus.notices.webhook import Webhook
from bus.settings import Settings
from compliance.notice_kinds import SendProblem, Way
from compliance.register.noticebook import NoticeBook
from schemas.errors import SettingsError

_AWAY = frozenset({SendProblem.UNREACHABLE, SendProblem.TIMEOUT, SendProblem.TLS})


@dataclass(frozen=True, slots=True)
class Passed:
    """What a pass did: how many left by which way, and what did not."""

    by_way: Mapping[Way, int]
    failed: tuple[NotSent, ...]
    failed_by_way: Mapping[Way, int]

    @property
    def sent(self) -> int:
        """How many left."""
        return sum(self.by_way.values())


def ways_of(settings: Settings) -> tuple[Way, ...]:
    """The ways that the settings name."""
    named = {Way.WEBHOOK: settings.notice_webhook_url, Way.MAIL: settings.notice_smtp_host}
    return tuple(way for way, place in named.items() if place is not None)


def transports(settings: Settings) -> dict[Way, Transport]:
    """A transport for each way that the settings name, with its secrets read.

    Raises:
        SettingsError: a file is missing, open to others, or holds no such thing.
    """
    found: dict[Way, Transport] = {}
    if not ways_of(settings):
        return found
    timeout, authorities = settings.notice_timeout_s, settings.notice_ca_file
    tls = None if authorities is None else _trusting(authorities)
    url, secret_file = settings.notice_webhook_url, settings.notice_webhook_secret_file
    if url is not None and secret_file is not None:
        secret = read_private(secret_file, "BUS_NOTICE_WEBHOOK_SECRET_FILE")
        try:
            found[Way.WEBHOOK] = Webhook(url, secret.encode(), timeout, tls)
        except ValueError as error:
            raise SettingsError(f"BUS_NOTICE_WEBHOOK_SECRET_FILE: {secret_file}: {error}") from None
    host, sender, addresses = settings.notice_smtp_host, settings.notice_smtp_from, settings.notice_addresses_file
    if host is not None and sender is not None and addresses is not None:
        password_file = settings.notice_smtp_password_file
        password = None if password_file is None else read_private(password_file, "BUS_NOTICE_SMTP_PASSWORD_FILE")
        port, starttls, user = settings.notice_smtp_port, settings.notice_smtp_starttls, settings.notice_smtp_user
        server = Server(host, port, starttls, sender, user, password)
        found[Way.MAIL] = Mail(server, read_addresses(addresses), timeout, tls)
    return found


def send_waiting(book: NoticeBook, by: Mapping[Way, Transport], now: Callable[[], datetime]) -> Passed:
    """Send what is to leave now, oldest first, and note each attempt.

    Where the other side is not there at all, the rest waits for a later pass and no attempt is noted for it.
    """
    sent, missed, failed, away = Counter[Way](), Counter[Way](), list[NotSent](), set[Way]()
    for waiting in book.waiting(now(), by):
        if waiting.way in away:
            continue
        problem = by[waiting.way].send(waiting.notice, now())
        book.note(waiting, now(), None if problem is None else problem.problem)
        if problem is None:
            sent[waiting.way] += 1
            continue
        failed.append(problem)
        missed[waiting.way] += 1
        if problem.problem in _AWAY:
            away.add(waiting.way)
    return Passed(sent, tuple(failed), missed)


def _trusting(file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as error:
        raise SettingsError(f"BUS_NOTICE_CA_FILE: {file} holds no certificates ({type(error).__name__})") from None
