"""One model read from one YAML file, every error with its line and column."""

from pathlib import Path as FilePath
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from compliance.positions import MAX_BYTES, Document, Path, parse
from schemas.errors import RegisterFileError

M = TypeVar("M", bound=BaseModel)


def text_of(path: FilePath, name: str) -> str:
    """The text of a file that people write.

    Raises:
        RegisterFileError: it is too large, cannot be read or is not UTF-8.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RegisterFileError(f"{name}: larger than {MAX_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise RegisterFileError(f"{name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise RegisterFileError(f"{name}: is not UTF-8") from None


def at_place(name: str, document: Document, path: Path, what: str) -> str:
    """What is wrong at a path of a file, as `file:line:column: where: what`."""
    place = document.place(path)
    where = ".".join(str(part) for part in path)
    return (
        f"{name}:{place.line}:{place.column}: {where}: {what}"
        if where
        else f"{name}:{place.line}:{place.column}: {what}"
    )


def read_model(text: str, name: str, model: type[M]) -> M:
    """The model that a text holds.

    Args:
        text: YAML, a mapping.
        name: the file's name, for errors.
        model: what it must be.

    Raises:
        RegisterFileError: listing every error with its place; never a value.
    """
    document = parse(text, name)
    if not isinstance(document.content, dict):
        raise RegisterFileError(at_place(name, document, (), "must be a mapping"))
    try:
        return model.model_validate(document.content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise RegisterFileError(
            "\n".join(
                at_place(name, document, tuple(problem["loc"]), problem["msg"].removeprefix("Value error, "))
                for problem in found
                if not _follows(problem, found)
            )
        ) from None


def _follows(problem: ErrorDetails, found: list[ErrorDetails]) -> bool:
    """Whether a list is called too short only because what is wrong with its items was counted out."""
    path = problem["loc"]
    return problem["type"] == "too_short" and any(
        len(other["loc"]) > len(path) and other["loc"][: len(path)] == path for other in found
    )
