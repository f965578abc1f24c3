"""A whole bus in memory: register, keys, signing certificates, admit and deliver; no Kafka, no clock.

Everything is decided by what a test hands over. `submit` signs and frames like an agency, `admit` and `deliver` run
the processors and decode what comes out, strictly and with logical values, as a reader would.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from compliance.crosschecks import packaged_crosschecks
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
from compliance.view import RegisterView
from processors.admit import LINK_TOPIC, AdmitOutcome, Admitter
from processors.batch import Frames, InMessage, Outgoing
from processors.crosscheck.facts import Digester, FactMaker
from processors.deliver import Assignment, DeliverOutcome, Members, RecordMessage, deliver
from processors.keying import TokenKeys
from processors.links import Homes, Links
from processors.projection import GrantPlan, compile_grant
from processors.sealing import Opener, Sealer, SectionKeys
from processors.signature import CERTIFICATE_HEADER, SIGNATURE_HEADER, signed_bytes
from schemas.codec import Codec, frame, unframe
from schemas.resource import ResourceSchema, envelope, resource_schema
from schemas.words import FreshnessClass, SharingClass

NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
DAY = timedelta(days=1)
POLICE, STATS = "police", "stats"
MAX_BYTES = 1_000_000
_ENVELOPES = {"receipt": "receipt", "refused": "refusal", "pulse": "pulse", "incident": "incident"}


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


@dataclass(frozen=True, slots=True)
class Record:
    """One message of a record topic, decoded; `value` None is a tombstone."""

    key: bytes
    partition: int
    value: dict[str, Any] | None
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What admit said, decoded."""

    outcome: AdmitOutcome
    receipts: list[dict[str, Any]]
    refusals: list[dict[str, Any]]
    pulses: list[dict[str, Any]]
    incidents: list[dict[str, Any]]
    records: list[Record]

    @property
    def codes(self) -> list[tuple[int, str, str | None]]:
        """Index, code and field of every refusal."""
        return [(refusal["index"], refusal["code"], refusal["field"]) for refusal in self.refusals]

    def written(self) -> Iterable[bytes]:
        """Every key and value that left, whatever the topic."""
        for messages in self.outcome.outgoing.values():
            for message in messages:
                yield message["key"]
                yield message["value"] or b""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of a delivery topic, decoded; `value` None is a tombstone."""

    key: bytes
    value: dict[str, Any] | None
    raw: bytes | None


class Hall:
    """The bus in memory.

    Args:
        text: a resource schema; its entry is published, POLICE owns all of it and has a review, STATS may subscribe.
        owner: other than all of the resource.
    """

    def __init__(self, text: str, owner: OwnerRule | None = None, **entry: object) -> None:
        self.view = RegisterView()
        self.tokens = TokenKeys("t1", bytes(range(32)), bytes(range(32, 64)))
        self.keys = SectionKeys("s1", bytes(range(64, 96)), bytes(range(96, 128)))
        self.opener = Opener({"s1": self.keys})
        self.root = bytes(range(128, 160))
        self.codecs: dict[int, Codec] = {}
        self._ids: dict[str, int] = {}
        fixed = {"pulse": "pulse", "incident": "incident", LINK_TOPIC: "link"}
        self.frames = Frames({topic: self._head(envelope(name)) for topic, name in fixed.items()})
        self._nonces = 0
        self.links = Links()
        self.facts = self.fact_maker()
        self.admitter = Admitter(
            self.view, self.tokens, Sealer(self.keys, self._random), self.frames, MAX_BYTES, self.facts, self.links
        )
        self.offset = 0
        self.events = 0
        self.agency(POLICE)
        self.agency(STATS)
        self.entry = self.publish(text, owners=(owner or OwnerRule(agencies=(POLICE,)),), **entry)
        self.resource = self.entry.resource
        self.review()

    def fact_maker(self, tokens: TokenKeys | None = None, digester: Digester | None = None) -> FactMaker:
        """Makes facts by the packaged checks, under the hall's keys unless others are given."""
        homes = Homes(tokens or self.tokens, self.links)
        return FactMaker(packaged_crosschecks().checks, digester or Digester("d1", bytes(range(160, 192))), homes.of)

    def _random(self, count: int) -> bytes:
        """Nonces that are never used twice; tests need no more of them."""
        self._nonces += 1
        return b"".join((self._nonces << 32 | at).to_bytes(12, "big") for at in range(count // 12))

    @property
    def schema(self) -> ResourceSchema:
        """The newest schema of the resource."""
        entry = self.view.entry(self.resource)
        assert entry is not None
        return resource_schema(entry.avro)

    def schema_id(self, codec: Codec) -> int:
        """The id that the schema is registered under; registered at the first call."""
        found = self._ids.setdefault(codec.text, len(self._ids) + 1)
        self.codecs[found] = codec
        return found

    def _head(self, codec: Codec) -> bytes:
        return frame(self.schema_id(codec), b"")

    # -- the register ------------------------------------------------------------------------------------------

    def agency(self, code: str, **changes: Any) -> Agency:
        """Register an agency: connected, three named persons, one signing certificate; `changes` replace that."""
        model = Agency(
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
        self.view.apply("agency", code, model)
        self.frames.put(f"receipt.{code}", self._head(envelope("receipt")))
        self.frames.put(f"refused.{code}", self._head(envelope("refusal")))
        return model

    def publish(self, text: str, **changes: Any) -> CatalogueEntry:
        """Publish a version of a catalogue entry."""
        schema = resource_schema(text)
        model = CatalogueEntry(
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
        self.view.apply("catalogue", model.key, model)
        self.frames.put(f"record.{model.resource}", self._head(schema.record))
        return model

    def review(self, **changes: Any) -> SecrecyReview:
        """File a secrecy review that passed; number R1, of POLICE."""
        model = SecrecyReview(
            **{
                "number": "R1",
                "agency": POLICE,
                "resource": self.resource,
                "catalogue_version": 1,
                "reviewer": "某某",
                "reviewed_on": date(2026, 1, 1),
                "valid_until": date(2026, 12, 31),
                "result": "PASS",
                **changes,
            }
        )
        self.view.apply("review", model.key, model)
        return model

    def grant(self, fields: Iterable[str], divisions: Iterable[str] | None = None, **changes: Any) -> GrantPlan:
        """The compiled plan of an active grant of STATS."""
        entry = self.view.entry(self.resource)
        assert entry is not None
        days = {"valid_from": date(2026, 1, 1), "valid_until": date(2026, 12, 31)}
        signed = {"signed_by_provider": date(2026, 1, 1), "signed_by_subscriber": date(2026, 1, 1)}
        model = Grant(
            **{
                "id": "g1",
                "subscriber": STATS,
                "resource": self.resource,
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
        plan = compile_grant(model, entry, self.root)
        self.frames.put(plan.topic, self._head(plan.codec))
        return plan

    # -- what an agency does -----------------------------------------------------------------------------------

    def change(self, data: Mapping[str, Any], **head: Any) -> dict[str, Any]:
        """One change with an event id of its own; `head` replaces the rest of the envelope."""
        self.events += 1
        return {
            "event_id": str(uuid.UUID(int=self.events)),
            "operation": "UPDATE",
            "business_time": NOW - DAY,
            "subject_division_code": None,
            "supersedes": None,
            "data": dict(data),
            **head,
        }

    def submission(self, changes: Sequence[Mapping[str, Any]], **fields: Any) -> dict[str, Any]:
        """A submission's datum; `fields` replace what is right."""
        self.events += 1
        return {
            "submission_id": str(uuid.UUID(int=self.events)),
            "agency": POLICE,
            "resource": self.resource,
            "catalogue_version": 1,
            "review_number": "R1",
            "classification": "NON_SECRET",
            "published_at": NOW,
            "changes": list(changes),
            **fields,
        }

    def submit(
        self,
        changes: Sequence[Mapping[str, Any]],
        *,
        append: datetime = NOW,
        key: SigningKey | None = None,
        **fields: Any,
    ) -> InMessage:
        """A submission of POLICE, encoded with the schema of the version that it cites, framed and signed."""
        datum = self.submission(changes, **fields)
        entry = self.view.entry_version(self.resource, datum["catalogue_version"]) or self.entry
        codec = resource_schema(entry.avro).submission
        return self.message(frame(self.schema_id(codec), codec.encode(datum)), append=append, key=key)

    def message(
        self, value: bytes | None, *, topic: str = "", append: datetime = NOW, key: SigningKey | None = None
    ) -> InMessage:
        """Any value on the change topic, signed by POLICE unless `key` says otherwise; offsets count up."""
        topic = topic or f"change.{POLICE}.{self.resource}"
        key = key or signing_key(POLICE)
        signature = key.private.sign(signed_bytes(topic, value or b""))
        headers = {SIGNATURE_HEADER: signature, CERTIFICATE_HEADER: key.serial.encode()}
        self.offset += 1
        return InMessage(topic, 0, self.offset - 1, int(append.timestamp() * 1000), None, value, headers)

    # -- what the bus does -------------------------------------------------------------------------------------

    def admit(self, *batch: InMessage, now: datetime = NOW) -> Verdict:
        """Run admit on one batch."""
        layouts = {number: codec.fingerprint for number, codec in self.codecs.items()}
        outcome = self.admitter.admit(batch, layouts, int(now.timestamp() * 1000))
        found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _ENVELOPES}
        records: list[Record] = []
        for topic, messages in outcome.outgoing.items():
            kind = topic.partition(".")[0]
            if topic == LINK_TOPIC:
                continue
            for message in messages:
                value = self.decode(message["value"])
                if kind == "record":
                    records.append(Record(message["key"], message["partition"], value, message["value"]))
                else:
                    assert value is not None
                    found[kind].append(value)
        return Verdict(outcome, found["receipt"], found["refused"], found["pulse"], found["incident"], records)

    def admit_rows(self, *rows: Mapping[str, Any], **head: Any) -> list[Record]:
        """The records of these rows, each a change of one submission; all must be admitted."""
        verdict = self.admit(self.submit([self.change(row, **head) for row in rows]))
        assert not verdict.codes
        return verdict.records

    def decode(self, value: bytes | None) -> dict[str, Any] | None:
        """A framed value as its registered schema reads it."""
        if value is None:
            return None
        framed = unframe(value)
        assert framed is not None
        return self.codecs[framed[0]].decode(framed[1])

    def open(self, record: Record, section: str) -> dict[str, Any]:
        """A sealed section of a record, as the newest schema lays it out."""
        assert record.value is not None
        codec = self.schema.sections[section]
        assert codec is not None
        bound = record.key[:16] + str(record.value["change"]["event_id"]).encode()
        return codec.decode(self.opener.open("s1", section, record.value[section], bound))

    def run(
        self,
        records: Sequence[Record],
        assignments: Sequence[Assignment],
        *,
        first: int = 0,
        opener: Opener | None = None,
    ) -> DeliverOutcome:
        """Run deliver on one batch of partition 0; offsets count up from `first`."""
        messages = [RecordMessage(first + at, record.key, record.raw) for at, record in enumerate(records)]
        layouts = {entry.version: resource_schema(entry.avro) for entry in self.view.versions(self.resource)}
        chosen = opener or self.opener
        return deliver(0, messages, assignments, self.codecs, layouts, chosen, self.frames, NOW_MS)

    def deliver(
        self, records: Sequence[Record], plan: GrantPlan, members: Members | None = None, *, start: int = 0
    ) -> list[Delivery]:
        """What one grant gets of one batch; a row-scoped one begins with no members unless they are given."""
        if plan.divisions is not None and members is None:
            members = Members()
        outcome = self.run(records, [Assignment(plan, start, members)])
        if members is not None:
            members.apply(outcome.moves.get(plan.grant.id, {}))
        return self.deliveries(outcome.outgoing.get(plan.topic, []))

    def deliveries(self, messages: Iterable[Outgoing]) -> list[Delivery]:
        """Delivery messages, decoded."""
        return [Delivery(message["key"], self.decode(message["value"]), message["value"]) for message in messages]
