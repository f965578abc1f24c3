"""The table source: every row once, whatever the ties; what cannot be a change comes back with its reason."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, create_engine, delete, insert, text, update

from connectors.naming import VersionNames
from connectors.table import SHANGHAI, TableConfig, TableSource, _bound, coerce
from schemas.errors import SourceError
from schemas.refusals import Refused
from schemas.resource import packaged_text, resource_schema
from schemas.words import Change, Operation
from tests.builders import ENTERPRISE, PERMIT
from tests.examples import examples

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SCHEMA = resource_schema(packaged_text(PERMIT))


class Source:
    """A SQLite table with a number and a name."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 's.sqlite'}"
        self.engine = create_engine(self.url)
        self.table = Table(
            "t",
            MetaData(),
            Column("a", Integer, primary_key=True),
            Column("b", Integer, primary_key=True),
            Column("at", DateTime),
            Column("name", String),
            Column("born", String),
            Column("op", String),
        )
        self.table.metadata.create_all(self.engine)

    def put(self, *rows: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(
                insert(self.table), [{"name": "甲", "born": None, "op": "UPDATE", **row} for row in rows]
            )

    def config(self, **more: Any) -> TableConfig:
        return TableConfig(
            **{
                "url": self.url,
                "table": "t",
                "key": ("a", "b"),
                "updated_at": "at",
                "columns": {"name": "name", "birth_date": "born"},
                "operation": "op",
                "settle_ms": 0,
                **more,
            }
        )


def local(moment: datetime) -> datetime:
    return moment.astimezone(SHANGHAI).replace(tzinfo=None)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return Source(tmp_path_factory.mktemp("source"))


@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), unique_by=lambda row: row[:2]),
    st.integers(1, 5),
)
def test_every_row_is_read_once_whatever_the_ties_and_the_page(
    shared: Source, rows: list[tuple[int, int, int]], page: int
) -> None:
    with shared.engine.begin() as connection:
        connection.execute(delete(shared.table))
    if rows:
        shared.put(
            *({"a": a, "b": b, "at": local(NOW - timedelta(hours=age)), "name": f"{a}-{b}"} for a, b, age in rows)
        )
    source = TableSource(shared.config(), SCHEMA)
    cursor, seen = None, []
    while (batch := source.read(cursor, page, NOW)).rows:
        assert len(batch.rows) <= page
        seen += [row.data["name"] for row in batch.rows if isinstance(row, Change)]
        cursor = batch.cursor
    source.close()
    assert sorted(seen) == sorted(f"{a}-{b}" for a, b, _ in rows)


def test_a_row_that_has_not_settled_waits(tmp_path: Path) -> None:
    made = Source(tmp_path)
    made.put({"a": 1, "b": 1, "at": local(NOW)})
    source = TableSource(made.config(settle_ms=1_000), SCHEMA)
    assert source.read(None, 10, NOW + timedelta(milliseconds=999)).rows == ()
    [row] = source.read(None, 10, NOW + timedelta(milliseconds=1_000)).rows
    assert isinstance(row, Change)
    assert row.business_time == NOW
    source.close()


def test_a_row_that_cannot_be_a_change_comes_back_with_its_reason_and_without_its_value(tmp_path: Path) -> None:
    made = Source(tmp_path)
    made.put(
        {"a": 1, "b": 1, "at": local(NOW), "born": "某日"},
        {"a": 1, "b": 2, "at": local(NOW), "op": "某事"},
        {"a": 1, "b": 3, "at": local(NOW), "op": "WITHDRAW", "born": "1990-03-07"},
    )
    source = TableSource(made.config(), SCHEMA)
    bad, worse, good = source.read(None, 10, NOW).rows
    assert isinstance(bad, Refused)
    assert (bad.code, bad.field) == ("E_SCHEMA", "birth_date")
    assert "某日" not in bad.reason_en
    assert isinstance(worse, Refused)
    assert worse.field == "operation"
    assert isinstance(good, Change)
    assert (good.operation, good.data["birth_date"]) == (Operation.WITHDRAW, date(1990, 3, 7))
    source.close()


def test_a_column_that_holds_what_its_type_cannot_be_is_told_in_one_sentence_without_the_value(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'dates.sqlite'}"
    with create_engine(url).begin() as connection:
        connection.execute(text("create table t (a integer primary key, at timestamp, name text, born date)"))
        connection.execute(text("insert into t values (1, '2026-06-01 08:00:00', '甲', '某日')"))
    config = TableConfig(
        url=url, table="t", key=("a",), updated_at="at", columns={"name": "name", "birth_date": "born"}, settle_ms=0
    )
    source = TableSource(config, SCHEMA)
    with pytest.raises(SourceError, match="table t cannot be read") as raised:
        source.read(None, 10, NOW)
    assert "某日" not in str(raised.value)
    source.close()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"table": "nothing"}, "table nothing"),
        ({"updated_at": "when"}, "no column when"),
        ({"columns": {"nickname": "name"}}, "no field nickname"),
        ({"url": "sqlite:////nowhere/at/all.sqlite"}, "cannot be read"),
    ],
)
def test_a_wrong_configuration_is_told_in_one_sentence(tmp_path: Path, changes: dict[str, Any], what: str) -> None:
    with pytest.raises(SourceError, match=what):
        TableSource(Source(tmp_path).config(**changes), SCHEMA)


