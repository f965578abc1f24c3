"""The names of a row's versions: event ids that its source can find again, and nobody else (Art 10).

An id is a keyed digest of the row's key, its time of change and what is published of it. So the same row has the same
id whenever it is read, after a kill too, and source and bus can compare what they hold by ids alone. Under a key that
never leaves the agency: who knows a person and guesses a row cannot find its id in a delivery.
"""

import hmac
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from schemas.words import Change

Plain = str | int | float | bool | None
_VERSION, _VARIANT = 0x80, 0x80


class VersionNames:
    """Names the versions of one agency's rows of one resource.

    Args:
        secret: the agency's own key.
        agency: its code.
        resource: what the rows are of; neither connector nor catalogue version, or a renamed connector and a new field
            would give every row another name.
    """

    def __init__(self, secret: bytes, agency: str, resource: str) -> None:
        self._start = hmac.new(secret, f"{agency}\0{resource}\0".encode(), "sha256")

    def event_id(self, key: Sequence[object], change: Change) -> str:
        """The id of a row's version: a UUID of version 8 (RFC 9562), the form for what the others do not say.

        Its time of change is part of it, so a row that returns to an earlier content is another version. Fields that
        are empty are not, so a field that the resource or the source gains later changes no id by itself.

        Args:
            key: the values of the row's key columns.
            change: the row as it is published; its own id is not looked at.
        """
        data = [[name, _plain(value)] for name, value in sorted(change.data.items()) if value is not None]
        rest = [change.operation.value, change.division, change.supersedes]
        content = [[str(_plain(part)) for part in key], _plain(change.business_time), *rest, data]
        keyed = self._start.copy()
        keyed.update(json.dumps(content, separators=(",", ":")).encode())
        found = bytearray(keyed.digest()[:16])
        found[6] = found[6] & 0x0F | _VERSION
        found[8] = found[8] & 0x3F | _VARIANT
        return str(uuid.UUID(bytes=bytes(found)))


def _plain(value: object) -> Plain:
    """Equal values in one form, however the database's driver gave them: 1.50 and 1.5, one instant in two zones."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat() if value.tzinfo is None else value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal) and value.is_finite():
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value.hex() if isinstance(value, bytes) else str(value)
