"""Every topic of the bus in one table: name, what it holds, who writes and reads it, how it is kept.

Provisioning, rights and the documentation derive from this table. `<agency>` and the like are filled in from the
register.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bus.settings import Settings
from compliance.models import MODELS, Agency, CatalogueEntry, SecrecyReview
from processors.admit import LINK_TOPIC

# Not the others: who else receives what, who cannot supply, what was found about whom, is no agency's business (Art 7).
OPEN_KINDS = (Agency.kind, CatalogueEntry.kind, SecrecyReview.kind)
DAY_MS = 86_400_000
FOREVER = -1


@dataclass(frozen=True, slots=True)
class TopicKind:
    """One row of the table.

    Attributes:
        pattern: the name, with placeholders.
        holds: one sentence.
        written_by, read_by: principals or roles.
        compacted: whether the latest value of each key is kept for ever.
        retention_ms: how long messages are kept; FOREVER for no limit. Ignored by compacted topics.
        partitions: None where the catalogue entry says.
        envelope: name of the value's envelope schema; None where it derives from the resource.
        config: further topic settings.
    """

    pattern: str
    holds: str
    written_by: str
    read_by: str
    compacted: bool = False
    retention_ms: int = FOREVER
    partitions: int | None = 1
    envelope: str | None = None
    config: Mapping[str, str] = field(default_factory=dict, hash=False)


CHANGE = TopicKind(
    "change.<agency>.<resource>",
    "signed submissions of one owner; a corridor, purged behind admit's committed position (decisions 16)",
    "the agency",
    "admit",
    partitions=None,
    # Owner rules and certificates are judged at the broker's time, not at one that a publisher states (decisions 26).
    config={"message.timestamp.type": "LogAppendTime"},
)
RECORD = TopicKind(
    "record.<resource>",
    "the current, admitted record of each subject, sealed",
    "admit, relocate",
    "deliver, relocate, crosscheck, archiver",
    compacted=True,
    partitions=None,
    config={
        # The archiver has a week before compaction may overtake it (decisions 21).
        "min.compaction.lag.ms": str(7 * DAY_MS),
        # A suspended grant that resumes within this time still learns of withdrawals.
        "delete.retention.ms": str(30 * DAY_MS),
    },
)
DELIVERY = TopicKind(
    "delivery.<subscriber>.<resource>.<grant>",
    "exactly the fields and rows of one grant",
    "deliver",
    "the subscriber, while the grant is active",
    compacted=True,
    partitions=None,
    config={"min.compaction.lag.ms": str(DAY_MS), "delete.retention.ms": str(7 * DAY_MS)},
)
RECEIPT = TopicKind(
    "receipt.<agency>",
    "what became of each submission",
    "admit",
    "the agency",
    retention_ms=30 * DAY_MS,
    envelope="receipt",
)
REFUSED = TopicKind(
    "refused.<agency>",
    "each refused change with code, reason, article and position; never its content",
    "admit, the agency's connectors",
    "the agency, crosscheck",
    retention_ms=180 * DAY_MS,
    envelope="refusal",
)
CURSOR = TopicKind(
    "cursor.<agency>",
    "how far each connector of the agency has read its source",
    "the agency",
    "the agency",
    compacted=True,
    envelope="cursor",
)
PULSE = TopicKind(
    "pulse",
    "one summary for each admit transaction, agency and resource",
    "admit",
    "freshness, crosscheck",
    retention_ms=7 * DAY_MS,
    envelope="pulse",
)
HEARTBEAT = TopicKind(
    "heartbeat.<agency>",
    "a source says that it is there, and up to when its data are complete",
    "the agency",
    "freshness",
    retention_ms=7 * DAY_MS,
    envelope="heartbeat",
    # Against it the source's own clock is held.
    config={"message.timestamp.type": "LogAppendTime"},
)
DECLARATION = TopicKind(
    "declaration.<agency>",
    "a source's word on a quarter: complete up to a mark, or unchanged",
    "the agency",
    "freshness, the agency",
    envelope="declaration",
    # Whether a quarter was over when it was declared is the broker's word, not the source's (decisions 28).
    config={"message.timestamp.type": "LogAppendTime"},
)
DIGEST = TopicKind(
    "digest.<agency>",
    "what a source holds, as counts and digests by key range",
    "the agency",
    "the agency, crosscheck",
    retention_ms=35 * DAY_MS,
    envelope="digest",
    # Two digests are compared in the order of the broker's time.
    config={"message.timestamp.type": "LogAppendTime"},
)
DIFFERENCE = TopicKind(
    "difference",
    "where a source and the bus hold other versions, until they agree again",
    "crosscheck",
    "crosscheck, operator",
    compacted=True,
    envelope="difference",
)
FRESHNESS = TopicKind(
    "freshness",
    "how each agency's part of each resource stands, and the state behind it",
    "freshness",
    "freshness, operator",
    compacted=True,
    envelope="freshness",
)
ALARM = TopicKind(
    "alarm",
    "what is wrong with a source: raised, then cleared",
    "freshness",
    "freshness, operator",
    compacted=True,
    envelope="alarm",
)
HIT = TopicKind(
    "hit",
    "what cross-checks found: opened, changed, closed; gone 30 days after it was closed",
    "crosscheck",
    "crosscheck, operator",
    compacted=True,
    envelope="hit",
    # Whoever takes the lead reads what is not compacted yet: a day of it, not the broker's week.
    config={"segment.ms": str(DAY_MS), "segment.bytes": "67108864"},
)
QUALITY = TopicKind(
    "quality",
    "how good each agency's part of each resource was, by the day on which it came, and what took it down",
    "crosscheck",
    "crosscheck, operator",
    compacted=True,
    envelope="quality",
    # Today's sums are written again and again.
    config={"segment.ms": str(DAY_MS), "segment.bytes": "67108864"},
)
INCIDENT = TopicKind(
    "incident",
    "what people must look into, such as classified data found on the bus",
    "admit",
    "operator",
    envelope="incident",
)
PROGRESS = TopicKind(
    "bus.delivery-progress",
    "where each grant stands on each record partition",
    "deliver",
    "deliver, operator",
    compacted=True,
    envelope="progress",
)
DELIVERY_PULSE = TopicKind(
    "bus.delivery-pulse",
    "what deliveries took, at most one a second for each owner, grant and worker",
    "deliver",
    "freshness",
    retention_ms=7 * DAY_MS,
    envelope="delivery_pulse",
)
LINK = TopicKind(
    LINK_TOPIC,
    "identity links as the workers follow them: which token a subject goes on under",
    "admit, relocate after a change of keys",
    "admit, relocate",
    compacted=True,
    envelope="link",
)
RELOCATION = TopicKind(
    "bus.relocation-progress",
    "how far identity links have been applied to each record partition",
    "relocate",
    "relocate, operator",
    compacted=True,
    envelope="relocation",
)
REGISTER = tuple(
    TopicKind(
        f"register.{kind}",
        f"the register's {kind} entries",
        "operator",
        "the bus, and agencies" if kind in OPEN_KINDS else "the bus",
        compacted=True,
        envelope=f"register_{kind}",
    )
    for kind in MODELS
)
KINDS = (
    CHANGE,
    RECORD,
    DELIVERY,
    RECEIPT,
    REFUSED,
    CURSOR,
    PULSE,
    HEARTBEAT,
    DECLARATION,
    DIGEST,
    DIFFERENCE,
    FRESHNESS,
    ALARM,
    HIT,
    QUALITY,
    INCIDENT,
    PROGRESS,
    DELIVERY_PULSE,
    LINK,
    RELOCATION,
    *REGISTER,
)


def change_topic(agency: str, resource: str) -> str:
    """Where an agency publishes a resource."""
    return f"change.{agency}.{resource}"


def record_topic(resource: str) -> str:
    """Where the current records of a resource are."""
    return f"record.{resource}"


def cursor_topic(agency: str) -> str:
    """Where an agency's connectors note how far they have read."""
    return f"cursor.{agency}"


def heartbeat_topic(agency: str) -> str:
    """Where an agency's sources say that they are there."""
    return f"heartbeat.{agency}"


def declaration_topic(agency: str) -> str:
    """Where an agency's sources declare their quarters."""
    return f"declaration.{agency}"


def digest_topic(agency: str) -> str:
    """Where an agency's connectors tell what their sources hold."""
    return f"digest.{agency}"


def register_topic(kind: str) -> str:
    """Where one kind of register entry is."""
    return f"register.{kind}"


def topic_config(kind: TopicKind, settings: Settings) -> dict[str, str]:
    """The configuration of a topic of one kind."""
    config = {"min.insync.replicas": str(settings.min_insync_replicas), **kind.config}
    if kind.compacted:
        config["cleanup.policy"] = "compact"
    elif kind is CHANGE:
        config |= {
            "cleanup.policy": "delete",
            "retention.ms": str(settings.corridor_retention_ms),
            # More than a submission may have, so that admit can refuse an oversized one with a reason.
            "max.message.bytes": str(settings.topic_max_bytes),
        }
    else:
        config |= {"cleanup.policy": "delete", "retention.ms": str(kind.retention_ms)}
    return config
