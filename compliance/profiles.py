"""Which clock binds: the profiles in force together, what a county set instead, and the stricter of what is left.

Decisions 29: a county's own number replaces the municipal rule's first; what results is compared with the other
profiles, and the stricter binds. A text's number always goes before a configured target. Decisions 30: until the day
on which the municipal rule comes into force clocks run, but only advise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pydantic import ValidationError

from compliance.catalogue import end_of, local_date
from compliance.clocks import (
    COUNTY_SETS,
    ClockRule,
    CountyOverride,
    Level,
    Profile,
    Role,
    Unit,
    packaged_profile,
    packaged_profiles,
    read_profile,
)
from compliance.divisions import DivisionSet
from compliance.workdays import Due, WorkCalendar, day_of
from schemas.errors import UsageError

VALIDITY = "validity"
_FEBRUARY_29 = (2, 29)


@dataclass(frozen=True, slots=True)
class BindingRule:
    """The clock that binds, and where it comes from.

    Attributes:
        rule: the clock, with the county's number where one applies.
        profile: id of the profile.
        override: the county's rule that set the number.
        title_zh: the legal text that `rule.article` belongs to; `title_en` likewise.
    """

    rule: ClockRule
    profile: str
    override: CountyOverride | None
    title_zh: str
    title_en: str

    @property
    def citation_zh(self) -> str:
        """Text and article in Chinese."""
        articles = "、".join(f"第{number}条" for number in self.rule.article.split(", "))
        county = f"；依第60条从{self.override.division}规定" if self.override is not None else ""
        return f"《{self.title_zh}》{articles}{county}"

    @property
    def citation_en(self) -> str:
        """Text and article in English."""
        county = f"; by Art 60 as county {self.override.division} set it" if self.override is not None else ""
        return f"{self.title_en}, Art {self.rule.article}{county}"


class Law:
    """The profiles that bind together. Immutable.

    Args:
        profiles: at least one; two of them may share clocks, counted in the same unit.
        overrides: what counties set instead of the municipal rule's numbers, at most one for each county and clock.
        effective_date: the day on which the municipal rule comes into force (Art 62 leaves it blank), None until it
            is known.
        targets: the operator's amounts for clocks that the texts leave open.

    Raises:
        UsageError: they contradict each other, or an override or target names what cannot be set.
    """

    __slots__ = ("_counties", "_effective", "_overrides", "_profiles", "_rules")

    def __init__(
        self,
        profiles: Iterable[Profile],
        overrides: Iterable[CountyOverride] = (),
        effective_date: date | None = None,
        targets: Mapping[str, int] | None = None,
    ) -> None:
        self._profiles = {profile.id: profile for profile in profiles}
        if not self._profiles:
            raise UsageError("the law wants at least one profile")
        self._effective = None if effective_date is None else day_of(effective_date)
        self._rules: dict[str, list[BindingRule]] = {}
        for profile in self._profiles.values():
            for clock in profile.clocks:
                title = (clock.law_zh or profile.title_zh, clock.law_en or profile.title_en)
                self._rules.setdefault(clock.id, []).append(BindingRule(clock, profile.id, None, *title))
        for clock_id, found in self._rules.items():
            if len({(one.rule.unit, one.rule.at_least, one.rule.before) for one in found}) > 1:
                raise UsageError(f"the profiles count {clock_id} differently: they cannot be compared")
        for clock_id, amount in (targets or {}).items():
            self._set_target(clock_id, amount)
        self._overrides: dict[tuple[str, str], CountyOverride] = {}
        for override in overrides:
            self._add_override(override)
        self._counties = {county: DivisionSet((county,)) for county, _ in self._overrides}

    @classmethod
    def packaged(
        cls,
        *profile_ids: str,
        overrides: Iterable[CountyOverride] = (),
        effective_date: date | None = None,
        targets: Mapping[str, int] | None = None,
    ) -> "Law":
        """The law of packaged profiles: `huizhou-2016`, `state-council-2025`.

        Raises:
            UsageError: there is no such profile, or as for the class.
        """
        return cls((packaged_profile(name) for name in profile_ids), overrides, effective_date, targets)

    def with_overrides(self, overrides: Iterable[CountyOverride]) -> "Law":
        """With these overrides beside those that it has; one of the same county and clock replaces the earlier.

        Raises:
            UsageError: an override names what cannot be set.
        """
        law = Law(self._profiles.values(), (), self._effective)
        # The operator's targets are in the rules.
        law._rules = self._rules
        kept = self._overrides | {(one.division, one.clock): one for one in overrides}
        for override in kept.values():
            law._add_override(override)
        law._counties = {county: DivisionSet((county,)) for county, _ in kept}
        return law

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """The profiles that bind together."""
        return tuple(self._profiles.values())

    @property
    def effective_date(self) -> date | None:
        """The day on which the municipal rule comes into force."""
        return self._effective

    def rule(self, clock_id: str, division: str | None = None, on: date | datetime | None = None) -> BindingRule:
        """The clock that binds a body of a division.

        Args:
            clock_id: which.
            division: where the body that owes it is.
            on: the day it starts: a text in force on it goes before one that only advises yet. None compares all.

        Raises:
            UsageError: no profile has such a clock.
        """
        candidates = [self._with_override(one, division) for one in self._found(clock_id)]
        if on is not None:
            candidates = [one for one in candidates if self._in_force(one.profile, day_of(on))] or candidates
        return min(candidates, key=self._strictness)

    def rules(self, division: str | None = None) -> tuple[BindingRule, ...]:
        """Every clock that binds a body of a division."""
        return tuple(self.rule(clock_id, division) for clock_id in self._rules)

    def extension(self, clock_id: str, division: str | None = None) -> BindingRule | None:
        """What may lengthen a clock: only the text whose number binds can allow it; None where it does not."""
        binding = self.rule(clock_id, division)
        found = (clock.id for clock in self._profiles[binding.profile].clocks if clock.extends == clock_id)
        return next((self.rule(extending, division) for extending in found), None)

    def citation(self, clock_id: str, division: str | None = None) -> str:
        """Where a clock stands, in Chinese and English."""
        binding = self.rule(clock_id, division)
        return f"{binding.citation_zh} ({binding.citation_en})"

    def advisory(self, day: date | datetime, clock_id: str | None = None, division: str | None = None) -> bool:
        """Whether clocks only advise on a day, so that a sanction is to be refused (decisions 30).

        Args:
            day: a day, or an aware instant.
            clock_id: asks it of one clock, by the text that binds it: a profile with a date of its own goes by that.
            division: where the body that owes it is.
        """
        effective = self._effective
        if clock_id is not None:
            effective = self._profiles[self.rule(clock_id, division, day).profile].effective_date or effective
        return effective is None or day_of(day) < effective

    def expires_on(self) -> date | None:
        """The last day of the municipal rule's validity (Art 62); None while its first is not known, or without it."""
        if self._effective is None or VALIDITY not in self._rules:
            return None
        return _years_after(self._effective, self.rule(VALIDITY).rule.amount or 0)

    def due(self, clock_id: str, started: date | datetime, calendar: WorkCalendar, division: str | None = None) -> Due:
        """The last day of a clock.

        Args:
            clock_id: which.
            started: when it started; an instant is taken to its day in Asia/Shanghai.
            calendar: the working days.
            division: where the body that owes it is.

        Raises:
            UsageError: no such clock, an instant without time zone, a day where seconds are counted.
        """
        rule = self.rule(clock_id, division, started).rule
        try:
            return _due(rule, started, calendar, division)
        except (OverflowError, ValueError):
            raise UsageError(f"{clock_id}: its end lies outside the years 1 to 9999") from None

    def due_at(
        self, clock_id: str, started: date | datetime, calendar: WorkCalendar, division: str | None = None
    ) -> datetime:
        """The first instant that is too late, in UTC: 24:00 of the last day, or to the second where those count."""
        rule = self.rule(clock_id, division, started).rule
        due = self.due(clock_id, started, calendar, division)
        if rule.unit is Unit.SECONDS and isinstance(started, datetime):
            return (started + timedelta(seconds=rule.amount or 0)).astimezone(UTC)
        return end_of(due.day)

    def _found(self, clock_id: str) -> list[BindingRule]:
        if clock_id not in self._rules:
            raise UsageError(f"no clock {clock_id} in {', '.join(self._profiles)}")
        return self._rules[clock_id]

    def _set_target(self, clock_id: str, amount: int) -> None:
        found = self._found(clock_id)
        if not any(one.rule.configured for one in found):
            raise UsageError(f"{clock_id} is not a target: Art {found[0].rule.article} sets it")
        self._rules[clock_id] = [
            BindingRule(_with_amount(one.rule, amount), one.profile, None, one.title_zh, one.title_en)
            if one.rule.configured
            else one
            for one in found
        ]

    def _add_override(self, override: CountyOverride) -> None:
        municipal = [one for one in self._found(override.clock) if self._is_municipal(one)]
        if not municipal:
            raise UsageError(f"{override.clock} is not of the municipal rule, so no county can set it (Art 60)")
        if municipal[0].rule.unit not in COUNTY_SETS:
            raise UsageError(f"{override.clock} is no procedure, so no county can set it (Art 60)")
        key = (override.division, override.clock)
        if key in self._overrides:
            raise UsageError(f"county {override.division} sets {override.clock} twice")
        _with_amount(municipal[0].rule, override.amount)
        self._overrides[key] = override

    def _with_override(self, one: BindingRule, division: str | None) -> BindingRule:
        if division is None or not self._overrides or not self._is_municipal(one):
            return one
        county = next((code for code, covered in self._counties.items() if covered.covers(division)), None)
        override = self._overrides.get((county or "", one.rule.id))
        if override is None:
            return one
        # The county's number stands in a text, also where the municipal rule left it open.
        rule = _with_amount(one.rule, override.amount).model_copy(update={"configured": False})
        return BindingRule(rule, one.profile, override, one.title_zh, one.title_en)

    def _in_force(self, profile_id: str, day: date) -> bool:
        effective = self._profiles[profile_id].effective_date or self._effective
        return effective is not None and effective <= day

    def _is_municipal(self, one: BindingRule) -> bool:
        return self._profiles[one.profile].level is Level.MUNICIPAL_RULE

    def _strictness(self, one: BindingRule) -> tuple[bool, int, int, bool]:
        """Least first: a text before a target, the stricter number, of equal ones the higher-ranking text."""
        rule = one.rule
        amount = rule.amount or 0
        return (
            rule.configured,
            rule.month or 0,
            rule.day or (-amount if rule.at_least else amount),
            self._is_municipal(one),
        )


