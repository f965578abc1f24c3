"""A whole bus in memory: register, keys, signing certificates, admit and deliver; no Kafka, no clock.

Everything is decided by what a test hands over. `submit` signs and frames like an agency, `admit` and `deliver` run
the processors and decode what comes out, strictly and with logical values, as a reader would.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compliance.crosschecks import packaged_crosschecks
from compliance.models import (
    Agency,
    CatalogueEntry,
    OwnerRule,
    SecrecyReview,
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
from tests.hall_register import DAY, NOW, POLICE, STATS, SigningKey, agency, entry, grant, review, signing_key

NOW_MS = int(NOW.timestamp() * 1000)
MAX_BYTES = 1_000_000
_ENVELOPES = {"receipt": "receipt", "refused": "refusal", "pulse": "pulse", "incident": "incident"}


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
        """Register an agency, as `agency`."""
        model = agency(code, **changes)
        self.view.apply("agency", code, model)
        self.frames.put(f"receipt.{code}", self._head(envelope("receipt")))
        self.frames.put(f"refused.{code}", self._head(envelope("refusal")))
        return model

    def publish(self, text: str, **changes: Any) -> CatalogueEntry:
        """Publish a version of a catalogue entry, as `entry`."""
        model = entry(text, **changes)
        self.view.apply("catalogue", model.key, model)
        self.frames.put(f"record.{model.resource}", self._head(resource_schema(text).record))
        return model

    def review(self, **changes: Any) -> SecrecyReview:
        """File a secrecy review of the resource, as `review`."""
        model = review(**{"resource": self.resource, **changes})
        self.view.apply("review", model.key, model)
        return model

    def grant(self, fields: Iterable[str], divisions: Iterable[str] | None = None, **changes: Any) -> GrantPlan:
        """The compiled plan of a grant of the resource, as `grant`."""
        found = self.view.entry(self.resource)
        assert found is not None
        model = grant(fields, divisions, **{"resource": self.resource, **changes})
        plan = compile_grant(model, found, self.root)
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
