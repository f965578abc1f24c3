"""Admit: a batch of signed submissions in, sealed records, receipts, refusals and pulses out.

The law of this file: every change that was read is answered, admitted or refused, each on its own (decisions 15); a
signature, route or review that fails refuses the whole submission. No identity leaves in clear (Art 47). No clock,
no I/O: time and registered schemas are handed in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, NamedTuple

from compliance.models import Agency
from compliance.view import RegisterView
from compliance.writing import compile_owner, may_submit
from processors.batch import Frames, InMessage, Outcome
from processors.crosscheck.facts import FactMaker
from processors.crosscheck.written import NOTHING, FactPlan, FactWriter
from processors.desk import Desk, desk_of
from processors.keying import TokenKeys, discriminator_of, link_target_of, record_key, token_of
from processors.links import Links, link_entry
from processors.reports import Reporter
from processors.sealing import SEALED_SECTIONS, Sealer
from processors.signature import verify
from processors.validity import CHANGE_STEPS, UUID, Session, Sheet, is_past
from schemas.codec import unframe
from schemas.errors import SchemaError
from schemas.partition import partition_of
from schemas.provenance import head_bytes, record_facts
from schemas.refusals import RefusalCode, Refused
from schemas.submission import read_submission
from schemas.wire import content, nullable

SHANGHAI = timezone(timedelta(hours=8))
MAX_CHANGES = 1_000
LINK_TOPIC = "bus.identity-links"
_ABSENT, _PRESENT = b"\x00", b"\x02"  # branches of `["null", "bytes"]`


@dataclass(slots=True)
class AdmitOutcome(Outcome):
    """As `Outcome`, and what must be purged at once: (topic, partition, offset) of submissions with classified data."""

    purge: list[tuple[str, int, int]] = field(default_factory=list)


class _Read(NamedTuple):
    """A submission that its agency signed and an approved schema reads."""

    submission: dict[str, Any]
    agency: Agency
    certificate: str


class _Accepted(NamedTuple):
    """A submission that passed as a whole, and what its changes are judged by."""

    submission: dict[str, Any]
    desk: Desk
    agency: Agency
    certificate: str
    session: Session
    plan: FactPlan


class Admitter:
    """The admit processor.

    Args:
        view: the register; the worker applies changes to it between batches.
        tokens: keys behind subject tokens.
        sealer: seals identity and restricted sections.
        frames: leading bytes by topic.
        submission_max_bytes: a larger submission is refused.
        facts: makes what cross-checks compare, while the content is readable.
        links: the identity links; the worker keeps them current between batches.
    """

    def __init__(
        self,
        view: RegisterView,
        tokens: TokenKeys,
        sealer: Sealer,
        frames: Frames,
        submission_max_bytes: int,
        facts: FactMaker,
        links: Links | None = None,
    ) -> None:
        self._view = view
        self._tokens = tokens
        self._sealer = sealer
        self._frames = frames
        self._max_bytes = submission_max_bytes
        self._compared = FactWriter(facts)
        self._links = Links() if links is None else links

    def admit(self, batch: Sequence[InMessage], layouts: Mapping[int, str | None], now_ms: int) -> AdmitOutcome:
        """Judge a batch.

        Args:
            batch: submissions in the order they were read.
            layouts: by schema id that occurs in the batch, the fingerprint of the registered schema (None: unknown).
            now_ms: the time of admission, milliseconds since the epoch.
        """
        outcome = AdmitOutcome()
        reporter = Reporter(outcome, self._frames, now_ms)
        on = datetime.fromtimestamp(now_ms / 1000, SHANGHAI).date()
        for message in batch:
            read = self._read(message, layouts, now_ms)
            accepted = read if isinstance(read, Refused) else self._permit(message, read, on, now_ms)
            if isinstance(accepted, Refused):
                submission_id = None if isinstance(read, Refused) else read.submission["submission_id"]
                reporter.refuse_submission(message, submission_id, accepted)
                if accepted.code is RefusalCode.E_STATE_SECRET:
                    reporter.open_incident(message)
                    outcome.purge.append((message.topic, message.partition, message.offset))
            else:
                self._admit_changes(message, accepted, reporter, now_ms)
        reporter.close()
        return outcome

    # -- the submission as a whole -----------------------------------------------------------------------------

    def _read(self, message: InMessage, layouts: Mapping[int, str | None], now_ms: int) -> _Read | Refused:
        """Size, signature, schema."""
        _, agency_code, resource = message.topic.split(".", 2)
        if len(message.value or b"") > self._max_bytes:
            return Refused(RefusalCode.E_SCHEMA, f"the submission is larger than {self._max_bytes} bytes")
        agency = self._view.agency(agency_code)
        certificate = verify(message, agency)
        if isinstance(certificate, Refused):
            return certificate
        assert agency is not None  # noqa: S101  verify refuses an unknown agency
        submission = self._decode(message, resource, layouts, now_ms)
        if isinstance(submission, Refused):
            return submission
        return _Read(submission, agency, certificate)

    def _permit(self, message: InMessage, read: _Read, on: date, now_ms: int) -> _Accepted | Refused:
        """Route and permission."""
        _, agency_code, resource = message.topic.split(".", 2)
        submission, agency, certificate = read
        if submission["agency"] != agency_code or submission["resource"] != resource:
            return Refused(RefusalCode.E_ROUTE, f"stands on {message.topic}")
        at = datetime.fromtimestamp(message.append_ms / 1000, UTC)
        permitted = may_submit(
            self._view,
            agency_code,
            resource,
            submission["catalogue_version"],
            submission["review_number"],
            submission["classification"],
            at,
        )
        entry = self._view.entry(resource)
        if isinstance(permitted, Refused):
            return permitted
        assert entry is not None  # noqa: S101  may_submit refuses a resource without entry
        desk = desk_of(entry)
        session = Session(desk, compile_owner(entry, agency_code, at), on, now_ms, agency.division)
        return _Accepted(submission, desk, agency, certificate, session, self._compared.plan(desk.schema, desk.wanted))

    def _decode(  # noqa: PLR0911  one return for each rule
        self, message: InMessage, resource: str, layouts: Mapping[int, str | None], now_ms: int
    ) -> dict[str, Any] | Refused:
        """The submission's fields, read with the approved schema version that wrote it (Art 40)."""
        framed = unframe(message.value)
        if framed is None:
            return Refused(RefusalCode.E_SCHEMA, "the value is not in Confluent's wire format")
        schema_id, payload = framed
        layout = layouts.get(schema_id)
        if layout is None:
            return Refused(RefusalCode.E_SCHEMA, "the registry knows no schema of the id that the value cites")
        versions = self._view.versions(resource)
        if not versions:
            return Refused(RefusalCode.E_NOT_IN_CATALOGUE)
        desk = next((known for entry in reversed(versions) if (known := desk_of(entry)).layout == layout), None)
        if desk is None:
            return Refused(RefusalCode.E_SCHEMA, "the schema that the value cites is in no approved catalogue version")
        try:
            submission = read_submission(payload, desk.schema.all_written) or desk.schema.submission.decode_physical(
                payload
            )
        except SchemaError as error:
            return Refused(RefusalCode.E_SCHEMA, str(error))
        if not 1 <= len(submission["changes"]) <= MAX_CHANGES:
            return Refused(RefusalCode.E_SCHEMA, f"a submission holds 1 to {MAX_CHANGES} changes")
        if not UUID.fullmatch(submission["submission_id"]):
            return Refused(RefusalCode.E_SCHEMA, "is not a lower-case UUID", "submission_id")
        if not is_past(submission["published_at"], now_ms):
            return Refused(RefusalCode.E_SCHEMA, "is missing or lies in the future", "published_at")
        return submission

    # -- its changes, one by one -------------------------------------------------------------------------------

    def _admit_changes(self, message: InMessage, accepted: _Accepted, reporter: Reporter, now_ms: int) -> None:
        facts = self._facts(message, accepted, now_ms)
        session = accepted.session
        report = reporter.submission(message, accepted.submission)
        for index, change in enumerate(accepted.submission["changes"]):
            sheet = Sheet(change, change["data"])
            for step in CHANGE_STEPS:
                refused = step(sheet, session)
                if refused is not None:
                    break
            else:
                refused = self._record(sheet, accepted, facts, index, reporter)
            if refused is None:
                report.admitted(change)
            else:
                report.refused(index, change, refused)
        report.close()

    def _facts(self, message: InMessage, accepted: _Accepted, now_ms: int) -> bytes:
        """The bytes that every record of this submission shares."""
        submission, entry = accepted.submission, accepted.desk.entry
        return record_facts().encode_physical(
            {
                "submission_id": submission["submission_id"],
                "agency": accepted.agency.code,
                "partition": message.partition,
                "offset": message.offset,
                "certificate": accepted.certificate,
                "catalogue_version": submission["catalogue_version"],
                "layout_version": entry.version,
                "review_number": submission["review_number"],
                # Stamped from the catalogue, never by the publisher (decisions 10).
                "freshness": entry.freshness.value,
                "sharing": entry.sharing.value,
                "published_at": submission["published_at"],
                "admitted_at": now_ms,
                "key_id": self._sealer.key_id,
                "token_key": self._tokens.key_id,
            }
        )

    def _record(
        self, sheet: Sheet, accepted: _Accepted, facts: bytes, index: int, reporter: Reporter
    ) -> Refused | None:
        """Write one admitted change to its record topic; a WITHDRAW is followed by a tombstone (decisions 15).

        A subject whose number was given up goes on under the token of the number that stays.
        """
        assert sheet.identity is not None  # noqa: S101  the identity step refuses what has none
        desk = accepted.desk
        token = token_of(sheet.identity, self._tokens)
        discriminator = discriminator_of(desk.schema, sheet.data, self._tokens)
        if isinstance(discriminator, str):
            return Refused(RefusalCode.E_NO_KEY, "a part of the record's own key is missing", discriminator)
        if desk.schema.links_to is not None:
            refused = self._link(sheet, accepted, token, reporter)
            if refused is not None:
                return refused
        else:
            token = self._links.home(token)
        key = record_key(token, discriminator, self._tokens)
        change, data = sheet.change, sheet.data
        event_id, withdrawn = change["event_id"], change["operation"] == "WITHDRAW"
        head = head_bytes(
            event_id,
            change["operation"],
            change["business_time"],
            sheet.division,
            change["supersedes"],
            sheet.flags,
            index,
            discriminator,
        )
        # What is withdrawn should never have been supplied: its content is not written again.
        shown = {} if withdrawn else data
        written = desk.schema.written
        parts = [self._frames[desk.record_topic], head, facts, nullable(written["open"], shown)]
        bound = token + event_id.encode()
        for section in SEALED_SECTIONS:
            if withdrawn or not written[section]:
                parts.append(_ABSENT)
            else:
                parts.append(_PRESENT + content(self._sealer.seal(section, nullable(written[section], data), bound)))
        parts.append(NOTHING if withdrawn else accepted.plan.write(data, accepted.session.on))
        partition = partition_of(token, desk.entry.partitions)
        reporter.outcome.send(desk.record_topic, partition, key, b"".join(parts))
        if withdrawn:
            reporter.outcome.send(desk.record_topic, partition, key, None)
        return None

    def _link(self, sheet: Sheet, accepted: _Accepted, token: bytes, reporter: Reporter) -> Refused | None:
        """Take over an identity link, or take it back; what stood under the old token is moved by the relocate worker.

        One identity is linked once, or the order of links would decide who somebody is. To mend a wrong link its owner
        withdraws it and publishes the records concerned again.
        """
        change, schema = sheet.change, accepted.desk.schema
        if change["operation"] == "WITHDRAW":
            self._links.drop(token)
            reporter.outcome.send(LINK_TOPIC, 0, token, None)
            return None
        found = link_target_of(schema, sheet.data, accepted.session.on)
        if isinstance(found, Refused):
            return found
        target, number = token_of(found, self._tokens), schema.links_to[1] if schema.links_to else None
        if target == token:
            return Refused(RefusalCode.E_LINK, "both numbers mean one subject already", number)
        if self._links.target(token) not in (None, target):
            return Refused(RefusalCode.E_LINK, "the old number is linked to another one; withdraw that link", number)
        self._links.put(token, target)
        value = link_entry({"change": change, "submission": accepted.submission}, target, self._tokens.key_id)
        reporter.outcome.send(LINK_TOPIC, 0, token, self._frames[LINK_TOPIC] + value)
        return None
