"""When an agency was excused from updating: outages that the authority accepted as force majeure (Art 47, *assumption*)."""

from dataclasses import dataclass
from datetime import date

from compliance.view import RegisterView
from compliance.workflow import Matters
from compliance.workflows.outage import CODE


@dataclass(frozen=True, slots=True)
class Excuse:
    """One accepted outage.

    Attributes:
        resources: those that it concerns; empty means all of the agency's.
        since: first day.
        until: the day on which data flowed again; None while they do not.
    """

    matter: str
    resources: frozenset[str]
    since: date
    until: date | None

    def covers(self, resource: str, day: date) -> bool:
        """Whether the agency owed no update of a resource on a day."""
        concerned = not self.resources or resource in self.resources
        return concerned and self.since <= day and (self.until is None or day < self.until)


def excuses_in(view: RegisterView) -> dict[str, tuple[Excuse, ...]]:
    """The accepted outages of each agency, as `register.outage` tells them."""
    found: dict[str, tuple[Excuse, ...]] = {}
    for one in sorted(view.outages(), key=lambda outage: outage.number):
        excuse = Excuse(one.number, frozenset(one.resources), one.started_on, one.restored_on)
        found[one.agency] = (*found.get(one.agency, ()), excuse)
    return found


def excuses(others: Matters, agency: str) -> tuple[Excuse, ...]:
    """The accepted outages of an agency, oldest first."""
    found = []
    for matter in others.matters(CODE, unit=agency):
        if "accept" not in matter.facts:
            continue
        restored = matter.fact("restore", "restored_on")
        found.append(
            Excuse(
                matter.number,
                frozenset(matter.fact("report", "resources")),
                date.fromisoformat(matter.fact("report", "started_on")),
                date.fromisoformat(restored) if restored is not None else None,
            )
        )
    return tuple(found)
