"""What stands before the data of a record and of a delivery: where it comes from, who answers for it, under which grant.

The same for every resource, so that any reader finds it at the same place.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from schemas.codec import Codec
from schemas.wire import after_long, after_sized, content, long, sized, strings, text

NAMESPACE: Final = "cn.gov.huizhou.exchange"
TIMESTAMP: Final = {"type": "long", "logicalType": "timestamp-millis"}
# Branches of a union with null, and the block that ends an array.
_NULL, _VALUE, _END = b"\x00", b"\x02", b"\x00"
_WITHDRAW = text("WITHDRAW")
UUID: Final = {"type": "string", "logicalType": "uuid"}

HEAD = {
    "type": "record",
    "name": "ChangeHead",
    "namespace": NAMESPACE,
    "fields": [
        {"name": "event_id", "type": UUID},
        {"name": "operation", "type": "string"},
        {"name": "business_time", "type": TIMESTAMP},
        {"name": "subject_division_code", "type": "string"},
        {"name": "supersedes", "type": ["null", "string"], "default": None},
        {"name": "flags", "type": {"type": "array", "items": "string"}, "default": []},
        {"name": "index", "type": "int", "doc": "place within the submission"},
        {"name": "discriminator", "type": "bytes", "default": "", "doc": "what tells apart the records of one subject"},
        {
            "name": "moved_to",
            "type": ["null", "bytes"],
            "default": None,
            "doc": "token of the subject's home, of a MOVE",
        },
        {"name": "moved_at", "type": ["null", TIMESTAMP], "default": None, "doc": "when it was moved to this key"},
    ],
}
FACTS: dict[str, Any] = {
    "type": "record",
    "name": "SubmissionFacts",
    "namespace": NAMESPACE,
    "fields": [
        {"name": "submission_id", "type": UUID},
        {"name": "agency", "type": "string"},
        {"name": "partition", "type": "int", "doc": "of the submission on its change topic"},
        {"name": "offset", "type": "long"},
        {"name": "certificate", "type": "string", "doc": "serial number of the signing certificate"},
        {"name": "catalogue_version", "type": "int", "doc": "as cited by the submission"},
        {"name": "layout_version", "type": "int", "doc": "catalogue version whose schema laid the sections out"},
        {"name": "review_number", "type": "string"},
        {"name": "freshness", "type": "string"},
        {"name": "sharing", "type": "string"},
        {"name": "published_at", "type": TIMESTAMP},
        {"name": "admitted_at", "type": TIMESTAMP},
        {"name": "key_id", "type": "string", "doc": "of the keys that sealed the sections"},
        {"name": "token_key", "type": "string", "default": "", "doc": "of the keys behind token and record key"},
    ],
}
COMPARED: dict[str, Any] = {
    "type": "record",
    "name": "Compared",
    "namespace": NAMESPACE,
    "fields": [
        {"name": "key_id", "type": "string", "doc": "of the key behind the digests"},
        {
            "name": "digests",
            "type": {"type": "map", "values": "bytes"},
            "doc": "by field:NORMALISER, the keyed digest of the value's normalised form",
        },
        {
            "name": "holds",
            "type": {"type": "array", "items": "string"},
            "doc": "the sides of cross-checks whose conditions it meets, as check.left",
        },
        {
            "name": "references",
            "type": {"type": "map", "values": "bytes"},
            "doc": "by field of a second number, the token of that subject's home",
        },
        {
            "name": "missing",
            "type": {"type": "array", "items": "string"},
            "doc": "fields that the catalogue wants and that have no value",
        },
    ],
}
PROVENANCE: list[dict[str, Any]] = [
    {"name": "event_id", "type": UUID},
    {"name": "operation", "type": "string"},
    {"name": "reason", "type": ["null", "string"], "default": None},
    {"name": "subject", "type": "bytes", "doc": "pairwise pseudonym of the subject (decisions 20)"},
    {"name": "owner", "type": "string"},
    {"name": "business_time", "type": TIMESTAMP},
    {"name": "published_at", "type": TIMESTAMP},
    {"name": "admitted_at", "type": TIMESTAMP},
    {"name": "catalogue_version", "type": "int"},
    {"name": "grant", "type": "string"},
    {"name": "supersedes", "type": ["null", "string"], "default": None},
    {"name": "flags", "type": {"type": "array", "items": "string"}, "default": []},
    {
        "name": "moved_to",
        "type": ["null", "bytes"],
        "default": None,
        "doc": "pseudonym under which the subject goes on",
    },
    {"name": "moved_at", "type": ["null", TIMESTAMP], "default": None, "doc": "when the record came to this subject"},
]


@cache
def record_head() -> Codec:
    """Codec of the first part of every record: what is the change's own."""
    return Codec(HEAD)


