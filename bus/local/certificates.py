"""The local certificate authority: mutual TLS for every client and server, signing certificates for agencies.

TLS certificates carry ECDSA P-256 keys, which Java, OpenSSL and librdkafka all accept in TLS 1.3; signing
certificates carry Ed25519 keys (RFC 8032), as the bus demands of a submission's signature (Art 47). The
certificate's CN is the principal that Kafka's rights are granted to. This authority is for one machine: an
installation that serves agencies gets its certificates from the municipal electronic certification body
instead.
"""

import datetime as dt
import ipaddress
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from schemas.errors import LocalRunError, UsageError

CA_LIFETIME = dt.timedelta(days=3650)
LEAF_LIFETIME = dt.timedelta(days=825)
# A certificate this close to its end is issued anew, so that none expires in the middle of a demo or a test
# run.
RENEW_BEFORE = dt.timedelta(days=7)
# Clocks of two processes on one machine agree, but virtual machines resume with old clocks.
BACKDATE = dt.timedelta(hours=1)

CLIENT_ROLES = ("operator", "admit", "deliver", "relocate", "freshness", "crosscheck")
# Servers' principals have no `bus-` prefix: no right is ever granted to them by name but the brokers' own.
SERVER_ROLES = {"broker": "kafka-broker", "registry": "registry"}
SERVER_NAMES = ("localhost",)
SERVER_ADDRESSES = ("127.0.0.1", "::1")

_AGENCY_CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files of one TLS identity; `bundle` is key and certificate in one, for servers only (Kafka reads it)."""

    principal: str
    certificate: Path
    key: Path
    ca: Path
    bundle: Path | None = None


@dataclass(frozen=True, slots=True)
class AgencyFiles:
    """An agency's TLS identity and its signing certificate (Ed25519)."""

    tls: TlsFiles
    signing_certificate: Path
    signing_key: Path


def issue_role(state_dir: Path, role: str) -> TlsFiles:
    """Issue, or find again, the TLS certificate of a role of the bus itself.

    Args:
        state_dir: the state directory; the files are in `pki/bus/<role>/`.
        role: operator, admit, deliver, relocate, freshness, crosscheck (CN `bus-<role>`), broker (CN `kafka-broker`) or
            registry (CN `registry`).

    Raises:
        UsageError: for an unknown role.
        LocalRunError: when the files cannot be written.
    """
    if role not in CLIENT_ROLES and role not in SERVER_ROLES:
        known = ", ".join((*CLIENT_ROLES, *SERVER_ROLES))
        raise UsageError(f"there is no role {role!r} of the bus; roles are {known}")
    server = role in SERVER_ROLES
    return _issue_tls(state_dir, state_dir / "pki" / "bus" / role, SERVER_ROLES.get(role, f"bus-{role}"), server=server)


def issue_bus(state_dir: Path) -> dict[str, TlsFiles]:
    """Issue, or find again, the certificates of every role of the bus, by role; errors as `issue_role`."""
    return {role: issue_role(state_dir, role) for role in (*CLIENT_ROLES, *SERVER_ROLES)}


def issue_agency(state_dir: Path, code: str, signs_from: dt.datetime | None = None) -> AgencyFiles:
    """Issue, or find again, an agency's TLS certificate (CN `agency-<code>`) and signing certificate.

    The files are in `agencies/<code>/`. The signing certificate's PEM belongs into the agency's register
    entry. `signs_from` is the first instant that a new one is valid at; None is now.

    Raises:
        UsageError: when the code is not an agency code (lower-case letters, digits, underscore).
        LocalRunError: when the files cannot be written.
    """
    if not _AGENCY_CODE.fullmatch(code):
        raise UsageError(
            f"{code!r} is no agency code: 2 to 40 lower-case letters, digits and underscores, a letter first"
        )
    folder = state_dir / "agencies" / code
    tls = _issue_tls(state_dir, folder, f"agency-{code}", server=False)
    certificate, key = folder / "signing.crt", folder / "signing.key"
    ca_certificate, ca_key = _authority(state_dir)
    if not _usable(certificate, key, ca_certificate):
        signing = ed25519.Ed25519PrivateKey.generate()
        leaf = _leaf(
            f"agency-{code}", signing, ca_certificate, ca_key, server=False, signing_only=True, valid_from=signs_from
        )
        _write(key, _key_pem(signing), 0o600)
        _write(certificate, _certificate_pem(leaf), 0o644)
    return AgencyFiles(tls=tls, signing_certificate=certificate, signing_key=key)


