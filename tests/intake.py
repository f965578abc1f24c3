"""What the streams found, taken into a register; the cases that follow."""

from datetime import datetime
from typing import Any

from bus.intake.cases import take_found
from bus.intake.hits import Hit
from bus.intake.words import Found, Taken
from compliance.crosschecks import packaged_crosschecks
from compliance.register.service import Register
from compliance.workflow import Matter
from tests.findings import check
from tests.register import NOW

CHECKS = {each.id: each for each in (check(), *packaged_crosschecks().checks)}


def take(register: Register, found: Found, at: datetime = NOW) -> Taken:
    """Take in what was found, in one transaction of the register."""
    with register.deciding(at) as decision:
        return take_found(decision, found)


def said(register: Register, datum: dict[str, Any], at: datetime = NOW) -> Taken:
    """Take in a hit as it stands on the wire."""
    return take(register, Hit.read(datum, CHECKS), at)


def cases(register: Register) -> tuple[Matter, ...]:
    """The cases about data, oldest first."""
    return register.matters("data_case")
