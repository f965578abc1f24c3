"""What must exist on Kafka and in the registry, derived from the register alone; a pure function.

Nothing is provisioned that the register does not ask for, so a resource, an agency or a grant that leaves it leaves no
right behind.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from bus.provision.rights import Right, agency_rights, grant_right, worker_rights
from bus.settings import Settings
from bus.topics import (
    ALARM,
    CHANGE,
    CURSOR,
    DECLARATION,
    DELIVERY,
    DELIVERY_PULSE,
    DIFFERENCE,
    DIGEST,
    FRESHNESS,
    HEARTBEAT,
    HIT,
    INCIDENT,
    LINK,
    PROGRESS,
    PULSE,
    RECEIPT,
    RECORD,
    REFUSED,
    REGISTER,
    RELOCATION,
    TopicKind,
    change_topic,
    cursor_topic,
    declaration_topic,
    digest_topic,
    heartbeat_topic,
    record_topic,
    topic_config,
)
from compliance.catalogue import end_of
from compliance.decision import Permitted
from compliance.models import CatalogueEntry, Grant, GrantState
from compliance.reading import may_read, next_change_at
from compliance.view import RegisterView
from processors.reports import receipt_topic, refused_topic
from schemas.codec import Codec
from schemas.resource import envelope, resource_schema

FIXED = (
    PULSE,
    DIFFERENCE,
    FRESHNESS,
    ALARM,
    HIT,
    INCIDENT,
    PROGRESS,
    DELIVERY_PULSE,
    LINK,
    RELOCATION,
    *REGISTER,
)
# Submissions, records and deliveries have schemas that follow from the catalogue; the rest are envelopes of the bus.
GOVERNED = ("change.", "record.", "delivery.")


class Life(Enum):
    """Where a grant is in its life, as far as its topic is concerned."""

    NOT_YET = "not yet"
    DELIVERABLE = "deliverable"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it must be; `config` holds what the bus sets, the rest is the broker's."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything that must exist.

    Attributes:
        topics: by name.
        rights: every access rule.
        schemas: by topic, the value schemas to register, oldest first.
        known: by topic, further value schemas that the catalogue explains, such as those of ended grants (Art 40).
        ended: grants that are over, whose right and topic must go (decisions 22).
        due: by grant id, when time alone will change what it may; provisioning must be run again then.
    """

    topics: dict[str, Topic] = field(default_factory=dict)
    rights: frozenset[Right] = frozenset()
    schemas: dict[str, tuple[Codec, ...]] = field(default_factory=dict)
    known: dict[str, tuple[Codec, ...]] = field(default_factory=dict)
    ended: tuple[Grant, ...] = ()
    due: dict[str, datetime] = field(default_factory=dict)


def life_of(grant: Grant, now: datetime) -> Life:
    """Whether a grant has a delivery topic: while ACTIVE or SUSPENDED, until its last day is over (Asia/Shanghai)."""
    if grant.state is GrantState.PENDING:
        return Life.NOT_YET
    if grant.state in (GrantState.ACTIVE, GrantState.SUSPENDED) and now < end_of(grant.valid_until):
        return Life.DELIVERABLE
    return Life.ENDED


def desired(view: RegisterView, settings: Settings, now: datetime) -> Desired:
    """What must exist for this register at this instant.

    Args:
        view: the register.
        settings: replication.
        now: aware; decides which grants are over.

    Raises:
        UsageError: an agency has a code that is the bus's own.
        SchemaError: an entry's schema or a grant's fields are wrong.
    """
    making = _Making(settings)
    for kind in FIXED:
        making.fixed(kind, kind.pattern)
    making.rights |= worker_rights()
    for agency in view.agencies():
        making.rights |= agency_rights(agency.code)
        making.fixed(RECEIPT, receipt_topic(agency.code))
        making.fixed(REFUSED, refused_topic(agency.code))
        making.fixed(CURSOR, cursor_topic(agency.code))
        making.fixed(HEARTBEAT, heartbeat_topic(agency.code))
        making.fixed(DECLARATION, declaration_topic(agency.code))
        making.fixed(DIGEST, digest_topic(agency.code))
    for entry in view.entries():
        _entry(making, view, entry)
    ended, due = [], {}
    for grant in view.grants():
        life = life_of(grant, now)
        if life is Life.ENDED:
            ended.append(grant)
            making.known[grant.topic] = _delivery_schemas(view, grant)
        elif life is Life.DELIVERABLE:
            _deliverable(making, view, grant, now)
            change = next_change_at(view, grant, now)
            if change is not None:
                due[grant.id] = change
    return Desired(making.topics, frozenset(making.rights), making.schemas, making.known, tuple(ended), due)


class _Making:
    """The desired state while it is put together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.topics: dict[str, Topic] = {}
        self.rights: set[Right] = set()
        self.schemas: dict[str, tuple[Codec, ...]] = {}
        self.known: dict[str, tuple[Codec, ...]] = {}

    def fixed(self, kind: TopicKind, name: str) -> None:
        """A topic whose partitions and schema the table of topics says."""
        assert kind.partitions is not None  # noqa: S101  kinds without belong to a catalogue entry
        assert kind.envelope is not None  # noqa: S101  as above
        self.topic(kind, name, kind.partitions, (envelope(kind.envelope),))

    def topic(self, kind: TopicKind, name: str, partitions: int, schemas: tuple[Codec, ...]) -> None:
        """Any topic."""
        config = topic_config(kind, self._settings)
        self.topics[name] = Topic(name, partitions, self._settings.replication_factor, config)
        self.schemas[name] = schemas


def _entry(making: _Making, view: RegisterView, entry: CatalogueEntry) -> None:
    """The record topic, and a change topic for every agency that owns a part, under any version (decisions 1)."""
    versions = view.versions(entry.resource)
    layouts = [resource_schema(version.avro) for version in versions]
    records = record_topic(entry.resource)
    making.topic(RECORD, records, entry.partitions, _distinct(layout.record for layout in layouts))
    # What the bus itself wrote before its last upgrade was no change of the catalogue.
    making.known[records] = _distinct(layout.record_before for layout in layouts)
    submissions = _distinct(layout.submission for layout in layouts)
    owners = {code for version in versions for rule in version.owners for code in rule.agencies}
    for code in sorted(owners):
        # An owner that is not registered can sign nothing.
        if view.agency(code) is not None:
            making.topic(CHANGE, change_topic(code, entry.resource), entry.partitions, submissions)


def _deliverable(making: _Making, view: RegisterView, grant: Grant, now: datetime) -> None:
    entry = view.entry(grant.resource)
    if entry is None:
        return
    # One to one with the record's partitions, so that a subject's order is kept (decisions 17).
    making.topic(DELIVERY, grant.topic, entry.partitions, _delivery_schemas(view, grant))
    if isinstance(may_read(view, grant, now), Permitted):
        making.rights.add(grant_right(grant))


def _delivery_schemas(view: RegisterView, grant: Grant) -> tuple[Codec, ...]:
    """The projection under every version that has the granted fields."""
    layouts = [resource_schema(version.avro) for version in view.versions(grant.resource)]
    return _distinct(layout.delivery(grant.fields) for layout in layouts if layout.fields.keys() >= set(grant.fields))


def _distinct(codecs: Iterable[Codec]) -> tuple[Codec, ...]:
    """Each schema once, in order; a version that changes no schema registers none."""
    return tuple({codec.text: codec for codec in codecs}.values())