def _issue_tls(state_dir: Path, folder: Path, common_name: str, *, server: bool) -> TlsFiles:
    ca_certificate, ca_key = _authority(state_dir)
    certificate, key, ca = folder / "tls.crt", folder / "tls.key", folder / "ca.crt"
    bundle = folder / "tls.pem" if server else None
    complete = ca.exists() and (bundle is None or bundle.exists())
    if not (complete and _usable(certificate, key, ca_certificate)):
        private = ec.generate_private_key(ec.SECP256R1())
        leaf = _leaf(common_name, private, ca_certificate, ca_key, server=server)
        # The certificate comes last: it is what tells the next call that the folder is whole.
        _write(ca, _certificate_pem(ca_certificate), 0o644)
        _write(key, _key_pem(private), 0o600)
        if bundle is not None:
            _write(bundle, _key_pem(private) + _certificate_pem(leaf), 0o600)
        _write(certificate, _certificate_pem(leaf), 0o644)
    return TlsFiles(principal=common_name, certificate=certificate, key=key, ca=ca, bundle=bundle)


def _authority(state_dir: Path) -> tuple[x509.Certificate, PrivateKey]:
    """The authority of this state directory, made at the first use; leaves of another are issued anew."""
    certificate_file, key_file = state_dir / "pki" / "ca.crt", state_dir / "pki" / "ca.key"
    if not _usable(certificate_file, key_file, None):
        private = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "exchange-bus local authority")])
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATE)
            .not_valid_after(now + CA_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
            .sign(private, hashes.SHA256())
        )
        _write(key_file, _key_pem(private), 0o600)
        _write(certificate_file, _certificate_pem(certificate), 0o644)
    return _read_certificate(certificate_file), _read_key(key_file)


def _leaf(
    common_name: str,
    private: PrivateKey,
    ca_certificate: x509.Certificate,
    ca_key: PrivateKey,
    *,
    server: bool,
    signing_only: bool = False,
    valid_from: dt.datetime | None = None,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(ca_certificate.subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before((valid_from or now) - BACKDATE)
        .not_valid_after(min(now + LEAF_LIFETIME, ca_certificate.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .add_extension(_authority_identifier(ca_certificate), critical=False)
    )
    if not signing_only:
        # Brokers are clients of one another, so a server's certificate must serve both ends (RFC 5280,
        # 4.2.1.12).
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH] + ([ExtendedKeyUsageOID.SERVER_AUTH] if server else [])
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if server:
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in SERVER_NAMES]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in SERVER_ADDRESSES]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(ca_key, hashes.SHA256())


def _authority_identifier(ca_certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = ca_certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _usable(certificate_file: Path, key_file: Path, ca_certificate: x509.Certificate | None) -> bool:
    """Whether both files are there, belong together, come from this authority and stay valid for a while."""
    try:
        certificate = _read_certificate(certificate_file)
        key = _read_key(key_file)
        if ca_certificate is not None:
            certificate.verify_directly_issued_by(ca_certificate)
    except (OSError, ValueError, TypeError, LocalRunError, InvalidSignature):
        return False
    if certificate.public_key() != key.public_key():
        return False
    return certificate.not_valid_after_utc > dt.datetime.now(dt.UTC) + RENEW_BEFORE


def _read_certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _read_key(path: Path) -> PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise LocalRunError(f"{path.name} is no P-256 or Ed25519 key; remove it and a new one is made")
    return key


def _key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write the whole file or nothing, readable by others only from the start if `mode` says so."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise LocalRunError(f"cannot write {path}: {error.strerror}") from None
