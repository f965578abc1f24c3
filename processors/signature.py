"""Who signed a submission: Ed25519 over topic and value, by a certificate of the topic's agency (Art 47).

Headers of a submission: `bus-signature` (64 bytes) and `bus-certificate` (the certificate's serial, lower-case hex).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from compliance.models import Agency, SigningCertificate
from processors.batch import InMessage
from schemas.refusals import RefusalCode, Refused

SIGNATURE_HEADER = "bus-signature"
CERTIFICATE_HEADER = "bus-certificate"
_SIGNATURE_BYTES = 64


def signed_bytes(topic: str, value: bytes) -> bytes:
    """What the signature covers: the topic's name, a zero byte, the value; so a value cannot be replayed elsewhere."""
    return topic.encode() + b"\x00" + value


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate as the verifier needs it: key, serial (hex) and the period in which it may sign."""

    serial: str
    key: Ed25519PublicKey
    from_: datetime
    until: datetime


@lru_cache(maxsize=4096)
def signer_of(certificate: SigningCertificate) -> Signer | None:
    """The signer of a registered certificate; None when it is not an X.509 certificate with an Ed25519 key."""
    try:
        parsed = x509.load_pem_x509_certificate(certificate.pem.encode())
        key = parsed.public_key()
    except (ValueError, UnsupportedAlgorithm):  # the latter: a key of SM2, which is lawful and not ours
        return None
    if not isinstance(key, Ed25519PublicKey):
        return None
    until = parsed.not_valid_after_utc
    if certificate.revoked_at is not None:
        until = min(until, certificate.revoked_at)
    return Signer(f"{parsed.serial_number:x}", key, parsed.not_valid_before_utc, until)


def signers_of(agency: Agency) -> Iterable[Signer]:
    """The usable certificates of an agency."""
    return (signer for certificate in agency.certificates if (signer := signer_of(certificate)) is not None)


def verify(message: InMessage, agency: Agency | None) -> str | Refused:
    """The serial of the certificate that signed a submission, or why it does not count.

    The certificate must be the agency's own and valid at the broker's append time.
    """
    serial = message.headers.get(CERTIFICATE_HEADER, b"").decode("ascii", "replace")
    signature = message.headers.get(SIGNATURE_HEADER, b"")
    if not serial or len(signature) != _SIGNATURE_BYTES:
        return Refused(RefusalCode.E_SIGNATURE, f"headers {SIGNATURE_HEADER} and {CERTIFICATE_HEADER} are required")
    if agency is None:
        return Refused(RefusalCode.E_SIGNATURE, "the topic's agency is not in the register")
    signer = next((known for known in signers_of(agency) if known.serial == serial), None)
    if signer is None:
        return Refused(RefusalCode.E_SIGNATURE, "the certificate is not one of the agency's")
    at = datetime.fromtimestamp(message.append_ms / 1000, UTC)
    if not signer.from_ <= at < signer.until:
        return Refused(RefusalCode.E_SIGNATURE, "the certificate was not valid when the submission was written")
    try:
        signer.key.verify(signature, signed_bytes(message.topic, message.value or b""))
    except InvalidSignature:
        return Refused(RefusalCode.E_SIGNATURE, "the signature does not fit topic and value")
    return serial
