"""Article 37: two tiers; base information is supplied to both, and a county sees its own rows."""

import pytest

from compliance.models import RowScope
from compliance.proposal import propose
from compliance.routing import Platform, Tier, beyond_own_county, on_county_tier, platform_of
from tests.catalogue import PUBLISHED, entry
from tests.register import CITY, COUNTY
from tests.sharing import OTHER_COUNTY, agency


def test_article_37_base_information_is_on_both_tiers_and_other_city_entries_on_the_citys() -> None:
    assert on_county_tier(propose("household_registration", PUBLISHED), COUNTY)
    assert not on_county_tier(entry(), COUNTY)
    assert on_county_tier(entry(scope=COUNTY), COUNTY)
    assert not on_county_tier(entry(scope=COUNTY), OTHER_COUNTY)


@pytest.mark.parametrize(
    ("division", "platform"),
    [
        (CITY, Platform(Tier.CITY)),
        (COUNTY, Platform(Tier.COUNTY, COUNTY)),
        (f"{COUNTY}101", Platform(Tier.COUNTY, COUNTY)),
    ],
)
def test_article_37_a_division_belongs_to_a_platform(division: str, platform: Platform) -> None:
    assert platform_of(division) == platform


def test_article_37_rows_of_another_county_take_an_application_across_counties() -> None:
    county, municipal = agency("boluo_civil", COUNTY), agency("psb", CITY)
    assert not beyond_own_county(county, RowScope(divisions=(COUNTY, f"{COUNTY}101")))
    assert beyond_own_county(county, RowScope(divisions=(COUNTY, OTHER_COUNTY)))
    assert beyond_own_county(county, RowScope(divisions=(CITY,)))
    assert beyond_own_county(county, RowScope())
    assert not beyond_own_county(municipal, RowScope())
