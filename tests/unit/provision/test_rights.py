"""Who may do what on Kafka: every rule that is there, and above all those that are not."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from bus.provision.rights import (
    ADMIT,
    CHECKER,
    DELETE,
    DELIVER,
    DESCRIBE,
    GROUP,
    READ,
    TOPIC,
    TRANSACTIONAL_ID,
    WATCHER,
    WRITE,
    Right,
    agency_principal,
    agency_rights,
    grant_right,
    worker_rights,
)
from bus.workers.slot import Slot
from schemas.errors import UsageError
from schemas.resource import packaged_text
from tests.builders import PERMIT
from tests.hall import Hall

PSB, NEIGHBOUR = agency_principal("psb"), agency_principal("psb_x")
ALL = agency_rights("psb") | agency_rights("psb_x") | worker_rights()
TOPICS = [
    *(
        f"{kind}.{who}"
        for kind in ("receipt", "refused", "cursor", "heartbeat", "declaration", "digest")
        for who in ("psb", "psb_x", "psb.x", "ps")
    ),
    *(f"change.{who}.permit" for who in ("psb", "psb_x", "ps")),
    *(f"delivery.{who}.permit.g1" for who in ("psb", "psb_x")),
    *(f"register.{kind}" for kind in ("agency", "catalogue", "review", "grant", "outage", "reckoning", "waiver")),
    *(
        "record.permit",
        "pulse",
        "incident",
        "freshness",
        "alarm",
        "difference",
        "hit",
        "quality",
        "bus.delivery-progress",
        "bus.delivery-pulse",
        "change.psb",
        "somebody.elses",
        "__consumer_offsets",
    ),
]


def allowed(principal: str, operation: str, kind: str, name: str, rights: Iterable[Right] = ALL) -> bool:
    """Kafka's own decision: some rule of the principal meets the name; whoever may read, write or delete may describe."""
    operations = {operation} | ({READ, WRITE, DELETE} if operation == DESCRIBE else set())
    return any(
        right.principal == principal
        and right.kind == kind
        and right.operation in operations
        and (name.startswith(right.name) if right.prefixed else name == right.name)
        for right in rights
    )


def reach(principal: str, operation: str) -> set[str]:
    """Which of the topics the principal may use so."""
    return {name for name in TOPICS if allowed(principal, operation, TOPIC, name)}


# -- agencies ------------------------------------------------------------------------------------------------------


def test_an_agency_writes_its_own_corridor_refusals_cursors_and_word_on_its_sources_and_nothing_else() -> None:
    kinds = ("refused", "cursor", "heartbeat", "declaration", "digest")
    for who, code in ((PSB, "psb"), (NEIGHBOUR, "psb_x")):
        assert reach(who, WRITE) == {f"change.{code}.permit", *(f"{kind}.{code}" for kind in kinds)}


def test_an_agency_reads_its_own_reports_and_the_open_part_of_the_register_and_nothing_else() -> None:
    open_part = {"register.agency", "register.catalogue", "register.review"}
    kinds = ("receipt", "refused", "cursor", "declaration", "digest")
    for who, code in ((PSB, "psb"), (NEIGHBOUR, "psb_x")):
        assert reach(who, READ) == {f"{kind}.{code}" for kind in kinds} | open_part


def test_an_agency_does_not_even_see_what_it_may_neither_read_nor_write() -> None:
    assert reach(PSB, DESCRIBE) == reach(PSB, READ) | reach(PSB, WRITE)


def test_an_agency_deletes_nothing() -> None:
    assert reach(PSB, DELETE) == set()


@pytest.mark.parametrize("kind", [GROUP, TRANSACTIONAL_ID])
def test_groups_and_transactional_ids_are_an_agencys_own_below_its_code(kind: str) -> None:
    operation = READ if kind == GROUP else WRITE
    assert allowed(PSB, operation, kind, "psb.anything")
    others = ["psb", "psb_x.anything", "psbx.anything", "bus.admit", "bus.admit-1.host", "bus.deliver", "ps.", ""]
    assert [name for name in others if allowed(PSB, operation, kind, name)] == []


