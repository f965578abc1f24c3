"""YAML with positions: every value knows its line and column, so that an error can name them.

Plain scalars stay text (no YAML 1.1 surprises: `NO`, `0441302` and `2026-01-01` are what they look like); the models
convert. Keys may not repeat, and aliases are refused: a register file is written by people, for people. The parser is
libyaml's, several times as fast as PyYAML's own, and bounded in depth.
"""

from dataclasses import dataclass
from typing import Any

import yaml

from schemas.errors import RegisterFileError

MAX_BYTES = 8_388_608
_MAX_DEPTH = 100
_NULLS = frozenset({"", "null", "~", "Null", "NULL"})
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: plain values, and the place of every path into them."""

    content: Any
    places: dict[Path, Place]

    def place(self, path: Path) -> Place:
        """The place of a path, or of the nearest thing above it that exists."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(1, 1))


def parse(text: str, file: str) -> Document:
    """Parse YAML text.

    Raises:
        RegisterFileError: with file, line, column and the rule.
    """
    try:
        # Few files hold one of the two signs, and only they are scanned twice.
        tokens = ("&" in text or "*" in text) and any(
            isinstance(token, yaml.AliasToken | yaml.AnchorToken) for token in yaml.scan(text, Loader=yaml.CSafeLoader)
        )
        root = None if tokens else yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{mark.line + 1}:{mark.column + 1}" if mark is not None else "1:1"
        raise RegisterFileError(f"{file}:{place}: not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, UnicodeEncodeError):
        raise RegisterFileError(f"{file}:1:1: not YAML: a character that YAML does not allow") from None
    if tokens:
        raise RegisterFileError(f"{file}:1:1: anchors and aliases are not allowed in a register file")
    if root is None:
        raise RegisterFileError(f"{file}:1:1: the file is empty")
    places: dict[Path, Place] = {}
    return Document(_plain(root, (), places, file), places)


def _plain(node: yaml.Node, path: Path, places: dict[Path, Place], file: str) -> Any:  # noqa: ANN401  any YAML value
    if len(path) > _MAX_DEPTH:
        at = node.start_mark
        raise RegisterFileError(f"{file}:{at.line + 1}:{at.column + 1}: nested more than {_MAX_DEPTH} deep")
    places.setdefault(path, Place(node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            name, at = str(key.value), key.start_mark
            if name in found:
                raise RegisterFileError(f"{file}:{at.line + 1}:{at.column + 1}: the key {name} stands twice")
            places[*path, name] = Place(at.line + 1, at.column + 1)
            found[name] = _plain(value, (*path, name), places, file)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), places, file) for index, item in enumerate(node.value)]
    plain = isinstance(node, yaml.ScalarNode) and not node.style
    return None if plain and node.value in _NULLS else node.value
