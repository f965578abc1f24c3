"""Decisions: one transaction each, refused or whole, by one person after the other."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from compliance.models import Agency
from compliance.register.decision import Moved
from compliance.register.service import Register
from compliance.register.tables import CLOCK, FACT, MATTER, OUTBOX, STEP
from compliance.roles import Role
from schemas.errors import UsageError
from schemas.refusals import RefusalCode, Refused
from tests.catalogue import agencies
from tests.register import AUTHORITY, CITY, NOW, OPERATOR, SUPERVISION, moved, of, refused, register_on

COMPLAINT = {"about": "hr", "division": CITY, "statement": "迟迟不提供"}
RECEIPT = {"received_on": NOW.date().isoformat(), "file_number": "惠信诉1号"}
ANSWER = {"document": "答复1号", "finding": "属实"}
ORGAN = of("health")


def organ(code: str, name: str = "单位") -> Agency:
    return agencies()[0].model_copy(update={"code": code, "name": name})


def filed(register: Register) -> Moved:
    return moved(register.open("complaint", "file", COMPLAINT, ORGAN, NOW), "FILED")


def counts(register: Register) -> tuple[int, ...]:
    with register._engine.connect() as connection:
        return tuple(
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (MATTER, STEP, CLOCK, FACT, OUTBOX)
        )


def test_a_matter_is_opened_and_numbered_within_its_year(register: Register) -> None:
    numbers = [filed(register).matter.number for _ in range(3)]
    assert numbers == ["CPL-2026-00001", "CPL-2026-00002", "CPL-2026-00003"]
    later = moved(register.open("complaint", "file", COMPLAINT, ORGAN, NOW + timedelta(days=200)))
    assert later.matter.number == "CPL-2027-00001"


def test_an_action_moves_a_matter_and_keeps_who_did_what_under_which_article(register: Register) -> None:
    number = filed(register).matter.number
    after = moved(register.act(number, "receive_at_authority", RECEIPT, AUTHORITY, NOW), "AT_AUTHORITY")
    assert after.matter == register.matter(number)
    assert after.matter.fact("receive_at_authority", "file_number") == "惠信诉1号"
    step = register.history(number)[-1]
    assert (step.source, step.target, step.account, step.role, step.article) == (
        "FILED",
        "AT_AUTHORITY",
        "authority_city",
        "AUTHORITY_CITY",
        "58",
    )
    assert step.at == NOW


def test_what_is_refused_leaves_nothing_behind(register: Register) -> None:
    number = filed(register).matter.number
    before = counts(register)
    refused(register.act(number, "receive_at_authority", RECEIPT, OPERATOR, NOW), RefusalCode.E_ROLE)
    refused(register.act(number, "answer_at_authority", ANSWER, AUTHORITY, NOW), RefusalCode.E_STATE)
    refused(register.act("CPL-2026-99999", "withdraw", None, ORGAN, NOW), RefusalCode.E_STATE)
    refused(register.open("complaint", "file", {**COMPLAINT, "colour": "red"}, ORGAN, NOW), RefusalCode.E_FORM)
    refused(register.open("complaint", "withdraw", {"reason": "x"}, ORGAN, NOW), RefusalCode.E_STATE)
    assert counts(register) == before
    assert filed(register).matter.number == "CPL-2026-00002"


def test_a_workflow_that_does_not_exist_is_wrong_usage(register: Register) -> None:
    with pytest.raises(UsageError, match=r"there is no workflow none; there are: .*complaint"):
        register.open("none", "file", None, ORGAN, NOW)


def test_a_form_tells_all_its_errors_at_once_and_no_value(register: Register) -> None:
    answer = refused(
        register.open("complaint", "file", {"about": "No Agency!", "statement": ""}, ORGAN, NOW), RefusalCode.E_FORM
    )
    assert all(field in answer.detail for field in ("about", "division", "statement"))
    assert "No Agency" not in answer.detail


def test_who_saw_an_older_step_is_told_of_the_conflict(register: Register) -> None:
    number = filed(register).matter.number
    moved(register.act(number, "receive_at_authority", RECEIPT, AUTHORITY, NOW, seq=1))
    answer = refused(
        register.act(number, "receive_at_supervision", RECEIPT, SUPERVISION, NOW, seq=1), RefusalCode.E_CONFLICT
    )
    assert "step 2 was taken since step 1 was seen" in answer.detail


@pytest.mark.postgres
def test_of_two_who_act_at_once_one_moves_and_one_is_told(postgres_engine: sa.Engine) -> None:
    """Two programs over one PostgreSQL, each with a register of its own."""
    registers = (register_on(postgres_engine), register_on(postgres_engine))
    acts = (("receive_at_authority", AUTHORITY), ("receive_at_supervision", SUPERVISION))
    for _ in range(5):
        number = filed(registers[0]).matter.number
        barrier = threading.Barrier(2)

        def act(place: int, number: str = number, barrier: threading.Barrier = barrier) -> Moved | Refused:
            barrier.wait(20)
            action, actor = acts[place]
            return registers[place].act(number, action, RECEIPT, actor, NOW, seq=1)

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(act, range(2)))
        assert sorted(isinstance(answer, Moved) for answer in answers) == [False, True]
        [told] = [answer for answer in answers if isinstance(answer, Refused)]
        assert told.code is RefusalCode.E_CONFLICT
        assert len(registers[0].history(number)) == 2
        assert len(registers[1].clocks()) == len(registers[0].clocks())


@pytest.mark.postgres
def test_numbers_have_no_gap_and_no_double_when_many_open_at_once(postgres_engine: sa.Engine) -> None:
    registers = [register_on(postgres_engine) for _ in range(4)]

    def some(register: Register) -> list[str]:
        return [filed(register).matter.number for _ in range(5)]

    with ThreadPoolExecutor(4) as pool:
        numbers = [number for found in pool.map(some, registers) for number in found]
    assert sorted(numbers) == [f"CPL-2026-{n:05d}" for n in range(1, 21)]


@pytest.mark.postgres
def test_facts_of_several_programs_are_seen_by_all_in_one_order(postgres_engine: sa.Engine) -> None:
    """A reader that saw a later number first would never look for the earlier one."""
    registers = [register_on(postgres_engine) for _ in range(4)]
    reader = register_on(postgres_engine)
    done = threading.Event()

    def put(place: int) -> None:
        for n in range(10):
            registers[place].put([organ(f"a{place}_{n}")], OPERATOR, NOW)

    def read() -> None:
        while not done.is_set():
            reader.view()

    with ThreadPoolExecutor(5) as pool:
        reading = pool.submit(read)
        writing = [pool.submit(put, place) for place in range(4)]
        for future in writing:
            future.result(60)
        done.set()
        reading.result(60)
    assert {found.code for found in reader.view().agencies()} == {f"a{p}_{n}" for p in range(4) for n in range(10)}


def test_a_fact_is_versioned_and_goes_to_the_outbox_with_it(register: Register) -> None:
    register.put([organ("hr")], OPERATOR, NOW)
    register.put([organ("hr", "新名称")], OPERATOR, NOW + timedelta(days=1))
    found = register.view().agency("hr")
    assert found is not None
    assert found.name == "新名称"
    before = register.view(NOW).agency("hr")
    assert before is not None
    assert before.name != "新名称"
    assert register.view(NOW - timedelta(seconds=1)).agency("hr") is None
    with register._engine.connect() as connection:
        rows = connection.execute(sa.select(FACT.c.version, FACT.c.role, OUTBOX.c.sent_at).join(OUTBOX)).all()
    assert rows == [(1, "OPERATOR_CITY", None), (2, "OPERATOR_CITY", None)]


def test_a_leader_of_another_agency_withdraws_nothing(register: Register) -> None:
    number = filed(register).matter.number
    refused(register.act(number, "withdraw", {"reason": "不再需要"}, of("other", Role.LEADER), NOW), RefusalCode.E_ROLE)
    moved(register.act(number, "withdraw", {"reason": "不再需要"}, of("health", Role.LEADER), NOW), "WITHDRAWN")
