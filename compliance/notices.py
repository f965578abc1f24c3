"""Notices 通知: from a cause to what is told, to whom, when and how high, and when it is taken back (Art 10, 16, 43).

Pure: time is an argument. A cause is closed words, codes and times, so nothing of a person can enter a notice; whom it
reaches is a role, and whoever is on file for that role reads it.
"""

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Self
from uuid import UUID, uuid5

from pydantic import Field, StringConstraints, model_validator

from compliance.catalogue import SHANGHAI, local_date
from compliance.clocks import Articles, ClockId, ProfileId
from compliance.contacts import line_of
from compliance.entry import Model
from compliance.models import ContactRole
from compliance.notice_kinds import RISING, RULES, NoticeKind, NoticeLevel, Urgency
from compliance.roles import AGENCY_ROLES, COUNTY_ROLES, Role
from compliance.values import AgencyCode, Day, DivisionCode, GroupName, Moment, ResourceCode
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar

AUTHORITY_AFTER = 5
"""Working days after the head was told until the authority is *(assumption: the regulation sets none)*."""
_IDS = UUID("5b1f64de-2f0f-5f0a-9c61-7f1b6a0f3d27")
_AUTHORITIES = frozenset({Role.AUTHORITY_CITY, Role.AUTHORITY_COUNTY})
_COUNTY_DIGITS = 6
_MANY_DIGITS = re.compile(r"[0-9]{9,}")

MatterNumber = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3,4}-[0-9]{4}-[0-9]{5,8}$")]
Quarter = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}Q[1-4]$")]


class Cause(Model):
    """Why somebody is told: one thing that stands, until it is cleared.

    Attributes:
        agency: who must act, where it is an agency; else `office`.
        division: where that is; its authority is told where nobody else is there to be told.
        source: the agency whose data it is about, where that is another than who must act.
        group: the group of fields that it is about, where it is not the whole resource.
        reference: id of the alarm that it comes from.
        since: since when it stands; with another `since` or `due` it is another cause.
        due: the last day to act; without one the kind's working days count from `since`.
        advisory: the regulation is not in force yet: it is told, and nothing follows (decisions 30).
    """

    kind: NoticeKind
    agency: AgencyCode | None = None
    office: Role | None = None
    division: DivisionCode
    source: AgencyCode | None = None
    resource: ResourceCode | None = None
    group: GroupName | None = None
    quarter: Quarter | None = None
    matter: MatterNumber | None = None
    clock: ClockId | None = None
    profile: ProfileId | None = None
    article: Articles | None = None
    role: ContactRole | None = None
    year: int | None = Field(default=None, ge=2016, le=9999)
    reference: UUID | None = None
    since: Moment
    due: Day | None = None
    advisory: bool = False

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.agency is None) == (self.office is None):
            raise ValueError("either an agency must act or an office: name one")
        if self.office in AGENCY_ROLES or self.office is Role.CLOCK:
            raise ValueError("office is none")
        return self

    @property
    def id(self) -> UUID:
        """The same for whoever computes it, also where its agency moves or the rule comes into force meanwhile."""
        return uuid5(_IDS, self.model_dump_json(exclude={"advisory", "division"}, exclude_none=True))

    @property
    def urgency(self) -> Urgency:
        """Before the regulation's day nothing is urgent."""
        return Urgency.ROUTINE if self.advisory else RULES[self.kind].urgency


@dataclass(frozen=True, slots=True)
class Recipient:
    """The role that is told, never a person.

    Attributes:
        agency: whose role it is; None for an office.
        division: of an office of a county; None for the city's.
        instead_of: the role at the agency that nobody fills, for which this one is told.
    """

    role: ContactRole | Role
    agency: str | None = None
    division: str | None = None
    instead_of: ContactRole | None = None

    @property
    def desk(self) -> str:
        """`agency/ROLE`, `division/ROLE` or `ROLE`: what an address is looked up by."""
        return "/".join(part for part in (self.agency or self.division, self.role.value) if part)


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a working day in Huizhou in which people are told what can wait."""

    opens: time = time(8, 30)
    closes: time = time(17, 30)


WORKING_HOURS = Hours()


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be told to one role.

    Attributes:
        decided_at: when it was found that it is to be told.
        send_at: not before; later than `decided_at` in quiet hours.
        withdraws: id of the notice that it takes back.
    """

    id: UUID
    cause: Cause
    level: NoticeLevel
    to: Recipient
    decided_at: datetime
    send_at: datetime
    withdraws: UUID | None = None


def due_of(cause: Cause, calendar: WorkCalendar) -> date:
    """The last day on which whoever handles it may still act alone."""
    return cause.due or calendar.nth_workday(cause.since, RULES[cause.kind].days, cause.division).day


