"""Which platform answers (Art 36, 37, 42, 46): the city's, a county's, or the province's; and why it is another one.

One cluster with logical tiers at first (decisions 45): a division code tells the tier of an agency, an entry's scope
that of the entry. Base information of Chapter 2 is supplied to both tiers (Art 37).
"""

from dataclasses import dataclass
from enum import StrEnum

from compliance.divisions import DivisionSet
from compliance.entry import CITY, CatalogueEntry
from compliance.models import Agency, RowScope
from schemas.resource import packaged_resources

_COUNTY = 6


class Tier(StrEnum):
    """A platform: of the city, of a county, of the province."""

    CITY = "CITY"
    COUNTY = "COUNTY"
    PROVINCE = "PROVINCE"


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform; `division` is the county's six digits where it is a county's."""

    tier: Tier
    division: str | None = None

    def __str__(self) -> str:
        """`COUNTY 441322`."""
        return self.tier.value if self.division is None else f"{self.tier.value} {self.division}"


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers a request.

    Attributes:
        platform: whose platform answers.
        through: the platform at which the agency applies.
        redirected: whether it was asked at another platform than the one to apply at; it is accepted and sent on.
        article, zh, en: why.
    """

    platform: Platform
    through: Platform
    redirected: bool
    article: str
    zh: str
    en: str


_CITY = Platform(Tier.CITY)


def platform_of(division: str) -> Platform:
    """The platform of a division's agencies; a code that ends with 00 is the city's own (GB/T 2260)."""
    county = division[:_COUNTY]
    return _CITY if county.endswith("00") else Platform(Tier.COUNTY, county)


def on_county_tier(entry: CatalogueEntry, county: str) -> bool:
    """Whether a county's platform has a resource: its own entries, and Chapter 2's of the city (Art 37, 41)."""
    if entry.source_route == "PROVINCIAL":
        return False
    return entry.scope == county or (entry.scope == CITY and entry.resource in packaged_resources())


def route(agency: Agency, entry: CatalogueEntry, asked: Platform | None = None) -> Route:
    """Which platform answers an agency's request for a resource.

    Args:
        agency: who requests.
        entry: what is requested.
        asked: the platform that got the request; None where that is still open.
    """
    own = platform_of(agency.division)

    def answer(platform: Platform, through: Platform, article: str, zh: str, en: str) -> Route:
        return Route(platform, through, asked is not None and asked != through, article, zh, en)

    if entry.source_route == "PROVINCIAL":
        reason = f": {entry.route_reason}" if entry.route_reason else ""
        return answer(
            Platform(Tier.PROVINCE),
            own,
            "36",
            "信息在省级单位，由省信息资源共享与交换平台提供",
            f"the province's exchange platform supplies what the city cannot extract{reason}",
        )
    if entry.scope not in (CITY, own.division):
        return answer(
            Platform(Tier.COUNTY, entry.scope),
            own,
            "46",
            "属其他县(区)目录，经本级共享平台向该县(区)共享平台提出申请",
            "it is in another county's catalogue: the own platform applies to that county's",
        )
    if own.tier is Tier.COUNTY and own.division is not None:
        if on_county_tier(entry, own.division):
            return answer(
                own,
                own,
                "37, 42",
                "县(区)属行政机关优先通过县(区)级共享平台共享",
                "a county's agency uses its county's platform first, and that platform has the resource",
            )
        return answer(
            _CITY,
            _CITY,
            "42",
            "县(区)级共享平台没有该资源，由市级共享平台提供",
            "the county's platform does not have the resource, so the city's answers",
        )
    return answer(
        _CITY,
        _CITY,
        "42",
        "市属行政机关优先通过市级共享平台共享",
        "a city agency uses the city's platform first",
    )


def beyond_own_county(agency: Agency, rows: RowScope) -> bool:
    """Whether rows reach beyond the county of a county's agency, which takes an application across counties (Art 46)."""
    own = platform_of(agency.division)
    if own.division is None:
        return False
    county = DivisionSet([own.division])
    return rows.divisions is None or not all(county.covers(code) for code in rows.divisions)
