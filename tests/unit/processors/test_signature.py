"""Who signed: what the signature covers, which certificates count, and when."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from compliance.models import Agency, SigningCertificate
from processors.batch import InMessage
from processors.signature import CERTIFICATE_HEADER, SIGNATURE_HEADER, signer_of, signers_of, verify
from schemas.refusals import RefusalCode, Refused
from schemas.resource import packaged_text
from tests.builders import PERMIT
from tests.hall import Hall
from tests.hall_register import DAY, NOW, POLICE, SigningKey, signing_key
from tests.sm2 import SM2

VALUE = b"any bytes"


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT))


def agency(hall: Hall, *certificates: SigningCertificate) -> Agency:
    return hall.agency(POLICE, certificates=certificates)


def said(message: InMessage, known: Agency | None) -> str:
    """The serial, or the detail of the refusal."""
    found = verify(message, known)
    if isinstance(found, Refused):
        assert found.code is RefusalCode.E_SIGNATURE
        return found.detail
    return found


def test_a_submission_signed_by_its_agency_counts(hall: Hall) -> None:
    assert said(hall.message(VALUE), hall.view.agency(POLICE)) == signing_key(POLICE).serial


def test_the_signature_covers_topic_and_value(hall: Hall) -> None:
    good, known = hall.message(VALUE), hall.view.agency(POLICE)
    moved = InMessage(good.topic + "x", 0, 0, good.append_ms, None, VALUE, good.headers)
    altered = InMessage(good.topic, 0, 0, good.append_ms, None, VALUE + b"x", good.headers)
    for message in (moved, altered):
        assert said(message, known) == "the signature does not fit topic and value"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {SIGNATURE_HEADER: b"x" * 64},
        {CERTIFICATE_HEADER: b"1f"},
        {SIGNATURE_HEADER: b"x" * 63, CERTIFICATE_HEADER: b"1f"},
    ],
    ids=str,
)
def test_both_headers_are_demanded(hall: Hall, headers: dict[str, bytes]) -> None:
    good = hall.message(VALUE)
    bare = InMessage(good.topic, 0, 0, good.append_ms, None, VALUE, headers)
    assert said(bare, hall.view.agency(POLICE)) == "headers bus-signature and bus-certificate are required"


def test_rubbish_in_the_headers_is_only_a_wrong_certificate(hall: Hall) -> None:
    good = hall.message(VALUE)
    odd = {SIGNATURE_HEADER: b"\xff" * 64, CERTIFICATE_HEADER: b"\xff\xfe"}
    message = InMessage(good.topic, 0, 0, good.append_ms, None, VALUE, odd)
    assert said(message, hall.view.agency(POLICE)) == "the certificate is not one of the agency's"


def test_a_topic_of_nobody_has_no_signer(hall: Hall) -> None:
    assert said(hall.message(VALUE), None) == "the topic's agency is not in the register"


def test_another_agencys_certificate_does_not_count(hall: Hall) -> None:
    message = hall.message(VALUE, key=signing_key("another"))
    assert said(message, hall.view.agency(POLICE)) == "the certificate is not one of the agency's"


@pytest.mark.parametrize(("after", "counts"), [(-31, False), (-29, True), (29, True), (31, False)])
def test_a_certificate_counts_while_it_is_valid_by_the_brokers_time(hall: Hall, after: int, counts: bool) -> None:  # noqa: FBT001
    message = hall.message(VALUE, append=NOW + after * DAY)
    found = said(message, hall.view.agency(POLICE))
    assert (found == signing_key(POLICE).serial) is counts
    assert counts or found == "the certificate was not valid when the submission was written"


def test_a_revoked_certificate_still_explains_what_was_written_before(hall: Hall) -> None:
    known = agency(hall, SigningCertificate(pem=signing_key(POLICE).pem, revoked_at=NOW))
    before, at = hall.message(VALUE, append=NOW - timedelta(seconds=1)), hall.message(VALUE, append=NOW)
    assert said(before, known) == signing_key(POLICE).serial
    assert said(at, known) == "the certificate was not valid when the submission was written"


def other_key() -> str:
    """A certificate with a key that is not Ed25519."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(NOW).not_valid_after(NOW + DAY)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("pem", ["nonsense", "证书", other_key(), SM2], ids=["text", "Chinese", "P-256", "SM2"])
def test_a_certificate_that_cannot_sign_here_leaves_the_others_usable(hall: Hall, pem: str) -> None:
    assert signer_of(SigningCertificate(pem=pem)) is None
    ours: SigningKey = signing_key(POLICE)
    known = agency(hall, SigningCertificate(pem=pem), SigningCertificate(pem=ours.pem))
    assert [signer.serial for signer in signers_of(known)] == [ours.serial]
    assert said(hall.message(VALUE), known) == ours.serial
