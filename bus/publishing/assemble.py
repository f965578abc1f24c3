"""Changes into signed submissions: checked, grouped by the subject's partition, bounded in number and size."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bus.topics import change_topic
from compliance.catalogue import deprecated_fields, deprecation_flags, required_fields, schema_of
from compliance.models import CatalogueEntry
from compliance.view import RegisterView
from processors.keying import subject_key, subject_of
from processors.signature import CERTIFICATE_HEADER, SIGNATURE_HEADER, signed_bytes
from schemas.errors import NotProvisionedError, SchemaError
from schemas.partition import partition_of
from schemas.refusals import RefusalCode, Refused
from schemas.words import Change, Classification, Operation


@dataclass(frozen=True, slots=True)
class Prepared:
    """One change, ready to stand in a submission.

    Attributes:
        partition: of the change topic; one subject's changes share it (decisions 15).
        datum: the change as the submission schema wants it.
        encoded_bytes: size of its Avro bytes.
        flags: what the publisher should mend, such as a deprecated field.
    """

    event_id: str
    partition: int
    datum: dict[str, Any] = field(repr=False)
    encoded_bytes: int
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signed:
    """One signed submission."""

    submission_id: str
    topic: str
    partition: int
    value: bytes = field(repr=False)
    headers: list[tuple[str, bytes]] = field(repr=False)


class Signer:
    """Signs with an agency's Ed25519 key.

    Args:
        folder: the agency's folder, with `signing.key` and `signing.crt`.

    Raises:
        NotProvisionedError: a file is missing or is not what it should be.
    """

    def __init__(self, folder: Path) -> None:
        try:
            key = load_pem_private_key((folder / "signing.key").read_bytes(), None)
            certificate = x509.load_pem_x509_certificate((folder / "signing.crt").read_bytes())
        except (OSError, ValueError, TypeError):
            raise NotProvisionedError(f"{folder}: signing.key or signing.crt is missing or unreadable") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise NotProvisionedError(f"{folder}: signing.key is not an Ed25519 key")
        self._key = key
        self._serial = f"{certificate.serial_number:x}".encode()

    def headers(self, topic: str, value: bytes) -> list[tuple[str, bytes]]:
        """The headers that make a value a signed submission of a topic."""
        return [
            (SIGNATURE_HEADER, self._key.sign(signed_bytes(topic, value))),
            (CERTIFICATE_HEADER, self._serial),
        ]


def standing_review(view: RegisterView, agency: str, resource: str, on: date) -> str | None:
    """The number of the agency's secrecy review of a resource that is valid on a day; the longest valid first."""
    found = [
        review
        for review in view.reviews()
        if review.agency == agency
        and review.resource == resource
        and review.result == "PASS"
        and review.reviewed_on <= on <= review.valid_until
    ]
    return max(found, key=lambda review: review.valid_until).number if found else None


def check(entry: CatalogueEntry, change: Change, on: date) -> Refused | None:
    """What a publisher can know to be wrong before it sends (schema, required fields, time, identity)."""
    refused = _misshapen(change)
    if refused is not None:
        return refused
    schema = schema_of(entry)
    refused = schema.check(change.data)
    if refused is not None:
        return refused
    if change.business_time.tzinfo is None:
        return Refused(RefusalCode.E_SCHEMA, "wants an aware timestamp, got a naive one", "business_time")
    if change.operation is Operation.CORRECT and not change.supersedes:
        return Refused(RefusalCode.E_SCHEMA, "a CORRECT names the event that it supersedes", "supersedes")
    if change.operation is not Operation.WITHDRAW:
        missing = next((name for name in required_fields(entry) if change.data.get(name) in (None, "")), None)
        if missing is not None:
            return Refused(RefusalCode.E_SCHEMA, "a required field is missing", missing)
    found = subject_of(schema, change.data, on)
    return found if isinstance(found, Refused) else None


def _misshapen(change: Change) -> Refused | None:
    """What a program without type checks may hand over; one wrong change does not harm the others beside it."""
    kinds: tuple[tuple[str, object, type[Any]], ...] = (
        ("data", change.data, Mapping),
        ("business_time", change.business_time, datetime),
        ("operation", change.operation, Operation),
    )
    for field_name, value, kind in kinds:
        if not isinstance(value, kind):
            told = f"wants {kind.__name__}, got {type(value).__name__}"
            return Refused(RefusalCode.E_SCHEMA, told, field_name)
    if not all(isinstance(name, str) for name in change.data):
        return Refused(RefusalCode.E_SCHEMA, "the names of fields are texts", "data")
    return None


def prepare(entry: CatalogueEntry, change: Change, on: date) -> Prepared | Refused:
    """One change as a part of a submission; refused only when it cannot be encoded.

    A change without a usable identity goes to partition 0: admit refuses it with the official reason.
    """
    schema = schema_of(entry)
    refused = schema.check(change.data)
    if refused is not None:
        return refused
    identity = subject_of(schema, change.data, on)
    partition = 0 if isinstance(identity, Refused) else partition_of(subject_key(identity), entry.partitions)
    event_id = change.event_id or str(uuid.uuid4())
    datum = {
        "event_id": event_id,
        "operation": change.operation.value,
        "business_time": change.business_time,
        "subject_division_code": change.division,
        "supersedes": change.supersedes,
        "data": change.data,
    }
    try:
        encoded = schema.change.encode(datum)
    except SchemaError:
        # A text with half of a surrogate pair, a number beyond its type: one bad row must not stop the others.
        return Refused(RefusalCode.E_SCHEMA, "cannot be written as Avro")
    flags = deprecation_flags(deprecated_fields(entry), change.data)
    return Prepared(event_id, partition, datum, len(encoded), flags)


def sign(
    signer: Signer,
    agency: str,
    entry: CatalogueEntry,
    review_number: str,
    head: bytes,
    changes: Sequence[Prepared],
    now: datetime,
) -> Signed:
    """One signed submission of changes that share a partition."""
    topic = change_topic(agency, entry.resource)
    submission_id = str(uuid.uuid4())
    content: Mapping[str, Any] = {
        "submission_id": submission_id,
        "agency": agency,
        "resource": entry.resource,
        "catalogue_version": entry.version,
        "review_number": review_number,
        "classification": Classification.NON_SECRET.value,
        "published_at": now,
        "changes": [change.datum for change in changes],
    }
    value = head + schema_of(entry).submission.encode(content)
    return Signed(submission_id, topic, changes[0].partition, value, signer.headers(topic, value))


def split(changes: Sequence[Prepared], most: int, max_bytes: int) -> list[list[Prepared]]:
    """Changes of one partition in groups that keep their order, bounded in number and size."""
    groups: list[list[Prepared]] = []
    size = 0
    for change in changes:
        if not groups or len(groups[-1]) >= most or size + change.encoded_bytes > max_bytes:
            groups.append([])
            size = 0
        groups[-1].append(change)
        size += change.encoded_bytes
    return groups
