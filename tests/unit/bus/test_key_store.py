"""The key store: made once, for its owner alone, and silent about what it holds."""

import json
import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from bus.keys.store import Keys, create_keys, digest_key, key_file, load_keys
from processors.sealing import Opener, Sealer
from schemas.errors import KeyStoreError


@pytest.fixture
def state(tmp_path: Path) -> Path:
    create_keys(tmp_path / "state")
    return tmp_path / "state"


def material(state: Path) -> list[str]:
    """Every key as it stands in the file."""
    return re.findall(r'"([A-Za-z0-9+/]{43}=)"', key_file(state).read_text(encoding="ascii"))


def secrets(keys: Keys) -> set[bytes]:
    sections = [key for held in keys.sections.values() for key in (held.identity, held.restricted)]
    return {keys.tokens.subject, keys.tokens.record, keys.pseudonym_root, keys.digests.key, *sections}


def error_of(state: Path) -> str:
    with pytest.raises(KeyStoreError) as refused:
        load_keys(state)
    # An error's context is printed with it, and a context of JSON or base64 may quote what it read.
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    return str(refused.value)


def test_the_file_is_readable_by_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = create_keys(tmp_path / "state")
    finally:
        os.umask(before)
    assert path == key_file(tmp_path / "state")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_every_key_is_fresh_and_of_32_bytes(state: Path, tmp_path: Path) -> None:
    ours, others = secrets(load_keys(state)), secrets(load_keys(create_keys(tmp_path / "other").parent))
    assert len(ours) == 6
    assert {len(key) for key in ours} == {32}
    assert not ours & others


def test_a_second_making_keeps_the_first_ones_keys(state: Path) -> None:
    text, first = key_file(state).read_bytes(), load_keys(state)
    create_keys(state)
    assert key_file(state).read_bytes() == text
    assert load_keys(state) == first
    assert [path.name for path in state.iterdir()] == ["keys.json"]


def test_many_that_make_it_at_once_end_with_one_store(tmp_path: Path) -> None:
    start = Barrier(8)

    def make(folder: Path) -> Keys:
        start.wait(10)
        create_keys(folder)
        return load_keys(folder)

    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            folder = tmp_path / str(number)
            found = list(pool.map(make, [folder] * 8))
            assert all(keys == found[0] for keys in found)
            assert [path.name for path in folder.iterdir()] == ["keys.json"]


def test_what_one_load_seals_the_next_opens(state: Path) -> None:
    first, second = load_keys(state), load_keys(state)
    sealed = Sealer(first.sections[first.current], os.urandom).seal("identity", b"plain", b"bound")
    assert Opener(second.sections).open(second.current, "identity", sealed, b"bound") == b"plain"


def test_an_older_key_stays_usable_beside_the_one_in_force(state: Path) -> None:
    content = json.loads(key_file(state).read_text(encoding="ascii"))
    content["sections"]["s2"] = content["sections"]["s1"]
    content["current"] = "s2"
    key_file(state).write_text(json.dumps(content), encoding="ascii")
    keys = load_keys(state)
    assert (keys.current, sorted(keys.sections)) == ("s2", ["s1", "s2"])
    assert keys.sections["s2"].key_id == "s2"


def test_nothing_that_is_printed_holds_a_key(state: Path) -> None:
    keys = load_keys(state)
    shown = repr(keys)
    assert len(material(state)) == 6
    assert not any(text in shown for text in material(state))
    assert not any(key.hex() in shown or repr(key)[2:-1] in shown for key in secrets(keys))


def test_a_missing_store_says_how_to_make_one(tmp_path: Path) -> None:
    assert error_of(tmp_path) == f"{tmp_path / 'keys.json'} is missing; `bus init` makes one"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o611])
def test_a_store_that_is_open_to_others_is_not_used(state: Path, mode: int) -> None:
    key_file(state).chmod(mode)
    assert error_of(state) == f"{key_file(state)} is open to other users; it must have mode 600"


@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
def test_a_cut_store_is_no_json(state: Path, part: float) -> None:
    text = key_file(state).read_text(encoding="ascii")
    keys = material(state)
    key_file(state).write_text(text[: int(len(text) * part)], encoding="ascii")
    error = error_of(state)
    assert error == f"{key_file(state)} cannot be read as JSON"
    assert not any(key in error for key in keys)


def test_a_store_of_other_bytes_or_a_folder_in_its_place_is_no_json(state: Path) -> None:
    key_file(state).write_bytes(b"\xff\xfe\x00")
    assert error_of(state).endswith("cannot be read as JSON")
    key_file(state).unlink()
    key_file(state).mkdir()
    assert error_of(state).endswith("cannot be read as JSON")


