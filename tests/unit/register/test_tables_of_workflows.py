"""What holds of every workflow's table, whoever adds one."""

import pytest

from compliance.diagram import diagram
from compliance.profiles import Law
from compliance.roles import CLOCK, Actor, Party, Role
from compliance.workflow import NEW, Parties, Transition, Workflow, advance
from compliance.workflows import WORKFLOWS
from schemas.refusals import RefusalCode, Refused

TABLES = pytest.mark.parametrize("table", WORKFLOWS.values(), ids=list(WORKFLOWS))
LAW = Law.packaged("huizhou-2016", "state-council-2025")
PARTIES = Parties("441300", requester="requester", provider="provider", unit="unit")


@TABLES
def test_every_state_is_named_and_can_be_reached(table: Workflow) -> None:
    reached = {NEW}
    while True:
        more = {target for t in table.transitions if reached & set(t.sources) for target in t.targets} - reached
        if not more:
            break
        reached |= more
    assert reached - {NEW} == set(table.states)
    assert table.ends <= set(table.states)


@TABLES
def test_from_every_state_an_end_can_be_reached(table: Workflow) -> None:
    ending = set(table.ends)
    while True:
        more = {s for t in table.transitions if ending & set(t.targets) for s in t.sources} - ending
        if not more:
            break
        ending |= more
    assert set(table.states) <= ending


@TABLES
def test_an_action_is_unique_in_its_state(table: Workflow) -> None:
    for state in (NEW, *table.states):
        actions = [t.action for t in table.leaving(state)]
        assert len(actions) == len(set(actions)), (state, actions)


@TABLES
def test_every_transition_cites_an_article_and_has_two_names(table: Workflow) -> None:
    for transition in table.transitions:
        assert transition.article
        assert transition.zh
        assert transition.en
        assert transition.by


@TABLES
def test_every_clock_has_a_rule_an_owner_and_an_article(table: Workflow) -> None:
    started = {start.clock for t in table.transitions for start in t.starts}
    for clock in started:
        rule = LAW.rule(clock).rule
        assert rule.article
        assert rule.title_zh
    for transition in table.transitions:
        assert set(transition.stops) <= started
        if transition.expiry_of is not None:
            assert transition.expiry_of in started
            assert all(Role.CLOCK in by.roles for by in transition.by)


@TABLES
def test_numbers_of_workflows_differ(table: Workflow) -> None:
    assert [t.prefix for t in WORKFLOWS.values()].count(table.prefix) == 1


@TABLES
def test_the_diagram_shows_every_transition(table: Workflow) -> None:
    drawn = diagram(table)
    for transition in table.transitions:
        assert drawn.count(f": {transition.action}") >= len(transition.sources)


def _actors() -> list[Actor]:
    """Everybody: each role, for each party and for a stranger, in the matter's county and in another one."""
    agencies = ("requester", "provider", "unit", "stranger", None)
    return [
        Actor(account="somebody", role=role, agency=agency, division=division)
        for role in Role
        for agency in agencies
        for division in ("441300", "441302", None)
    ]


ACTORS = _actors()


def _allowed(transition: Transition, actor: Actor) -> bool:
    """The same question as the table's, asked the long way round."""
    for by in transition.by:
        if actor.role not in by.roles:
            continue
        if (
            by.party is not None
            and actor.agency
            != {
                Party.REQUESTER: "requester",
                Party.PROVIDER: "provider",
                Party.UNIT: "unit",
            }[by.party]
        ):
            continue
        if actor.role.value.endswith("_COUNTY") and actor.division != "441300":
            continue
        return True
    return False


@TABLES
def test_every_cell_of_role_and_action(table: Workflow) -> None:
    """(state × action × actor): taken by those whom the table names, refused to all others with the right code."""
    actions = {t.action for t in table.transitions}
    for state in (NEW, *table.states):
        possible = {t.action: t for t in table.leaving(state)}
        for action in actions:
            for actor in ACTORS:
                answer = advance(table, state, action, actor, PARTIES)
                if action not in possible:
                    assert isinstance(answer, Refused)
                    assert answer.code is RefusalCode.E_STATE
                elif _allowed(possible[action], actor):
                    assert answer is possible[action]
                else:
                    assert isinstance(answer, Refused)
                    assert answer.code is RefusalCode.E_ROLE
                    assert action in answer.detail
                    assert actor.role.value in answer.detail


def test_the_clock_takes_only_what_a_clock_may() -> None:
    for table in WORKFLOWS.values():
        for transition in table.transitions:
            allowed = isinstance(advance(table, transition.sources[0], transition.action, CLOCK, PARTIES), Transition)
            assert allowed == any(Role.CLOCK in by.roles for by in transition.by)
