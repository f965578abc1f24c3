"""A source's verdict and state as one message, from which both people and a restarted worker read."""

from collections.abc import Iterable, Mapping
from typing import Any

from processors.freshness.alarms import Alarm, AlarmCode
from processors.freshness.judge import Verdict
from processors.freshness.state import State
from processors.freshness.words import Key, Targets, number_of_day, quarter_name


def freshness_datum(
    state: State, targets: Targets, verdict: Verdict, standing: Iterable[Alarm], at: int
) -> dict[str, Any]:
    """The physical datum of `schemas/envelope/freshness.avsc`."""
    quarter = verdict.quarter
    return {
        "agency": state.key.agency,
        "resource": state.key.resource,
        "field_group": state.key.group or None,
        "freshness": targets.freshness.value,
        "status": verdict.status.value,
        "judged_at": at,
        "source_lag_ms": verdict.source_lag,
        "bus_lag_ms": verdict.bus_lag,
        "delivery_lag_ms": verdict.delivery_lag,
        "age_ms": verdict.age,
        "last_sign_at": verdict.last_sign,
        "paused_since": verdict.paused_since,
        "quarter": None if quarter is None else quarter_name(quarter.quarter),
        "due_day": None if quarter is None else number_of_day(quarter.due.day),
        "due_nominal": None if quarter is None else number_of_day(quarter.due.nominal),
        "due_provisional": None if quarter is None else quarter.due.provisional,
        "covered": None if quarter is None else quarter.covered,
        "late": verdict.late,
        "alarms": [
            {"code": alarm.code.value, "about": alarm.about, "since": alarm.since, "advisory": alarm.advisory}
            for alarm in standing
        ],
        "state": state.to_datum(),
    }


def standing_of(key: Key, datum: Mapping[str, Any]) -> tuple[Alarm, ...]:
    """The alarms that stood when the message was written."""
    return tuple(
        Alarm(AlarmCode(one["code"]), key, one["since"], one["about"], one["advisory"]) for one in datum["alarms"]
    )
