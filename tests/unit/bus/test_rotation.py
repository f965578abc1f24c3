"""The key store's change of token keys: a new set beside the old one, retired only when nothing needs it."""

from pathlib import Path

import pytest

from bus.keys.rotation import retire, rotate
from bus.keys.store import create_keys, key_file, load_keys
from schemas.errors import KeyStoreError, UsageError


@pytest.fixture
def store(tmp_path: Path) -> Path:
    create_keys(tmp_path)
    return tmp_path


def test_a_rotation_puts_new_keys_in_force_and_keeps_what_is_still_needed(store: Path) -> None:
    before = load_keys(store)
    assert rotate(store) == "t2"
    after = load_keys(store)
    assert after.retiring == before.tokens
    assert (after.tokens.key_id, after.current) == ("t2", "s2")
    assert after.tokens.subject != before.tokens.subject
    assert after.sections["s1"] == before.sections["s1"]
    assert after.pseudonym_root == before.pseudonym_root
    assert key_file(store).stat().st_mode & 0o777 == 0o600


def test_digests_stay_comparable_over_a_rotation_unless_their_key_is_to_go(store: Path) -> None:
    before = load_keys(store).digests
    rotate(store)
    assert load_keys(store).digests == before
    retire(store, {}, {})
    rotate(store, digests=True)
    after = load_keys(store).digests
    assert (before.key_id, after.key_id) == ("d1", "d2")
    assert before.key != after.key


def test_a_second_rotation_waits_for_the_first(store: Path) -> None:
    rotate(store)
    held = key_file(store).read_bytes()
    with pytest.raises(UsageError, match="t1 have not been retired"):
        rotate(store)
    assert key_file(store).read_bytes() == held


def test_the_old_keys_stay_until_every_partition_was_moved(store: Path) -> None:
    rotate(store)
    partitions = {"record.a": 2, "record.b": 1}
    applied = {("record.a", 0): "t2", ("record.a", 1): "t2", ("record.b", 0): "t1"}
    with pytest.raises(UsageError, match=r"1 record partitions .* t2 yet: record\.b/0"):
        retire(store, applied, partitions)
    assert load_keys(store).retiring is not None
    assert retire(store, {**applied, ("record.b", 0): "t2"}, partitions) == "t1"
    assert load_keys(store).retiring is None
    assert rotate(store) == "t3"


def test_nothing_is_retired_twice(store: Path) -> None:
    with pytest.raises(UsageError, match="no token keys are retiring"):
        retire(store, {}, {})


def test_a_damaged_retiring_set_is_an_error_without_key_material(store: Path) -> None:
    rotate(store)
    text = key_file(store).read_text(encoding="ascii")
    kept = load_keys(store).retiring
    assert kept is not None
    key_file(store).write_text(text.replace('"key_id": "t1"', '"key": "t1"'), encoding="ascii")
    with pytest.raises(KeyStoreError, match="lacks or misspells") as refused:
        load_keys(store)
    assert kept.subject.hex() not in str(refused.value)
