"""Whether an agency's government-funded projects of a year are accepted (Art 44, 54; decisions 34)."""

from compliance.workflow import Matters
from schemas.refusals import RefusalCode, Refused


def sanctioned(others: Matters, agency: str, year: int) -> Refused | None:
    """E_SANCTIONED where a sanction that stands names this budget year; the day on which it is filed does not count.

    Args:
        others: whoever can tell matters: the register, or a rule's look-up.
        agency: whose project it is.
        year: the project's budget year.
    """
    for matter in others.matters("sanction", states=["IMPOSED"], unit=agency):
        if matter.fact("impose", "year") == year:
            return Refused(RefusalCode.E_SANCTIONED, f"by {matter.number}, for {year}")
    return None
