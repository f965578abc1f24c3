"""Avro bytes to dictionaries and back; the only file that knows fastavro.

Two views of one schema: *logical* (dates as `date`, timestamps as aware `datetime`, decimals as `Decimal`), for
people's code, and *physical* (the integers and bytes that are on the wire), for the hot path, which has no use for objects.
Both write the same bytes.
"""

import io
import json
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import SchemaParseException, to_parsing_canonical_form

from schemas.errors import SchemaError

SchemaLike = str | Mapping[str, Any]
MAGIC = b"\x00"
FRAME_BYTES = 5


def frame(schema_id: int, payload: bytes) -> bytes:
    """Confluent's wire format: a zero byte, the schema id as four bytes big-endian, then the Avro payload."""
    return MAGIC + schema_id.to_bytes(4, "big") + payload


def frame_head(schema_id: int) -> bytes:
    """The five bytes that stand before every payload of one schema."""
    return MAGIC + schema_id.to_bytes(4, "big")


def unframe(value: bytes | None) -> tuple[int, bytes] | None:
    """Schema id and payload of a framed value, or None when the value is not in Confluent's wire format."""
    if value is None or len(value) < FRAME_BYTES or value[:1] != MAGIC:
        return None
    return int.from_bytes(value[1:5], "big"), value[5:]


def without_logical_types(schema: Any) -> Any:  # noqa: ANN401  a schema is any JSON
    """The same schema with only what is on the wire: every `logicalType` removed."""
    if isinstance(schema, list):
        return [without_logical_types(branch) for branch in schema]
    if isinstance(schema, Mapping):
        return {
            name: without_logical_types(part) for name, part in schema.items() if name not in ("logicalType", "default")
        } | ({"default": schema["default"]} if "default" in schema else {})
    return schema


def fingerprint(schema: SchemaLike) -> str:
    """SHA-256 (hex) of the schema's Parsing Canonical Form (Avro 1.12): equal means the same bytes on the wire."""
    try:
        canonical = to_parsing_canonical_form(_as_json(schema))
    except (SchemaParseException, KeyError, TypeError, ValueError, AttributeError) as error:
        raise SchemaError(f"not an Avro schema: {type(error).__name__}") from None
    return sha256(canonical.encode()).hexdigest()


def _as_json(schema: SchemaLike) -> Any:  # noqa: ANN401  a schema is any JSON
    if isinstance(schema, str):
        try:
            return json.loads(schema)
        except json.JSONDecodeError as error:
            raise SchemaError(f"schema is not JSON: {error.msg} at line {error.lineno}") from None
        except (ValueError, RecursionError):  # a number of thousands of digits, brackets thousands deep
            raise SchemaError("schema is not JSON that anybody could read") from None
    return dict(schema)


class Codec:
    """Writer and reader of one Avro schema; holds no state between calls, safe to share.

    Args:
        schema: the Avro schema, as JSON text or parsed JSON.

    Raises:
        SchemaError: when the schema is not valid Avro.
    """

    def __init__(self, schema: SchemaLike) -> None:
        self.schema: Any = _as_json(schema)
        try:
            self._logical = parse_schema(self.schema)
        except (SchemaParseException, KeyError, TypeError, ValueError) as error:
            raise SchemaError(f"not an Avro schema: {error}") from None

    @cached_property
    def _physical(self) -> Any:  # noqa: ANN401  fastavro's parsed schema has no type
        return parse_schema(without_logical_types(self.schema))

    @cached_property
    def fingerprint(self) -> str:
        """See `fingerprint`."""
        return fingerprint(self.schema)

    @cached_property
    def text(self) -> str:
        """The schema as compact JSON text, for the registry."""
        return json.dumps(self.schema, ensure_ascii=False, separators=(",", ":"))

    def encode(self, datum: Mapping[str, Any]) -> bytes:
        """Avro bytes of a datum with logical values; an unknown key or a wrong type is an error, never dropped.

        Raises:
            SchemaError: naming the kind of error, never a value.
        """
        out = io.BytesIO()
        try:
            schemaless_writer(out, self._logical, datum, strict_allow_default=True)
        except Exception as error:  # noqa: BLE001  fastavro raises a dozen kinds, with values in their texts
            raise SchemaError(f"datum does not fit the schema ({type(error).__name__})") from None
        return out.getvalue()

    def decode(self, payload: bytes) -> dict[str, Any]:
        """The datum of Avro bytes, with logical values.

        Raises:
            SchemaError: when the bytes are cut, too long, or not this schema's.
        """
        return self._read(payload, self._logical)

    def encode_physical(self, datum: Mapping[str, Any]) -> bytes:
        """Avro bytes of a datum with wire values; keys that the schema does not name are left out.

        The caller has checked the datum: this is the hot path's inner step, which cuts sections out of a record by
        handing the whole record to each section's codec.
        """
        out = io.BytesIO()
        schemaless_writer(out, self._physical, datum)
        return out.getvalue()

    def decode_physical(self, payload: bytes) -> dict[str, Any]:
        """The datum of Avro bytes, with wire values; errors as `decode`."""
        return self._read(payload, self._physical)

    @staticmethod
    def _read(payload: bytes, schema: Any) -> dict[str, Any]:  # noqa: ANN401  fastavro's parsed schema has no type
        source = io.BytesIO(payload)
        try:
            datum = schemaless_reader(source, schema, None)
        except Exception as error:  # noqa: BLE001  rubbish makes fastavro raise a dozen kinds; all mean the same here
            raise SchemaError(f"payload is not of this schema ({type(error).__name__})") from None
        if source.tell() != len(payload):
            raise SchemaError(f"payload has {len(payload) - source.tell()} bytes after its end")
        if not isinstance(datum, dict):
            raise SchemaError("payload is not a record")
        return datum
