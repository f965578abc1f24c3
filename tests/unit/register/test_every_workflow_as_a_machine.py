"""Random lives of matters of every workflow: whoever acts, nothing happens outside the tables, and all is on record.

A workflow that somebody adds is tested with the others: its forms are filled in by their types.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.entry import Model
from compliance.register.decision import Moved
from compliance.register.service import Register
from compliance.roles import CLOCK as CLOCK_ACTOR
from compliance.roles import COUNTY_ROLES, Actor, Party, Role
from compliance.values import Text
from compliance.workflow import NEW, Matter, Transition, Workflow
from compliance.workflows import WORKFLOWS
from compliance.workflows.agreement import Draft
from compliance.workflows.forwarding import Arrived
from compliance.workflows.grant_forms import GrantProposal
from compliance.workflows.item_forms import Confirmation, Item
from compliance.workflows.requested import Application
from schemas.refusals import Refused
from tests.forms import filled, known_values
from tests.register import NOW, both, copied, moved, register_on, sqlite_register
from tests.sharing import AGENCIES, ASKER, PURPOSE, application, draft, found, wanted

KNOWN = known_values(list(AGENCIES), ["lamp", "bridge", "well"], ["area", "number", "secret"], NOW.date())


def item_form(name: str, sharing: str) -> dict[str, Any]:
    """An item of `lamp`."""
    item = wanted(name)
    return {**item, "requester": "civil_affairs", "purpose": PURPOSE, "sharing": sharing}


def proposal(name: str) -> dict[str, Any]:
    """A proposed grant on `lamp`."""
    item = {key: value for key, value in wanted(name).items() if key != "name"}
    return {**item, "subscriber": "civil_affairs", "purpose": PURPOSE}


EXAMPLES: dict[type[Model] | None, Sequence[Mapping[str, Any]]] = {
    Application: [
        application(wanted("area")),
        application(wanted("number"), wanted("area", "number"), wanted(resource=None)),
        application(wanted("area", provider="boluo_roads", resource="bridge")),
        application(wanted("area"), phone=None),
    ],
    Arrived: [
        {
            "receiver": receiver,
            "requester": "boluo_civil",
            "provider": "huidong_water",
            "application": application(wanted("area", provider="huidong_water", resource="well")),
            "letter": "甲",
            "sent_on": "2026-09-01",
        }
        for receiver in ("441300", "441323")
    ],
    Draft: [draft("number"), draft("area", "number", "secret")],
    Item: [
        item_form("area", "UNCONDITIONAL"),
        item_form("number", "CONDITIONAL"),
        {**item_form("area", "UNCONDITIONAL"), "fields": ["area", "number"], "sharing": "CONDITIONAL"},
    ],
    GrantProposal: [{**proposal("area"), "id": f"g-2026-{number:05d}"} for number in range(1, 9)],
    Confirmation: [{}],
}
"""Forms that random values seldom make: their parts must fit each other and the city."""
PARTIES = {party.value for party in Party}
_EVERYTHING = (
    "SELECT * FROM matter",
    "SELECT * FROM clock",
    *(f"SELECT count(*) FROM {table}" for table in ("step", "clock_change", "fact", "outbox")),  # noqa: S608  ours
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A register that holds the city and one matter, which stands for the cause of what only follows from others."""
    folder = tmp_path_factory.mktemp("machine")
    with sqlite_register(folder, both()) as register:
        found(register)
        form = {"about": "psb", "division": "441300", "statement": "甲"}
        moved(register.open("complaint", "file", form, ASKER, NOW - timedelta(days=1)))
        with register._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / "register.db"


