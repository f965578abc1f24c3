"""Filled-in forms for any pydantic model of the project, by its fields' types; everything is decided by the seed.

A type of `compliance/values.py` that a test's city knows values of is filled from those, so that what is made is about
agencies and resources that there are.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import cache
from random import Random
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from compliance import values

_TRIES = 12

Known = Mapping[Any, Sequence[Any]]
"""Values by type, for the types that a city fills."""


def known_values(agencies: Sequence[str], resources: Sequence[str], fields: Sequence[str], today: date) -> Known:
    """What the types of `compliance/values.py` are filled with."""
    days = [today + timedelta(days=offset) for offset in (-30, -1, 0, 0, 1, 30, 365)]
    return {
        values.AgencyCode: agencies,
        values.ResourceCode: resources,
        values.FieldName: fields,
        values.GrantId: ["g-2026-00001", "old-1"],
        values.DivisionCode: ["441300", "441322", "441323"],
        values.CatalogueScope: ["CITY", "441322"],
        values.ResourceIdentifier: ["306001/1", "306001/2"],
        values.ReviewNumber: ["R-1", "R-2"],
        values.Day: [day.isoformat() for day in days],
        values.Moment: [datetime.combine(day, time(1), UTC).isoformat() for day in days],
        values.Text: ["甲", "乙", "2026-1"],
    }


def filled(random: Random, model: type[BaseModel], known: Known) -> dict[str, Any]:
    """A form as JSON would bring it; valid where a few tries find one, else whatever the last try was."""
    form: dict[str, Any] = {}
    for _ in range(_TRIES):
        form = _fields(random, model, known)
        try:
            model.model_validate(form)
        except ValidationError:
            continue
        break
    return form


def _fields(random: Random, model: type[BaseModel], known: Known) -> dict[str, Any]:
    form = {}
    for name, info in model.model_fields.items():
        if not info.is_required() and random.random() < 0.3:
            continue
        form[info.alias or name] = _value(random, _hints(model)[name], info, known)
    return form


@cache
def _hints(model: type[BaseModel]) -> dict[str, Any]:
    return get_type_hints(model, include_extras=True)


def _value(random: Random, hint: Any, info: FieldInfo | None, known: Known) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(random, hint, arguments, info, known)
    if origin in {Union, UnionType}:
        return _value(random, random.choice([a for a in arguments if a is not NoneType]), info, known)
    if origin is Literal:
        return random.choice(arguments)
    if origin in {tuple, list, frozenset, set}:
        return _several(random, arguments, info, known)
    if origin is dict:
        return {_value(random, arguments[0], None, known): _value(random, arguments[1], None, known)}
    return _plain(random, hint, info, known)


def _annotated(random: Random, hint: Any, arguments: tuple[Any, ...], info: FieldInfo | None, known: Known) -> Any:
    if hint in known:
        return random.choice(known[hint])
    own = next((part for part in arguments[1:] if isinstance(part, FieldInfo)), info)
    return _value(random, arguments[0], own, known)


def _several(random: Random, arguments: tuple[Any, ...], info: FieldInfo | None, known: Known) -> list[Any]:
    if len(arguments) > 1 and arguments[1] is not Ellipsis:
        return [_value(random, argument, None, known) for argument in arguments]
    least = int(_bound(info, "min_length", 0))
    most = min(least + 2, int(_bound(info, "max_length", least + 2)))
    made: list[Any] = []
    for _ in range(random.randint(least, most)):
        value = _value(random, arguments[0], None, known)
        if value not in made:
            made.append(value)
    return made


def _plain(random: Random, hint: Any, info: FieldInfo | None, known: Known) -> Any:  # noqa: PLR0911  one for each type
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _fields(random, hint, known)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return random.choice(list(hint)).value
    if hint is bool:
        return random.random() < 0.5
    if hint in {int, float}:
        least = int(_bound(info, "ge", 0))
        return random.randint(least, min(least + 2100, int(_bound(info, "le", least + 2100))))
    if hint is date:
        return random.choice(known[values.Day])
    if hint is datetime:
        return random.choice(known[values.Moment])
    if hint is str or hint is Any:
        return random.choice(known[values.Text])
    raise TypeError(f"no value for a field of type {hint}: name its values in tests/forms.py")


def _bound(info: FieldInfo | None, name: str, otherwise: float) -> float:
    found = [getattr(part, name) for part in (info.metadata if info is not None else ()) if hasattr(part, name)]
    return next((bound for bound in found if bound is not None), otherwise)
