"""One field of a resource: what the schema says of it, and whether a value is one of its type."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from schemas.refusals import RefusalCode, Refused
from schemas.words import SharingClass

# Days and milliseconds since 1970 of 0001-01-01 and of the end of 9999-12-31; 32 bits.
_BOUNDS = {
    "date": (-719_162, 2_932_896),
    "timestamp": (-62_135_596_800_000, 253_402_300_799_999),
    "int": (-(2**31), 2**31 - 1),
}
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "int": (int,),
    "long": (int,),
    "double": (float, int),
    "float": (float, int),
    "boolean": (bool,),
    "bytes": (bytes,),
    "date": (date,),
    "timestamp": (datetime,),
    "decimal": (Decimal,),
}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a resource, with the attributes that the rules read.

    Attributes:
        avro: the field's Avro type, a union with null.
        section: open, identity or restricted (Art 47).
        sharing: the class that the schema proposes (Art 4); the catalogue may say otherwise.
        required: whether the schema proposes that it must be present.
        code_list, code_policy: the list its values come from, and refuse | flag | accept for unknown ones.
    """

    name: str
    cn: str
    avro: Any
    section: str
    sharing: SharingClass
    role: str | None
    required: bool
    code_list: str | None
    code_policy: str
    attributes: Mapping[str, Any]

    @property
    def value_type(self) -> str:
        """The kind of value that a publisher hands over: string, int, date, timestamp, decimal or bytes."""
        branch = (
            next((part for part in self.avro if part != "null"), "null") if isinstance(self.avro, list) else self.avro
        )
        if isinstance(branch, Mapping):
            logical = branch.get("logicalType")
            names = {"date": "date", "timestamp-millis": "timestamp", "decimal": "decimal"}
            return names.get(str(logical), str(branch["type"]))
        return str(branch)

    @property
    def bounds(self) -> tuple[int, int] | None:
        """The least and the greatest number on the wire that a reader can take, where the wire can hold others.

        Avro's days and milliseconds reach further than the years 1 to 9999 of readers' calendars, the bytes of a
        decimal can hold more digits than its precision, and an int is written as a long is.
        """
        if self.value_type == "decimal":
            branch = next(part for part in self.avro if part != "null")
            most: int = 10 ** int(branch["precision"]) - 1
            return -most, most
        return _BOUNDS.get(self.value_type)

    def check(self, value: object) -> Refused | None:
        """Whether a value has the type that the schema says; none at all always has.

        Stricter than the Avro library, which takes a string or a bare number for a date and cuts an aware datetime
        to its own day.
        """
        if value is None:
            return None
        kind = self.value_type
        wanted = _PYTHON_TYPES.get(kind, ())
        wrong_bool = isinstance(value, bool) and kind != "boolean"
        wrong_date = kind == "date" and isinstance(value, datetime)
        if not isinstance(value, wanted) or wrong_bool or wrong_date:
            return Refused(RefusalCode.E_SCHEMA, f"wants {kind}, got {type(value).__name__}", self.name)
        if isinstance(value, datetime) and value.tzinfo is None:
            return Refused(RefusalCode.E_SCHEMA, "wants an aware timestamp, got a naive one", self.name)
        if isinstance(value, Decimal) and not _fits(value, self.avro):
            return Refused(RefusalCode.E_SCHEMA, "does not fit the decimal's precision and scale", self.name)
        return None


def _fits(value: Decimal, avro: Any) -> bool:  # noqa: ANN401  any Avro type
    branch = next(part for part in avro if part != "null") if isinstance(avro, list) else avro
    if not value.is_finite():
        return False
    _, digits, exponent = value.as_tuple()
    scale = -int(exponent)
    most_scale, precision = int(branch.get("scale", 0)), int(branch["precision"])
    return scale <= most_scale and len(digits) - scale + most_scale <= precision


def field_of(spec: Mapping[str, Any]) -> FieldSpec:
    """A field as the `.avsc` file describes it."""
    return FieldSpec(
        name=spec["name"],
        cn=spec["cn"],
        avro=spec["type"],
        section=spec["section"],
        sharing=SharingClass(spec.get("sharing", SharingClass.CONDITIONAL)),
        role=spec.get("role"),
        required=spec.get("required", False),
        code_list=spec.get("code_list"),
        code_policy=spec.get("code_policy", "accept"),
        attributes=dict(spec),
    )
