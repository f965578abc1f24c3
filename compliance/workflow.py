"""A workflow is a table: state × action → state, with who may act, which clocks start and stop, and the article.

No transition exists outside its table. `advance` judges one action and changes nothing; `compliance/register/` keeps
what it answers. Adding a workflow is adding a table to `compliance/workflows/`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from pydantic import ValidationError

from compliance.entry import Model
from compliance.models import RegisterModel
from compliance.profiles import Law
from compliance.roles import COUNTY_ROLES, Actor, By, Party, Role
from compliance.view import RegisterView
from compliance.workdays import WorkCalendar
from schemas.refusals import RefusalCode, Refused

NEW = ""
"""The state of a matter that does not exist yet; what leaves it opens the matter."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Whom and what a matter concerns; its division decides which county's offices may act on it (Art 8)."""

    division: str
    requester: str | None = None
    provider: str | None = None
    unit: str | None = None
    resource: str | None = None
    subject: str | None = None
    """What else it is about, by its key: a grant, a system, an agreement."""

    def of(self, party: Party) -> str | None:
        """The agency that is that party."""
        return {Party.REQUESTER: self.requester, Party.PROVIDER: self.provider, Party.UNIT: self.unit}[party]


@dataclass(frozen=True, slots=True)
class Matter:
    """One matter 件 as it stands: the latest form of each action, and how often it was acted on.

    Attributes:
        seq: number of its last step; 0 before it is opened.
        facts: by action, what was filled in last, as JSON.
        flags: what is to be known of it, such as LATE.
    """

    number: str
    workflow: str
    state: str
    seq: int
    parties: Parties
    opened_at: datetime
    parent: str | None = None
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    def fact(self, action: str, key: str) -> Any:  # noqa: ANN401  JSON
        """One value of what was filled in for an action; None where there is none."""
        return self.facts.get(action, {}).get(key)


class Matters(Protocol):
    """Whoever can tell the matters of a workflow: the register, or a decision from within its transaction."""

    def matters(
        self, workflow: str, *, states: Sequence[str] | None = None, **parties: str | None
    ) -> tuple[Matter, ...]:
        """The matters of a workflow whose parties have these values."""


class Lookup(Matters, Protocol):
    """What a rule may ask of the other matters."""

    def matter(self, number: str) -> Matter | None:
        """One matter."""

    def children(self, number: str) -> tuple[Matter, ...]:
        """The matters that were opened by one."""

    def due(self, number: str, clock: str) -> date | None:
        """The due day of a matter's running clock; None where none of that rule runs."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may look at: nothing else decides."""

    matter: Matter
    transition: "Transition"
    form: Any
    actor: Actor
    at: datetime
    view: RegisterView
    law: Law
    calendar: WorkCalendar
    others: Lookup


@dataclass(frozen=True, slots=True)
class Put:
    """A register model that becomes current, and goes out on its `register.*` topic."""

    model: RegisterModel


@dataclass(frozen=True, slots=True)
class Open:
    """A further matter is opened by the same decision, as its child."""

    workflow: str
    action: str
    form: Model


@dataclass(frozen=True, slots=True)
class Act:
    """Another matter moves by the same decision."""

    number: str
    action: str
    form: Model | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that is to be known of the matter from now on."""

    word: str


@dataclass(frozen=True, slots=True)
class Pause:
    """An agency's clocks of these rules stand still since a day; of these resources alone where any are named.

    What was due before that day stays due.
    """

    agency: str
    clocks: tuple[str, ...]
    since: date
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resume:
    """An agency's paused clocks go on: each is due as many days later as it stood still until that day."""

    agency: str
    clocks: tuple[str, ...]
    until: date
    resources: tuple[str, ...] = ()


Effect = Put | Open | Act | Flag | Pause | Resume
Guard = Callable[[Context], Refused | None]
Consequence = Callable[[Context], Sequence[Effect]]


