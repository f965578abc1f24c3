"""Every resource of the first catalogue: its owner, a second lawful one for another part, and one that owns nothing."""

from datetime import UTC, datetime

import pytest

from compliance.entry import CatalogueEntry, OwnerRule
from compliance.proposal import propose
from compliance.writing import compile_owner
from schemas.resource import packaged_resources
from tests.builders import rows

AT = datetime(2026, 6, 1, tzinfo=UTC)
HERE, THERE, FOREIGN = "441302", "441303", "440305"
RESOURCES = packaged_resources()


def entry_of(resource: str, *owners: OwnerRule) -> CatalogueEntry:
    """The proposed entry with other owners."""
    return propose(resource, datetime(2026, 1, 1, tzinfo=UTC)).model_copy(update={"owners": owners})


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_proposed_owner_owns_the_whole_city_and_nothing_beyond(resource: str) -> None:
    entry = propose(resource, datetime(2026, 1, 1, tzinfo=UTC))
    [rule] = entry.owners
    [row] = rows(resource, 1)
    for agency in rule.agencies:
        scope = compile_owner(entry, agency, AT)
        assert scope.covers(HERE, row)
        assert not scope.covers(FOREIGN, row)
    assert not compile_owner(entry, "tourism", AT).covers(HERE, row)


@pytest.mark.parametrize("resource", RESOURCES)
def test_two_lawful_owners_each_own_their_county_and_no_other_agency_owns_anything(resource: str) -> None:
    entry = entry_of(
        resource,
        OwnerRule(agencies=("first",), divisions=(HERE,)),
        OwnerRule(agencies=("second",), divisions=(THERE,)),
    )
    [row] = rows(resource, 1)
    owned = {
        agency: [
            division for division in (HERE, THERE, FOREIGN) if compile_owner(entry, agency, AT).covers(division, row)
        ]
        for agency in ("first", "second", "third")
    }
    assert owned == {"first": [HERE], "second": [THERE], "third": []}


@pytest.mark.parametrize(
    ("resource", "field", "one", "other"),
    [
        ("education", "institution_code", "S1", "S2"),
        ("vocational_qualification", "issuing_department_code", "D1", "D2"),
        ("natural_resource_geospatial", "topic", "LAND", "WATER"),
    ],
)
def test_where_many_write_each_owns_the_institution_issuer_or_topic_that_is_its_own(
    resource: str, field: str, one: str, other: str
) -> None:
    entry = entry_of(
        resource,
        OwnerRule(agencies=("first",), field=field, values=(one,)),
        OwnerRule(agencies=("second",), field=field, values=(other,)),
    )
    [row] = rows(resource, 1)
    for agency, own, foreign in (("first", one, other), ("second", other, one)):
        scope = compile_owner(entry, agency, AT)
        assert scope.covers(HERE, {**row, field: own})
        assert not scope.covers(HERE, {**row, field: foreign})
        assert not scope.covers(HERE, {**row, field: None})
    assert not compile_owner(entry, "third", AT).covers(HERE, {**row, field: one})