class Life:
    """One register in which things happen, one seed a thing."""

    def __init__(self, register: Register, table: Workflow) -> None:
        self.register = register
        self.table = table
        self.at = NOW
        [self.cause] = register.matters("complaint")
        self.moves = 0
        self.numbers: list[str] = []

    def happen(self, seed: int) -> None:
        """Let one thing happen, and look whether it left everything in order."""
        random = Random(seed)  # noqa: S311  tests must repeat
        self.at += timedelta(hours=random.choice([0, 1, 1, 24, 24, 240]))
        if random.random() < 0.15:
            self.register.tick(self.at)
            return
        before = everything(self.register)
        others = self.register.matters()
        self.numbers = [matter.number for matter in others]
        mine = [matter for matter in others if matter.workflow == self.table.code]
        matter: Matter | None = None
        if mine and random.random() < 0.9:
            matter = random.choice(mine)
        elif others and random.random() < 0.5:
            matter = random.choice(others)
        table = WORKFLOWS[matter.workflow] if matter is not None else self.table
        answer = self._act(random, table, matter)
        if isinstance(answer, Refused):
            assert answer.article
            assert answer.reason_zh
            assert everything(self.register) == before
        else:
            self.moves += 1
            in_order(self.register, answer.matter, self.at)

    def _act(self, random: Random, table: Workflow, matter: Matter | None) -> Moved | Refused:
        state = matter.state if matter is not None else NEW
        leaving = table.leaving(state)
        likely = bool(leaving) and random.random() < 0.9
        possible = leaving if likely else table.transitions
        # Else most lives would be short.
        weights = [0.3 if table.ends.issuperset(row.targets) else 1 for row in possible]
        [transition] = random.choices(possible, weights)
        form = self._form(random, transition)
        actor = self._actor(random, transition, matter, form)
        # What only another decision brings about is taken as its consequence.
        by_consequence = not any(by.roles for by in transition.by) and random.random() < 0.8
        if by_consequence:
            cause = self.cause
            if matter is None:
                return self.register._decide(
                    self.at, lambda decision: decision.open(table, transition.action, form, actor, cause)
                )
            number = matter.number
            return self.register._decide(
                self.at, lambda decision: decision.act(number, transition.action, form, actor, cause=cause)
            )
        if matter is None:
            return self.register.open(table.code, transition.action, form, actor, self.at)
        return self.register.act(matter.number, transition.action, form, actor, self.at)

    def _form(self, random: Random, transition: Transition) -> dict[str, Any] | None:
        if transition.form is None or random.random() < 0.03:
            return None
        if transition.form in EXAMPLES and random.random() < 0.7:
            return dict(random.choice(EXAMPLES[transition.form]))
        form = filled(random, transition.form, {**KNOWN, Text: [*KNOWN[Text], *self.numbers[-3:]]})
        if random.random() < 0.03:
            form["nonsense"] = 1
        return form

    def _actor(self, random: Random, transition: Transition, matter: Matter | None, form: Any) -> Actor:
        """Mostly somebody who may; else anybody."""
        by = random.choice(transition.by)
        if random.random() < 0.1 or not by.roles:
            return anybody(random)
        role = random.choice(sorted(by.roles))
        if role is Role.CLOCK:
            return CLOCK_ACTOR
        party = by.party or Party.UNIT
        agency = matter.parties.of(party) if matter is not None else None
        if agency is None:
            named = [value for value in (form or {}).values() if isinstance(value, str) and value in AGENCIES]
            agency = random.choice([*named, *AGENCIES])
        division = matter.parties.division[:6] if matter is not None else "441300"
        return Actor(
            account="somebody",
            role=role,
            agency=agency,
            division=division if role in COUNTY_ROLES else None,
        )


def anybody(random: Random) -> Actor:
    """Any role of any agency or county."""
    return Actor(
        account="anybody",
        role=random.choice(list(Role)),
        agency=random.choice([None, *AGENCIES]),
        division=random.choice([None, "441300", "441322"]),
    )


def everything(register: Register) -> tuple[Any, ...]:
    """All that a refused action must leave as it is; what is only appended to, by how much there is."""
    with register._engine.connect() as connection:
        return tuple(tuple(connection.exec_driver_sql(query)) for query in _EVERYTHING)


def in_order(register: Register, matter: Matter, at: datetime) -> None:
    """What holds of a matter at any time."""
    table, steps = WORKFLOWS[matter.workflow], register.history(matter.number)
    assert register.matter(matter.number) == register.matter_at(matter.number, at)
    head = register.matter(matter.number)
    assert head is not None
    assert head.state in table.states
    assert [step.seq for step in steps] == list(range(1, head.seq + 1))
    source = NEW
    for step in steps:
        [row] = [t for t in table.leaving(source) if t.action == step.action]
        assert step.source == source
        assert step.target in row.targets
        assert (step.article, bool(step.account), bool(step.role)) == (row.article, True, True)
        source = step.target
    assert head.state == source
    running = [clock for clock in register.clocks() if clock.matter == matter.number]
    if head.state in table.ends:
        assert running == []
    for clock in running:
        assert clock.article
        assert clock.owes
        assert clock.agency is not None or clock.owes not in PARTIES, clock.rule


@pytest.mark.parametrize("table", WORKFLOWS.values(), ids=list(WORKFLOWS))
def test_no_life_of_a_matter_leaves_its_table(table: Workflow, template: Path) -> None:
    moves = []

    @given(st.lists(st.integers(0, 2**32 - 1), min_size=10, max_size=16))
    @settings(max_examples=4, database=None, suppress_health_check=list(HealthCheck))
    def live(seeds: list[int]) -> None:
        with copied(template, template.with_name("copy.db")) as engine:
            register = register_on(engine, both())
            life = Life(register, table)
            for seed in seeds:
                life.happen(seed)
            for matter in register.matters():
                in_order(register, matter, life.at)
            moves.append(life.moves)

    live()
    assert sum(moves)
