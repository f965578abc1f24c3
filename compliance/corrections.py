"""How soon owners answered the cases about their data (Art 56), as marks of quality; from the clocks of the register.

A clock's own day counts, as a county or a pause has moved it. What only advised is left out: nothing was owed (Art 62).
"""

from collections.abc import Iterator
from datetime import datetime

from compliance.catalogue import local_date
from compliance.quality import Mark, Of, kept
from compliance.register.service import Register
from compliance.workflows.data_case import ANSWERING, CODE


def correction_marks(register: Register, at: datetime, agency: str | None = None) -> Iterator[Mark]:
    """CORRECTION of each case that an owner has answered or let pass, on the day of the answer, else of what was due.

    Args:
        register: its matters and clocks.
        at: the instant that is asked about; what came later is not known to it.
        agency: of this owner alone.
    """
    cases = {matter.number: matter for matter in register.matters(CODE)}
    for clock in register.clocks(running=False, agency=agency):
        case = cases.get(clock.matter)
        if case is None or clock.rule not in ANSWERING or clock.agency is None:
            continue
        end = None if clock.ended is None or clock.ended > at else local_date(clock.ended)
        if clock.advisory or clock.started > at or (end is None and clock.paused_since is not None):
            continue
        of = Of(clock.agency, case.parties.resource or "", clock.due if end is None else end, case.number)
        mark = kept(of, clock.counts_from, clock.due, end, local_date(at), register.calendar, clock.division)
        if mark is not None:
            yield mark
