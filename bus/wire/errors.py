"""Which Kafka error means what: try again, abort the transaction, or end. Decided in this one file."""

from enum import Enum

from confluent_kafka import KafkaError, KafkaException

from schemas.errors import BusError, FencedError, KafkaUnavailableError, NotProvisionedError


class Remedy(Enum):
    """What to do about a failed transactional call."""

    RETRY = "retry"
    ABORT = "abort"
    END = "end"


_FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})  # noqa: SLF001  documented names
_NO_ANSWER = frozenset(
    {
        KafkaError._TRANSPORT,  # noqa: SLF001  documented names
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001  as above
        KafkaError._TIMED_OUT,  # noqa: SLF001  as above
        KafkaError._RESOLVE,  # noqa: SLF001  as above
        KafkaError._MSG_TIMED_OUT,  # noqa: SLF001  as above
    }
)
_MOVING = frozenset(
    {
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
    }
)
_PASSING = frozenset(
    {
        KafkaError._PARTITION_EOF,  # noqa: SLF001  documented names
        KafkaError._TRANSPORT,  # noqa: SLF001  as above
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001  as above
    }
)
_ABSENT = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001  documented name
        KafkaError._NOENT,  # noqa: SLF001  as above: the client knows no such topic
    }
)
_RIGHTS = _ABSENT | {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}


def kafka_error(error: KafkaException) -> KafkaError:
    """The error inside the client's exception."""
    inner = error.args[0]
    assert isinstance(inner, KafkaError)  # noqa: S101  the client's contract
    return inner


def remedy(error: KafkaException) -> Remedy:
    """What a transactional call's error asks for, by the client's own marks on it (KIP-588)."""
    inner = kafka_error(error)
    if inner.code() in _FENCED or inner.fatal():
        return Remedy.END
    if inner.txn_requires_abort():
        return Remedy.ABORT
    if inner.retriable():
        return Remedy.RETRY
    return Remedy.END


def leader_moves(error: KafkaException) -> bool:
    """Whether a partition has no leader yet, or another than the client knows: with new metadata asking again helps."""
    return kafka_error(error).code() in _MOVING


def absent(error: KafkaException) -> bool:
    """Whether a topic is not there, or not yet: a broker that has just started knows none for a moment."""
    return kafka_error(error).code() in _ABSENT


def passes(error: KafkaError) -> bool:
    """Whether what a reader is told passes by itself: the end of a partition, a broker that is away or moves."""
    return error.retriable() or error.code() in _PASSING or error.code() in _MOVING


def away(error: KafkaError) -> bool:
    """Whether it says that a broker did not answer."""
    return error.code() in _NO_ANSWER


def unavailable(what: str, error: KafkaException) -> BusError:
    """The bus's own error for a Kafka error: fenced, not provisioned, or not reachable."""
    inner = kafka_error(error)
    if inner.code() in _FENCED:
        return FencedError(f"{what}: another process took over ({inner.name()})")
    if inner.code() in _RIGHTS:
        return NotProvisionedError(f"{what}: {inner.name()}; has `bus init` been run since the register changed?")
    if inner.code() in _NO_ANSWER:
        return no_answer(what, inner.name())
    return KafkaUnavailableError(f"{what}: {inner.name()}")


def no_answer(what: str, sign: str) -> KafkaUnavailableError:
    """The error for a Kafka that does not answer; `sign` is how the client noticed."""
    return KafkaUnavailableError(f"{what}: no answer from Kafka ({sign}); does it run at BUS_BOOTSTRAP_SERVERS?")
