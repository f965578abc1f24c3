"""The house: Kafka, registry, keys, settings, metrics, wiring; what an agency's developer imports."""

from bus.publisher import Publication, Publisher
from bus.subscriber import Delivered, Subscriber
from schemas.words import Change, Classification, Operation, Receipt

__all__ = ["Change", "Classification", "Delivered", "Operation", "Publication", "Publisher", "Receipt", "Subscriber"]
