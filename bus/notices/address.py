"""What may be an address of a webhook and of a mailbox; settings and transports ask the same."""

from urllib.parse import urlsplit

_WANTED = "is not an address: https or http, with a host"
_NOT_IN_MAIL = frozenset(' ,;<>()[]"\\:')


def url_problem(url: str) -> str | None:
    """What is wrong with a webhook's address; None when nothing is."""
    try:
        found = urlsplit(url)
        whole = found.scheme in {"http", "https"} and bool(found.hostname) and found.port != 0
    except ValueError:
        return _WANTED
    if not whole or not url.isascii() or not url.isprintable() or " " in url:
        return _WANTED
    if found.username is not None or found.password is not None:
        return "holds a user or password; what is secret stands in BUS_NOTICE_WEBHOOK_SECRET_FILE"
    return None


def is_mailbox(text: object) -> bool:
    """Whether a text may stand in a header as one address: no space, no second address, one at sign."""
    if not isinstance(text, str) or not text.isascii() or not text.isprintable():
        return False
    name, _, domain = text.partition("@")
    return bool(name and domain) and not set(text) & _NOT_IN_MAIL and "@" not in domain
