"""An alarm as it comes and goes, and from when on it is told.

An alarm is told at once, unless its last notice was taken back a moment ago: then it is told when the damping time since
is over, if it stands by then. So one that comes and goes all day is told once in that time at the most, and one that
stays is always told.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bus.intake.words import Taken
from compliance.notice_causes import cause_of_alarm
from compliance.notices import Cause
from compliance.register.decision import Decision
from compliance.register.intake import RaisedAlarm, alarm_of, keep_alarm, was_told
from schemas.errors import UsageError


def take_alarm(
    decision: Decision,
    name: str,
    datum: Mapping[str, Any],
    at: datetime,
    damping: timedelta,
) -> Taken:
    """One message of the `alarm` topic; what is told follows from the rows that it leaves.

    Args:
        decision: in whose transaction the position moves; it knows where the agency is.
        name: the message's key: what tells the alarm from every other that stands.
        datum: of `schemas/envelope/alarm.avsc`, as on the wire.
        at: the time.
        damping: how long after a notice was taken back the same alarm is not told again.
    """
    known = alarm_of(decision.connection, name)
    if datum.get("cleared_at") is not None:
        # Whatever stands under that name: compaction may have taken the raising that this one ends.
        if known is None or not known.stands:
            return Taken.REPEATED
        keep_alarm(decision.connection, _gone(decision, known, at))
        return Taken.CLEARED
    try:
        cause = cause_of_alarm(datum, decision.view)
    except UsageError:
        return Taken.UNREADABLE
    if known is not None and known.stands:
        if known.cause.reference == cause.reference:
            return Taken.REPEATED
        known = _gone(decision, known, at)
    back = None if known is None else known.taken_back_at
    tell_at = at if back is None else max(at, back + damping)
    keep_alarm(decision.connection, RaisedAlarm(name, _another(decision, cause, datum, at), True, tell_at, back))
    return Taken.RAISED


def _gone(decision: Decision, known: RaisedAlarm, at: datetime) -> RaisedAlarm:
    """It stands no more; if somebody was told of it, that is taken back now."""
    back = at if was_told(decision.connection, known.cause.id) else known.taken_back_at
    return replace(known, stands=False, taken_back_at=back)


def _another(decision: Decision, cause: Cause, datum: Mapping[str, Any], at: datetime) -> Cause:
    """The cause; where it was told and taken back before with the same beginning, the same since it is raised anew.

    A cause is told once for ever, and an alarm that is wrong again since the same instant must not be lost.
    """
    if not was_told(decision.connection, cause.id):
        return cause
    raised = datum.get("raised_at")
    if isinstance(raised, int):
        anew = cause.model_copy(update={"since": datetime.fromtimestamp(raised / 1000, UTC)})
        if not was_told(decision.connection, anew.id):
            return anew
    return cause.model_copy(update={"since": at.replace(microsecond=at.microsecond // 1000 * 1000)})
