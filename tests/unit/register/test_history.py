"""What stood when: a matter is made again from its steps, and what was written down never changes."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from compliance.register.service import Register
from compliance.register.tables import APPEND_ONLY, METADATA
from tests.catalogue import agencies
from tests.notices import tell_and_take_back
from tests.register import AUTHORITY, CITY, NOW, OPERATOR, moved, of

COMPLAINT = {"about": "hr", "division": CITY, "statement": "迟迟不提供"}
RECEIPT = {"received_on": NOW.date().isoformat(), "file_number": "惠信诉1号"}
ANSWER = {"document": "答复1号", "finding": "属实"}
DAY = timedelta(days=1)


@pytest.fixture
def number(register: Register) -> str:
    """A complaint that was filed, received a day later and answered after another one."""
    made = moved(register.open("complaint", "file", COMPLAINT, of("health"), NOW)).matter.number
    moved(register.act(made, "receive_at_authority", RECEIPT, AUTHORITY, NOW + DAY))
    moved(register.act(made, "answer_at_authority", ANSWER, AUTHORITY, NOW + 2 * DAY), "ANSWERED")
    return made


def test_a_matter_stands_at_every_instant_as_its_steps_left_it(register: Register, number: str) -> None:
    assert register.matter_at(number, NOW - DAY) is None
    found = [register.matter_at(number, NOW + days * DAY) for days in range(4)]
    assert [one.state if one else None for one in found] == ["FILED", "AT_AUTHORITY", "ANSWERED", "ANSWERED"]
    assert found[0] is not None
    assert set(found[0].facts) == {"file"}
    assert found[-1] == register.matter(number)


def test_history_holds_each_step_with_what_was_filled_in(register: Register, number: str) -> None:
    steps = register.history(number)
    assert [(step.seq, step.action, step.target) for step in steps] == [
        (1, "file", "FILED"),
        (2, "receive_at_authority", "AT_AUTHORITY"),
        (3, "answer_at_authority", "ANSWERED"),
    ]
    assert steps[2].form == ANSWER
    assert [step.at for step in steps] == [NOW, NOW + DAY, NOW + 2 * DAY]
    assert register.history("CPL-2026-09999") == ()


def test_matters_are_found_by_state_and_party(register: Register, number: str) -> None:
    other = moved(register.open("complaint", "file", COMPLAINT, of("land"), NOW + DAY)).matter.number
    assert [one.number for one in register.matters("complaint")] == [number, other]
    assert [one.number for one in register.matters("complaint", states=["FILED"])] == [other]
    assert [one.number for one in register.matters(unit="health")] == [number]


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("what", ["UPDATE", "DELETE"])
def test_history_can_neither_be_changed_nor_deleted(register: Register, number: str, table: str, what: str) -> None:
    assert register.matter(number) is not None
    register.put([agencies()[0]], OPERATOR, NOW)
    tell_and_take_back(register)
    column = next(iter(METADATA.tables[table].columns)).name
    statement = f"UPDATE {table} SET {column} = {column}" if what == "UPDATE" else f"DELETE FROM {table}"  # noqa: S608  names of our own
    with register.engine.connect() as connection:
        before = connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  as above
    assert before
    with (
        pytest.raises(DBAPIError, match=f"the register only adds to {table}"),
        register.engine.connect().execution_options(writes=True) as connection,
        connection.begin(),
    ):
        connection.execute(sa.text(statement))
    with register.engine.connect() as connection:
        assert connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() == before  # noqa: S608  as above


@pytest.mark.postgres
def test_a_table_of_history_cannot_be_emptied_at_once_either(postgres_engine: sa.Engine) -> None:
    for table in APPEND_ONLY:
        with pytest.raises(DBAPIError, match=f"only adds to {table}"), postgres_engine.begin() as connection:
            connection.execute(sa.text(f"TRUNCATE {table} CASCADE"))
