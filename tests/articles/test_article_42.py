"""Article 42: city agencies use the city's platform first, county agencies their county's; who asks elsewhere is sent on."""

import pytest

from compliance.models import CatalogueEntry
from compliance.proposal import propose
from compliance.routing import Platform, Tier, route
from tests.catalogue import PUBLISHED, entry
from tests.register import CITY, COUNTY
from tests.sharing import OTHER_COUNTY, agency

AT_CITY = Platform(Tier.CITY)
AT_COUNTY = Platform(Tier.COUNTY, COUNTY)
AT_OTHER = Platform(Tier.COUNTY, OTHER_COUNTY)
BASE = propose("household_registration", PUBLISHED)


@pytest.mark.parametrize(
    ("division", "wanted", "asked", "expected"),
    [
        (CITY, BASE, AT_CITY, (AT_CITY, False, "42")),
        (COUNTY, BASE, AT_COUNTY, (AT_COUNTY, False, "37, 42")),
        (COUNTY, BASE, AT_CITY, (AT_COUNTY, True, "37, 42")),
        (COUNTY, entry(scope=COUNTY), AT_CITY, (AT_COUNTY, True, "37, 42")),
        (COUNTY, entry(), AT_CITY, (AT_CITY, False, "42")),
        (COUNTY, entry(), AT_COUNTY, (AT_CITY, True, "42")),
        (COUNTY, entry(scope=OTHER_COUNTY), AT_COUNTY, (AT_OTHER, False, "46")),
        (COUNTY, entry(scope=OTHER_COUNTY), AT_OTHER, (AT_OTHER, True, "46")),
        (CITY, entry(scope=COUNTY), AT_CITY, (AT_COUNTY, False, "46")),
        (CITY, BASE, None, (AT_CITY, False, "42")),
    ],
)
def test_article_42_the_platform_that_answers(
    division: str, wanted: CatalogueEntry, asked: Platform | None, expected: tuple[Platform, bool, str]
) -> None:
    answer = route(agency("somebody", division), wanted, asked)
    assert (answer.platform, answer.redirected, answer.article) == expected
    assert answer.zh
    assert answer.en
