"""The facts of one subject, as the cross-check worker keeps them: Avro bytes."""

from collections.abc import Mapping
from typing import Any

from processors.crosscheck.facts import RecordFact
from processors.crosscheck.words import RecordName
from schemas.codec import Codec

Records = Mapping[RecordName, RecordFact]
_RECORDS = Codec(
    {
        "type": "record",
        "name": "Records",
        "fields": [
            {
                "name": "records",
                "type": {
                    "type": "array",
                    "items": {
                        "type": "record",
                        "name": "Fact",
                        "fields": [
                            {"name": "resource", "type": "string"},
                            {"name": "record", "type": "bytes"},
                            {"name": "event_id", "type": "string"},
                            {"name": "version", "type": "long"},
                            {"name": "business_time", "type": "long"},
                            {"name": "agency", "type": "string"},
                            {"name": "present", "type": "boolean"},
                            {"name": "digests", "type": {"type": "map", "values": "bytes"}},
                            {"name": "holds", "type": {"type": "array", "items": "string"}},
                            {"name": "references", "type": {"type": "map", "values": "bytes"}},
                            {"name": "division", "type": "string"},
                            {"name": "admitted_at", "type": "long"},
                            {"name": "missing", "type": {"type": "array", "items": "string"}},
                            {"name": "key_id", "type": ["null", "string"]},
                        ],
                    },
                },
            }
        ],
    }
)


def encoded(records: Records) -> bytes:
    """The facts of one subject as Avro bytes."""
    return _RECORDS.encode_physical({"records": [_datum(fact) for fact in records.values()]})


def decoded(token: bytes, value: bytes) -> Records:
    """The facts of one subject.

    Raises:
        SchemaError: nobody wrote these bytes.
    """
    found = _RECORDS.decode_physical(value)["records"]
    return {(fact["resource"], fact["record"]): _fact(token, fact) for fact in found}


def _datum(fact: RecordFact) -> dict[str, Any]:
    return {
        "resource": fact.resource,
        "record": fact.record,
        "event_id": fact.event_id,
        "version": fact.version,
        "business_time": fact.business_time,
        "agency": fact.agency,
        "present": fact.present,
        "digests": fact.digests,
        "holds": sorted(fact.holds),
        "references": fact.references,
        "division": fact.division,
        "admitted_at": fact.admitted_at,
        "missing": list(fact.missing),
        "key_id": fact.key_id,
    }


def _fact(token: bytes, datum: Mapping[str, Any]) -> RecordFact:
    return RecordFact(
        datum["resource"],
        token,
        datum["record"],
        datum["event_id"],
        datum["version"],
        datum["business_time"],
        datum["agency"],
        datum["present"],
        datum["digests"],
        frozenset(datum["holds"]),
        datum["references"],
        datum["division"],
        datum["admitted_at"],
        tuple(datum["missing"]),
        datum["key_id"],
    )
