"""What a cross-check may know of a record: keyed digests of normalised values, and which conditions hold.

Equal values have equal digests under one key, whatever field they stand in; without the key a digest says nothing, and
no value can be read from it. Conditions (a status, an empty date) become yes or no here, so that who compares needs no
key at all. Facts are made where content is readable, travel in the record (`schemas/provenance.py:COMPARED`), and are
read by `fact_of`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from hashlib import blake2b
from typing import Any

from compliance.crosschecks import NAME_ROLE, CrossCheck, Normaliser, Side
from processors.keying import TOKEN_BYTES
from schemas.resource import ResourceSchema

DIGEST_BYTES = 16
_SPACES = re.compile(r"\s+")
# The middle dots that stand between the parts of a transcribed name, in every shape that keyboards have.
_DOTS = re.compile(r"[·•‧∙⋅・･.．]")
_MARKS = re.compile(r"[\W_]+")
_EPOCH = date(1970, 1, 1)
# Operations after which a record does not stand at its key any more.
_GONE = ("WITHDRAW", "MOVE")
HomeToken = Callable[[str, str, date], bytes | None]
Digest = Callable[[object], bytes | None]
_SUPPLIES = ("CREATE", "UPDATE", "CANCEL")


def normalised(value: object, how: Normaliser) -> str | None:
    """What a value has in common with those that mean the same; None for nothing and for blanks."""
    if value is None:
        return None
    if how is Normaliser.DATE:
        return _day(value)
    text = str(value)
    # Letters and digits alone, in the form that NFKC gives them, hold nothing that is taken out below.
    if text.isalnum() and unicodedata.is_normalized("NFKC", text):
        return text.upper()
    text = _SPACES.sub("", unicodedata.normalize("NFKC", text))
    if how is Normaliser.NAME:
        text = _DOTS.sub("", text).upper()
    elif how is Normaliser.CODE:
        text = text.upper()
    else:
        text = _MARKS.sub("", text).upper()
    return text or None


def _day(value: object) -> str:
    if isinstance(value, int):
        try:
            value = date.fromordinal(_EPOCH.toordinal() + value)
        except (ValueError, OverflowError):
            return str(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def is_blank(value: object) -> bool:
    """Whether a field has no value: null, empty, or a text of white space alone."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value in (None, b"")


@dataclass(frozen=True, slots=True)
class Digester:
    """Makes digests under one secret key of 32 bytes, known by its id.

    BLAKE2b with a key is a MAC by its design (RFC 7693, 2.9), and costs a third of HMAC-SHA256 on short texts.
    """

    key_id: str
    key: bytes = field(repr=False)

    def by(self, how: Normaliser) -> Digest:
        """What makes digests by one normaliser: 16 bytes of a value; None of nothing."""
        keyed = blake2b(digest_size=DIGEST_BYTES, key=self.key, person=how.value.encode())

        def digest(value: object) -> bytes | None:
            text = normalised(value, how)
            if text is None:
                return None
            hashing = keyed.copy()
            hashing.update(text.encode())
            return hashing.digest()

        return digest

    def of(self, value: object, how: Normaliser) -> bytes | None:
        """The digest of one value, as `by` makes it."""
        return self.by(how)(value)


