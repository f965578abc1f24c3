"""The page of deadlines, written from the profiles that the clocks run on."""

from bus.reference.markdown import table
from compliance.profiles import ClockRule, Profile, Unit, packaged_profile, packaged_profiles

_INTRO = (
    'One table a legal text. *Target*: the text says "in time" or "regularly", and the number is configured. '
    "*Assumption*: number or consequence are read into the text. How a deadline is counted, and which text binds: "
    "[time](../time.md)."
)
_HEADS = ("clock", "", "article", "who", "what", "limit", "starts", "after expiry", "mark")


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
