"""Notices as JSON over HTTP: one POST a notice, its body signed with a shared secret (HMAC-SHA-256).

Whoever receives it answers 2xx once it has taken it over, and drops an id that it knows. Redirects are not followed: a
notice goes where the settings say.
"""

import hashlib
import hmac
import json
import ssl
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from bus.address import WEBHOOK_SECRET, url_problem
from bus.notices.transport import NotSent
from compliance.catalogue import clock
from compliance.notice_kinds import SendProblem
from compliance.notice_text import as_json
from compliance.notices import Notice

SIGNATURE = "X-Exchange-Bus-Signature"
NOTICE_ID = "X-Exchange-Bus-Notice"
_LEAST_SECRET = 16
_OK, _REDIRECTS = range(200, 300), range(300, 400)


def signature(secret: bytes, body: bytes) -> str:
    """The header's value: `sha256=` and the HMAC of the body in hexadecimal digits."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


class Webhook:
    """Posts notices to one address.

    Args:
        url: https or http, as `url_problem` finds it right.
        secret: at least 16 bytes, shared with whoever receives.
        timeout_s: seconds that each wait for the other side may take.
        tls: what its certificate is checked against; by default the system's authorities.
    """

    def __init__(self, url: str, secret: bytes, timeout_s: float, tls: ssl.SSLContext | None = None) -> None:
        problem = url_problem(url, WEBHOOK_SECRET)
        if problem is not None or len(secret) < _LEAST_SECRET:
            raise ValueError(problem or f"the secret has less than {_LEAST_SECRET} bytes")
        self._url = urlsplit(url)
        self._secret = secret
        self._timeout_s = timeout_s
        self._tls = tls
        # Neither path nor query: they may hold a token.
        self._where = f"{self._url.scheme}://{self._url.netloc}"

    def send(self, notice: Notice, at: datetime) -> NotSent | None:
        """Post one notice."""
        body = json.dumps({**as_json(notice), "sent_at": clock(at)}, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "exchange-bus",
            SIGNATURE: signature(self._secret, body),
            NOTICE_ID: str(notice.id),
        }
        connection = self._connection()
        try:
            connection.request("POST", self._target(), body, headers)
            status = connection.getresponse().status
        except TimeoutError:
            return self._not_sent(SendProblem.TIMEOUT, f"does not answer within {self._timeout_s:g} s")
        except ssl.SSLError as error:
            return self._not_sent(SendProblem.TLS, f"cannot be trusted or does not speak TLS ({type(error).__name__})")
        except (OSError, HTTPException) as error:
            return self._not_sent(SendProblem.UNREACHABLE, f"cannot be reached ({type(error).__name__})")
        finally:
            connection.close()
        if status in _REDIRECTS:
            return self._not_sent(SendProblem.REFUSED, f"answers with a redirect ({status}), which is not followed")
        if status not in _OK:
            return self._not_sent(SendProblem.REFUSED, f"refuses the notice ({status})")
        return None

    def _connection(self) -> HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "https":
            self._tls = self._tls or ssl.create_default_context()
            return HTTPSConnection(host, port, timeout=self._timeout_s, context=self._tls)
        return HTTPConnection(host, port, timeout=self._timeout_s)

    def _target(self) -> str:
        return (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")

    def _not_sent(self, problem: SendProblem, what: str) -> NotSent:
        return NotSent(problem, f"the webhook at {self._where} {what}")
