"""Who may do what on Kafka, and nothing else: the access rules (ACL) of every principal of the bus (Art 7, 22, 47).

Default deny: Kafka refuses what no rule here allows. READ and WRITE each imply DESCRIBE. Nobody may CREATE, and no
agency may ever write to `record.*`, `delivery.*` or `register.*`. Every prefix ends with a dot or a dash, or the agency
`psb` would have rights on what belongs to `psb_x`.
"""

from dataclasses import dataclass

from bus.topics import (
    ALARM,
    DELIVERY_PULSE,
    DIFFERENCE,
    FRESHNESS,
    HIT,
    INCIDENT,
    LINK,
    OPEN_KINDS,
    PROGRESS,
    PULSE,
    QUALITY,
    RELOCATION,
    change_topic,
    cursor_topic,
    declaration_topic,
    digest_topic,
    heartbeat_topic,
    register_topic,
)
from compliance.models import MODELS, Grant
from processors.reports import receipt_topic, refused_topic
from schemas.errors import UsageError

TOPIC, GROUP, TRANSACTIONAL_ID = "TOPIC", "GROUP", "TRANSACTIONAL_ID"
READ, WRITE, DELETE, DESCRIBE = "READ", "WRITE", "DELETE", "DESCRIBE"
ADMIT, DELIVER, RELOCATE = "User:bus-admit", "User:bus-deliver", "User:bus-relocate"
WATCHER, CHECKER = "User:bus-freshness", "User:bus-crosscheck"
WORKERS = (ADMIT, DELIVER, RELOCATE, WATCHER, CHECKER)
AGENCY_PREFIX = "User:agency-"
# An agency of this code would own the groups and transactional ids of the bus's own workers, and could fence them.
RESERVED_CODES = frozenset({"bus"})


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One access rule.

    Attributes:
        principal: `User:<common name>`.
        operation: READ, WRITE, DELETE, …, as Kafka words them.
        kind: TOPIC, GROUP, TRANSACTIONAL_ID, …, as Kafka words them.
        name: of the resource, or the beginning of its name when `prefixed`.
        host, permission: other than `*` and ALLOW only in rules that others made.
    """

    principal: str
    kind: str
    name: str
    operation: str
    prefixed: bool = False
    host: str = "*"
    permission: str = "ALLOW"

    def __str__(self) -> str:
        """`User:agency-psb WRITE topic change.psb.*`."""
        kind = self.kind.lower().replace("_", " ")
        rest = ("" if self.permission == "ALLOW" else f" {self.permission}") + (
            "" if self.host == "*" else f" from {self.host}"
        )
        return f"{self.principal} {self.operation} {kind} {self.name}{'*' if self.prefixed else ''}{rest}"

    @property
    def managed(self) -> bool:
        """Whether the bus gives and takes this rule: an ALLOW of an agency or of one of the workers.

        A DENY is somebody's deliberate stop and stays; foreign principals are reported, never touched (Art 10).
        """
        ours = self.principal.startswith(AGENCY_PREFIX) or self.principal in WORKERS
        return ours and self.permission == "ALLOW"


def agency_principal(code: str) -> str:
    """The principal of an agency."""
    return f"{AGENCY_PREFIX}{code}"


def agency_rights(code: str) -> set[Right]:
    """What every registered agency may do, with or without grants.

    An agency that is not connected yet (Art 43) has them too: admit refuses what it publishes, with the reason, on the
    agency's own topics.

    Raises:
        UsageError: for a code that is the bus's own.
    """
    if code in RESERVED_CODES:
        raise UsageError(f"agency code {code} is the bus's own: choose another one")
    own = agency_principal(code)
    rights = {
        # Its corridor: `change.<code>.<resource>`.
        Right(own, TOPIC, change_topic(code, ""), WRITE, prefixed=True),
        Right(own, TOPIC, receipt_topic(code), READ),
        Right(own, TOPIC, refused_topic(code), READ),
        # A connector notes what it cannot publish, and how far it has read, in its submissions' transaction.
        Right(own, TOPIC, refused_topic(code), WRITE),
        Right(own, TOPIC, cursor_topic(code), READ),
        Right(own, TOPIC, cursor_topic(code), WRITE),
        # Its sources say that they are there, and declare their quarters.
        Right(own, TOPIC, heartbeat_topic(code), WRITE),
        Right(own, TOPIC, declaration_topic(code), WRITE),
        Right(own, TOPIC, declaration_topic(code), READ),
        # They tell what they hold; a connector asks when that was last.
        Right(own, TOPIC, digest_topic(code), WRITE),
        Right(own, TOPIC, digest_topic(code), READ),
        Right(own, GROUP, f"{code}.", READ, prefixed=True),
        # Readers without offsets of their own (bus/wire/feed.py, bus/wire/table.py) still name a group.
        Right(own, GROUP, f"agency-{code}.register", READ),
        Right(own, GROUP, f"agency-{code}.table", READ),
        Right(own, TRANSACTIONAL_ID, f"{code}.", WRITE, prefixed=True),
    }
    return rights | {Right(own, TOPIC, register_topic(kind), READ) for kind in OPEN_KINDS}


def grant_right(grant: Grant) -> Right:
    """The subscriber's right to read its delivery topic; given only while the grant may be read."""
    return Right(agency_principal(grant.subscriber), TOPIC, grant.topic, READ)