def head_bytes(
    event_id: str,
    operation: str,
    business_time: int,
    division: str,
    supersedes: str | None,
    flags: Sequence[str],
    index: int,
    discriminator: bytes,
) -> bytes:
    """The bytes of a head that admit writes, as `record_head` would write it: not moved, and so without its two marks."""
    return b"".join(
        (
            text(event_id),
            text(operation),
            long(business_time),
            text(division),
            _NULL if supersedes is None else _VALUE + text(supersedes),
            long(len(flags)) + b"".join(map(text, flags)) + _END if flags else _END,
            long(index),
            content(discriminator),
            _NULL,
            _NULL,
        )
    )


class RecordHead(NamedTuple):
    """The head of a record, cut: what deliver looks at is read, what it only passes on stays as it was written.

    Attributes:
        named: event id and operation, as written.
        business_time, supersedes, moved_at: as written.
        end: the offset behind the head.
    """

    event_id: bytes
    operation: bytes
    division: str
    flags: tuple[str, ...]
    moved_to: bytes | None
    named: bytes
    business_time: bytes
    supersedes: bytes
    moved_at: bytes
    end: int

    @property
    def moved(self) -> bool:
        """Whether it was moved to its key by an identity link."""
        return self.moved_at != _NULL


def cut_head(data: bytes, at: int) -> RecordHead:
    """The head that begins at an offset.

    Raises:
        IndexError, UnicodeDecodeError: these are no bytes of a head.
    """
    named = after_sized(data, at)
    operated = after_sized(data, named)
    timed = after_long(data, operated)
    divided = after_sized(data, timed)
    superseded = after_sized(data, divided + 1) if data[divided] else divided + 1
    flags, flagged = strings(data, superseded) if data[superseded] else ((), superseded + 1)
    told = after_sized(data, after_long(data, flagged))
    moved_to = sized(data, told + 1) if data[told] else None
    moved = after_sized(data, told + 1) if data[told] else told + 1
    end = after_long(data, moved + 1) if data[moved] else moved + 1
    return RecordHead(
        sized(data, at),
        sized(data, named),
        sized(data, timed).decode(),
        flags,
        moved_to,
        data[at:operated],
        data[operated:timed],
        data[divided:superseded],
        data[moved:end],
        end,
    )


@cache
def record_facts() -> Codec:
    """Codec of the second part of every record: what all changes of one submission share."""
    return Codec(FACTS)


@cache
def record_compared() -> Codec:
    """Codec of what a record shows to cross-checks, without the union's branch before it."""
    return Codec(COMPARED)


class Facts(NamedTuple):
    """The second part of a record, which all records of one submission have in common.

    Attributes:
        raw: its bytes; no facts are the beginning of others, since Avro says where each value ends.
        times: when it was published and admitted, and the catalogue version, as a delivery states them.
    """

    raw: bytes
    agency: bytes
    times: bytes
    published_at: int
    admitted_at: int
    layout_version: int
    key_id: str


_FACT_CUTS: Final = tuple(after_sized if field["type"] in (UUID, "string") else after_long for field in FACTS["fields"])


def cut_facts(data: bytes, at: int) -> Facts:
    """The facts that begin at an offset; errors as `cut_head`, or SchemaError."""
    end = at
    for after in _FACT_CUTS:
        end = after(data, end)
    raw = data[at:end]
    facts = record_facts().decode_physical(raw)
    return Facts(
        raw,
        text(facts["agency"]),
        long(facts["published_at"]) + long(facts["admitted_at"]) + long(facts["catalogue_version"]),
        facts["published_at"],
        facts["admitted_at"],
        facts["layout_version"],
        facts["key_id"],
    )


def delivery_bytes(
    head: RecordHead,
    facts: Facts,
    subject: bytes,
    grant: bytes,
    leaves: str | None,
    flags: Sequence[str],
    moved_to: bytes | None,
) -> bytes:
    """The bytes of a delivery's first part, as `delivery_head` would write them.

    Args:
        head: of the record.
        facts: of the record.
        subject: the pseudonym.
        grant: the grant's id, as written.
        leaves: the reason with which the record leaves the subscriber, as a WITHDRAW; None where it arrives.
        flags: those that the subscriber may see.
        moved_to: the pseudonym under which the subject goes on.
    """
    return b"".join(
        (
            head.named + _NULL if leaves is None else content(head.event_id) + _WITHDRAW + _VALUE + text(leaves),
            content(subject),
            facts.agency,
            head.business_time,
            facts.times,
            grant,
            head.supersedes,
            long(len(flags)) + b"".join(map(text, flags)) + _END if flags else _END,
            _NULL if moved_to is None else _VALUE + content(moved_to),
            head.moved_at,
        )
    )


@cache
def delivery_head() -> Codec:
    """Codec of the first part of every delivery: where it comes from and under which grant."""
    return Codec({"type": "record", "name": "Provenance", "namespace": NAMESPACE, "fields": PROVENANCE})
