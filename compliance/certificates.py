"""What a signing certificate says of itself: serial number and the time in which it may sign (Art 47).

Admit judges signatures in `processors/signature.py`; here the register judges what is put on file.
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from compliance.models import SigningCertificate


@dataclass(frozen=True, slots=True)
class Validity:
    """One certificate.

    Attributes:
        serial: lower-case hex, as submissions cite it.
        from_, until: when it may sign; a revocation ends that early, the end is exclusive.
    """

    serial: str
    from_: datetime
    until: datetime

    def valid(self, at: datetime) -> bool:
        """Whether it may sign at an instant."""
        return self.from_ <= at < self.until


def validity_of(certificate: SigningCertificate) -> Validity | None:
    """Serial number and time; None when it is no X.509 certificate with an Ed25519 key."""
    try:
        parsed = x509.load_pem_x509_certificate(certificate.pem.encode())
        key = parsed.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, Ed25519PublicKey):
        return None
    until = parsed.not_valid_after_utc
    if certificate.revoked_at is not None:
        until = min(until, certificate.revoked_at)
    return Validity(f"{parsed.serial_number:x}", parsed.not_valid_before_utc, until)
