"""The register and the submissions of the benchmark: one owner of residence permits, one grant of every field."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bus.demo.people import generate
from bus.local.certificates import issue_agency
from bus.settings import Settings
from bus.topics import change_topic
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
    RegisterModel,
    SecrecyReview,
    SharingPeriod,
    SigningCertificate,
)
from processors.keying import subject_key, subject_of
from processors.signature import CERTIFICATE_HEADER, SIGNATURE_HEADER, signed_bytes
from schemas.identity import Identity
from schemas.partition import partition_of
from schemas.resource import packaged_text, resource_schema
from schemas.words import FreshnessClass, SharingClass

OWNER, SUBSCRIBER, RESOURCE = "migrant_services", "hrss", "residence_permit"
PARTITIONS = 4
RAW_TOPIC = "bench.raw.in"
_REVIEW = "BENCH-1"
_FIRST, _LAST = date(2020, 1, 1), date(2099, 12, 31)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Submission:
    """One signed submission, ready to be sent."""

    partition: int
    value: bytes
    headers: list[tuple[str, bytes]]
    changes: int


def register(settings: Settings) -> tuple[list[RegisterModel], Grant]:
    """The entries of the register, and the grant; issues the agencies' certificates."""
    files = issue_agency(settings.state_dir, OWNER)
    issue_agency(settings.state_dir, SUBSCRIBER)
    pem = files.signing_certificate.read_text(encoding="ascii")
    text = packaged_text(RESOURCE)
    contacts = tuple(Contact(role=role, name="测试", phone="0752-0000000") for role in ContactRole)
    models: list[RegisterModel] = [
        Agency(
            code=code,
            name=name,
            credit_code="11441300007212348P",
            type=AgencyType.ADMINISTRATIVE_ORGAN,
            division="441300",
            state=OnboardingState.CONNECTED,
            contacts=contacts,
            certificates=(SigningCertificate(pem=pem),) if code == OWNER else (),
        )
        for code, name in ((OWNER, "来惠人员服务管理部门"), (SUBSCRIBER, "人力资源和社会保障局"))
    ]
    models.append(
        CatalogueEntry(
            resource=RESOURCE,
            version=1,
            name="居住证登记",
            content="居住证登记信息",
            responsible_department="来惠人员服务管理部门",
            update_frequency="实时",
            platform="市共享平台",
            scope_and_manner="接口",
            sharing_period=SharingPeriod(from_=_FIRST),
            freshness=FreshnessClass.DYNAMIC,
            sharing=SharingClass.CONDITIONAL,
            conditions="依法履职所必需",
            related_systems=("居住证系统",),
            owners=(OwnerRule(agencies=(OWNER,)),),
            partitions=PARTITIONS,
            published_at=datetime.now(UTC) - timedelta(days=1),
            avro=text,
        )
    )
    models.append(
        SecrecyReview(
            number=_REVIEW,
            agency=OWNER,
            resource=RESOURCE,
            catalogue_version=1,
            reviewer="测试",
            reviewed_on=_FIRST,
            valid_until=_LAST,
            result="PASS",
        )
    )
    agreement = Agreement(
        number="BENCH-1",
        signed_by_provider=_FIRST,
        signed_by_subscriber=_FIRST,
        valid_from=_FIRST,
        valid_until=_LAST,
    )
    grant = Grant(
        id="bench-full",
        subscriber=SUBSCRIBER,
        resource=RESOURCE,
        fields=tuple(resource_schema(text).fields),
        purpose="benchmark",
        legal_basis=LegalBasis(title="惠州市政务信息资源共享管理办法", article="44"),
        agreement=agreement,
        valid_from=_FIRST,
        valid_until=_LAST,
        state=GrantState.ACTIVE,
    )
    return [*models, grant], grant


class Maker:
    """Makes signed submissions of residence permits, each person on its own partition as a publisher would.

    Args:
        settings: where the owner's signing key is.
        head: frame head of the change topic.
        people: how many different permits there are; more events than these are updates of the same.
    """

    def __init__(self, settings: Settings, head: bytes, people: int) -> None:
        folder = settings.state_dir / "agencies" / OWNER
        key = load_pem_private_key((folder / "signing.key").read_bytes(), None)
        assert isinstance(key, Ed25519PrivateKey)  # noqa: S101  made by `register`
        self._key = key
        serial = x509.load_pem_x509_certificate((folder / "signing.crt").read_bytes()).serial_number
        self._serial = f"{serial:x}".encode()
        self._head = head
        self._schema = resource_schema(packaged_text(RESOURCE))
        self._topic = change_topic(OWNER, RESOURCE)
        self._rows: list[list[Row]] = [[] for _ in range(PARTITIONS)]
        for row in generate(44, people, permits=people, enterprises=0, businesses=0).permits:
            found = subject_of(self._schema, row, datetime.now(UTC).date())
            assert isinstance(found, Identity)  # noqa: S101  the generator makes valid ones
            self._rows[partition_of(subject_key(found), PARTITIONS)].append(row)
        self._next = [0] * PARTITIONS

    def submissions(self, events: int, batch: int) -> Iterator[Submission]:
        """So many events, in submissions of a size, spread over the partitions."""
        left, partition = events, 0
        while left > 0:
            size = min(batch, left)
            yield self.one(partition, size)
            left -= size
            partition = (partition + 1) % PARTITIONS

    def one(self, partition: int, size: int, published: datetime | None = None) -> Submission:
        """One submission of some changes on one partition, published now or at a planned instant."""
        rows, at, now = self._rows[partition], self._next[partition], published or datetime.now(UTC)
        chosen: Sequence[Row] = [rows[(at + index) % len(rows)] for index in range(size)]
        self._next[partition] = (at + size) % len(rows)
        changes = [
            {"event_id": str(uuid.uuid4()), "operation": "UPDATE", "business_time": now, "data": row} for row in chosen
        ]
        value = self._head + self._schema.submission.encode(
            {
                "submission_id": str(uuid.uuid4()),
                "agency": OWNER,
                "resource": RESOURCE,
                "catalogue_version": 1,
                "review_number": _REVIEW,
                "classification": "NON_SECRET",
                "published_at": now,
                "changes": changes,
            }
        )
        signature = self._key.sign(signed_bytes(self._topic, value))
        headers = [(SIGNATURE_HEADER, signature), (CERTIFICATE_HEADER, self._serial)]
        return Submission(partition, value, headers, size)