def test_the_groups_that_our_own_readers_name_are_allowed() -> None:
    for name in ("psb.publisher", "agency-psb.register", "agency-psb.table"):
        assert allowed(PSB, READ, GROUP, name)
    for name in ("agency-psb_x.register", "agency-psb_x.table", "agency-psb.other", "agency-psb"):
        assert not allowed(PSB, READ, GROUP, name)


def test_a_grant_lets_its_subscriber_read_its_topic_and_no_other() -> None:
    grant = Hall(packaged_text(PERMIT)).grant(("sex_code",), id="g1", subscriber="psb").grant
    right = grant_right(grant)
    assert right == Right(PSB, TOPIC, f"delivery.psb.{PERMIT}.g1", READ)
    assert not allowed(PSB, READ, TOPIC, f"{grant.topic}0", {right})
    assert not allowed(PSB, WRITE, TOPIC, grant.topic, {right})


def test_a_code_that_is_the_buss_own_is_refused() -> None:
    """Its groups and transactional ids would be those of the workers."""
    with pytest.raises(UsageError, match="agency code bus is the bus's own: choose another one"):
        agency_rights("bus")


@pytest.mark.parametrize("code", ["admit", "deliver", "register", "agency", "bus_x", "bu", "operator"])
def test_no_other_code_comes_near_the_workers(code: str) -> None:
    rights = agency_rights(code)
    for name in ("bus.admit", "bus.deliver", "bus-admit.register", "bus-deliver.table", "agency-psb.register"):
        assert not allowed(agency_principal(code), READ, GROUP, name, rights)
    for name in ("bus.admit-1.host", "bus.deliver-1.host", "bus.deliver-catchup-1.host", "psb.connector"):
        assert not allowed(agency_principal(code), WRITE, TRANSACTIONAL_ID, name, rights)


# -- the workers ---------------------------------------------------------------------------------------------------

REGISTER = {
    "register.agency",
    "register.catalogue",
    "register.review",
    "register.grant",
    "register.outage",
    "register.reckoning",
    "register.waiver",
}
CHANGES = {f"change.{who}.permit" for who in ("psb", "psb_x", "ps")} | {"change.psb"}
REPORTS = {name for name in TOPICS if name.startswith(("receipt.", "refused."))}
DELIVERIES = {"delivery.psb.permit.g1", "delivery.psb_x.permit.g1"}


def test_admit_reads_and_purges_the_corridor_and_writes_records_and_reports() -> None:
    assert reach(ADMIT, READ) == CHANGES | REGISTER
    assert reach(ADMIT, DELETE) == CHANGES
    assert reach(ADMIT, WRITE) == {"record.permit", "pulse", "incident"} | REPORTS


def test_deliver_reads_records_and_writes_deliveries_and_where_it_stands() -> None:
    assert reach(DELIVER, READ) == {"record.permit", "bus.delivery-progress"} | DELIVERIES | REGISTER
    assert reach(DELIVER, WRITE) == {"bus.delivery-progress", "bus.delivery-pulse"} | DELIVERIES
    assert reach(DELIVER, DELETE) == set()


def test_freshness_reads_what_sources_say_and_writes_how_they_stand_and_sees_no_data() -> None:
    words = {name for name in TOPICS if name.startswith(("heartbeat.", "declaration."))}
    assert reach(WATCHER, READ) == {"pulse", "bus.delivery-pulse", "freshness", "alarm"} | words | REGISTER
    assert reach(WATCHER, WRITE) == {"freshness", "alarm"}
    assert reach(WATCHER, DELETE) == set()
    assert allowed(WATCHER, READ, GROUP, "bus.freshness")
    assert allowed(WATCHER, WRITE, TRANSACTIONAL_ID, "bus.freshness-writer")
    assert not allowed(ADMIT, WRITE, TRANSACTIONAL_ID, "bus.freshness-writer")
    assert {who for who in (PSB, NEIGHBOUR, ADMIT, DELIVER) if allowed(who, WRITE, TOPIC, "freshness")} == set()


