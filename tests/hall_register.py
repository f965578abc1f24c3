"""The register of the hall: models in which all is in order but for what a test changes, and keys to sign with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from compliance.models import (
    Agency,
    AgencyType,
    Agreement,
    CatalogueEntry,
    Contact,
    ContactRole,
    Grant,
    GrantState,
    LegalBasis,
    OnboardingState,
    OwnerRule,
    RowScope,
    SecrecyReview,
    SharingPeriod,
    SigningCertificate,
)
from schemas.resource import resource_schema
from schemas.words import FreshnessClass, SharingClass

NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)
POLICE, STATS = "police", "stats"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An agency's signing key with its self-made certificate."""

    private: Ed25519PrivateKey
    pem: str
    serial: str


@cache
def signing_key(name: str, from_: datetime = NOW - 30 * DAY, until: datetime = NOW + 30 * DAY) -> SigningKey:
    """A key of its own for every name and period."""
    private = Ed25519PrivateKey.generate()
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"agency-{name}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(from_)
        .not_valid_after(until)
        .sign(private, None)
    )
    return SigningKey(private, certificate.public_bytes(Encoding.PEM).decode(), f"{certificate.serial_number:x}")


def signing_folder(folder: Path, name: str) -> Path:
    """An agency's folder as the local authority makes it, with the signing key that the register has of it."""
    key = signing_key(name)
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "signing.key").write_bytes(pem)
    (folder / "signing.crt").write_text(key.pem, encoding="ascii")
    return folder


def agency(code: str, **changes: Any) -> Agency:
    """An agency: connected, three named persons, one signing certificate; `changes` replace that."""
    return Agency(
        **{
            "code": code,
            "name": f"单位{code}",
            "credit_code": "11441300007189XXXX",
            "type": AgencyType.ADMINISTRATIVE_ORGAN,
            "division": "441300",
            "state": OnboardingState.CONNECTED,
            "contacts": tuple(Contact(role=role, name="某某", phone="0752-0000000") for role in ContactRole),
            "certificates": (SigningCertificate(pem=signing_key(code).pem),),
            **changes,
        }
    )


def entry(text: str, **changes: Any) -> CatalogueEntry:
    """A published catalogue entry of a resource schema; POLICE owns all of it."""
    schema = resource_schema(text)
    return CatalogueEntry(
        **{
            "resource": schema.code,
            "version": 1,
            "name": schema.cn,
            "content": "内容",
            "responsible_department": "责任部门",
            "update_frequency": "实时",
            "platform": "共享平台",
            "related_systems": ("业务系统",),
            "scope_and_manner": "共享范围和方式",
            "sharing_period": SharingPeriod(from_=date(2020, 1, 1)),
            "freshness": FreshnessClass.DYNAMIC,
            "sharing": SharingClass.CONDITIONAL,
            "conditions": "签订安全保密协议",
            "owners": (OwnerRule(agencies=(POLICE,)),),
            "published_at": NOW - DAY,
            "avro": text,
            **changes,
        }
    )


def review(**changes: Any) -> SecrecyReview:
    """A secrecy review that passed; number R1, of POLICE; of which resource, `changes` say."""
    return SecrecyReview(
        **{
            "number": "R1",
            "agency": POLICE,
            "catalogue_version": 1,
            "reviewer": "某某",
            "reviewed_on": date(2026, 1, 1),
            "valid_until": date(2026, 12, 31),
            "result": "PASS",
            **changes,
        }
    )


def grant(fields: Iterable[str], divisions: Iterable[str] | None = None, **changes: Any) -> Grant:
    """An active grant of STATS; of which resource, `changes` say."""
    days = {"valid_from": date(2026, 1, 1), "valid_until": date(2026, 12, 31)}
    signed = {"signed_by_provider": date(2026, 1, 1), "signed_by_subscriber": date(2026, 1, 1)}
    return Grant(
        **{
            "id": "g1",
            "subscriber": STATS,
            "fields": tuple(fields),
            "rows": RowScope(divisions=None if divisions is None else tuple(divisions)),
            "purpose": "人口统计",
            "legal_basis": LegalBasis(title="统计法", article="7"),
            "agreement": Agreement(number="A1", **signed, **days),
            "state": GrantState.ACTIVE,
            **days,
            **changes,
        }
    )
