"""Sets of GB/T 2260 division codes, where a code covers everything below it (441300 covers 441302)."""

from collections.abc import Iterable

_COUNTY, _PREFECTURE, _PROVINCE = 6, 4, 2


class DivisionSet:
    """The divisions that a rule names, ready for one look-up per event.

    Args:
        codes: codes of 6, 9 or 12 digits; trailing pairs of zeros stand for everything below.
    """

    __slots__ = ("_deep", "_prefixes")

    def __init__(self, codes: Iterable[str]) -> None:
        prefixes = set()
        deep = set()
        for code in codes:
            county, rest = code[:_COUNTY], code[_COUNTY:].rstrip("0")
            if rest:
                deep.add(county + code[_COUNTY:][: 3 if len(rest) <= 3 else 6])  # noqa: PLR2004  town 3, village 3 more
                continue
            while len(county) > _PROVINCE and county.endswith("00"):
                county = county[:-2]
            prefixes.add(county)
        self._prefixes = frozenset(prefixes)
        self._deep = tuple(deep)

    def covers(self, code: str | None) -> bool:
        """Whether a subject's division lies under one of the set's; an unknown division lies under none."""
        if not code:
            return False
        known = self._prefixes
        if code[:_COUNTY] in known or code[:_PREFECTURE] in known or code[:_PROVINCE] in known:
            return True
        return any(code.startswith(deep) for deep in self._deep)

    def overlaps(self, other: "DivisionSet") -> bool:
        """Whether a division could lie under both sets."""
        mine = (*self._prefixes, *self._deep)
        theirs = (*other._prefixes, *other._deep)  # noqa: SLF001  the same class
        return any(a.startswith(b) or b.startswith(a) for a in mine for b in theirs)
