"""What admit tells people: receipts, refusals, pulses, incidents. Never an identity, never a value (Art 47)."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processors.batch import Frames, InMessage, Outcome
from schemas.codec import Codec
from schemas.refusals import RefusalCode, Refused
from schemas.resource import envelope

WHOLE_SUBMISSION = -1
_INCIDENTS = uuid.UUID("6f2d1c7e-3f0b-5f6a-9d3e-6a1f3c9b7d52")


def receipt_topic(agency: str) -> str:
    """Where an agency finds the receipts of its submissions."""
    return f"receipt.{agency}"


def refused_topic(agency: str) -> str:
    """Where an agency finds its refused changes."""
    return f"refused.{agency}"


def refusal_datum(
    position: tuple[str, int, int, int],
    ids: tuple[str | None, str | None],
    route: tuple[str, str],
    stage: str,
    refused: Refused,
    now_ms: int,
) -> dict[str, Any]:
    """The datum of one refusal event.

    Args:
        position: topic, partition, offset, index (-1: the whole submission).
        ids: submission id and event id, where known.
        route: agency and resource.
        stage: PUBLISHER, CONNECTOR or ADMIT.
        refused: the reason.
        now_ms: when, milliseconds since the epoch.
    """
    topic, partition, offset, index = position
    return {
        "submission_id": ids[0],
        "event_id": ids[1],
        "agency": route[0],
        "resource": route[1],
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "index": index,
        "stage": stage,
        "code": refused.code.value,
        "field": refused.field,
        "detail": refused.detail,
        "reason_zh": refused.reason_zh,
        "reason_en": refused.reason_en,
        "article": refused.article,
        "refused_at": now_ms,
    }


@dataclass(slots=True)
class _Pulse:
    admitted: int = 0
    refused: int = 0
    withdrawn: int = 0
    corrected: int = 0
    earliest: int | None = None
    latest: int | None = None
    published: int | None = None
    appended: int | None = None
    supplied: int | None = None


class Reporter:
    """Collects what one batch has to report into its outcome.

    Args:
        outcome: the batch's outcome, which also takes the records.
        frames: leading bytes by topic.
        now_ms: the time of admission.
    """

    def __init__(self, outcome: Outcome, frames: Frames, now_ms: int) -> None:
        self.outcome = outcome
        self.now_ms = now_ms
        self._frames = frames
        self._pulses: dict[tuple[str, str], _Pulse] = {}

    def submission(self, message: InMessage, submission: Mapping[str, Any]) -> "SubmissionReport":
        """The report of one readable submission."""
        return SubmissionReport(self, message, submission)

    def refuse_submission(self, message: InMessage, submission_id: str | None, refused: Refused) -> None:
        """One refusal event and a receipt for a submission that is refused as a whole; its id, where it was read."""
        report = SubmissionReport(self, message, {"submission_id": submission_id, "published_at": None})
        report.refused(WHOLE_SUBMISSION, {"event_id": None}, refused)
        report.close()

    def open_incident(self, message: InMessage) -> None:
        """An incident: classified data reached the bus (Art 15, decisions 11)."""
        _, agency, resource = message.topic.split(".", 2)
        place = f"{message.topic}/{message.partition}/{message.offset}"
        datum = {
            # Named after the place, so that a batch that is worked again opens the same incident.
            "incident_id": str(uuid.uuid5(_INCIDENTS, place)),
            "kind": "STATE_SECRET_FOUND",
            "agency": agency,
            "resource": resource,
            "topic": message.topic,
            "partition": message.partition,
            "offset": message.offset,
            "opened_at": self.now_ms,
        }
        self.write("incident", agency, envelope("incident"), datum)
        self.outcome.counts["incidents", "STATE_SECRET_FOUND"] += 1

    def pulse(self, agency: str, resource: str) -> _Pulse:
        """The running sum of one agency and resource."""
        return self._pulses.setdefault((agency, resource), _Pulse())

    def write(self, topic: str, key: str, codec: Codec, datum: Mapping[str, Any]) -> None:
        """Add one report message; report topics have a single partition, so order is the order of admission."""
        self.outcome.send(topic, 0, key.encode(), self._frames[topic] + codec.encode_physical(datum))

    def close(self) -> None:
        """Write one pulse for each agency and resource that the batch touched."""
        for (agency, resource), pulse in self._pulses.items():
            self.write(
                "pulse",
                f"{agency}.{resource}",
                envelope("pulse"),
                {
                    "agency": agency,
                    "resource": resource,
                    "admitted": pulse.admitted,
                    "refused": pulse.refused,
                    "withdrawn": pulse.withdrawn,
                    "corrected": pulse.corrected,
                    "earliest_business_time": pulse.earliest,
                    "latest_business_time": pulse.latest,
                    "latest_published_at": pulse.published,
                    "earliest_appended_at": pulse.appended,
                    "latest_appended_at": pulse.supplied,
                    "admitted_at": self.now_ms,
                },
            )


class SubmissionReport:
    """Receipt and refusals of one submission."""

    def __init__(self, reporter: Reporter, message: InMessage, submission: Mapping[str, Any]) -> None:
        _, self._agency, self._resource = message.topic.split(".", 2)
        self._reporter = reporter
        self._message = message
        self._id: str | None = submission["submission_id"]
        self._pulse = reporter.pulse(self._agency, self._resource)
        self._pulse.published = submission["published_at"] or self._pulse.published
        waiting = self._pulse.appended
        self._pulse.appended = message.append_ms if waiting is None else min(waiting, message.append_ms)
        self._admitted = 0
        self._new = False
        self._refused: list[dict[str, Any]] = []

    def admitted(self, change: Mapping[str, Any]) -> None:
        """Count one admitted change."""
        self._admitted += 1
        pulse, at, operation = self._pulse, change["business_time"], change["operation"]
        if operation in ("WITHDRAW", "CORRECT"):
            # About what was supplied before: neither a sign of freshness nor late.
            pulse.withdrawn += operation == "WITHDRAW"
            pulse.corrected += operation == "CORRECT"
            return
        pulse.earliest = at if pulse.earliest is None or at < pulse.earliest else pulse.earliest
        pulse.latest = at if pulse.latest is None or at > pulse.latest else pulse.latest
        self._new = True

    def refused(self, index: int, change: Mapping[str, Any], refused: Refused) -> None:
        """Write one refusal event; its position tells the agency which row it was."""
        # A malformed event id may hold anything, an identity number too: it is not repeated. It is the first thing that
        # is looked at, so under every other code the event id is a UUID.
        malformed = refused.field == "event_id" and refused.code is not RefusalCode.E_DUPLICATE
        event_id = None if malformed else change["event_id"]
        message = self._message
        datum = refusal_datum(
            (message.topic, message.partition, message.offset, index),
            (self._id, event_id),
            (self._agency, self._resource),
            "ADMIT",
            refused,
            self._reporter.now_ms,
        )
        self._reporter.write(refused_topic(self._agency), self._agency, envelope("refusal"), datum)
        self._refused.append({**datum, "index": index, "event_id": event_id})
        self._reporter.outcome.counts["refused", self._agency, self._resource, refused.code.value] += 1

    def close(self) -> None:
        """Write the receipt."""
        message, reporter = self._message, self._reporter
        self._pulse.admitted += self._admitted
        self._pulse.refused += len(self._refused)
        if self._new:
            self._pulse.supplied = max(message.append_ms, self._pulse.supplied or 0)
        if self._admitted:
            reporter.outcome.counts["admitted", self._agency, self._resource] += self._admitted
        receipt = {
            "submission_id": self._id,
            "agency": self._agency,
            "resource": self._resource,
            "topic": message.topic,
            "partition": message.partition,
            "offset": message.offset,
            "admitted": self._admitted,
            "refused": self._refused,
            "admitted_at": reporter.now_ms,
        }
        reporter.write(receipt_topic(self._agency), self._agency, envelope("receipt"), receipt)
