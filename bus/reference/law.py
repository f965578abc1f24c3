"""Pages of the law: each article and what it became, the deadlines, and every workflow's table with its diagram."""

from bus.reference.markdown import table
from compliance.articles import articles
from compliance.diagram import actors, clocks, diagram
from compliance.profiles import ClockRule, Profile, Unit, packaged_profile, packaged_profiles
from compliance.workflow import NEW, Workflow
from compliance.workflows import WORKFLOWS

_STATES = {"BUILT": "built", "PARTLY": "built in part", "PLANNED": "planned", "NONE": "nothing for software"}
_INTRO = (
    'One table a legal text. *Target*: the text says "in time" or "regularly", and the number is configured. '
    "*Assumption*: number or consequence are read into the text. How a deadline is counted, and which text binds: "
    "[time](../time.md)."
)
_HEADS = ("clock", "", "article", "who", "what", "limit", "starts", "after expiry", "mark")


def articles_page() -> str:
    """Article → behaviour → code → test → state."""
    rows = [
        (
            str(row.article),
            row.zh,
            row.behaviour,
            ", ".join(f"[{path}](../{path})" for path in row.code) or "–",
            ", ".join(f"[{path}](../{path})" for path in row.tests) or "–",
            _STATES[row.state] + (f": {row.reason}" if row.reason else ""),
        )
        for row in articles()
    ]
    intro = (
        "The 62 articles of 惠州市政务信息资源共享管理办法 (second consultation draft of 2016-11-29). "
        "*Assumption* marks what its text does not say."
    )
    return table(
        "The regulation, article by article", intro, ("Art", "关于", "behaviour", "code", "tests", "state"), rows
    )


def workflows_page() -> str:
    """Every workflow: its states, its diagram, and who may do what, when, under which article."""
    lines = [
        "# Workflows\n",
        "A workflow is a table in `compliance/workflows/`; nothing else is possible. ⏱ marks what a clock's end takes by itself.\n",
    ]
    for workflow in sorted(WORKFLOWS.values(), key=lambda table: table.code):
        lines += [f"## {workflow.zh} `{workflow.code}`\n", f"{workflow.en.capitalize()}; Art {workflow.articles}.\n"]
        lines += ["```mermaid", diagram(workflow), "```\n", *_transitions(workflow), ""]
    return "\n".join(lines)


def _transitions(workflow: Workflow) -> list[str]:
    lines = ["| action | from | to | who | form | clocks | Art |", "|---|---|---|---|---|---|---|"]
    for row in workflow.transitions:
        cells = (
            f"`{row.action}` {row.zh}, {row.en}",
            ", ".join(source if source != NEW else "–" for source in row.sources),
            ", ".join(row.targets),
            actors(row),
            ", ".join(row.form.model_fields) if row.form is not None else "–",
            clocks(row) or "–",
            row.article,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def deadlines_page() -> str:
    """Every clock of every packaged profile."""
    profiles = [packaged_profile(name) for name in packaged_profiles()]
    return f"# Deadlines\n\n{_INTRO}\n\n" + "\n".join(_section(profile) for profile in profiles)


def _section(profile: Profile) -> str:
    known = (
        f"from {profile.effective_date}" if profile.effective_date is not None else "day of entry into force not set"
    )
    return "#" + table(
        f"`{profile.id}`", f"{profile.title_zh} – {profile.title_en}; {known}.", _HEADS, map(_row, profile.clocks)
    )


def _row(clock: ClockRule) -> tuple[str, ...]:
    mark = "target" if clock.configured else "assumption" if clock.assumption else ""
    law = f"{clock.law_zh} {clock.article}" if clock.law_zh is not None else clock.article
    return (
        f"`{clock.id}`",
        clock.number or "",
        law,
        clock.owner,
        f"{clock.title_zh} – {clock.title_en}",
        _limit(clock),
        f"{clock.starts_zh} – {clock.starts_en}",
        f"{clock.after_zh} – {clock.after_en}",
        mark,
    )


def _limit(clock: ClockRule) -> str:
    n = clock.amount or 0
    plural = "" if n == 1 else "s"
    words = {
        Unit.WORKING_DAYS: f"{n} working day{plural}",
        Unit.CALENDAR_DAYS: f"{n} day{plural}",
        Unit.SECONDS: f"{n} seconds",
        Unit.YEARS: f"{n} years",
        Unit.QUARTER_DAY: f"day {n} of the next quarter",
        Unit.CALENDAR_YEAR_FOLLOWING: "the calendar year that follows",
        Unit.CALENDAR_DATE: f"{clock.month or 0:02}-{clock.day or 0:02}",
    }
    extra = [
        word
        for said, word in (
            (clock.before, "before"),
            (clock.at_least, "at least"),
            (clock.roll_rest_day, "moved from a day of rest"),
            (clock.extends is not None, f"more for `{clock.extends}`"),
        )
        if said
    ]
    return ", ".join((words[clock.unit], *extra))