def level_at(cause: Cause, at: datetime, calendar: WorkCalendar) -> NoticeLevel:
    """How high a cause has risen at an instant: to the head after its due day, then to the authority.

    An office has no head on file: behind it comes its authority. What only advises does not rise, nor does what an
    authority itself has to do.
    """
    if cause.advisory or cause.office in _AUTHORITIES:
        return NoticeLevel.HANDLER
    today, due = local_date(at), due_of(cause, calendar)
    if today <= due:
        return NoticeLevel.HANDLER
    if cause.office is not None or today > calendar.nth_workday(due, AUTHORITY_AFTER, cause.division).day:
        return NoticeLevel.AUTHORITY
    return NoticeLevel.HEAD


def recipient(cause: Cause, level: NoticeLevel, view: RegisterView) -> Recipient:
    """Whom to tell: the role on file at that level, and where nobody fills it the authority."""
    if cause.office is not None and level is NoticeLevel.HANDLER:
        return _office(cause.office, cause.division)
    if cause.agency is None or level is NoticeLevel.AUTHORITY:
        return authority_of(cause.division)
    wanted = RULES[cause.kind].desk if level is NoticeLevel.HANDLER else ContactRole.RESPONSIBLE_LEADER
    agency = view.agency(cause.agency)
    if agency is None or line_of(agency, wanted).name is None:
        return authority_of(cause.division, instead_of=wanted)
    if wanted is ContactRole.RESPONSIBLE_LEADER and all(one.role is not wanted for one in agency.contacts):
        wanted = ContactRole.LEADER
    return Recipient(wanted, cause.agency)


def authority_of(division: str, instead_of: ContactRole | None = None) -> Recipient:
    """The informatization authority 信息化主管部门 of a division, its county's or the city's (GB/T 2260)."""
    county = division[:_COUNTY_DIGITS]
    if county.endswith("00"):
        return Recipient(Role.AUTHORITY_CITY, instead_of=instead_of)
    return Recipient(Role.AUTHORITY_COUNTY, division=county, instead_of=instead_of)


def _office(office: Role, division: str) -> Recipient:
    return Recipient(office, division=division[:_COUNTY_DIGITS] if office in COUNTY_ROLES else None)


def send_at(
    urgency: Urgency, at: datetime, calendar: WorkCalendar, division: str, hours: Hours = WORKING_HOURS
) -> datetime:
    """When to tell it: at once where it is urgent or working time, else when the next working time begins; UTC."""
    local = at.astimezone(SHANGHAI)
    day = local.date()
    if urgency is Urgency.URGENT:
        return at
    if calendar.is_workday(day, division) and hours.opens <= local.time() < hours.closes:
        return at
    day = day if local.time() < hours.opens else day + timedelta(days=1)
    opens = calendar.roll_rest_day(day, division).day
    return datetime.combine(opens, hours.opens, SHANGHAI).astimezone(UTC)


def to_tell(
    causes: Iterable[Cause],
    told: Mapping[UUID, AbstractSet[NoticeLevel]],
    view: RegisterView,
    calendar: WorkCalendar,
    at: datetime,
    hours: Hours = WORKING_HOURS,
) -> tuple[Notice, ...]:
    """What is to be told of the causes that stand: one notice a cause and level, and none below one that was told.

    Only whoever handles it is told at night, of what is urgent: levels rise when a day begins, and no head is woken
    for that.

    Args:
        causes: what stands; the same one twice counts once.
        told: the levels that were told, by id of the cause.
        view: who is on file.
        calendar: the working days.
        at: the instant.
        hours: outside of which what can wait waits.
    """
    found: dict[UUID, Notice] = {}
    for cause in causes:
        identity, level = cause.id, level_at(cause, at, calendar)
        if any(RISING.index(before) >= RISING.index(level) for before in told.get(identity, ())):
            continue
        urgency = cause.urgency if level is NoticeLevel.HANDLER else Urgency.ROUTINE
        when = send_at(urgency, at, calendar, cause.division, hours)
        number = uuid5(identity, level.value)
        found[number] = Notice(number, cause, level, recipient(cause, level, view), at, when)
    return tuple(found.values())


def withdrawal(notice: Notice, calendar: WorkCalendar, at: datetime, hours: Hours = WORKING_HOURS) -> Notice:
    """What tells whoever was told that the cause is no more; it can wait for working time."""
    when = send_at(Urgency.ROUTINE, at, calendar, notice.cause.division, hours)
    number = uuid5(notice.id, "withdrawn")
    return Notice(number, notice.cause, notice.level, notice.to, at, max(when, notice.send_at), notice.id)


def shown(code: str) -> str:
    """A code as a notice shows it: one that could be a number of a person or a phone shows no digits."""
    return _MANY_DIGITS.sub("…", code)
