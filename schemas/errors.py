"""Every error that the bus raises, a dozen leaves and no more.

A *refusal* is not an error: it is a value (`schemas.refusals.Refused`). An error means that the bus could not do
what it was asked, and says whether asking again may help. Retryability is decided here and nowhere else.
"""

from typing import ClassVar


class BusError(Exception):
    """The root of all errors of the bus.

    Attributes:
        code: stable name for programs and documentation.
        http_status: what an HTTP door answers.
        retryable: whether the same call may succeed later, unchanged.
        exit_code: what the command line ends with (1 refused, 2 usage, 3 the bus cannot now).
    """

    code: ClassVar[str] = "BUS_ERROR"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 3


class SettingsError(BusError):
    """Settings contradict each other or a required one is missing."""

    code = "SETTINGS"
    exit_code = 2


class UsageError(BusError):
    """The caller used the interface wrongly: an unknown resource, a closed publisher, a bad argument."""

    code = "USAGE"
    http_status = 400
    exit_code = 2


class RegisterFileError(BusError):
    """A register file has errors; the message lists each with line and column."""

    code = "REGISTER_FILE"
    http_status = 422
    exit_code = 2


class SchemaError(BusError):
    """An Avro schema or a datum does not obey its rules."""

    code = "SCHEMA"
    http_status = 422
    exit_code = 1


class IncompatibleSchemaError(SchemaError):
    """A schema would break readers or writers of earlier versions (FULL_TRANSITIVE)."""

    code = "SCHEMA_INCOMPATIBLE"
    http_status = 409


class RefusedError(BusError):
    """A refusal that its caller asked to have raised; carries the reason."""

    code = "REFUSED"
    http_status = 403
    exit_code = 1


class KafkaUnavailableError(BusError):
    """Kafka cannot be reached or does not answer in time."""

    code = "KAFKA_UNAVAILABLE"
    http_status = 503
    retryable = True


class RegisterUnavailableError(BusError):
    """The register's database cannot be reached or does not answer in time."""

    code = "REGISTER_UNAVAILABLE"
    http_status = 503
    retryable = True


class RegistryUnavailableError(BusError):
    """The schema registry cannot be reached or does not answer in time."""

    code = "REGISTRY_UNAVAILABLE"
    http_status = 503
    retryable = True


class NotProvisionedError(BusError):
    """A topic, right or schema that should exist is missing: `bus init` has not been run since the register changed."""

    code = "NOT_PROVISIONED"
    http_status = 503


class FencedError(BusError):
    """Another process took over this one's transactional id or partitions; this one must end."""

    code = "FENCED"


class KeyStoreError(BusError):
    """The key store is missing, unreadable, open to other users, or lacks a key that data was sealed with."""

    code = "KEYS"


class SourceError(BusError):
    """A connector's source (database, file) cannot be read as configured."""

    code = "SOURCE"
    retryable = True


class LocalRunError(BusError):
    """`bus local` could not start or stop: a port is taken, a program is missing, a start timed out."""

    code = "LOCAL"


class DeadlineError(BusError):
    """A wait ended at its deadline before the awaited condition held."""

    code = "DEADLINE"
    http_status = 504
    retryable = True
