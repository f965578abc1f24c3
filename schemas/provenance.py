"""What stands before the data of a record and of a delivery: where it comes from, who answers for it, under which grant.

The same for every resource, so that any reader finds it at the same place.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from schemas.codec import Codec
from schemas.wire import content, long, text

NAMESPACE: Final = "cn.gov.huizhou.exchange"
TIMESTAMP: Final = {"type": "long", "logicalType": "timestamp-millis"}
# Branches of a union with null, and the block that ends an array.
_NULL, _VALUE, _END = b"\x00", b"\x02", b"\x00"
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
FACTS = {
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


@cache
def record_facts() -> Codec:
    """Codec of the second part of every record: what all changes of one submission share."""
    return Codec(FACTS)


@cache
def delivery_head() -> Codec:
    """Codec of the first part of every delivery: where it comes from and under which grant."""
    return Codec({"type": "record", "name": "Provenance", "namespace": NAMESPACE, "fields": PROVENANCE})
