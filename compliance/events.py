"""The register's models as events of the `register.*` topics, and back, without loss.

Dates and instants travel as ISO 8601 text: the register is read by people's tools as much as by workers.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from compliance.models import MODELS, RegisterModel
from schemas.errors import SchemaError


def to_event(model: RegisterModel) -> dict[str, Any]:
    """The datum of a register event, for the envelope schema `register_<kind>`."""
    return model.model_dump(mode="json", by_alias=True)


def from_event(kind: str, datum: Mapping[str, Any]) -> RegisterModel:
    """The model of a register event; keys that an older schema lacks take their defaults.

    Raises:
        SchemaError: when the event breaks a rule of the model, naming fields and never values.
    """
    try:
        return MODELS[kind].model_validate(datum)
    except ValidationError as error:
        fields = ", ".join(".".join(str(part) for part in item["loc"]) for item in error.errors())
        raise SchemaError(f"register event of kind {kind} breaks the rules of: {fields}") from None