def worker_rights() -> set[Right]:
    """What the bus's own workers may do; the operator is a super user and needs no rule."""
    return _admit_rights() | _deliver_rights() | _relocate_rights() | _freshness_rights() | _crosscheck_rights()


def _admit_rights() -> set[Right]:
    return {
        Right(ADMIT, TOPIC, "change.", READ, prefixed=True),
        # Purges the corridor behind its committed position (decisions 11, 16).
        Right(ADMIT, TOPIC, "change.", DELETE, prefixed=True),
        Right(ADMIT, TOPIC, "record.", WRITE, prefixed=True),
        Right(ADMIT, TOPIC, "receipt.", WRITE, prefixed=True),
        Right(ADMIT, TOPIC, "refused.", WRITE, prefixed=True),
        Right(ADMIT, TOPIC, PULSE.pattern, WRITE),
        Right(ADMIT, TOPIC, INCIDENT.pattern, WRITE),
        Right(ADMIT, TOPIC, LINK.pattern, READ),
        Right(ADMIT, TOPIC, LINK.pattern, WRITE),
        *_common_rights(ADMIT, "admit"),
    }


def _deliver_rights() -> set[Right]:
    return {
        Right(DELIVER, TOPIC, "record.", READ, prefixed=True),
        Right(DELIVER, TOPIC, "delivery.", WRITE, prefixed=True),
        # Reads what a subscriber of a row-scoped grant now holds, after a restart.
        Right(DELIVER, TOPIC, "delivery.", READ, prefixed=True),
        Right(DELIVER, TOPIC, PROGRESS.pattern, READ),
        Right(DELIVER, TOPIC, PROGRESS.pattern, WRITE),
        Right(DELIVER, TOPIC, DELIVERY_PULSE.pattern, WRITE),
        *_common_rights(DELIVER, "deliver"),
    }


def _relocate_rights() -> set[Right]:
    return {
        Right(RELOCATE, TOPIC, "record.", READ, prefixed=True),
        Right(RELOCATE, TOPIC, "record.", WRITE, prefixed=True),
        Right(RELOCATE, TOPIC, LINK.pattern, READ),
        # Writes the links again when the token keys were changed.
        Right(RELOCATE, TOPIC, LINK.pattern, WRITE),
        Right(RELOCATE, TOPIC, RELOCATION.pattern, READ),
        Right(RELOCATE, TOPIC, RELOCATION.pattern, WRITE),
        *_common_rights(RELOCATE, "relocate"),
    }


def _freshness_rights() -> set[Right]:
    return {
        Right(WATCHER, TOPIC, PULSE.pattern, READ),
        Right(WATCHER, TOPIC, DELIVERY_PULSE.pattern, READ),
        Right(WATCHER, TOPIC, heartbeat_topic(""), READ, prefixed=True),
        Right(WATCHER, TOPIC, declaration_topic(""), READ, prefixed=True),
        # It goes on from what it wrote itself; it never reads what is exchanged.
        Right(WATCHER, TOPIC, FRESHNESS.pattern, READ),
        Right(WATCHER, TOPIC, FRESHNESS.pattern, WRITE),
        Right(WATCHER, TOPIC, ALARM.pattern, READ),
        Right(WATCHER, TOPIC, ALARM.pattern, WRITE),
        *_common_rights(WATCHER, "freshness"),
    }


def _crosscheck_rights() -> set[Right]:
    return {
        # It holds no key: what is sealed stays sealed, and digests say nothing to it but whether they are equal.
        Right(CHECKER, TOPIC, "record.", READ, prefixed=True),
        Right(CHECKER, TOPIC, HIT.pattern, READ),
        Right(CHECKER, TOPIC, HIT.pattern, WRITE),
        # What was admitted and refused is part of an agency's quality.
        Right(CHECKER, TOPIC, PULSE.pattern, READ),
        Right(CHECKER, TOPIC, refused_topic(""), READ, prefixed=True),
        Right(CHECKER, TOPIC, QUALITY.pattern, READ),
        Right(CHECKER, TOPIC, QUALITY.pattern, WRITE),
        # What sources say they hold, held against the records.
        Right(CHECKER, TOPIC, digest_topic(""), READ, prefixed=True),
        Right(CHECKER, TOPIC, DIFFERENCE.pattern, READ),
        Right(CHECKER, TOPIC, DIFFERENCE.pattern, WRITE),
        *_common_rights(CHECKER, "crosscheck"),
    }


def _common_rights(principal: str, role: str) -> set[Right]:
    return {Right(principal, TOPIC, register_topic(kind), READ) for kind in MODELS} | {
        Right(principal, GROUP, f"bus.{role}", READ),
        Right(principal, GROUP, f"bus-{role}.", READ, prefixed=True),
        Right(principal, TRANSACTIONAL_ID, f"bus.{role}-", WRITE, prefixed=True),
    }
