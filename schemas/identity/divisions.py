"""What the identity rules ask of GB/T 2260: is the province known, is the six-digit code known.

Today's table is never compared with a person's year of birth: a number is given by the county that
registers a person, when it does so, and stays when the county is renamed. And a code is only called unknown
where our list is complete.
"""

from functools import cache
from typing import Final

from schemas.codelists import load

_LIST: Final = "gbt2260_division"
_COMPLETE: Final = "44"
# Prefectures without counties: their own code stands in the numbers of their citizens.
_WITHOUT_COUNTIES: Final = frozenset({"441900", "442000", "460400", "620200"})


@cache
def provinces() -> frozenset[str]:
    """The two digits of every province, municipality, autonomous region and special administrative region."""
    return frozenset(row.code[:2] for row in load(_LIST).rows if row.kind == "province")


@cache
def _codes() -> frozenset[str]:
    return frozenset(row.code for row in load(_LIST).rows if row.kind != "extension")


def registrar_known(code: str) -> bool:
    """Whether a six-digit code may stand for a registering authority of any level."""
    if code[:2] == _COMPLETE or code[:2] not in provinces():
        return code in _codes()
    return True


def county_known(code: str) -> bool:
    """Whether a six-digit code may stand for the county of a person's registration."""
    if code[4:] == "00" and code not in _WITHOUT_COUNTIES:
        return False
    return registrar_known(code)
