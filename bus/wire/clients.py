"""Kafka clients of the bus: one place that knows their configuration, each value with its reason.

Every client speaks mutual TLS with the certificate of its principal; there is no plaintext (Art 7).
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient

from bus.settings import Settings
from schemas.errors import NotProvisionedError


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a client is: the folder with `tls.crt`, `tls.key` and `ca.crt`."""

    name: str
    folder: Path

    @classmethod
    def role(cls, settings: Settings, role: str) -> "Principal":
        """A part of the bus itself: operator, admit or deliver."""
        return cls(f"bus-{role}", settings.state_dir / "pki" / "bus" / role)

    @classmethod
    def agency(cls, settings: Settings, code: str) -> "Principal":
        """An agency, by its code."""
        return cls(f"agency-{code}", settings.state_dir / "agencies" / code)

    def require(self) -> None:
        """Check that the certificate files are there, are what they should be, and belong together.

        Raises:
            NotProvisionedError: naming the file that is missing or of no use.
        """
        for name in ("tls.crt", "tls.key", "ca.crt"):
            if not (self.folder / name).is_file():
                raise NotProvisionedError(
                    f"{self.name}: {self.folder / name} is missing; has its certificate been issued?"
                )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(self.folder / "ca.crt")
        except OSError:
            raise NotProvisionedError(f"{self.name}: {self.folder / 'ca.crt'} holds no certificate") from None
        try:
            # An empty password in place of a question on the terminal, where a key wants one.
            context.load_cert_chain(self.folder / "tls.crt", self.folder / "tls.key", password="")
        except (OSError, ValueError):
            raise NotProvisionedError(
                f"{self.name}: {self.folder / 'tls.crt'} and tls.key are no certificate and its key"
            ) from None


def _common(settings: Settings, principal: Principal) -> dict[str, Any]:
    principal.require()
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": "SSL",
        "ssl.ca.location": str(principal.folder / "ca.crt"),
        "ssl.certificate.location": str(principal.folder / "tls.crt"),
        "ssl.key.location": str(principal.folder / "tls.key"),
        "client.id": principal.name,
        # Errors reach us through the calls that they concern; the client's own lines would only repeat them.
        "log_level": 2,
        "error_cb": _quiet,
        # A broker that is starting or stopping may answer with an empty list of brokers, and then the client knows none
        # any more: it must begin again from the bootstrap servers, or it would be silent for ever.
        "metadata.recovery.strategy": "rebootstrap",
        # A broker that comes back is found again soon, and nobody knocks more often meanwhile.
        "reconnect.backoff.ms": 500,
        "reconnect.backoff.max.ms": 1_000,
    }


def _quiet(error: KafkaError) -> None:
    """Connection errors are retried by the client and seen by health checks and deadlines."""


def admin(settings: Settings, principal: Principal) -> AdminClient:
    """An admin client."""
    return AdminClient(_common(settings, principal))


def consumer(settings: Settings, principal: Principal, group: str, **more: Any) -> Consumer:  # noqa: ANN401  client configuration
    """A read-committed consumer whose offsets are committed by transactions or by hand, never by themselves."""
    return Consumer(
        {
            **_common(settings, principal),
            "group.id": group,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": settings.session_timeout_ms,
            "heartbeat.interval.ms": max(500, settings.session_timeout_ms // 5),
            # Spreads many small topics over the workers; range would give them all to the first.
            "partition.assignment.strategy": "roundrobin",
            # New topics of the catalogue are seen within this time.
            "topic.metadata.refresh.interval.ms": 3_000,
            # A broker answers as soon as something comes; this is how often it answers in vain, of which each costs it a
            # third of a millisecond. What is assigned anew while such a question is open waits for its answer.
            "fetch.wait.max.ms": 200,
            # What is fetched ahead counts as the worker's memory, and is compressed when these bounds are looked at.
            "queued.max.messages.kbytes": 8_192,
            "fetch.message.max.bytes": 1_048_576,
            "fetch.max.bytes": settings.topic_max_bytes,
            **more,
        }
    )


def producer(settings: Settings, principal: Principal, transactional_id: str | None = None, **more: Any) -> Producer:  # noqa: ANN401  client configuration
    """An idempotent producer; a transactional one when it is given an id."""
    config = {
        **_common(settings, principal),
        "enable.idempotence": True,
        "acks": "all",
        "linger.ms": settings.linger_ms,
        # LZ4 costs less processor time than it saves in bytes on this path.
        "compression.type": "lz4",
        "batch.size": 1_000_000,
        "message.max.bytes": settings.topic_max_bytes,
        "queue.buffering.max.messages": 1_000_000,
        "queue.buffering.max.kbytes": 262_144,
        **more,
    }
    if transactional_id is not None:
        config["transactional.id"] = transactional_id
        config["transaction.timeout.ms"] = settings.transaction_timeout_ms
    return Producer(config)


OnStep = Callable[[int], None]


def no_step(_: int) -> None:
    """Nothing happens between the steps of a worker; a fault test hands in something that does."""
