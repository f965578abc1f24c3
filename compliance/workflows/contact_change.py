"""Changes of named persons 负责人、经办人变更 (Art 43): told within five working days, and published to all agencies at once.

A notice that comes late counts all the same, and is marked. A role that nobody fills is a vacancy: an alarm, and no
stop (decisions 40). The list itself is `compliance/contacts.py`.
"""

from collections.abc import Sequence
from datetime import date
from typing import Self

from pydantic import Field, model_validator

from compliance.catalogue import local_date
from compliance.entry import Model
from compliance.models import Contact, ContactRole, OnboardingState
from compliance.roles import OPERATOR, UNIT_ANYBODY, Actor, Role
from compliance.values import AgencyCode, Day, Text, distinct
from compliance.view import RegisterView
from compliance.workflow import NEW, Context, Effect, Flag, Parties, Put, Transition, Workflow
from schemas.refusals import RefusalCode, Refused

CLOCK = "contact_change_notice"
_OPERATORS = frozenset({Role.OPERATOR_CITY, Role.OPERATOR_COUNTY})
_ON_FILE = frozenset({OnboardingState.CONNECTED, OnboardingState.SUSPENDED})


class Person(Model):
    """Who fills a role from now on; without name and phone the role is vacant."""

    role: ContactRole
    name: Text | None = Field(default=None, repr=False)
    phone: Text | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.name is None) != (self.phone is None):
            raise ValueError("name and phone belong together: name both, or neither for a vacancy")
        return self


class Notice(Model):
    """The notice 变更通知: who changes, since when; `received_on` is the operator's, for one that came on paper."""

    agency: AgencyCode
    persons: tuple[Person, ...] = Field(min_length=1)
    effective_from: Day
    received_on: Day | None = None
    document: Text | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        distinct("persons", (person.role for person in self.persons))
        return self


def _received(context: Context) -> date:
    return context.form.received_on or local_date(context.at)


def _on_file(context: Context) -> Refused | None:
    agency = context.view.agency(context.form.agency)
    if agency is None or agency.state not in _ON_FILE:
        return Refused(RefusalCode.E_NOT_ONBOARDED, "named persons of a first connection stand in its application")
    return None


def _days(context: Context) -> Refused | None:
    form = context.form
    if form.received_on is not None and context.actor.role not in _OPERATORS:
        return Refused(RefusalCode.E_FORM, "only the operator notes when paper came", "received_on")
    if form.received_on is not None and form.received_on > local_date(context.at):
        return Refused(RefusalCode.E_FORM, "lies ahead", "received_on")
    if form.effective_from > _received(context):
        return Refused(RefusalCode.E_FORM, "a change is told when it has happened", "effective_from")
    return None


def _vacant_before(context: Context) -> Refused | None:
    agency = context.view.agency(context.form.agency)
    named = {contact.role for contact in agency.contacts} if agency is not None else set()
    never = [person.role.value for person in context.form.persons if person.name is None and person.role not in named]
    if never:
        return Refused(RefusalCode.E_FORM, f"nobody was named before: {', '.join(never)}", "persons")
    return None


def _take_over(context: Context) -> Sequence[Effect]:
    form: Notice = context.form
    agency = context.view.agency(form.agency)
    if agency is None:
        raise KeyError("a notice without its agency")
    contacts = {contact.role: contact for contact in agency.contacts}
    effects: list[Effect] = []
    for person in form.persons:
        if person.name is not None and person.phone is not None:
            contacts[person.role] = Contact(role=person.role, name=person.name, phone=person.phone)
        else:
            contacts[person.role] = contacts[person.role].model_copy(update={"vacant_since": form.effective_from})
            effects.append(Flag(f"VACANT:{person.role.value}"))
    due = context.law.due(CLOCK, form.effective_from, context.calendar, agency.division)
    if _received(context) > due.day:
        effects.append(Flag(f"LATE:{CLOCK}"))
    ordered = tuple(contacts[role] for role in ContactRole if role in contacts)
    return Put(agency.model_copy(update={"contacts": ordered})), *effects


def _parties(form: Notice, actor: Actor, view: RegisterView) -> Parties:
    del actor
    agency = view.agency(form.agency)
    return Parties("" if agency is None else agency.division, unit=form.agency)


CONTACT_CHANGE = Workflow(
    code="contact_change",
    prefix="CON",
    zh="负责人、经办人变更",
    en="change of named persons",
    articles="10, 43",
    states={"NOTIFIED": ("已通知并发布", "told and published")},
    ends=frozenset({"NOTIFIED"}),
    parties=_parties,
    transitions=(
        Transition(
            "notify",
            (NEW,),
            "NOTIFIED",
            (UNIT_ANYBODY, OPERATOR),
            "43",
            "通知变更",
            "tell the operator of a change",
            form=Notice,
            guards=(_on_file, _days, _vacant_before),
            effects=(_take_over,),
        ),
    ),
)