@dataclass(frozen=True, slots=True)
class Start:
    """A clock that starts with a transition.

    Attributes:
        clock: id of a rule of the law profiles.
        owes: the party that owes it, or the office's role; who is asked when it is overdue.
        since: the form's field that holds the day it counts from; None counts from the action.
        when: where it starts at all; None starts it always.
    """

    clock: str
    owes: Party | Role
    since: str | None = None
    when: Callable[[Context], bool] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A target that the facts decide: the first condition that holds, else the last state."""

    options: tuple[tuple[Callable[[Context], bool], str], ...]
    otherwise: str

    @property
    def targets(self) -> tuple[str, ...]:
        """Every state it may lead to."""
        return (*(state for _, state in self.options), self.otherwise)


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of a table.

    Attributes:
        action: what is done; unique among the transitions that leave a state.
        sources: the states it leaves.
        target: the state it leads to.
        by: whom it may be taken by.
        article: of the regulation, or "2025:n" of the State Council's.
        zh, en: what it is called.
        form: what is to be filled in; None takes nothing.
        starts, stops: clocks, by id.
        expiry_of: the clock whose end takes this transition by itself, unless the law only advises yet.
        guards: further conditions, each refusing with its own reason.
        effects: what else the same decision changes.
    """

    action: str
    sources: tuple[str, ...]
    target: str | Choice
    by: tuple[By, ...]
    article: str
    zh: str
    en: str
    form: type[Model] | None = None
    starts: tuple[Start, ...] = ()
    stops: tuple[str, ...] = ()
    expiry_of: str | None = None
    guards: tuple[Guard, ...] = ()
    effects: tuple[Consequence, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Every state it may lead to."""
        return self.target.targets if isinstance(self.target, Choice) else (self.target,)

    def lead(self, context: Context) -> str:
        """The state it leads to here."""
        if isinstance(self.target, str):
            return self.target
        return next((state for holds, state in self.target.options if holds(context)), self.target.otherwise)


@dataclass(frozen=True, slots=True)
class Workflow:
    """A table, and what all its matters have in common.

    Attributes:
        code: its name in commands and files.
        prefix: of its matters' numbers.
        states: each state's Chinese and English name.
        ends: states in which nothing is owed any more; all clocks stop there.
        parties: who and what a new matter concerns, from the form that opens it.
    """

    code: str
    prefix: str
    zh: str
    en: str
    articles: str
    states: Mapping[str, tuple[str, str]]
    ends: frozenset[str]
    transitions: tuple[Transition, ...]
    parties: Callable[[Any, Actor, RegisterView], Parties]
    _leaving: Mapping[str, tuple[Transition, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sources = {state for t in self.transitions for state in t.sources}
        leaving = {state: tuple(t for t in self.transitions if state in t.sources) for state in sources}
        object.__setattr__(self, "_leaving", leaving)

    def leaving(self, state: str) -> tuple[Transition, ...]:
        """The transitions that leave a state."""
        return self._leaving.get(state, ())

    def expiry(self, state: str, clock: str) -> Transition | None:
        """The transition that the end of a clock takes by itself."""
        return next((t for t in self.leaving(state) if t.expiry_of == clock), None)


def advance(workflow: Workflow, state: str, action: str, actor: Actor, parties: Parties) -> Transition | Refused:
    """The transition that an action takes, or why it may not be taken; nothing else is judged here.

    Returns:
        Refused with E_STATE when the table has no such action in that state, E_ROLE when the actor may not take it;
        both name state, action and role.
    """
    leaving = workflow.leaving(state)
    found = next((t for t in leaving if t.action == action), None)
    if found is not None and any(_may(by, actor, parties) for by in found.by):
        return found
    where = f"{workflow.code}: {action} in state {state or 'NEW'} by {actor.role.value}"
    if found is None:
        known = ", ".join(t.action for t in leaving) or "nothing"
        return Refused(RefusalCode.E_STATE, f"{where}; possible here: {known}", cited=workflow.articles)
    may = "; ".join(by.en for by in found.by)
    return Refused(RefusalCode.E_ROLE, f"{where}; may be done by: {may}", cited=found.article)


def _may(by: By, actor: Actor, parties: Parties) -> bool:
    if actor.role not in by.roles:
        return False
    if by.party is not None and (actor.agency is None or actor.agency != parties.of(by.party)):
        return False
    # A county's offices act for their own county alone (Art 8).
    return actor.role not in COUNTY_ROLES or (
        actor.division is not None and parties.division.startswith(actor.division[:6])
    )


def fill_in(transition: Transition, data: Model | Mapping[str, Any] | None) -> Model | Refused | None:
    """What was filled in, checked; all errors are told at once, by field and rule and never with the value.

    Returns:
        Refused with E_FORM when a field is missing, unknown or wrong.
    """
    form = transition.form
    if form is None:
        if data:
            return Refused(RefusalCode.E_FORM, f"{transition.action} takes no form", cited=transition.article)
        return None
    if isinstance(data, form):
        return data
    try:
        return form.model_validate(data.model_dump(by_alias=True) if isinstance(data, Model) else data or {})
    except ValidationError as error:
        problems = "; ".join(f"{_place(item['loc'])}: {item['msg']}" for item in error.errors(include_input=False))
        return Refused(RefusalCode.E_FORM, problems, cited=transition.article)


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc) or "the form"


def since(start: Start, form: Model | None, at: datetime) -> datetime | date:
    """From when a clock counts."""
    value = getattr(form, start.since) if start.since is not None else at
    return value if isinstance(value, (datetime, date)) else at
