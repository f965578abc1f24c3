"""The way of a cross-county application: every hop, with its office and instant (Art 46)."""

from dataclasses import dataclass
from datetime import datetime

from compliance.register.service import Register

_WAY = frozenset({"forwarding", "application"})


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop: who did what, where and when.

    Attributes:
        matter: number of the leg's matter, or of the application that came of it.
        division: of the office; the provider's where the application arrives.
    """

    matter: str
    action: str
    role: str
    division: str
    at: datetime


def trace(register: Register, number: str) -> tuple[Hop, ...]:
    """The hops of a forwarded application, from the unit to its provider.

    Args:
        register: the register.
        number: of the first leg, or of any matter that came of it.
    """
    first = register.matter(number)
    while first is not None and first.parent is not None:
        first = register.matter(first.parent)
    hops = []
    waiting = [first] if first is not None else []
    while waiting:
        matter = waiting.pop(0)
        if matter.workflow not in _WAY:
            continue
        steps = register.history(matter.number)
        steps = steps if matter.workflow == "forwarding" else steps[:1]
        hops += [Hop(matter.number, step.action, step.role, matter.parties.division, step.at) for step in steps]
        for workflow in _WAY:
            waiting += register.matters(workflow, parent=matter.number)
    return tuple(sorted(hops, key=lambda hop: hop.at))
