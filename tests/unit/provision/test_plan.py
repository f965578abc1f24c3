"""The difference between what must be and what is: in order, never too much, and empty the second time."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.provision.actual import Actual, ActualTopic
from bus.provision.desired import Desired, desired
from bus.provision.plan import (
    AddRight,
    ChangeConfig,
    CreateTopic,
    Dispose,
    EnforceCompatibility,
    Plan,
    RegisterSchema,
    RemoveRight,
    make_plan,
)
from bus.provision.rights import ADMIT, READ, TOPIC, WRITE, Right, grant_right
from bus.settings import Settings
from bus.wire.registry import COMPATIBILITY
from compliance.models import Grant, GrantState, OwnerRule
from schemas.resource import packaged_text
from tests.builders import PERMIT
from tests.hall import Hall
from tests.hall_register import NOW, POLICE, STATS

TEXT = packaged_text(PERMIT)
SETTINGS = Settings()
RECORDS = f"record.{PERMIT}"


@pytest.fixture
def hall() -> Hall:
    made = Hall(TEXT, partitions=5)
    granted(made)
    return made


def granted(hall: Hall, **changes: Any) -> Grant:
    grant = hall.grant(("sex_code",), **changes).grant
    hall.view.apply("grant", grant.id, grant)
    return grant


def wanted(hall: Hall) -> Desired:
    return desired(hall.view, SETTINGS, NOW)


def done(actual: Actual, plan: Plan) -> Actual:
    """What is there once a plan is carried out, as Kafka and the registry would have it."""
    topics, schemas, rights = dict(actual.topics), dict(actual.schemas), set(actual.rights)
    compatibility, left = actual.compatibility, dict(actual.left)
    for step in plan.steps:
        match step:
            case EnforceCompatibility():
                compatibility = COMPATIBILITY
            case CreateTopic(topic):
                assert topic.name not in topics
                topics[topic.name] = ActualTopic(topic.partitions, topic.replication_factor, dict(topic.config))
            case ChangeConfig(name, changes):
                config = {**topics[name].config, **{key: value for key, _, value in changes}}
                topics[name] = replace(topics[name], config=config)
            case RegisterSchema(name, codec):
                schemas[name] = (*schemas.get(name, ()), codec.text)
            case AddRight(right):
                rights.add(right)
            case RemoveRight(right):
                rights.remove(right)
            case Dispose(grant, "DELETE"):
                del topics[grant.topic]
            case Dispose(grant, _):
                left[grant.topic] = 0
    return Actual(topics, frozenset(rights), schemas, compatibility, left)


def provisioned(hall: Hall) -> Actual:
    return done(Actual(), make_plan(wanted(hall), Actual()))


# -- from nothing, and again ---------------------------------------------------------------------------------------


def test_on_an_empty_cluster_everything_is_made_in_the_order_in_which_it_is_safe(hall: Hall) -> None:
    must = wanted(hall)
    plan = make_plan(must, Actual())
    kinds = [type(step) for step in plan.additions]
    order = [EnforceCompatibility, CreateTopic, RegisterSchema, AddRight]
    assert kinds == sorted(kinds, key=order.index)
    assert [step.topic for step in plan.additions if isinstance(step, CreateTopic)] == list(must.topics.values())
    assert {step.right for step in plan.additions if isinstance(step, AddRight)} == must.rights
    registered = [(step.topic, step.codec) for step in plan.additions if isinstance(step, RegisterSchema)]
    assert registered == [(name, codec) for name, codecs in must.schemas.items() for codec in codecs]
    assert (plan.removals, plan.disposals, plan.refused, plan.warnings) == ((), (), (), ())
    assert not plan.empty


def test_what_is_provisioned_needs_nothing(hall: Hall) -> None:
    plan = make_plan(wanted(hall), provisioned(hall))
    assert plan == Plan()
    assert plan.empty


MOVES: dict[str, Callable[[Hall], object]] = {
    "a new agency": lambda hall: hall.agency("new"),
    "an agency less": lambda hall: hall.view.apply("agency", POLICE, None),
    "a new version": lambda hall: hall.publish(json.dumps({**json.loads(TEXT), "cn": "别名"}), version=2, partitions=5),
    "a new grant": lambda hall: granted(hall, id="g2"),
    "a suspended grant": lambda hall: granted(hall, state=GrantState.SUSPENDED),
    "a revoked grant": lambda hall: granted(hall, state=GrantState.REVOKED, disposal="DELETE"),
    "a purged grant": lambda hall: granted(hall, state=GrantState.ENDED, disposal="PURGE"),
    "a retained grant": lambda hall: granted(hall, state=GrantState.ENDED, disposal="RETAIN"),
}


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=5, unique=True))
def test_after_whatever_change_of_the_register_the_second_plan_is_empty(names: list[str]) -> None:
    hall = Hall(TEXT, partitions=5)
    granted(hall)
    actual = replace(provisioned(hall), left={"delivery.stats.residence_permit.g1": 7})
    for name in names:
        MOVES[name](hall)
        actual = done(actual, make_plan(wanted(hall), actual))
        assert make_plan(wanted(hall), actual).steps == ()


def test_an_interrupted_run_is_finished_by_the_next(hall: Hall) -> None:
    plan = make_plan(wanted(hall), Actual())
    for cut in range(0, len(plan.additions), 7):
        half = done(Actual(), Plan(additions=plan.additions[:cut]))
        rest = make_plan(wanted(hall), half)
        assert set(map(str, rest.additions)) == set(map(str, plan.additions[cut:]))


# -- what may not be changed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [4, 6])
def test_another_number_of_partitions_is_refused_in_words(hall: Hall, there: int) -> None:
    actual = provisioned(hall)
    actual.topics[RECORDS] = replace(actual.topics[RECORDS], partitions=there)
    plan = make_plan(wanted(hall), actual)
    [refused] = plan.refused
    assert refused == (
        f"topic {RECORDS} has {there} partitions and its catalogue entry says 5: the number never changes after "
        "creation, or a subject's order would break (decisions 17)"
    )
    assert plan.steps == ()
    assert not plan.empty


def resource(code: str) -> str:
    return json.dumps({**json.loads(TEXT), "resource": code})


def test_two_names_that_kafka_takes_for_one_are_refused_in_words() -> None:
    hall = Hall(resource("b_cd"))
    hall.agency("police_b")
    hall.publish(resource("cd"), owners=(OwnerRule(agencies=("police_b",)),))
    [refused] = make_plan(wanted(hall), Actual()).refused
    assert refused == (
        "topic change.police_b.cd cannot be beside topic change.police.b_cd: Kafka takes `.` and `_` in a name for "
        "the same; choose another code for the agency or the resource"
    )


def test_a_name_that_kafka_takes_for_one_of_somebody_elses_is_refused(hall: Hall) -> None:
    plan = make_plan(wanted(hall), Actual({"record_residence.permit": ActualTopic(1, 1)}))
    assert len(plan.refused) == 1
    assert plan.refused[0].startswith(f"topic {RECORDS} cannot be beside topic record_residence.permit: ")


def test_fewer_replicas_are_a_warning_and_more_are_none(hall: Hall) -> None:
    actual = provisioned(hall)
    must = desired(hall.view, Settings(replication_factor=3), NOW)
    plan = make_plan(must, actual)
    assert plan.steps == ()
    assert len(plan.warnings) == len(must.topics)
    assert f"topic {RECORDS} has 1 replicas and BUS_REPLICATION_FACTOR says 3: reassign its partitions" in "\n".join(
        plan.warnings
    )
    assert make_plan(wanted(hall), done(Actual(), make_plan(must, Actual()))).warnings == ()


# -- settings of topics --------------------------------------------------------------------------------------------


def test_only_the_settings_that_differ_are_changed(hall: Hall) -> None:
    actual = provisioned(hall)
    config = {**actual.topics[RECORDS].config, "min.insync.replicas": "2", "segment.bytes": "1"}
    del config["delete.retention.ms"]
    actual.topics[RECORDS] = replace(actual.topics[RECORDS], config=config)
    plan = make_plan(wanted(hall), actual)
    assert plan.steps == (
        ChangeConfig(RECORDS, (("delete.retention.ms", "", "2592000000"), ("min.insync.replicas", "2", "1"))),
    )
    assert make_plan(wanted(hall), done(actual, plan)).empty


def test_what_nobody_asked_for_is_left_alone(hall: Hall) -> None:
    actual = provisioned(hall)
    actual.topics["somebody.elses"] = ActualTopic(3, 1)
    actual.topics["record.of_an_entry_that_is_gone"] = ActualTopic(3, 1)
    assert make_plan(wanted(hall), actual).empty


# -- schemas -------------------------------------------------------------------------------------------------------


def test_a_schema_is_the_same_however_its_text_is_laid_out(hall: Hall) -> None:
    actual = provisioned(hall)
    for name, texts in actual.schemas.items():
        actual.schemas[name] = tuple(json.dumps(json.loads(text), indent=2, sort_keys=True) for text in texts)
    assert make_plan(wanted(hall), actual) == Plan()


def test_a_new_version_registers_its_schemas_alone(hall: Hall) -> None:
    actual = provisioned(hall)
    hall.publish(json.dumps({**json.loads(TEXT), "cn": "别名"}), version=2, partitions=5)
    plan = make_plan(wanted(hall), actual)
    assert [step.topic for step in plan.steps if isinstance(step, RegisterSchema)] == [f"change.{POLICE}.{PERMIT}"]
    assert len(plan.steps) == 1


@pytest.mark.parametrize("name", [RECORDS, f"change.{POLICE}.{PERMIT}", "delivery.stats.residence_permit.g1"])
def test_a_schema_that_no_catalogue_version_knows_is_told(hall: Hall, name: str) -> None:
    actual = provisioned(hall)
    actual.schemas[name] = (*actual.schemas[name], '{"type": "record", "name": "Odd", "fields": []}')
    plan = make_plan(wanted(hall), actual)
    assert plan.warnings == (f"subject {name}-value has 1 schema(s) that no catalogue version knows (Art 40)",)
    assert plan.steps == ()


def test_the_schema_of_an_ended_grant_is_known_and_one_of_other_topics_is_not_ours_to_judge(hall: Hall) -> None:
    actual = provisioned(hall)
    actual.schemas["somebody.elses"] = ('"string"',)
    granted(hall, state=GrantState.ENDED)
    assert make_plan(wanted(hall), actual).warnings == ()


def test_what_the_bus_wrote_before_an_upgrade_is_no_change_of_the_catalogue(hall: Hall) -> None:
    actual = provisioned(hall)
    records = next(name for name in actual.schemas if name.startswith("record."))
    actual.schemas[records] = (hall.schema.record_before.text, *actual.schemas[records])
    assert make_plan(wanted(hall), actual).warnings == ()
    actual.schemas[records] = ('"string"', *actual.schemas[records])
    [warning] = make_plan(wanted(hall), actual).warnings
    assert f"subject {records}-value has 1 schema(s) that no catalogue version knows" in warning


def test_a_registry_that_holds_to_less_is_told_to_hold_to_more(hall: Hall) -> None:
    for rule in ("", "NONE", "BACKWARD", "FULL"):
        plan = make_plan(wanted(hall), replace(provisioned(hall), compatibility=rule))
        assert plan.steps == (EnforceCompatibility(),)


# -- rights --------------------------------------------------------------------------------------------------------

STALE = Right("User:agency-gone", TOPIC, "receipt.gone", READ)
FOREIGN = Right("User:somebody", TOPIC, "record.", READ, prefixed=True)
DENIED = Right("User:agency-police", TOPIC, "change.police.", WRITE, prefixed=True, permission="DENY")


def test_a_right_that_is_no_longer_asked_for_is_taken_away(hall: Hall) -> None:
    actual = provisioned(hall)
    wide = Right(ADMIT, TOPIC, "", WRITE, prefixed=True)
    plan = make_plan(wanted(hall), replace(actual, rights=actual.rights | {STALE, wide}))
    assert {step.right for step in plan.removals} == {STALE, wide}
    assert plan.additions == ()
    assert plan.warnings == ()


def test_foreign_rights_and_denials_are_told_and_never_touched(hall: Hall) -> None:
    actual = provisioned(hall)
    write = Right("User:somebody", TOPIC, "x", WRITE)
    plan = make_plan(wanted(hall), replace(actual, rights=actual.rights | {FOREIGN, write, DENIED}))
    assert plan.steps == ()
    told = "has rights that the register does not know (Art 10):"
    assert plan.warnings == (
        f"foreign principal User:agency-police {told} WRITE topic change.police.* DENY",
        f"foreign principal User:somebody {told} READ topic record.*; WRITE topic x",
    )


def test_a_suspended_grant_loses_its_right_and_keeps_its_topic(hall: Hall) -> None:
    actual = provisioned(hall)
    grant = granted(hall, state=GrantState.SUSPENDED)
    assert make_plan(wanted(hall), actual).steps == (RemoveRight(grant_right(grant)),)


# -- what becomes of an ended grant's topic ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("disposal", "left", "steps"),
    [
        ("DELETE", 0, ["DELETE"]),
        ("DELETE", 9, ["DELETE"]),
        ("PURGE", 9, ["PURGE"]),
        ("PURGE", 0, []),
        ("RETAIN", 9, []),
    ],
)
def test_an_ended_grants_topic_goes_as_the_grant_says(hall: Hall, disposal: str, left: int, steps: list[str]) -> None:
    actual = provisioned(hall)
    grant = granted(hall, state=GrantState.REVOKED, disposal=disposal)
    plan = make_plan(wanted(hall), replace(actual, left={grant.topic: left}))
    assert [step.how for step in plan.disposals] == steps
    assert plan.removals == (RemoveRight(grant_right(grant)),)
    # First nobody reads it any more.
    assert plan.steps == (*plan.additions, *plan.removals, *plan.disposals)


def test_an_ended_grant_whose_topic_is_gone_asks_for_nothing(hall: Hall) -> None:
    actual = provisioned(hall)
    grant = granted(hall, state=GrantState.ENDED)
    del actual.topics[grant.topic]
    assert make_plan(wanted(hall), actual).disposals == ()


# -- words ---------------------------------------------------------------------------------------------------------


def test_every_step_is_one_line_for_people(hall: Hall) -> None:
    first = make_plan(wanted(hall), Actual())
    actual = replace(provisioned(hall), rights=provisioned(hall).rights | {STALE})
    actual.topics[RECORDS] = replace(actual.topics[RECORDS], config={})
    granted(hall, state=GrantState.REVOKED)
    lines = [str(step) for step in (*first.steps, *make_plan(wanted(hall), actual).steps)]
    assert all("\n" not in line and "object at" not in line for line in lines)
    assert "hold the registry's schemas to FULL_TRANSITIVE" in lines
    assert "take away User:agency-gone READ topic receipt.gone" in lines
    assert f"allow User:agency-{STATS} READ topic delivery.{STATS}.{PERMIT}.g1" in lines
    assert f"delete topic delivery.{STATS}.{PERMIT}.g1 of ended grant g1" in lines
    assert any(
        line.startswith(f"create topic {RECORDS} with 5 partition(s), cleanup.policy=compact, ") for line in lines
    )
    assert any(line.startswith(f"configure topic {RECORDS}: cleanup.policy – → compact, ") for line in lines)
    assert any(line.startswith(f"register schema {RECORDS}-value ") for line in lines)
