"""What changes how deadlines are counted: kept as the register's facts, and told on Kafka as reckonings."""

from collections.abc import Iterable
from typing import Any

from compliance.entry import Model
from compliance.profiles import CountyOverride, Law
from compliance.rulings import Reckoning
from compliance.workdays import CalendarYear, Suspension, WorkCalendar

KEPT: dict[str, type[Model]] = {
    "calendar_year": CalendarYear,
    "suspension": Suspension,
    "county_override": CountyOverride,
}


def named(model: Any) -> tuple[str, str]:  # noqa: ANN401  a register model, or one of `KEPT`
    """Kind and key under which the register keeps a model."""
    if isinstance(model, CalendarYear):
        return "calendar_year", str(model.year)
    if isinstance(model, Suspension):
        return "suspension", f"{model.division or 'all'}/{model.first.isoformat()}"
    if isinstance(model, CountyOverride):
        return "county_override", f"{model.division}/{model.clock}"
    return model.kind, model.key


def reckoning_of(model: Model) -> Reckoning:
    """One of `KEPT` as it goes out on `register.reckoning`."""
    of, name = named(model)
    return Reckoning.model_validate({"of": of, "name": name, "content": model.model_dump_json(by_alias=True)})


def kept_of(reckonings: Iterable[Reckoning]) -> tuple[Model, ...]:
    """Back from what stands on `register.reckoning`, in the order of the keys."""
    found = sorted(reckonings, key=lambda one: one.key)
    return tuple(KEPT[one.of].model_validate_json(one.content) for one in found)


def calendar_with(calendar: WorkCalendar, kept: Iterable[Model]) -> WorkCalendar:
    """The calendar with the years and suspensions that the register holds."""
    models = list(kept)
    for model in models:
        if isinstance(model, CalendarYear):
            calendar = calendar.with_year(model)
    return calendar.with_suspensions([model for model in models if isinstance(model, Suspension)])


def law_with(law: Law, kept: Iterable[Model]) -> Law:
    """The law with what counties decided."""
    return law.with_overrides([model for model in kept if isinstance(model, CountyOverride)])