def _with_amount(rule: ClockRule, amount: int) -> ClockRule:
    if rule.amount is None:
        raise UsageError(f"{rule.id} is a date of the year, not an amount")
    try:
        return ClockRule.model_validate({**rule.model_dump(), "amount": amount})
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"{rule.id}: {problem}") from None


def _due(rule: ClockRule, started: date | datetime, calendar: WorkCalendar, division: str | None) -> Due:
    start, amount = day_of(started), rule.amount or 0
    if rule.unit is Unit.WORKING_DAYS:
        return calendar.nth_workday(start, amount, division)
    if rule.unit is Unit.SECONDS:
        if not isinstance(started, datetime):
            raise UsageError(f"{rule.id} is counted in seconds: it starts at an instant, not on a day")
        last = local_date(started + timedelta(seconds=amount))
    elif rule.unit is Unit.CALENDAR_DAYS:
        last = start + timedelta(days=-amount if rule.before else amount)
    elif rule.unit is Unit.YEARS:
        last = _years_after(start, amount)
    elif rule.unit is Unit.CALENDAR_YEAR_FOLLOWING:
        last = date(start.year + amount, 12, 31)
    elif rule.unit is Unit.QUARTER_DAY:
        month = (start.month - 1) // 3 * 3 + 4
        last = date(start.year + month // 13, month % 12, amount)
    else:
        this_year = date(start.year, rule.month or 1, rule.day or 1)
        last = this_year if start <= this_year else this_year.replace(year=start.year + 1)
    return calendar.roll_rest_day(last, division) if rule.roll_rest_day else Due(last, last, provisional=False)


def _years_after(day: date, years: int) -> date:
    """The corresponding day, or the month's last where there is none (民法典 Art 202)."""
    if (day.month, day.day) == _FEBRUARY_29:
        day = day.replace(day=28) if not _is_leap(day.year + years) else day
    return day.replace(year=day.year + years)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


__all__ = [
    "BindingRule",
    "ClockRule",
    "CountyOverride",
    "Law",
    "Level",
    "Profile",
    "Role",
    "Unit",
    "packaged_profile",
    "packaged_profiles",
    "read_profile",
]
