"""A submission of POLICE that is in order but for what a test cites, and whether it may be made."""

from datetime import datetime
from typing import Any

from compliance.decision import Permitted
from compliance.writing import may_submit
from schemas.refusals import RefusalCode, Refused
from tests.builders import PERMIT
from tests.hall import Hall
from tests.hall_register import NOW, POLICE


def decide(hall: Hall, at: datetime = NOW, **cited: Any) -> Permitted | Refused:
    """The decision on a submission of POLICE that is in order but for what is given."""
    submission = {
        "agency_code": POLICE,
        "resource": PERMIT,
        "catalogue_version": 1,
        "review_number": "R1",
        "classification": "NON_SECRET",
        **cited,
    }
    return may_submit(hall.view, at=at, **submission)


def code(hall: Hall, at: datetime = NOW, **cited: Any) -> RefusalCode | None:
    """The code of the refusal; None where it may be made."""
    found = decide(hall, at, **cited)
    return found.code if isinstance(found, Refused) else None