@dataclass(frozen=True, slots=True)
class RecordFact:
    """One version of one record, as far as it is compared.

    Attributes:
        token: of the subject.
        record: what tells it from the subject's other records of the resource; empty where there is one.
        version: its place in the record's partition; of two versions the later stands.
        business_time: milliseconds; 0 where it is not told.
        agency: who published it.
        present: False when it was withdrawn or moved away.
        digests: by `field:NORMALISER`; only of fields that have a value.
        holds: the sides of checks whose conditions it meets, as `check.left`.
        references: by field of a second number, the token that it leads to.
        division: of the subject, GB/T 2260.
        admitted_at: milliseconds.
        missing: fields that the catalogue wants and that have no value.
        key_id: of the key behind the digests; None where the record is older than facts, so that it may be compared
            with nothing and what it holds is not known.
        supplies: whether it brings something new here: no correction, no withdrawal, nothing that was moved.
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
    division: str = ""
    admitted_at: int = 0
    missing: tuple[str, ...] = ()
    key_id: str | None = ""
    supplies: bool = False


def fact_of(resource: str, offset: int, key: bytes, record: Mapping[str, Any] | None) -> RecordFact:
    """The fact of one message of a record topic; nothing is opened.

    Args:
        resource: of the topic.
        offset: of the message in its partition.
        key: of the message: token, and what tells the subject's records apart.
        record: the value with wire values, as any version of the record schema reads it; None for a tombstone.
    """
    token, discriminator = key[:TOKEN_BYTES], key[TOKEN_BYTES:]
    if record is None:
        return RecordFact(resource, token, discriminator, "", offset, 0, "", present=False)
    head, submission = record["change"], record["submission"]
    present, compared = head["operation"] not in _GONE, record.get("compared")
    known: Mapping[str, Any] = compared if present and compared is not None else {}
    return RecordFact(
        resource,
        token,
        discriminator,
        head["event_id"],
        offset,
        head["business_time"],
        submission["agency"],
        present,
        known.get("digests", {}),
        frozenset(known.get("holds", ())),
        known.get("references", {}),
        head["subject_division_code"],
        submission["admitted_at"],
        tuple(known.get("missing", ())),
        known.get("key_id", None if present else ""),
        head["operation"] in _SUPPLIES and head.get("moved_at") is None,
    )


@dataclass(frozen=True)
class FactMaker:
    """Makes facts from rows, where their content is still readable.

    Args:
        checks: what will be compared.
        digester: the key.
        home: the home token of a document type and number on a day, None where they identify nobody.
    """

    checks: tuple[CrossCheck, ...]
    digester: Digester
    home: HomeToken

    @cached_property
    def resources(self) -> frozenset[str]:
        """The resources that any check looks at."""
        return frozenset(name for _, side in self.sides for name in side.resources)

    def compared(
        self, schema: ResourceSchema, wanted: Iterable[str], data: Mapping[str, Any], on: date
    ) -> dict[str, Any]:
        """All that a record shows to cross-checks, as `COMPARED` wants it.

        Args:
            schema: of the row.
            wanted: fields that the catalogue wants.
            data: the row.
            on: the day on which second numbers must make sense.
        """
        return {
            "key_id": self.digester.key_id,
            "digests": self.digests(schema, data),
            "holds": self.holds(schema.code, data),
            "references": self.references(schema.code, data, on),
            "missing": [name for name in wanted if is_blank(data.get(name))],
        }

    def digests(self, schema: ResourceSchema, data: Mapping[str, Any]) -> dict[str, bytes]:
        """The digests of the compared fields of a row."""
        found = {}
        for name, at, how in self.compared_fields(schema):
            digest = self.digester.of(data.get(at), how)
            if digest is not None:
                found[f"{name}:{how.value}"] = digest
        return found

    def holds(self, resource: str, data: Mapping[str, Any]) -> list[str]:
        """The sides of checks whose conditions a row meets, in the checks' order."""
        return [name for name, side in self.sides if resource in side.resources and meets(side, data)]

    def references(self, resource: str, data: Mapping[str, Any], on: date) -> dict[str, bytes]:
        """Where the second numbers of a row lead to."""
        found = {}
        for type_field, number_field in self.second_numbers(resource):
            document, number = data.get(type_field), data.get(number_field)
            token = self.home(str(document), str(number), on) if document and number else None
            if token is not None:
                found[number_field] = token
        return found

    @cached_property
    def sides(self) -> tuple[tuple[str, Side], ...]:
        """Every side of every check with its name, as `check.left`."""
        return tuple(_sides(self.checks))

    def compared_fields(self, schema: ResourceSchema) -> tuple[tuple[str, str, Normaliser], ...]:
        """What is digested of a resource: the name that the check uses, the field that it means, how."""
        found: dict[tuple[str, str, Normaliser], None] = {}
        for check in self.checks:
            for comparison in check.compare:
                for side, name in ((check.left, comparison.left), (check.right, comparison.right)):
                    at = schema.subject.name_field if name == NAME_ROLE else name
                    if at is not None and side is not None and schema.code in side.resources:
                        found[name, at, comparison.normalise] = None
        return tuple(found)

    def second_numbers(self, resource: str) -> tuple[tuple[str, str], ...]:
        """The type and number fields of the second identities that a resource holds."""
        links = [check.link for check in self.checks if check.link and resource in check.left.resources]
        return tuple({link.number_field: (link.type_field, link.number_field) for link in links}.values())


def _sides(checks: Iterable[CrossCheck]) -> Iterable[tuple[str, Side]]:
    for check in checks:
        yield f"{check.id}.left", check.left
        if check.right is not None:
            yield f"{check.id}.right", check.right


def meets(side: Side, data: Mapping[str, Any]) -> bool:
    """Whether a row meets the conditions of a side."""
    for name, values in side.where.items():
        if str(data.get(name)) not in values:
            return False
    for name in side.given:
        if data.get(name) in (None, ""):
            return False
    return all(data.get(name) in (None, "") for name in side.empty)