def changed(content: dict[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    """A copy with one entry replaced; removed where the value is the ellipsis."""
    copy = target = deepcopy(content)
    for step in path[:-1]:
        target = target[step]
    if value is ...:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return copy


ENTRIES = [
    ("tokens",),
    ("tokens", "subject"),
    ("tokens", "record"),
    ("sections",),
    ("sections", "s1"),
    ("sections", "s1", "identity"),
    ("sections", "s1", "restricted"),
    ("current",),
    ("pseudonym_root",),
    ("digests", "key"),
    ("digests", "key_id"),
]
WRONG = [..., "", "c2hvcnQ=", "not base64 at all!", "密钥", 7, None, [], {}]


@pytest.mark.parametrize("path", ENTRIES, ids=".".join)
@pytest.mark.parametrize("value", WRONG, ids=str)
def test_a_damaged_store_is_not_used_and_the_error_holds_no_key(
    state: Path, path: tuple[str, ...], value: object
) -> None:
    keys = material(state)
    content = changed(json.loads(key_file(state).read_text(encoding="ascii")), path, value)
    key_file(state).write_text(json.dumps(content), encoding="ascii")
    error = error_of(state)
    assert error.startswith(f"{key_file(state)} lacks or misspells an entry")
    assert not any(key in error for key in keys)


def test_a_store_from_before_digests_gives_every_copy_the_same_key_and_is_not_written(
    state: Path, tmp_path: Path
) -> None:
    content = changed(json.loads(key_file(state).read_text(encoding="ascii")), ("digests",), ...)
    copy = key_file(tmp_path / "copy")
    copy.parent.mkdir()
    for path in (key_file(state), copy):
        path.write_text(json.dumps(content), encoding="ascii")
        path.chmod(0o600)
        create_keys(path.parent)
    keys = load_keys(state)
    assert keys.digests == load_keys(copy.parent).digests
    assert keys.digests.key_id == "d0"
    assert len(secrets(keys)) == 6
    assert json.loads(key_file(state).read_text(encoding="ascii")) == content
    others = load_keys(create_keys(tmp_path / "other").parent)
    assert others.digests.key_id == "d1"
    assert not secrets(keys) & secrets(others)


@pytest.mark.parametrize("value", [None, "", 7, []], ids=str)
def test_a_key_of_digests_that_is_damaged_is_not_derived_anew(state: Path, value: object) -> None:
    content = changed(json.loads(key_file(state).read_text(encoding="ascii")), ("digests",), value)
    key_file(state).write_text(json.dumps(content), encoding="ascii")
    assert error_of(state).startswith(f"{key_file(state)} lacks or misspells an entry")


def test_a_store_whose_token_keys_have_no_id_is_not_used(state: Path) -> None:
    content = changed(json.loads(key_file(state).read_text(encoding="ascii")), ("tokens", "key_id"), ...)
    key_file(state).write_text(json.dumps(content), encoding="ascii")
    assert error_of(state).startswith(f"{key_file(state)} lacks or misspells an entry")


@pytest.mark.parametrize("text", ["[]", "7", "null", '"keys"'])
def test_json_that_is_no_store_is_an_error(state: Path, text: str) -> None:
    key_file(state).write_text(text, encoding="ascii")
    assert error_of(state).startswith(f"{key_file(state)} lacks or misspells an entry")


# -- the key behind the event ids of an agency's connectors --------------------------------------------------------


def test_an_agencys_digest_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    barrier = Barrier(4)

    def begin(_: int) -> bytes:
        barrier.wait()
        return digest_key(tmp_path)

    with ThreadPoolExecutor(4) as pool:
        [key] = set(pool.map(begin, range(4)))
    assert len(key) == 32
    assert [path.name for path in tmp_path.iterdir()] == ["digest.key"]
    assert stat.S_IMODE((tmp_path / "digest.key").stat().st_mode) == 0o600
    other = tmp_path / "other"
    other.mkdir()
    assert digest_key(other) != key == digest_key(tmp_path)


def test_a_digest_key_that_is_open_to_others_is_none_or_cannot_be_written_is_refused_without_its_text(
    tmp_path: Path,
) -> None:
    path = tmp_path / "digest.key"
    digest_key(tmp_path)
    text = path.read_text(encoding="ascii")
    path.chmod(0o640)
    with pytest.raises(KeyStoreError, match="mode 600"):
        digest_key(tmp_path)
    path.chmod(0o600)
    for wrong in (text[4:], "", "nothing at all"):
        path.write_text(wrong, encoding="ascii")
        with pytest.raises(KeyStoreError, match="is no key of 32 bytes") as refused:
            digest_key(tmp_path)
        assert not wrong or wrong not in str(refused.value)
        assert refused.value.__suppress_context__
    with pytest.raises(KeyStoreError, match="cannot be written or read"):
        digest_key(tmp_path / "nowhere")
