"""Who receives notices: a real HTTP server and a real mail server, each in a thread, told by a test what to answer."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

USER, PASSWORD = "bus", "a made-up password"


@dataclass
class Received:
    """What a webhook got."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Hook:
    """A running HTTP server; it answers with `status`."""

    url: str
    status: int = 204
    location: str | None = None
    received: list[Received] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)


@contextmanager
def webhook(tls: ssl.SSLContext | None = None, *, holds: bool = False) -> Iterator[Hook]:
    """A webhook; one that holds answers nothing until it ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.received.append(Received(self.path, dict(self.headers), body))
            if holds:
                hook.hold.wait()
                return
            self.send_response(hook.status)
            if hook.location is not None:
                self.send_header("Location", hook.location)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    hook = Hook(f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}/in?token=t0ken")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hook
    finally:
        hook.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mailbox:
    """A running mail server; `refuses` is a mailbox that it does not know."""

    port: int = 0
    refuses: str | None = None
    received: list[EmailMessage] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, *, wants_account: bool = False) -> Iterator[Mailbox]:
    """A mail server on this machine; with a TLS context it offers STARTTLS."""
    box = Mailbox()

    class Handler:
        async def handle_RCPT(self, _: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802  aiosmtpd's name
            del session, options
            if address == box.refuses:
                return f"550 5.1.1 {address} is unknown here"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, _: Any, session: Any, envelope: Any) -> str:  # noqa: N802  as above
            message = message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default)
            box.received.append(message)
            box.encrypted.append(session.ssl is not None)
            return "250 OK"

    def account(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        del server, session, envelope, mechanism
        box.accounts.append(data.login.decode())
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)

    controller = Controller(
        Handler(),
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=tls,
        auth_required=wants_account,
        authenticator=account,
    )
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
