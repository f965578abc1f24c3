"""From what was found to its case: opened, revised, seen to end; once for each opening, whatever comes again.

All of it is written in the transaction of the decision that is handed in. A case is the register's like any other:
people answer, waive, report and close it.
"""

from dataclasses import replace

from bus.intake.words import BUS, Found, Taken
from compliance.entry import Model
from compliance.register.decision import Decision
from compliance.register.intake import Finding, finding_of, keep_finding
from compliance.workflow import Matter
from compliance.workflows.data_case import CODE, DATA_CASE, REVISED, SEEN
from compliance.workflows.data_case_forms import Resolution
from schemas.refusals import Refused


def take_found(decision: Decision, found: Found) -> Taken:
    """What one message says of one pair or source.

    Raises:
        NoError: the register's rules refuse; nothing was changed, and `note_refusal` is to be called.
    """
    said = found.finding
    known = finding_of(decision.connection, said.kind, said.key)
    if known is not None and _repeats(said, known):
        return Taken.REPEATED
    if not said.stands:
        return _end(decision, found, known)
    if known is None or not known.stands or known.opened_at != said.opened_at:
        if known is not None and known.stands:
            # Its end was said, and compaction took it: what stands now is another opening.
            _see(decision, known, "see_resolved", Resolution(outcome="OTHER_CHANGED"))
        return open_case(decision, found)
    return _go_on(decision, found, known)


def open_case(decision: Decision, found: Found) -> Taken:
    """Open a case and, where the owner is to look at once, tell it; errors as `take_found`."""
    action, form = found.opening(decision.view)
    matter = decision.open(DATA_CASE, action, form, BUS).matter
    notice = found.notice()
    if notice is not None:
        decision.act(matter.number, "notify_owner", notice, BUS)
    keep_finding(decision.connection, replace(found.finding, matter=matter.number))
    return Taken.OPENED


def note_refusal(decision: Decision, found: Found, refused: Refused) -> Taken:
    """Keep what the rules refused, with the reason's code; without a case it is tried again."""
    said = found.finding
    known = finding_of(decision.connection, said.kind, said.key)
    same = known is not None and known.opened_at == said.opened_at
    matter = known.matter if known is not None and same else None
    keep_finding(decision.connection, replace(said, matter=matter, problem=refused.code.value))
    return Taken.REFUSED


def _repeats(said: Finding, known: Finding) -> bool:
    """Whether it says nothing new, as where a topic is read again: an earlier opening, one that ended, the same words.

    Which of two words of one opening is the later is its place on the topic, not the clock of whoever wrote it.
    """
    if said.opened_at != known.opened_at:
        return said.opened_at < known.opened_at
    return not known.stands or (said.stands and said.body == known.body)


def _go_on(decision: Decision, found: Found, known: Finding) -> Taken:
    matter = _case(decision, known)
    if matter is None or (matter.state not in REVISED and found.is_another(matter)):
        # What was reported or closed stays; another difference of the same pair is another case.
        return open_case(decision, found)
    keep_finding(decision.connection, replace(found.finding, matter=matter.number))
    revision = found.revision(matter, decision.view) if matter.state in REVISED else None
    if revision is None:
        return Taken.NOTED
    decision.act(matter.number, "revise", revision, BUS)
    return Taken.REVISED


def _end(decision: Decision, found: Found, known: Finding | None) -> Taken:
    said = found.finding
    if known is None or not known.stands:
        keep_finding(decision.connection, replace(said, matter=None if known is None else known.matter))
        return Taken.NOTED
    _see(decision, known, *found.ending())
    keep_finding(decision.connection, replace(said, matter=known.matter))
    return Taken.ENDED


def _see(decision: Decision, known: Finding, action: str, form: Model) -> None:
    """Let its case see the end, unless somebody answered or found something there already."""
    matter = _case(decision, known)
    if matter is not None and matter.state in SEEN:
        decision.act(matter.number, action, form, BUS)


def _case(decision: Decision, known: Finding) -> Matter | None:
    matter = None if known.matter is None else decision.matter(known.matter)
    return matter if matter is not None and matter.workflow == CODE else None
