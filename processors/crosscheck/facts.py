"""What a cross-check may know of a record: keyed digests of normalised values, and which conditions hold.

Equal values have equal digests under one key, whatever field they stand in; without the key a digest says nothing, and
no value can be read from it. Conditions (a status, an empty date) become yes or no here, so that who compares needs no
key at all.
"""

import hmac
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from compliance.crosschecks import NAME_ROLE, CrossCheck, Normaliser, Side
from schemas.resource import ResourceSchema

DIGEST_BYTES = 16
_SPACES = re.compile(r"\s+")
# The middle dots that stand between the parts of a transcribed name, in every shape that keyboards have.
_DOTS = re.compile(r"[·•‧∙⋅・･.．]")
_MARKS = re.compile(r"[\W_]+")
_EPOCH = date(1970, 1, 1)
Tokens = Callable[[str, str], bytes | None]


def normalised(value: object, how: Normaliser) -> str | None:
    """What a value has in common with those that mean the same; None for nothing and for blanks."""
    if value is None:
        return None
    if how is Normaliser.DATE:
        if isinstance(value, date):
            return value.isoformat()
        return date.fromordinal(_EPOCH.toordinal() + value).isoformat() if isinstance(value, int) else str(value)
    text = _SPACES.sub("", unicodedata.normalize("NFKC", str(value)))
    if how is Normaliser.NAME:
        text = _DOTS.sub("", text).upper()
    elif how is Normaliser.CODE:
        text = text.upper()
    else:
        text = _MARKS.sub("", text).upper()
    return text or None


@dataclass(frozen=True, slots=True)
class Digester:
    """Makes digests under one secret key of 32 bytes, known by its id."""

    key_id: str
    key: bytes = field(repr=False)

    def of(self, value: object, how: Normaliser) -> bytes | None:
        """The digest of a value: 16 bytes; None for nothing."""
        text = normalised(value, how)
        if text is None:
            return None
        return hmac.digest(self.key, how.value.encode() + b"\0" + text.encode(), "sha256")[:DIGEST_BYTES]


@dataclass(frozen=True, slots=True)
class RecordFact:
    """One version of one record, as far as it is compared.

    Attributes:
        token: of the subject.
        record: what tells it from the subject's other records of the resource; empty where there is one.
        version: its place in the record's partition; of two versions the later stands.
        business_time: milliseconds.
        agency: who published it.
        present: False when it was withdrawn or moved away.
        digests: by `field:NORMALISER`; only of fields that have a value.
        holds: the sides of checks whose conditions it meets, as `check.left`.
        references: by field of a second number, the token that it leads to.
    """

    resource: str
    token: bytes
    record: bytes
    event_id: str
    version: int
    business_time: int
    agency: str
    present: bool = True
    digests: Mapping[str, bytes] = field(default_factory=dict)
    holds: frozenset[str] = frozenset()
    references: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class FactMaker:
    """Makes facts from rows, where their content is still readable.

    Args:
        checks: what will be compared.
        digester: the key.
        tokens: the home token of a document type and number, None where it identifies nobody.
    """

    checks: tuple[CrossCheck, ...]
    digester: Digester
    tokens: Tokens

    @cached_property
    def resources(self) -> frozenset[str]:
        """The resources that any check looks at."""
        return frozenset(name for _, side in self._sides for name in side.resources)

    def digests(self, schema: ResourceSchema, data: Mapping[str, Any]) -> dict[str, bytes]:
        """The digests of the compared fields of a row."""
        found = {}
        for name, how in self._compared.get(schema.code, ()):
            at = schema.subject.name_field if name == NAME_ROLE else name
            digest = self.digester.of(data.get(at) if at else None, how)
            if digest is not None:
                found[f"{name}:{how.value}"] = digest
        return found

    def holds(self, resource: str, data: Mapping[str, Any]) -> frozenset[str]:
        """The sides of checks whose conditions a row meets."""
        return frozenset(name for name, side in self._sides if resource in side.resources and _meets(side, data))

    def references(self, resource: str, data: Mapping[str, Any]) -> dict[str, bytes]:
        """Where the second numbers of a row lead to."""
        found = {}
        for check in self.checks:
            if check.link is None or resource not in check.left.resources:
                continue
            document, number = data.get(check.link.type_field), data.get(check.link.number_field)
            token = self.tokens(str(document), str(number)) if document and number else None
            if token is not None:
                found[check.link.number_field] = token
        return found

    @cached_property
    def _sides(self) -> tuple[tuple[str, Side], ...]:
        return tuple(_sides(self.checks))

    @cached_property
    def _compared(self) -> dict[str, tuple[tuple[str, Normaliser], ...]]:
        found: dict[str, dict[tuple[str, Normaliser], None]] = {}
        for check in self.checks:
            for comparison in check.compare:
                for side, name in ((check.left, comparison.left), (check.right, comparison.right)):
                    for resource in side.resources if side else ():
                        found.setdefault(resource, {})[name, comparison.normalise] = None
        return {resource: tuple(fields) for resource, fields in found.items()}


def _sides(checks: Iterable[CrossCheck]) -> Iterable[tuple[str, Side]]:
    for check in checks:
        yield f"{check.id}.left", check.left
        if check.right is not None:
            yield f"{check.id}.right", check.right


def _meets(side: Side, data: Mapping[str, Any]) -> bool:
    def given(name: str) -> bool:
        return data.get(name) not in (None, "")

    return (
        all(str(data.get(name)) in values for name, values in side.where.items())
        and all(given(name) for name in side.given)
        and not any(given(name) for name in side.empty)
    )
