"""The cross-check worker's store: whose it is, that it is whole or made anew, and that one process holds it."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from bus.crosscheck.store import NOW, Changes, Store
from processors.crosscheck.facts import RecordFact
from processors.crosscheck.telling import Told
from processors.crosscheck.words import Hit, Version
from processors.freshness.words import DAY
from schemas.errors import BusError, DeadlineError

AT = 1_800_000_000_000
TOKEN, OTHER = b"t" * 16, b"o" * 16
FACT = RecordFact(
    "marriage",
    TOKEN,
    b"r",
    "e-1",
    7,
    AT,
    "civil",
    digests={"@name:NAME": b"d" * 16},
    holds=frozenset({"one.left", "two.right"}),
    references={"id_number": b"c" * 16},
    division="441302",
    admitted_at=AT + 1,
    missing=("name_en",),
    key_id="c1",
)
HIT = Hit("one", TOKEN, Version.of(FACT), None, ("@name",), AT, b"c" * 16, asks_right=False)


def opened(folder: Path, cluster: str = "here", at: int = AT, patience_s: float = 5.0) -> Store:
    return Store(folder / "crosscheck" / "store.db", cluster, at, 7 * DAY, patience_s)


def filled(folder: Path) -> Store:
    store = opened(folder)
    records = {TOKEN: {("marriage", b"r"): FACT}}
    told = [Told(HIT, AT, AT)]
    store.keep(Changes(records, {TOKEN: AT + 5}, told, {}, [], {("record.marriage", 1): 8}, latest=AT), AT)
    return store


def test_what_was_kept_is_there_for_the_next_process(tmp_path: Path) -> None:
    filled(tmp_path).close()
    store = opened(tmp_path)
    assert store.records([TOKEN, OTHER]) == {TOKEN: {("marriage", b"r"): FACT}}
    assert store.told([TOKEN, OTHER]) == {TOKEN: {HIT.pair: Told(HIT, AT, AT)}}
    assert store.positions() == {("record.marriage", 1): 8}
    assert (store.subjects, store.standing, store.latest) == (1, {("one", "civil"): 1}, AT)
    assert (store.due(AT + 4, 9), store.due(AT + 5, 9)) == ([], [TOKEN])
    store.close()


def test_old_facts_without_a_key_come_back_as_such(tmp_path: Path) -> None:
    store = opened(tmp_path)
    old = RecordFact("marriage", TOKEN, b"", "e", 1, AT, "civil", key_id=None)
    store.keep(Changes({TOKEN: {("marriage", b""): old}}), AT)
    assert store.records([TOKEN])[TOKEN]["marriage", b""] == old
    store.close()


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    store = filled(tmp_path)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "crosscheck").iterdir()}
    store.close()
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "crosscheck").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("cluster", "at"), [("there", AT), ("here", AT + 7 * DAY + 1)], ids=["of another cluster", "too old"]
)
def test_a_store_that_may_be_wrong_is_made_anew(tmp_path: Path, cluster: str, at: int) -> None:
    filled(tmp_path).close()
    store = opened(tmp_path, cluster, at)
    assert (store.positions(), store.records([TOKEN]), store.told([TOKEN])) == ({}, {}, {})
    assert (store.subjects, dict(store.standing), store.latest, store.rules) == (0, {}, 0, None)
    store.close()


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    filled(tmp_path).close()
    (tmp_path / "crosscheck" / "store.db").write_bytes(b"no database at all" * 1_000)
    store = opened(tmp_path)
    assert store.positions() == {}
    store.close()


def test_its_tables_are_made_together_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "crosscheck" / "store.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE waived (something)")
        with pytest.raises(BusError, match="store of the cross-checks"):
            opened(tmp_path)
        assert [name for (name,) in connection.execute("SELECT name FROM sqlite_master")] == ["waived"]


def test_damage_that_shows_later_ends_the_worker_and_its_successor_begins_anew(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store._connection.execute("UPDATE subject SET records = x'ff'")
    with pytest.raises(BusError, match="store of the cross-checks"):
        store.records([TOKEN])
    store = opened(tmp_path)
    assert store.subjects == 0
    store.close()


def test_one_process_holds_it(tmp_path: Path) -> None:
    store = filled(tmp_path)
    with pytest.raises(DeadlineError, match=r"another process holds store\.db"):
        opened(tmp_path, patience_s=0.2)
    store.close()
    opened(tmp_path).close()


def test_a_turn_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    store = filled(tmp_path)
    records = {TOKEN: {}, OTHER: {("marriage", b""): FACT}}
    with pytest.raises(AttributeError):
        # It breaks off behind the subjects.
        store.keep(Changes(records, {}, [None], positions={("record.marriage", 1): 9}), AT)  # type: ignore[list-item]
    assert store.records([TOKEN, OTHER]) == {TOKEN: {("marriage", b"r"): FACT}}
    assert (store.positions(), store.subjects) == ({("record.marriage", 1): 8}, 1)
    store.close()


def test_figures_follow_what_is_kept(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.keep(Changes(told=[Told(HIT, AT, AT + 1)]), AT)
    assert store.standing == {("one", "civil"): 1}
    store.keep(Changes({TOKEN: {}, OTHER: {}}, closed={HIT.pair: (TOKEN, AT + 2)}), AT)
    assert (store.subjects, dict(store.standing), store.told([TOKEN])) == (0, {}, {})
    assert (store.expired(AT + 2, 9), store.expired(AT + 3, 9)) == ([], [HIT.pair])
    store.keep(Changes(dropped=[HIT.pair]), AT)
    assert store.expired(AT + 3, 9) == []
    store.close()


def test_many_subjects_are_asked_for_in_parts(tmp_path: Path) -> None:
    store = opened(tmp_path)
    tokens = [number.to_bytes(16, "big") for number in range(1_203)]
    store.keep(Changes({token: {("marriage", b"r"): FACT} for token in tokens}), AT)
    assert store.records(tokens).keys() == set(tokens)
    assert store.subjects == 1_203
    store.close()


def test_whom_a_waiver_concerns_is_looked_at_again_also_when_it_is_taken_back(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.waive([(OTHER, HIT.pair, b"c")])
    assert store.due(NOW, 9) == [OTHER]
    store.keep(Changes(wake_at={OTHER: None}), AT)
    store.waive([(OTHER, HIT.pair, b"c")])
    assert store.due(NOW, 9) == []
    store.waive([])
    assert store.due(NOW, 9) == [OTHER]
    store.close()
