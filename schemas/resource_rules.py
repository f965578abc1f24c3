"""Whether an `.avsc` text is a resource schema: every problem in words, with the attribute or field that has it.

A new resource needs no code (Art 36), so its file is all that the bus has to go by. What a worker could not work with
is told when the file is read, not when the first submission comes.
"""

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from schemas.codelists import names as code_lists
from schemas.errors import SchemaError
from schemas.identity import DOCUMENT_TYPES
from schemas.words import FreshnessClass, SharingClass

SECTIONS = ("open", "identity", "restricted")
KINDS = ("person", "organisation", "feature")
CODE_POLICIES = ("refuse", "flag", "accept")
ROLES = ("subject_type", "subject_number", "subject_name")
_PRIMITIVES = frozenset({"string", "int", "long", "float", "double", "boolean", "bytes"})
_LOGICAL = frozenset({("int", "date"), ("long", "timestamp-millis"), ("bytes", "decimal")})
_TYPES = f"{', '.join(sorted(_PRIMITIVES))}, or date, timestamp-millis or decimal over int, long or bytes"
# As many digits as the decimals of common databases have.
_MOST_DIGITS = 38
_AVRO_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_RESOURCE = re.compile(r"[a-z][a-z0-9_]{1,59}", re.ASCII)


def read(avsc: str) -> dict[str, Any]:
    """The content of a resource schema that obeys the rules.

    Raises:
        SchemaError: with every problem, each naming the attribute or field; never with a value.
    """
    try:
        content = json.loads(avsc)
    except json.JSONDecodeError as error:
        raise SchemaError(
            f"the resource schema is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, brackets thousands deep
        raise SchemaError("the resource schema is not JSON that anybody could read") from None
    if not isinstance(content, dict):
        raise SchemaError("the resource schema is not a JSON object")
    found = [*_head(content), *_fields(content)] or [*_subject(content), *_named(content)]
    if found:
        code = content.get("resource")
        whose = f"resource {code}" if _matches(_RESOURCE, code) else "the resource schema"
        raise SchemaError(f"{whose}: {'; '.join(found)}")
    return content


def _head(content: Mapping[str, Any]) -> Iterator[str]:
    if content.get("type") != "record":
        yield "type must be record"
    if not _matches(_AVRO_NAME, content.get("name")):
        yield "name must be an Avro name"
    if not _matches(_RESOURCE, content.get("resource")):
        yield "resource must be a resource code: a lower-case letter, then 1 to 59 of a-z, 0-9, _"
    for name in ("cn", "article"):
        if not _text(content.get(name)):
            yield f"{name} must be a text"
    if content.get("freshness") not in _values(FreshnessClass):
        yield f"freshness must be one of {', '.join(FreshnessClass)}"
    division = content.get("division")
    by_field = isinstance(division, dict) and set(division) == {"field"} and isinstance(division["field"], str)
    if division != {"publisher": True} and not by_field:
        yield 'division must be {"field": name} or {"publisher": true}'
    yield from _keys(content)
    if not isinstance(content.get("subject"), dict):
        yield "subject must be an object"


def _keys(content: Mapping[str, Any]) -> Iterator[str]:
    key = content.get("record_key")
    if not isinstance(key, list) or not all(_is_key_part(part) for part in key):
        yield "record_key must be a list whose parts are field names, or lists of names of which the first given counts"
    links = content.get("links_to", {"type_field": "", "number_field": ""})
    if not isinstance(links, dict) or set(links) != {"type_field", "number_field"}:
        yield 'links_to must be {"type_field": name, "number_field": name}'


def _fields(content: Mapping[str, Any]) -> Iterator[str]:
    specs = content.get("fields")
    if not isinstance(specs, list) or not specs:
        yield "fields must be a list of at least one field"
        return
    seen = set()
    for number, spec in enumerate(specs, 1):
        if not isinstance(spec, dict):
            yield f"field number {number} must be an object"
            continue
        name = spec.get("name")
        if not _matches(_FIELD_NAME, name):
            yield f"field number {number}: name must be a lower-case letter, then any of a-z, 0-9, _"
            continue
        if name in seen:
            yield f"field {name} stands twice"
        seen.add(name)
        for problem in _field(spec):
            yield f"field {name}: {problem}"


def _field(spec: Mapping[str, Any]) -> Iterator[str]:
    kind = spec.get("type")
    if not (isinstance(kind, list) and len(kind) == 2 and kind[0] == "null" and spec.get("default", 0) is None):  # noqa: PLR2004  null and the type
        yield 'must be ["null", type] with default null (decisions 3)'
    else:
        yield from _type(kind[1])
    if not _text(spec.get("cn")):
        yield "cn must be a text"
    if spec.get("section") not in SECTIONS:
        yield f"section must be one of {', '.join(SECTIONS)}"
    if "sharing" in spec and spec["sharing"] not in _values(SharingClass):
        yield f"sharing must be one of {', '.join(SharingClass)}"
    if not isinstance(spec.get("required", False), bool):
        yield "required must be true or false"
    if "role" in spec and spec["role"] not in ROLES:
        yield f"role must be one of {', '.join(ROLES)}"
    yield from _coded(spec)


def _type(branch: object) -> Iterator[str]:
    kind = branch.get("type") if isinstance(branch, Mapping) else branch
    logical = branch.get("logicalType") if isinstance(branch, Mapping) else None
    fits = isinstance(kind, str) and (kind in _PRIMITIVES if logical is None else (kind, str(logical)) in _LOGICAL)
    if not fits:
        yield f"type must be {_TYPES}"
    elif logical == "decimal" and isinstance(branch, Mapping):
        precision, scale = branch.get("precision"), branch.get("scale", 0)
        if not (_whole(precision, 1, _MOST_DIGITS) and _whole(scale, 0, precision)):
            yield f"a decimal has a precision of 1 to {_MOST_DIGITS} and a scale of 0 to its precision"


def _coded(spec: Mapping[str, Any]) -> Iterator[str]:
    if ("code_list" in spec) is not ("code_policy" in spec):
        yield "code_list and code_policy belong together"
    if "code_list" in spec and spec["code_list"] not in code_lists():
        yield f"code_list must be one of {', '.join(code_lists())}"
    if "code_list" in spec and not _is_string(spec):
        yield "what has a code_list must be a string"
    if "code_policy" in spec and spec["code_policy"] not in CODE_POLICIES:
        yield f"code_policy must be one of {', '.join(CODE_POLICIES)}"


def _subject(content: Mapping[str, Any]) -> Iterator[str]:
    subject = content["subject"]
    if subject.get("kind") not in KINDS:
        yield f"subject.kind must be one of {', '.join(KINDS)}"
    if subject.get("number_field") is None:
        yield "subject.number_field is missing"
    if (subject.get("type_field") is None) is (subject.get("type_constant") is None):
        yield "subject must name either type_field or type_constant"
    if (subject.get("fallback_type") is None) is not (subject.get("fallback_number_field") is None):
        yield "subject.fallback_type and subject.fallback_number_field belong together"
    for name in ("type_constant", "fallback_type"):
        if subject.get(name) is not None and subject[name] not in _values(DOCUMENT_TYPES):
            yield f"subject.{name} must be a document type"


def _named(content: Mapping[str, Any]) -> Iterator[str]:
    """Fields that other attributes name exist, and are text where the bus reads them as such."""
    known = {spec["name"]: spec for spec in content["fields"]}
    subject = content["subject"]
    texts = {
        f"subject.{name}": subject.get(name)
        for name in (
            "type_field",
            "number_field",
            "name_field",
            "fallback_number_field",
            "fallback_reason_field",
            "fallback_class_field",
        )
    }
    classed = subject.get("fallback_class_field")
    if classed in known and "code_list" not in known[classed]:
        yield f"subject.fallback_class_field names {classed}, which has no code_list"
    texts["division.field"] = content["division"].get("field")
    texts |= {f"links_to.{name}": field for name, field in content.get("links_to", {}).items()}
    keys = [name for part in content["record_key"] for name in ([part] if isinstance(part, str) else part)]
    for attribute, name in [*texts.items(), *(("record_key", name) for name in keys)]:
        if name is None:
            continue
        if not isinstance(name, str) or name not in known:
            yield f"{attribute} names a field that does not exist"
        elif attribute in texts and not _is_string(known[name]):
            yield f"{attribute} names {name}, which is not a string"


def _is_key_part(part: object) -> bool:
    names = [part] if isinstance(part, str) else part
    return isinstance(names, list) and names != [] and all(isinstance(name, str) for name in names)


def _is_string(spec: Mapping[str, Any]) -> bool:
    branch = spec["type"][1] if isinstance(spec.get("type"), list) and len(spec["type"]) == 2 else None  # noqa: PLR2004  null and the type
    return (branch.get("type") if isinstance(branch, Mapping) else branch) == "string"


def _values(known: type[StrEnum] | frozenset[str]) -> tuple[str, ...]:
    """As a tuple, so that an unhashable value may be looked for."""
    return tuple(known)


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _whole(value: object, least: int, most: Any) -> bool:  # noqa: ANN401  looked at only once it is known to be a number
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