@pytest.mark.parametrize(
    "cursor", ["[[[", "[" * 100_000, "7", "[]", '["2026-03-01T09:00:00"]', '["x441302199001018888", 1, 2]']
)
def test_a_cursor_of_other_columns_is_told_without_what_it_holds(tmp_path: Path, cursor: str) -> None:
    source = TableSource(Source(tmp_path).config(), SCHEMA)
    for read in (lambda: source.read(cursor, 9, NOW), lambda: source.scan(None, cursor, 9)):
        with pytest.raises(SourceError, match="cursor does not fit the columns at, a, b: were they changed") as no:
            read()
        assert "441302199001018888" not in str(no.value)


def test_values_become_what_the_field_wants() -> None:
    fields, firm = SCHEMA.fields, resource_schema(packaged_text(ENTERPRISE)).fields
    assert coerce(fields["name"], 7) == "7"
    assert coerce(fields["name"], "") is None
    assert coerce(fields["birth_date"], datetime(2000, 1, 2, 3, tzinfo=UTC)) == date(2000, 1, 2)
    assert coerce(firm["registered_capital"], "12.50") == Decimal("12.50")
    assert isinstance(coerce(firm["registered_capital"], "viel"), Refused)


# -- how far it has been read --------------------------------------------------------------------------------------


def test_the_table_says_up_to_when_it_was_read_only_where_its_end_was_found(tmp_path: Path) -> None:
    table = Source(tmp_path)
    source = TableSource(table.config(settle_ms=5_000), SCHEMA)
    settled = NOW - timedelta(seconds=5)
    empty = source.read(None, 2, NOW)
    assert (empty.complete_until, empty.unchanged_since) == (settled, datetime.min.replace(tzinfo=UTC))
    last = NOW - timedelta(hours=1)
    table.put(*({"a": a, "b": 0, "at": local(last)} for a in range(3)), {"a": 9, "b": 0, "at": local(NOW)})
    full = source.read(None, 2, NOW)
    assert (len(full.rows), full.complete_until) == (2, None)
    rest = source.read(full.cursor, 2, NOW)
    assert (len(rest.rows), rest.complete_until, rest.unchanged_since) == (1, settled, last)
    nothing = source.read(rest.cursor, 2, NOW)
    assert (nothing.rows, nothing.complete_until, nothing.unchanged_since) == ((), settled, last)
    source.close()


def test_of_times_kept_as_text_nobody_knows_how_they_sort(tmp_path: Path) -> None:
    source = TableSource(Source(tmp_path).config(updated_at="name"), SCHEMA)
    assert source.read(None, 2, NOW).complete_until is None
    source.close()


def test_a_column_that_knows_zones_is_asked_with_one() -> None:
    zoned, plain = (Column("at", DateTime(timezone=zone)) for zone in (True, False))
    assert (_bound(NOW, zoned), _bound(NOW, plain)) == (NOW, local(NOW))
    assert _bound(NOW, zoned).tzinfo is not None


# -- what it holds between two cursors -----------------------------------------------------------------------------

NAMES = VersionNames(b"s" * 32, "psb", PERMIT)


def ids(source: TableSource, until: str, page: int) -> list[str]:
    """Of every row up to a cursor, a part at a time."""
    found, after = [], None
    while True:
        part = source.scan(after, until, page)
        assert len(part.rows) <= page
        found += [row.event_id for row in part.rows if isinstance(row, Change)]
        if part.cursor is None:
            return found
        after = part.cursor


@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), unique_by=lambda row: row[:2], min_size=1
    ),
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_a_scan_gives_what_was_read_up_to_the_cursor_under_the_same_ids(
    shared: Source, rows: list[tuple[int, int, int]], read: int, page: int
) -> None:
    with shared.engine.begin() as connection:
        connection.execute(delete(shared.table))
    shared.put(*({"a": a, "b": b, "at": local(NOW - timedelta(hours=age)), "name": f"{a}"} for a, b, age in rows))
    source = TableSource(shared.config(), SCHEMA, NAMES)
    batch = source.read(None, read, NOW)
    assert batch.cursor is not None
    named = [row.event_id for row in batch.rows if isinstance(row, Change)]
    assert ids(source, batch.cursor, page) == named
    assert len(set(named)) == len(named) == min(read, len(rows))
    source.close()


def test_a_row_that_changed_behind_the_cursor_is_not_in_the_scan_and_later_has_another_id(tmp_path: Path) -> None:
    made = Source(tmp_path)
    made.put(*({"a": a, "b": 0, "at": local(NOW - timedelta(hours=2))} for a in range(3)))
    source = TableSource(made.config(), SCHEMA, NAMES)
    before = source.read(None, 9, NOW)
    assert before.cursor is not None
    known = ids(source, before.cursor, 2)
    with made.engine.begin() as connection:
        connection.execute(update(made.table).where(made.table.c.a == 1).values(at=local(NOW - timedelta(hours=1))))
    assert ids(source, before.cursor, 2) == [known[0], known[2]]
    after = source.read(before.cursor, 9, NOW)
    assert after.cursor is not None
    [changed] = [row.event_id for row in after.rows if isinstance(row, Change)]
    # Its content is as before: its time alone makes it another version.
    assert changed not in known
    assert ids(source, after.cursor, 2) == [known[0], known[2], changed]
    source.close()


def test_a_row_that_cannot_be_a_change_stands_in_the_scan_too(tmp_path: Path) -> None:
    made = Source(tmp_path)
    made.put({"a": 1, "b": 1, "at": local(NOW), "born": "某日"}, {"a": 1, "b": 2, "at": local(NOW)})
    source = TableSource(made.config(), SCHEMA, NAMES)
    until = source.read(None, 9, NOW).cursor
    assert until is not None
    bad, good = source.scan(None, until, 9).rows
    assert isinstance(bad, Refused)
    assert isinstance(good, Change)
    source.close()
