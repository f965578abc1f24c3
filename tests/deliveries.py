"""What tests of deliveries have in common: fields that stand open in a permit, and permits of a division."""

from typing import Any

from tests.builders import permit

OPEN = ("sex_code", "birth_date", "residence_county")
DIVISION = "registration_authority_division"


def in_division(division: str, seed: int = 1, **fields: object) -> dict[str, Any]:
    """One permit whose issuing authority lies in a division."""
    return permit(seed, **{DIVISION: division, **fields})
