"""The house: Kafka, registry, keys, settings, metrics, wiring; what an agency's developer imports."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bus.publisher import Publisher
    from bus.publishing.flight import Publication
    from bus.subscriber import Delivered, Subscriber
    from schemas.words import Change, Classification, Operation, Receipt

__all__ = ["Change", "Classification", "Delivered", "Operation", "Publication", "Publisher", "Receipt", "Subscriber"]

# Loaded when first asked for: every `bus` command passes through here, and few of them speak to Kafka.
_PLACES = {
    "Change": "schemas.words",
    "Classification": "schemas.words",
    "Delivered": "bus.subscriber",
    "Operation": "schemas.words",
    "Publication": "bus.publishing.flight",
    "Publisher": "bus.publisher",
    "Receipt": "schemas.words",
    "Subscriber": "bus.subscriber",
}


def __getattr__(name: str) -> object:
    """One of the names of `__all__`, from its place."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_PLACES[name]), name)
    globals()[name] = found
    return found
