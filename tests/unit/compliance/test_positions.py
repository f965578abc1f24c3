"""YAML as the bus reads it: what is text, what is nothing, and where each thing stands."""

import pytest

from compliance.positions import Place, parse
from schemas.errors import RegisterFileError


def error(text: str) -> str:
    with pytest.raises(RegisterFileError) as caught:
        parse(text, "f.yaml")
    return str(caught.value)


@pytest.mark.parametrize("word", ["", "null", "Null", "NULL", "~"])
def test_nothing_is_nothing_unless_it_is_quoted(word: str) -> None:
    text = f"""a: {word}\nb: '{word}'\nc: "{word}"\nd: {{e: {word}}}\n"""
    assert parse(text, "f.yaml").content == {"a": None, "b": word, "c": word, "d": {"e": None}}


@pytest.mark.parametrize("word", ["NO", "0441302", "2026-01-01", "1.50", "true", "甲", "=1+1"])
def test_a_plain_word_stays_text(word: str) -> None:
    assert parse(f"[{word}, a: {word}]", "f.yaml").content == [word, {"a": word}]


def test_everything_knows_its_line_and_column_in_characters() -> None:
    found = parse("甲:\n  - 乙: 丙\n    d: |\n      e\n", "f.yaml")
    assert found.content == {"甲": [{"乙": "丙", "d": "e\n"}]}
    assert found.places == {
        (): Place(1, 1),
        ("甲",): Place(1, 1),
        ("甲", 0): Place(2, 5),
        ("甲", 0, "乙"): Place(2, 5),
        ("甲", 0, "d"): Place(3, 5),
    }
    assert found.place(("甲", 0, "x", "y")) == Place(2, 5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1", "f.yaml:2:1: not YAML: did not find expected ',' or ']'"),
        ("a: b\n c: d\n", "f.yaml:2:3: not YAML: mapping values are not allowed in this context"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key a stands twice"),
        ("a: &x 1\nb: *x\n", "f.yaml:1:1: anchors and aliases are not allowed in a register file"),
        ("a: *x\n", "f.yaml:1:1: anchors and aliases are not allowed in a register file"),
        ("", "f.yaml:1:1: the file is empty"),
        ("# nothing\n", "f.yaml:1:1: the file is empty"),
        ("a: \x07", "f.yaml:1:1: not YAML: a character that YAML does not allow"),
        ("a: \ud800", "f.yaml:1:1: not YAML: a character that YAML does not allow"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: not YAML: but found another document"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    assert error(text) == told


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000 + "a", "{a: " * 20_000])
def test_what_is_nested_without_end_is_refused_and_ends_nothing(text: str) -> None:
    assert "not YAML: exceeded maximum nesting depth" in error(text)


def test_what_is_nested_a_hundred_deep_is_read_and_no_deeper() -> None:
    assert parse("[" * 101 + "]" * 101, "f.yaml").content
    assert error("[" * 900 + "]" * 900) == "f.yaml:1:102: nested more than 100 deep"