def test_cross_checks_read_what_stands_and_what_sources_say_and_write_what_they_found() -> None:
    read = {name for name in TOPICS if name.startswith(("record.", "refused.", "digest."))}
    assert reach(CHECKER, READ) == {"hit", "quality", "difference", "pulse"} | read | REGISTER
    assert reach(CHECKER, WRITE) == {"hit", "quality", "difference"}
    assert reach(CHECKER, DELETE) == set()
    assert allowed(CHECKER, READ, GROUP, "bus.crosscheck")
    assert allowed(CHECKER, WRITE, TRANSACTIONAL_ID, "bus.crosscheck-writer")
    for topic in ("hit", "quality"):
        assert {who for who in (PSB, NEIGHBOUR, ADMIT, DELIVER, WATCHER) if allowed(who, READ, TOPIC, topic)} == set()


def test_the_corridor_is_closed_to_everybody_but_admit() -> None:
    assert {right.principal for right in ALL if right.name.startswith("change.") and right.operation != WRITE} == {
        ADMIT
    }


@pytest.mark.parametrize("kind", ["grant", "waiver"])
def test_nobody_writes_the_register_and_only_the_workers_read_its_grants_and_waivers(kind: str) -> None:
    assert [right for right in ALL if right.name.startswith("register") and right.operation != READ] == []
    everybody = (PSB, NEIGHBOUR, ADMIT, DELIVER, WATCHER, CHECKER)
    assert {who for who in everybody if allowed(who, READ, TOPIC, f"register.{kind}")} == {
        ADMIT,
        DELIVER,
        WATCHER,
        CHECKER,
    }


def test_a_workers_slot_gives_it_a_transactional_id_that_it_may_use(tmp_path: Path) -> None:
    for role, principal, other in (("admit", ADMIT, DELIVER), ("deliver", DELIVER, ADMIT)):
        slot = Slot(tmp_path, role)
        catch_up = slot.transactional_id.replace("bus.deliver-", "bus.deliver-catchup-")
        for name in (slot.transactional_id, catch_up):
            assert allowed(principal, WRITE, TRANSACTIONAL_ID, name)
            assert not allowed(other, WRITE, TRANSACTIONAL_ID, name)
        assert allowed(principal, READ, GROUP, f"bus.{role}")
        assert allowed(principal, READ, GROUP, f"bus-{role}.register")
        assert not allowed(other, READ, GROUP, f"bus.{role}")
        slot.close()


# -- all of them ---------------------------------------------------------------------------------------------------


def test_nobody_may_create_or_alter_anything_and_no_rule_is_for_the_cluster() -> None:
    assert {right.operation for right in ALL} == {READ, WRITE, DELETE}
    assert {right.kind for right in ALL} == {TOPIC, GROUP, TRANSACTIONAL_ID}
    assert {(right.host, right.permission) for right in ALL} == {("*", "ALLOW")}
    assert all(right.managed for right in ALL)


def test_every_prefix_ends_where_a_code_cannot_go_on() -> None:
    assert [right for right in ALL if right.prefixed and right.name[-1] not in ".-"] == []


@pytest.mark.parametrize(
    ("right", "managed"),
    [
        (Right("User:agency-psb", TOPIC, "x", READ), True),
        (Right(ADMIT, TOPIC, "x", READ), True),
        (Right("User:agency-psb", TOPIC, "x", READ, permission="DENY"), False),
        (Right(ADMIT, TOPIC, "x", READ, permission="DENY"), False),
        (Right("User:somebody", TOPIC, "x", READ), False),
        (Right("User:bus-operator", TOPIC, "x", READ), False),
        (Right("User:*", TOPIC, "x", READ), False),
        (Right("Group:agency-psb", TOPIC, "x", READ), False),
    ],
    ids=str,
)
def test_the_bus_takes_away_only_what_it_gives(right: Right, *, managed: bool) -> None:
    assert right.managed is managed


def test_a_rule_is_one_line_for_people() -> None:
    assert str(Right(PSB, TOPIC, "change.psb.", WRITE, prefixed=True)) == "User:agency-psb WRITE topic change.psb.*"
    assert str(Right(ADMIT, TRANSACTIONAL_ID, "a", WRITE)) == "User:bus-admit WRITE transactional id a"
    assert str(Right("User:x", GROUP, "g", READ, host="10.0.0.1", permission="DENY")) == (
        "User:x READ group g DENY from 10.0.0.1"
    )
