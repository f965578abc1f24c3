"""What may come of a message, and what a finding is, whichever stream it comes from."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from pydantic import ConfigDict

from compliance.entry import Model
from compliance.register.intake import Finding
from compliance.roles import Actor, Role
from compliance.view import RegisterView
from compliance.workflow import Matter

BUS = Actor(account="bus", role=Role.OPERATOR_CITY)
"""Who acts where a case follows from what the bus found: the operator, by its program."""
CITY = "441300"


class Said(Model):
    """Part of a message; what a newer writer says beside it is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Taken(StrEnum):
    """What came of a message.

    RAISED, CLEARED: of alarms. OPENED: a case. REVISED: a case got other versions. NOTED: nothing follows, such as where
    somebody answered already. ENDED: what was found is no more. REPEATED: it was known. UNREADABLE: passed over.
    REFUSED: the register's rules allow no case yet; it is tried again.
    """

    RAISED = "RAISED"
    CLEARED = "CLEARED"
    OPENED = "OPENED"
    REVISED = "REVISED"
    NOTED = "NOTED"
    ENDED = "ENDED"
    REPEATED = "REPEATED"
    UNREADABLE = "UNREADABLE"
    REFUSED = "REFUSED"


class Found(Protocol):
    """What a stream says of one pair or source."""

    @property
    def finding(self) -> Finding:
        """It as the register keeps it, without a case."""

    def opening(self, view: RegisterView) -> tuple[str, Model]:
        """The action that opens its case, and the form."""

    def notice(self) -> Model | None:
        """The form that tells the owner at once; None where the operator looks first."""

    def revision(self, matter: Matter, view: RegisterView) -> Model | None:
        """The form that notes what is another now in its case; None where nothing is."""

    def is_another(self, matter: Matter) -> bool:
        """Whether what differs is another difference than the one that the case was about."""

    def ending(self) -> tuple[str, Model]:
        """The action by which its case sees that it is no more, and the form."""


def moment(millis: int) -> datetime:
    """An instant of the wire."""
    return datetime.fromtimestamp(millis / 1000, UTC)


def plain(value: Any) -> Any:  # noqa: ANN401  a datum
    """A datum as JSON has it: bytes in hexadecimal."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


def division_of(agency: str, view: RegisterView) -> str:
    """Where an agency is; the city where nobody knows it."""
    known = view.agency(agency)
    return CITY if known is None else known.division
