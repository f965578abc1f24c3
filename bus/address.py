"""What may be an address on the web and of a mailbox; settings and transports ask the same."""

from urllib.parse import urlsplit

_WANTED = "is not an address: https or http, with a host"
WEBHOOK_SECRET = "what is secret stands in BUS_NOTICE_WEBHOOK_SECRET_FILE"
_NOT_IN_MAIL = frozenset(' ,;<>()[]"\\:')


def url_problem(url: str, instead: str) -> str | None:
    """What is wrong with an address on the web; None when nothing is.

    Args:
        url: the address.
        instead: what is used in place of a user and password, which stand in none.
    """
    try:
        found = urlsplit(url)
        whole = found.scheme in {"http", "https"} and bool(found.hostname) and found.port != 0
    except ValueError:
        return _WANTED
    if not whole or not url.isascii() or not url.isprintable() or " " in url:
        return _WANTED
    if found.username is not None or found.password is not None:
        return f"holds a user or password; {instead}"
    return None


def is_mailbox(text: object) -> bool:
    """Whether a text may stand in a header as one address: no space, no second address, one at sign."""
    if not isinstance(text, str) or not text.isascii() or not text.isprintable():
        return False
    name, _, domain = text.partition("@")
    return bool(name and domain) and not set(text) & _NOT_IN_MAIL and "@" not in domain
