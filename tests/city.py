"""A small city on the session's cluster for one test: agencies, one resource of its own, grants, real workers.

Every city has resources, agencies and grants of its own names, so tests share one cluster without meeting. A resource
of a new name is a schema file and a catalogue entry (Art 36), which is a fair use of the bus.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from bus.local.certificates import issue_agency
from bus.provision.register import Report, apply_register_file
from bus.settings import Settings
from bus.wire.clients import Principal, consumer
from bus.wire.deadline import Deadline
from bus.wire.registry import Registry
from schemas.codec import unframe
from schemas.resource import ResourceSchema, packaged_text
from tests.threads import WAIT_S

_FIRST, _LAST = "2020-01-01", "2099-12-31"
_LAW = {"title": "测试法", "article": "1", "level": "LAW"}


@dataclass
class City:
    """One test's city; names carry a suffix of its own."""

    settings: Settings
    folder: Path
    partitions: int = 2
    suffix: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    grants: dict[str, dict[str, Any]] = field(default_factory=dict)
    others: dict[str, ResourceSchema] = field(default_factory=dict)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    reviewed: list[str] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.owner, self.subscriber, self.other = (f"{name}_{self.suffix}" for name in ("mig", "sub", "oth"))
        self.resource = f"permit_{self.suffix}"
        self.schema = self._own(self.resource, "residence_permit")
        self.reviewed.append(self.owner)
        self.add_version()
        for code in (self.owner, self.subscriber, self.other):
            issue_agency(self.settings.state_dir, code)

    def _own(self, resource: str, packaged: str) -> ResourceSchema:
        """A packaged resource under a name of this city's."""
        avro = json.loads(packaged_text(packaged))
        avro |= {"resource": resource, "name": "".join(part.capitalize() for part in resource.split("_"))}
        return ResourceSchema(json.dumps(avro, ensure_ascii=False))

    def add_resource(self, packaged: str, **changes: Any) -> str:
        """A further resource of the same owner; what its entry says otherwise. Takes effect with `apply`."""
        resource = f"{packaged}_{self.suffix}"
        self.said[resource] = changes
        self.others[resource] = self._own(resource, packaged)
        return resource

    def add_version(self, avro: dict[str, Any] | None = None, **changes: Any) -> str:
        """The next version of the resource's entry, with this schema or the same; its text. Takes effect with `apply`."""
        text = json.dumps(avro or self.schema.avro, ensure_ascii=False)
        self.versions.append(self._entry(text, version=len(self.versions) + 1, **changes))
        return text

    def add_grant(
        self, name: str, fields: Sequence[str] | None = None, resource: str | None = None, **more: Any
    ) -> str:
        """A grant of the subscriber; every field when none are named. Takes effect with `apply`."""
        schema = self.schema if resource is None else self.others[resource]
        grant = f"{name}-{self.suffix}"
        self.grants[grant] = {
            "id": grant,
            "subscriber": self.subscriber,
            "resource": schema.code,
            "fields": list(fields or schema.fields),
            "purpose": "test",
            "legal_basis": {"title": "惠州市政务信息资源共享管理办法", "article": "44"},
            "agreement": {
                "number": "1",
                "signed_by_provider": _FIRST,
                "signed_by_subscriber": _FIRST,
                "valid_from": _FIRST,
                "valid_until": _LAST,
            },
            "valid_from": _FIRST,
            "valid_until": _LAST,
            "state": "ACTIVE",
            "disposal": "RETAIN",
            **more,
        }
        return grant

    def topic(self, grant: str) -> str:
        return f"delivery.{self.subscriber}.{self.grants[grant]['resource']}.{grant}"

    def register_file(self) -> Path:
        agencies = [
            {
                "code": code,
                "name": "测试单位",
                "credit_code": "11441300007212348P",
                "type": "ADMINISTRATIVE_ORGAN",
                "division": "441300",
                "state": "CONNECTED",
                "contacts": [
                    {"role": role, "name": "示例", "phone": "0"}
                    for role in ("LEADER", "SHARING_OFFICER", "TECHNICAL_OFFICER")
                ],
                "certificates": [{"file": str(self.settings.state_dir / "agencies" / code / "signing.crt")}],
            }
            for code in (self.owner, self.subscriber, self.other)
        ]
        content = {
            "version": "1",
            "agencies": agencies,
            "catalogue": [
                *self.versions,
                *(self._entry(json.dumps(s.avro), **self.said[code]) for code, s in self.others.items()),
            ],
            "reviews": self._reviews(),
            "grants": list(self.grants.values()),
        }
        path = self.folder / "register.yaml"
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        assert yaml.safe_load(path.read_text(encoding="utf-8"))
        return path

    def _entry(self, text: str, version: int = 1, **changes: Any) -> dict[str, Any]:
        """A catalogue entry of a schema, which is written beside the register file."""
        avro = json.loads(text)
        file = f"{avro['resource']}@{version}.avsc"
        (self.folder / file).write_text(text, encoding="utf-8")
        said = ("name", "content", "responsible_department", "platform", "scope_and_manner", "conditions")
        return {
            "resource": avro["resource"],
            "version": version,
            **dict.fromkeys(said, "测试"),
            "update_frequency": "实时",
            "related_systems": ["测试系统"],
            "sharing_period": {"from": _FIRST},
            "freshness": "DYNAMIC",
            "sharing": "CONDITIONAL",
            "owners": [{"agencies": [self.owner], "divisions": ["441300"]}],
            "partitions": self.partitions,
            "published_at": "2026-01-01T00:00:00+00:00",
            # Every city collects the same items again, which only a law may allow (Art 11).
            "fields": {spec["name"]: {"repeats_under": _LAW} for spec in avro["fields"]},
            "schema": {"file": file},
            **changes,
        }

    def _reviews(self) -> list[dict[str, Any]]:
        """One for each owner of the resource, R-1, and for the owner's further ones, R-2 and so on."""
        others = [(f"R-{number}", self.owner, other) for number, other in enumerate(self.others, 2)]
        return [
            {
                "number": number,
                "agency": agency,
                "resource": resource,
                "catalogue_version": 1,
                "reviewer": "示例",
                "reviewed_on": _FIRST,
                "valid_until": _LAST,
                "result": "PASS",
            }
            for number, agency, resource in [*(("R-1", agency, self.resource) for agency in self.reviewed), *others]
        ]

    def apply(self) -> Report:
        return apply_register_file(self.settings, self.register_file())

    def read(self, *topics: str) -> list[Message]:
        """Everything that is visible on some topics now, read-committed, in order within each partition."""
        reader = self._reader
        open_ends = set()
        for topic in topics:
            known = reader.list_topics(topic, timeout=WAIT_S).topics[topic]
            if known.error is not None:
                raise KafkaException(known.error)
            open_ends |= {(topic, part) for part in known.partitions}
        reader.assign([TopicPartition(topic, part, 0) for topic, part in open_ends])
        try:
            found: list[Message] = []
            deadline = Deadline(WAIT_S, f"reading {', '.join(topics)[:100]}")
            while open_ends:
                deadline.check()
                for message in reader.consume(1_000, 0.3):
                    if message.error() is not None:
                        open_ends.discard((message.topic() or "", message.partition() or 0))
                    else:
                        found.append(message)
            return found
        finally:
            reader.unassign()

    @cached_property
    def _reader(self) -> Consumer:
        # Kept: tests look again and again, and a new client costs broker and test far more than the look. One that reads
        # other topics each time must not wait for the answer about those of the last time.
        principal = Principal.role(self.settings, "operator")
        return consumer(
            self.settings, principal, "test.read", **{"enable.partition.eof": True, "fetch.wait.max.ms": 20}
        )

    @cached_property
    def _registry(self) -> Registry:
        return Registry(self.settings, Principal.role(self.settings, "operator"))

    def entries(self, topic: str) -> list[tuple[bytes, dict[str, Any] | None]]:
        """Key and decoded value of everything on a topic, as one reading found it; None is a tombstone."""
        registry = self._registry
        rows: list[tuple[bytes, dict[str, Any] | None]] = []
        for message in self.read(topic):
            framed = unframe(message.value())
            codec = None if framed is None else registry.codec(framed[0])
            assert framed is None or codec is not None
            rows.append((message.key() or b"", None if framed is None or codec is None else codec.decode(framed[1])))
        return rows

    def decoded(self, topic: str) -> list[tuple[bytes, dict[str, Any]]]:
        """Key and decoded value of everything on a topic; tombstones are left out."""
        return [(key, row) for key, row in self.entries(topic) if row is not None]

    def data(self, topic: str) -> list[dict[str, Any]]:
        """The decoded values of a topic."""
        return [row for _, row in self.decoded(topic)]


def today() -> date:
    return datetime.now(UTC).date()
