"""Notices as mail over SMTP, to the mailboxes of roles; which mailbox is whose stands in a private file."""

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Literal

import yaml

from bus.address import is_mailbox
from bus.notices.transport import NotSent, read_private
from compliance.notice_kinds import SendProblem
from compliance.notice_text import text_of
from compliance.notices import Notice
from schemas.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over.

    Attributes:
        tls: `required` sends nothing without it, `offered` uses it where the server offers it.
        sender: the address that mail is from.
        user, password: of the server's account; None for a server that wants none.
    """

    host: str
    port: int
    tls: Literal["required", "offered"]
    sender: str
    user: str | None = None
    password: str | None = None


def read_addresses(path: Path) -> dict[str, str]:
    """Addresses by desk (`health/LEADER`, `441322/AUTHORITY_COUNTY`, `AUTHORITY_CITY`), from a YAML mapping.

    Raises:
        SettingsError: the file is open to others or no such mapping; the entry is named, the address is not.
    """
    setting = "BUS_NOTICE_ADDRESSES_FILE"
    try:
        found = yaml.safe_load(read_private(path, setting))
    except (yaml.YAMLError, ValueError, RecursionError):
        raise SettingsError(f"{setting}: {path} is not YAML") from None
    if not isinstance(found, dict) or not all(isinstance(desk, str) for desk in found):
        raise SettingsError(f"{setting}: {path} is no mapping from desks, as health/LEADER, to addresses")
    for number, address in enumerate(found.values(), 1):
        if not is_mailbox(address):
            raise SettingsError(f"{setting}: {path}: entry {number} holds no address")
    return found


# The most special first. An error's own text may hold the addresses, so it is not told.
_WHY: tuple[tuple[type[BaseException], SendProblem, str], ...] = (
    (TimeoutError, SendProblem.TIMEOUT, "does not answer in time"),
    (ssl.SSLError, SendProblem.TLS, "cannot be trusted with the mail"),
    (smtplib.SMTPServerDisconnected, SendProblem.UNREACHABLE, "hung up on the mail"),
    (smtplib.SMTPException, SendProblem.REFUSED, "refuses the mail"),
    (BaseException, SendProblem.UNREACHABLE, "cannot be reached"),
)


def _detail(error: BaseException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return str(error.smtp_code)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return ", ".join(str(code) for code, _ in error.recipients.values())
    return type(error).__name__


class Mail:
    """Hands notices over to one mail server.

    Args:
        server: which.
        addresses: mailboxes by desk.
        timeout_s: seconds that each wait for the server may take.
        tls: what its certificate is checked against; by default the system's authorities.
    """

    def __init__(
        self, server: Server, addresses: Mapping[str, str], timeout_s: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self._server = server
        self._addresses = dict(addresses)
        self._timeout_s = timeout_s
        self._tls = tls
        self._where = f"{server.host}:{server.port}"

    def send(self, notice: Notice, at: datetime) -> NotSent | None:
        """Hand over one notice."""
        address = self._addresses.get(notice.to.desk)
        if address is None:
            return NotSent(SendProblem.NO_ADDRESS, f"no mailbox is known for {notice.to.desk}")
        try:
            return self._hand_over(self._message(notice, address, at))
        except (OSError, smtplib.SMTPException) as error:
            # smtplib turns a time-out while it reads into a connection that was lost.
            cause = error.__context__ if isinstance(error.__context__, TimeoutError) else error
            _, problem, what = next(row for row in _WHY if isinstance(cause, row[0]))
            return self._not_sent(problem, f"{what} for {notice.to.desk} ({_detail(cause)})")

    def _hand_over(self, message: EmailMessage) -> NotSent | None:
        server = self._server
        # The domain of the sender: a look-up of this machine's own name could take long.
        name = server.sender.partition("@")[2]
        with smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=self._timeout_s) as connection:
            connection.ehlo()
            if connection.has_extn("starttls"):
                self._tls = self._tls or ssl.create_default_context()
                connection.starttls(context=self._tls)
                connection.ehlo()
            elif server.tls == "required" or server.user is not None:
                return self._not_sent(SendProblem.TLS, "does not offer STARTTLS")
            if server.user is not None:
                connection.login(server.user, server.password or "")
            connection.send_message(message)
        return None

    def _message(self, notice: Notice, address: str, at: datetime) -> EmailMessage:
        text = text_of(notice)
        message = EmailMessage()
        message["From"] = self._server.sender
        message["To"] = address
        message["Subject"] = f"{text.subject_zh} {text.subject_en}"
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<{notice.id}@{self._server.sender.partition('@')[2]}>"
        if notice.withdraws is not None:
            message["In-Reply-To"] = f"<{notice.withdraws}@{self._server.sender.partition('@')[2]}>"
        # What a machine sent wants no absence notice in answer (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(f"{text.body_zh}\n\n{text.body_en}\n")
        return message

    def _not_sent(self, problem: SendProblem, what: str) -> NotSent:
        return NotSent(problem, f"the mail server at {self._where} {what}")
