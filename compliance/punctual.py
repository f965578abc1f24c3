"""Which of an agency's clocks were kept in a period: the one question that most figures of Articles 50 and 51 ask."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from compliance.catalogue import local_date
from compliance.period import Period
from compliance.register.rows import Clock


@dataclass(frozen=True, slots=True)
class Kept:
    """Clocks that were kept and that were not, each as `matter#rule`."""

    kept: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """How many could be judged."""
        return len(self.kept) + len(self.missed)


def punctual(clocks: Iterable[Clock], rules: Iterable[str], during: Period, at: datetime) -> Kept:
    """The clocks of these rules that fell due in a period, as an instant sees them.

    What still runs and is not over, and what stands still, is neither; what came after the instant is not known to it.
    Clocks that only advised are left out: nothing was owed yet (Art 62).
    """
    wanted, today = frozenset(rules), local_date(at)
    kept: list[str] = []
    missed: list[str] = []
    for clock in clocks:
        if clock.rule not in wanted or clock.advisory or clock.started > at or not during.holds(clock.due):
            continue
        ended = None if clock.ended is None or clock.ended > at else local_date(clock.ended)
        name = f"{clock.matter}#{clock.rule}"
        if ended is not None:
            (kept if ended <= clock.due else missed).append(name)
        elif clock.paused_since is None and clock.due < today:
            missed.append(name)
    return Kept(tuple(kept), tuple(missed))
