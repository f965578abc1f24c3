"""What the bus counted, as figures take it: one row for each agency and resource of a period, with where it is counted.

The register knows what people decided; only the bus knows what flowed. These rows are handed in, so that a figure can
be computed again from the same rows.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import Field, NonNegativeInt, TypeAdapter, ValidationError, model_validator

from compliance.entry import Model
from compliance.values import AgencyCode, ResourceCode, Text
from schemas.errors import UsageError
from schemas.refusals import RefusalCode


class BusFacts(Model):
    """One agency's traffic in one resource.

    Attributes:
        supplied: changes that it published; `refused` of them by code, the others were admitted.
        late: admitted ones that came after their time (Art 16); `timed` are those that had a time to keep, None where
            nobody said which, so that all of them count as such.
        corrections: admitted ones that correct an earlier event.
        delivered: events delivered to it under its grants; `queries` are look-ups of one subject.
        denied: attempts to read or pass on what it has no right to.
        lag_seconds: the largest time from business time to publication.
        source: where the bus counted it: topics and offsets, or the query that answers it again.
    """

    agency: AgencyCode
    resource: ResourceCode
    supplied: int = Field(default=0, ge=0)
    refused: dict[RefusalCode, NonNegativeInt] = Field(default_factory=dict)
    late: int = Field(default=0, ge=0)
    timed: int | None = Field(default=None, ge=0)
    corrections: int = Field(default=0, ge=0)
    delivered: int = Field(default=0, ge=0)
    queries: int = Field(default=0, ge=0)
    denied: int = Field(default=0, ge=0)
    lag_seconds: int | None = Field(default=None, ge=0)
    source: Text

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.admitted < 0:
            raise ValueError("refused is more than supplied")
        if self.late > self.due:
            raise ValueError("late is more than what was admitted")
        if self.due > self.admitted:
            raise ValueError("timed is more than what was admitted")
        return self

    @property
    def admitted(self) -> int:
        """How many changes became part of a record."""
        return self.supplied - sum(self.refused.values())

    @property
    def due(self) -> int:
        """How many admitted changes had a time to keep."""
        return self.admitted if self.timed is None else self.timed

    @property
    def record(self) -> str:
        """What a figure names as the record that it comes from."""
        return f"bus:{self.agency}/{self.resource}: {self.source}"


_ROWS = TypeAdapter(tuple[BusFacts, ...])


def facts_of(facts: Iterable[BusFacts], agency: str) -> tuple[BusFacts, ...]:
    """The rows of one agency."""
    return tuple(row for row in facts if row.agency == agency)


def read_facts(path: Path) -> tuple[BusFacts, ...]:
    """Rows from a JSON file that holds a list of them.

    Raises:
        UsageError: the file cannot be read, or naming row and field of what is wrong.
    """
    try:
        return _ROWS.validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path.name}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        told = "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in problems)
        raise UsageError(f"{path.name}: {told}") from None


def facts_json(facts: Iterable[BusFacts]) -> str:
    """The rows as the JSON that `read_facts` reads."""
    return _ROWS.dump_json(tuple(facts), indent=2).decode()
