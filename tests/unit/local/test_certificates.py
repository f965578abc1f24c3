"""The local certificate authority: names, uses, files that only their owner reads, issued once."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bus.local import certificates
from bus.local.certificates import AgencyFiles, issue_agency, issue_bus, issue_role
from schemas.errors import LocalRunError, UsageError


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def common_name(path: Path) -> str | bytes:
    return read(path).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


@pytest.mark.parametrize(
    ("role", "principal"),
    [
        ("operator", "bus-operator"),
        ("admit", "bus-admit"),
        ("deliver", "bus-deliver"),
        ("broker", "kafka-broker"),
        ("registry", "registry"),
    ],
)
def test_a_roles_certificate_names_its_principal_and_comes_from_the_authority(
    tmp_path: Path, role: str, principal: str
) -> None:
    files = issue_role(tmp_path, role)
    assert files.certificate == tmp_path / "pki" / "bus" / role / "tls.crt"
    assert files.principal == principal
    assert common_name(files.certificate) == principal
    read(files.certificate).verify_directly_issued_by(read(files.ca))
    assert files.ca.read_bytes() == (tmp_path / "pki" / "ca.crt").read_bytes()


def test_the_subject_is_the_common_name_alone_so_that_kafkas_mapping_rule_matches(tmp_path: Path) -> None:
    assert read(issue_role(tmp_path, "operator").certificate).subject.rfc4514_string() == "CN=bus-operator"


def test_an_agency_has_a_tls_certificate_and_an_ed25519_signing_certificate(tmp_path: Path) -> None:
    files = issue_agency(tmp_path, "public_security")
    folder = tmp_path / "agencies" / "public_security"
    assert files == AgencyFiles(files.tls, folder / "signing.crt", folder / "signing.key")
    assert common_name(files.tls.certificate) == common_name(files.signing_certificate) == "agency-public_security"
    assert isinstance(read(files.tls.certificate).public_key(), ec.EllipticCurvePublicKey)
    assert isinstance(read(files.signing_certificate).public_key(), ed25519.Ed25519PublicKey)
    read(files.signing_certificate).verify_directly_issued_by(read(files.tls.ca))
    key = serialization.load_pem_private_key(files.signing_key.read_bytes(), None)
    assert key.public_key() == read(files.signing_certificate).public_key()


def test_no_key_can_be_read_by_others(tmp_path: Path) -> None:
    issue_bus(tmp_path)
    issue_agency(tmp_path, "police")
    secret = [path for path in tmp_path.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    assert len(secret) == 1 + 8 + 2 + 2  # the authority, eight roles, two bundles, an agency's two
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}


def test_a_client_cannot_pose_as_a_server(tmp_path: Path) -> None:
    def uses(path: Path) -> set[x509.ObjectIdentifier]:
        return set(read(path).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)

    client, server = {ExtendedKeyUsageOID.CLIENT_AUTH}, {ExtendedKeyUsageOID.SERVER_AUTH}
    assert uses(issue_role(tmp_path, "admit").certificate) == client
    assert uses(issue_agency(tmp_path, "police").tls.certificate) == client
    assert uses(issue_role(tmp_path, "broker").certificate) == client | server


def test_a_signing_certificate_opens_no_tls_connection(tmp_path: Path) -> None:
    signing = read(issue_agency(tmp_path, "police").signing_certificate)
    with pytest.raises(x509.ExtensionNotFound):
        signing.extensions.get_extension_for_class(x509.ExtendedKeyUsage)


def test_a_server_is_known_under_every_loopback_name(tmp_path: Path) -> None:
    certificate = read(issue_role(tmp_path, "broker").certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert {str(each) for each in names.get_values_for_type(x509.IPAddress)} == {"127.0.0.1", "::1"}


def test_issuing_again_changes_nothing(tmp_path: Path) -> None:
    def everything() -> dict[Path, bytes]:
        issue_bus(tmp_path)
        issue_agency(tmp_path, "police")
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert everything() == everything()


@pytest.mark.parametrize("lost", ["tls.crt", "tls.key", "ca.crt", "tls.pem"])
def test_a_folder_that_lost_a_file_is_made_whole(tmp_path: Path, lost: str) -> None:
    files = issue_role(tmp_path, "broker")
    (files.certificate.parent / lost).unlink()
    again = issue_role(tmp_path, "broker")
    key = serialization.load_pem_private_key(again.key.read_bytes(), None)
    assert key.public_key() == read(again.certificate).public_key()
    assert again.bundle is not None
    assert again.bundle.read_bytes() == again.key.read_bytes() + again.certificate.read_bytes()


def test_a_key_of_another_certificate_is_not_kept(tmp_path: Path) -> None:
    admit, deliver = issue_role(tmp_path, "admit"), issue_role(tmp_path, "deliver")
    admit.key.write_bytes(deliver.key.read_bytes())
    issue_role(tmp_path, "admit")
    key = serialization.load_pem_private_key(admit.key.read_bytes(), None)
    assert key.public_key() == read(admit.certificate).public_key()


def test_certificates_of_a_lost_authority_are_issued_anew(tmp_path: Path) -> None:
    before = read(issue_role(tmp_path, "admit").certificate)
    (tmp_path / "pki" / "ca.key").unlink()
    files = issue_role(tmp_path, "admit")
    assert read(files.certificate).serial_number != before.serial_number
    read(files.certificate).verify_directly_issued_by(read(tmp_path / "pki" / "ca.crt"))


def test_a_certificate_near_its_end_is_issued_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "LEAF_LIFETIME", timedelta(days=6))
    before = read(issue_role(tmp_path, "admit").certificate)
    monkeypatch.undo()
    after = read(issue_role(tmp_path, "admit").certificate)
    assert before.serial_number != after.serial_number
    assert after.not_valid_after_utc > datetime.now(UTC) + timedelta(days=365)


def test_an_unknown_role_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="operator, admit, deliver, relocate, freshness, crosscheck, broker, registry"):
        issue_role(tmp_path, "mayor")


@pytest.mark.parametrize("code", ["../operator", "Police", "a", "x" * 41, "po lice", "police\n", ""])
def test_only_an_agency_code_names_a_folder(tmp_path: Path, code: str) -> None:
    with pytest.raises(UsageError, match="no agency code"):
        issue_agency(tmp_path, code)
    assert not list(tmp_path.rglob("*.key"))


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "pki").write_text("in the way", encoding="utf-8")
    with pytest.raises(LocalRunError, match="cannot write"):
        issue_role(tmp_path, "admit")
