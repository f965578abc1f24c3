"""The register's models as events of the `register.*` topics, and back, without loss.

Dates and instants travel as ISO 8601 text: the register is read by people's tools as much as by workers.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from pydantic import ValidationError

from compliance.models import MODELS, RegisterModel
from schemas.errors import SchemaError

_UNKNOWN: Final = "extra_forbidden"  # pydantic's word for a key that a model does not have
_EMPTY: Final[tuple[object, ...]] = (None, "", [], {}, False)


def to_event(model: RegisterModel) -> dict[str, Any]:
    """The datum of a register event, for the envelope schema `register_<kind>`."""
    return model.model_dump(mode="json", by_alias=True)


def from_event(kind: str, datum: Mapping[str, Any]) -> RegisterModel:
    """The model of a register event; keys that an older schema lacks take their defaults.

    A newer bus may write keys that this one does not know. Such a key is passed over where it says nothing (null or
    empty); one that says something could narrow what a grant allows, so the event is refused rather than half read.

    Raises:
        SchemaError: when the event breaks a rule of the model, or says what this version does not know; naming fields
            and never values.
    """
    try:
        return MODELS[kind].model_validate(datum)
    except ValidationError as error:
        news = [item for item in error.errors() if item["type"] == _UNKNOWN]
        if any(item["input"] not in _EMPTY for item in news) or not news:
            raise _refused(kind, error) from None
    try:
        return MODELS[kind].model_validate(_without(datum, [item["loc"] for item in news]))
    except ValidationError as error:
        raise _refused(kind, error) from None


def _refused(kind: str, error: ValidationError) -> SchemaError:
    """What is new is told alone: where a part of an entry is not understood, its rules may be others too."""
    found = error.errors()
    said = [_path(item["loc"]) for item in found if item["type"] == _UNKNOWN and item["input"] not in _EMPTY]
    if said:
        return SchemaError(
            f"register event of kind {kind} says what only a newer version of the bus knows: {', '.join(said)}; "
            "install that version here too"
        )
    return SchemaError(
        f"register event of kind {kind} breaks the rules of: {', '.join(_path(i['loc']) for i in found)}"
    )


def _path(loc: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in loc)


def _without(datum: Mapping[str, Any], paths: Sequence[Sequence[int | str]]) -> dict[str, Any]:
    """A copy that lacks what stands at some paths of keys and places in lists."""
    copy: dict[str, Any] = deepcopy(dict(datum))
    for path in paths:
        inner: Any = copy
        for part in path[:-1]:
            inner = inner[part]
        del inner[path[-1]]
    return copy
