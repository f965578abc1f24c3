"""The register as a file: agencies, catalogue, reviews and grants in YAML, every error with its line and column.

Shorthands: a certificate may be `{file: path}` and a schema `{packaged: name}` or `{file: path}`, relative to the
file; their contents are taken in when the file is read. Errors never repeat a value: it may be a person's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from compliance.entry_codes import MANDATED, EntryCode, sentence
from compliance.modelfile import at_place, text_of
from compliance.models import MODELS, Agency, CatalogueEntry, Grant, RegisterModel, SecrecyReview
from compliance.positions import Document, Path, Place, parse
from schemas.errors import BusError, RegisterFileError
from schemas.resource import packaged_text

VERSION = "1"
SECTIONS = {
    "agencies": Agency.kind,
    "catalogue": CatalogueEntry.kind,
    "reviews": SecrecyReview.kind,
    "grants": Grant.kind,
}


# How pydantic calls a key that is not there, or that holds nothing.
_EMPTY = frozenset({"missing", "string_too_short", "too_short"})


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the file with its place, and those of what stands in it."""

    kind: str
    model: RegisterModel
    place: Place
    document: Document = field(repr=False)
    path: Path

    def at(self, path: Path) -> Place:
        """The place of a key within the entry, or of the nearest thing around it that stands in the file."""
        return self.document.place((*self.path, *path))


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """A register file that obeys its models; items in the file's order."""

    name: str
    items: tuple[Item, ...]

    @property
    def models(self) -> tuple[RegisterModel, ...]:
        """The models alone."""
        return tuple(item.model for item in self.items)


def read_register_file(path: FilePath) -> RegisterFile:
    """Read a register file.

    Raises:
        RegisterFileError: listing every error, each as `file:line:column: where: what`.
    """
    name = path.name
    text = text_of(path, name)
    document = parse(text, name)
    if not isinstance(document.content, dict):
        raise RegisterFileError(f"{name}:1:1: a register file is a mapping with version, {', '.join(SECTIONS)}")
    errors: list[str] = []
    items: list[Item] = []
    if document.content.get("version") != VERSION:
        errors.append(at_place(name, document, ("version",), f"must be {VERSION}"))
    for section, content in document.content.items():
        if section == "version":
            continue
        kind = SECTIONS.get(section)
        if kind is None:
            errors.append(at_place(name, document, (section,), f"unknown section; there are {', '.join(SECTIONS)}"))
        elif not isinstance(content, list | None):
            errors.append(at_place(name, document, (section,), "must be a list"))
        else:
            for index, raw in enumerate(content or []):
                items += _item(name, path.parent, document, kind, (section, index), raw, errors)
    _refuse_repeats(name, items, errors)
    if errors:
        raise RegisterFileError("\n".join(errors))
    return RegisterFile(name, tuple(items))


def _item(
    name: str, folder: FilePath, document: Document, kind: str, path: Path, raw: object, errors: list[str]
) -> list[Item]:
    if not isinstance(raw, dict):
        errors.append(at_place(name, document, path, "must be a mapping"))
        return []
    filled = _fill_in(name, folder, document, kind, path, raw, errors)
    try:
        return [Item(kind, MODELS[kind].model_validate(filled), document.place(path), document, path)]
    except ValidationError as error:
        errors += [at_place(name, document, (*path, *where), what) for where, what in sentences(kind, error)]
        return []


def sentences(kind: str, error: ValidationError) -> list[tuple[Path, str]]:
    """Where in an entry its model finds what wrong, in words for people and without a value."""
    found: list[tuple[Path, str]] = []
    for problem in error.errors(include_url=False, include_input=False):
        where = tuple(problem["loc"])
        what = problem["msg"].removeprefix("Value error, ")
        empty = problem["type"] in _EMPTY
        if kind == CatalogueEntry.kind and empty and where[:1] == ("sharing",):
            what = sentence(EntryCode.E_CLASS_MISSING, "the entry")
        elif kind == CatalogueEntry.kind and empty and where[:1] and where[0] in MANDATED:
            what = sentence(EntryCode.E_CONTENT_MISSING, str(where[0]))
        found.append((where, what))
    return found


def _fill_in(
    name: str, folder: FilePath, document: Document, kind: str, path: Path, raw: Mapping[str, Any], errors: list[str]
) -> dict[str, Any]:
    """Replace the shorthands by what they stand for."""
    filled = dict(raw)
    if kind == Agency.kind and isinstance(raw.get("certificates"), list):
        filled["certificates"] = [
            {**{key: value for key, value in entry.items() if key != "file"}, "pem": found}
            if isinstance(entry, dict)
            and "file" in entry
            and (
                found := _included(
                    name, folder, document, (*path, "certificates", index, "file"), entry["file"], errors
                )
            )
            else entry
            for index, entry in enumerate(raw["certificates"])
        ]
    schema = raw.get("schema")
    if kind == CatalogueEntry.kind and isinstance(schema, dict):
        where = (*path, "schema")
        if set(schema) == {"file"}:
            filled["schema"] = _included(name, folder, document, (*where, "file"), schema["file"], errors) or ""
        elif set(schema) == {"packaged"}:
            try:
                filled["schema"] = packaged_text(str(schema["packaged"]))
            except BusError as error:
                errors.append(at_place(name, document, (*where, "packaged"), str(error)))
        else:
            errors.append(
                at_place(name, document, where, "must be {packaged: name}, {file: path} or the schema's text")
            )
    return filled


def _included(
    name: str, folder: FilePath, document: Document, path: Path, file: object, errors: list[str]
) -> str | None:
    try:
        return (folder / str(file)).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        errors.append(at_place(name, document, path, "the file cannot be read"))
        return None


def _refuse_repeats(name: str, items: list[Item], errors: list[str]) -> None:
    seen: dict[tuple[str, str], Place] = {}
    for item in items:
        key = (item.kind, item.model.key)
        if key in seen:
            at = item.place
            errors.append(
                f"{name}:{at.line}:{at.column}: {item.kind} {item.model.key} stands in this file twice "
                f"(first in line {seen[key].line})"
            )
        seen.setdefault(key, item.place)
