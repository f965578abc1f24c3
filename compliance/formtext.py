"""What is to be filled in for an action, as a YAML form that says of every field what it wants."""

from collections.abc import Iterator, Mapping
from typing import Any

from compliance.diagram import actors
from compliance.workflow import Transition, Workflow

_FORMATS = {"date": "a date as 2026-01-31", "date-time": "an instant with its time zone, as 2026-01-31T08:00:00+08:00"}
_TYPES = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}


def form_text(workflow: Workflow, transition: Transition) -> str:
    """An empty form with its fields' help as comments; optional fields are comments too, to be opened up."""
    head = [
        f"{workflow.zh} {workflow.code}: {transition.zh} {transition.action} ({transition.en})",
        f"Art {transition.article}; by {actors(transition)}",
    ]
    lines = [f"# {line}" for line in head]
    if transition.form is None:
        return "\n".join([*lines, "# nothing is to be filled in", ""])
    schema = transition.form.model_json_schema(by_alias=True)
    lines += _fields(schema, schema.get("$defs", {}), "")
    return "\n".join([*lines, ""])


def _fields(schema: Mapping[str, Any], defs: Mapping[str, Any], indent: str) -> Iterator[str]:
    required = set(schema.get("required", ()))
    for name, told in schema.get("properties", {}).items():
        optional = name not in required
        what, inner = _kind(told, defs)
        said = told.get("description") or inner.get("description") or ""
        wanted = "optional" if optional else "required"
        default = told.get("default")
        if optional and default not in (None, [], {}):
            wanted += f", {default} if not given"
        yield f"{indent}# {name}: {what}; {wanted}" + (f". {' '.join(said.split())}" if said else "")
        mark = "# " if optional else ""
        nested = list(_fields(inner, defs, "")) if inner.get("properties") else []
        many = what.startswith("a list")
        yield f"{indent}{mark}{name}:"
        for number, line in enumerate(nested):
            lead = "  " if not many else "  - " if number == _first_open(nested) else "    "
            yield f"{indent}{mark}{lead}{line}"


def _first_open(lines: list[str]) -> int:
    """Where an item's dash goes: the first line that is no comment."""
    return next((number for number, line in enumerate(lines) if not line.startswith("#")), 0)


def _kind(told: Mapping[str, Any], defs: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """What a value is, in words, and the schema of what stands in it."""
    if "$ref" in told:
        return _kind(defs[told["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in told:
        found = [_kind(option, defs) for option in told["anyOf"] if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(what for what, _ in found)), found[0][1]
    if told.get("type") == "array":
        what, inner = _kind(told.get("items") or {}, defs)
        return f"a list, each {what}", inner
    if told.get("type") == "object":
        return "the fields below" if told.get("properties") else "names and values", told
    return _single(told), {}


def _single(told: Mapping[str, Any]) -> str:
    if "enum" in told:
        return "one of " + ", ".join(str(value) for value in told["enum"])
    if "const" in told:
        return f"always {told['const']}"
    return _FORMATS.get(told.get("format", "")) or _TYPES.get(told.get("type", ""), "a value")
