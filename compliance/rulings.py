"""What is only ever decided in the register and no register file says: outages, reckonings, waivers, as frozen models.

The bus follows them on `register.*`: they stop its clocks, change how it counts, or let a hit be. Nobody is named.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, StringConstraints, model_validator

from compliance.entry import Model
from compliance.roles import Role
from compliance.values import AgencyCode, Day, Moment, ResourceCode, Text


class OutageState(StrEnum):
    """Whether the clocks stand still, or go on again."""

    ACCEPTED = "ACCEPTED"
    RESTORED = "RESTORED"


class Outage(Model):
    """An outage that the authority accepted as force majeure (Art 47), as the bus follows it; nobody is named in it.

    Attributes:
        number: of the matter.
        resources: those that it concerns; empty means everything that the agency supplies.
        started_on: the clocks stand still from that day on.
        restored_on: the day from which they go on; None while they stand still.
    """

    kind: ClassVar[str] = "outage"

    number: Text
    agency: AgencyCode
    resources: tuple[ResourceCode, ...] = ()
    state: OutageState
    started_on: Day
    restored_on: Day | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.state is OutageState.RESTORED) != (self.restored_on is not None):
            raise ValueError("restored_on belongs to RESTORED, and to nothing else")
        return self

    @property
    def key(self) -> str:
        """The register key."""
        return self.number


class Reckoning(Model):
    """Something that changes how deadlines are counted: a calendar year, a suspension, a county's own number (Art 60).

    Attributes:
        of: its kind in the register (`compliance/register/kept.py`).
        name: its key there.
        content: the model as JSON text.
    """

    kind: ClassVar[str] = "reckoning"

    of: Literal["calendar_year", "suspension", "county_override"]
    name: Text
    content: str

    @property
    def key(self) -> str:
        """The register key."""
        return f"{self.of}/{self.name}"


def _without_numbers(reason: str) -> str:
    # An article may be cited; what is longer may be the number of a person or of a phone.
    if _DIGITS.search(unicodedata.normalize("NFKC", reason)):
        raise ValueError("holds a long number: a reason names nobody, by number as little as by name")
    return reason


_DIGITS = re.compile(r"[0-9]{4}")
Reason = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
WaiverReason = Annotated[Reason, AfterValidator(_without_numbers)]
Hex = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2}){1,64}$")]
Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Waiver(Model):
    """A pair of records that a cross-check found to differ, and somebody to be in order; no person is named in it.

    Attributes:
        token: the subject, in hexadecimal.
        pair: which two records under which check.
        compared: digest of what was compared: the waiver holds while that stays as it is.
        reason: why, without name or number.
        role: who decided.
        case: the case about data in which it was decided.
    """

    kind: ClassVar[str] = "waiver"

    id: Uuid
    token: Hex
    pair: Uuid
    compared: Hex
    reason: WaiverReason
    role: Role
    decided_at: Moment
    case: Annotated[str, StringConstraints(pattern=r"^CASE-[0-9]{4}-[0-9]{5,8}$")]

    @property
    def key(self) -> str:
        """The register key: the pair, and what was compared."""
        return f"{self.pair}.{self.compared}"
