"""What a source owes, read from the catalogue entries that name it as owner and from the clocks that bind (Art 16).

DYNAMIC 实时 is within the law's target from change to publication, and the source must show that it is alive. STATIC is
due by quarter; where the entry marks a shorter cycle (每日, 每周, 每月) that cycle is the target besides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from compliance.catalogue import start_of
from compliance.entry import CatalogueEntry, FieldGroup
from compliance.profiles import Law
from processors.freshness.words import DAY, MINUTE, SECOND, Key, Targets, millis
from schemas.words import FreshnessClass

CYCLES = {"每日": DAY, "每周": 7 * DAY, "每月": 31 * DAY}


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator sets, since the regulation gives no number.

    Attributes:
        bus_lag, delivery_lag: milliseconds.
        silent_after: three heartbeats of five minutes.
        clock_tolerance: beyond it a source's own times are not believed.
        refused_share: of a day's changes.
    """

    bus_lag: int = MINUTE
    delivery_lag: int = MINUTE
    silent_after: int = 15 * MINUTE
    clock_tolerance: int = 2 * MINUTE
    refused_share: float = 0.05


def targets_of(
    versions: Sequence[CatalogueEntry], agency: str, law: Law, limits: Limits, at: datetime, division: str | None = None
) -> Targets | None:
    """What an agency owes of a resource; None when it owns no part of it any more.

    An owner that will come is told too: it owes from its day on. One that goes owes to the end of its rule; the new
    owner answers for what is left open (decisions 26).

    Args:
        versions: every published version of the entry, oldest first.
        agency: its code.
        law: the clocks that bind.
        limits: the operator's numbers.
        at: the instant that is asked about; it must be asked again when an owner rule ends.
        division: where the agency is.
    """
    if not versions or versions[-1].state != "PUBLISHED":
        return None
    entry = versions[-1]
    mine = [rule for rule in entry.owners if agency in rule.agencies]
    if all(rule.effective_until is not None and rule.effective_until <= at for rule in mine):
        return None
    since = min(
        max(millis(one.published_at), millis(rule.effective_from), millis(start_of(one.sharing_period.from_)))
        for one in versions
        for rule in one.owners
        if agency in rule.agencies
    )
    targets = Targets(
        freshness=entry.freshness,
        duty_from=since,
        bus_lag=limits.bus_lag,
        delivery_lag=limits.delivery_lag,
        clock_tolerance=limits.clock_tolerance,
        refused_share=limits.refused_share,
        division=division,
    )
    return _timed(targets, entry.update_frequency, law, limits)


def owed(
    versions: Sequence[CatalogueEntry], agency: str, law: Law, limits: Limits, at: datetime, division: str | None = None
) -> dict[Key, Targets]:
    """What an agency owes of a resource and of each group of its fields that the newest version names.

    The resource itself comes first; empty when the agency owes nothing. Arguments as for `targets_of`.
    """
    whole = targets_of(versions, agency, law, limits, at, division)
    if whole is None:
        return {}
    newest = versions[-1]
    found = {Key(agency, newest.resource): whole}
    for group in newest.field_groups:
        own = group_targets(versions, group, whole, law, limits)
        if own is not None:
            found[Key(agency, newest.resource, group)] = own
    return found


def group_targets(
    versions: Sequence[CatalogueEntry], group: str, whole: Targets, law: Law, limits: Limits
) -> Targets | None:
    """What an agency owes of a group of fields; None when the newest version names no such group.

    It owes it since the version that named it. The bus's own lags, clocks and refusals are of whole rows, and told at
    the resource alone.

    Args:
        versions: as for `targets_of`.
        group: its name.
        whole: what the agency owes of the resource.
        law: the clocks that bind.
        limits: the operator's numbers.
    """
    said: FieldGroup | None = None
    since = whole.duty_from
    for entry in reversed(versions):
        if group not in entry.field_groups:
            break
        said = said or entry.field_groups[group]
        since = millis(entry.published_at)
    if said is None:
        return None
    targets = replace(
        whole,
        freshness=said.freshness or whole.freshness,
        duty_from=max(whole.duty_from, since),
        bus_lag=None,
        delivery_lag=None,
        clock_tolerance=None,
        refused_share=None,
    )
    return _timed(targets, said.update_frequency or versions[-1].update_frequency, law, limits)


def _timed(targets: Targets, update_frequency: str, law: Law, limits: Limits) -> Targets:
    """With the times that class and frequency ask for."""
    dynamic = targets.freshness is FreshnessClass.DYNAMIC
    prompt = (law.rule("dynamic_update", targets.division).rule.amount or 0) * SECOND
    cycle = CYCLES.get(update_frequency)
    return replace(
        targets,
        # Who supplies once a cycle publishes the cycle's first change a whole cycle after it happened.
        source_lag=prompt if dynamic else None if cycle is None else cycle + prompt,
        silent_after=limits.silent_after if dynamic else None,
    )
