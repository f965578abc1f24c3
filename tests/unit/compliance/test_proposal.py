"""The first catalogue: what is proposed for the 26 resources obeys every rule and says what Art 39 wants."""

from datetime import date, timedelta

import pytest

from compliance.catalogue import sharing_of
from compliance.entry_rules import alone
from compliance.models import Agency, AgencyType
from compliance.proposal import DIVISION, identifier_of, propose, remarks
from schemas.codelists import load
from schemas.errors import UsageError
from schemas.resource import packaged_text, resource_schema
from schemas.words import FreshnessClass, SharingClass
from tests.builders import RESOURCES
from tests.catalogue import PUBLISHED, against, register


@pytest.mark.parametrize("code", RESOURCES)
def test_a_proposal_obeys_every_rule_of_its_own(code: str) -> None:
    assert alone(propose(code, PUBLISHED)) == []


def test_all_proposals_together_obey_every_rule_and_so_do_their_next_versions() -> None:
    entries = [propose(code, PUBLISHED) for code in RESOURCES]
    owners = {agency for entry in entries for rule in entry.owners for agency in rule.agencies}
    known = [
        Agency(
            code=code,
            name="单位",
            credit_code="11441300007212348P",
            type=AgencyType.ADMINISTRATIVE_ORGAN,
            division=DIVISION,
        )
        for code in sorted(owners)
    ]
    assert against(*known, *entries) == []
    again = [propose(code, PUBLISHED + timedelta(days=1), version=2) for code in RESOURCES]
    assert against(*again, view=register(*known, *entries)) == []


@pytest.mark.parametrize("code", RESOURCES)
def test_a_proposal_says_what_the_schema_proposes(code: str) -> None:
    entry, schema = propose(code, PUBLISHED), resource_schema(packaged_text(code))
    assert set(entry.fields) == set(schema.fields)
    assert sharing_of(entry) == {name: spec.sharing for name, spec in schema.fields.items()}
    for name, policy in entry.fields.items():
        assert policy.sharing is schema.fields[name].sharing
        assert policy.legal_basis is not None
        assert (policy.conditions is not None) is (policy.sharing is SharingClass.CONDITIONAL)
    assert entry.freshness is FreshnessClass(schema.freshness)
    assert (entry.update_frequency == "实时") is (entry.freshness is FreshnessClass.DYNAMIC)
    assert entry.responsible_department == schema.avro["responsible_department"]
    [rule] = entry.owners
    assert list(rule.agencies) == schema.avro["owner"]
    assert rule.divisions == ("441300",)
    assert all(spec.cn in entry.content for spec in schema.fields.values())
    assert entry.sharing_period.from_ == date(2026, 1, 1)


def test_each_has_an_identifier_of_its_own_that_says_kind_and_article() -> None:
    known = [identifier_of(code) for code in RESOURCES]
    assert len(set(known)) == 26
    assert identifier_of("household_registration") == "101018/000001"
    assert identifier_of("individual_business") == "102029/000002"
    assert identifier_of("natural_resource_geospatial") == "103035/000001"


def test_parts_and_reference_copies_are_related() -> None:
    related = propose("death_certificate_police", PUBLISHED).related
    assert set(related) == {identifier_of("death_certificate"), identifier_of("household_registration")}


def test_base_information_is_marked_and_nothing_else() -> None:
    marked = {code for code in RESOURCES if propose(code, PUBLISHED).baseline}
    assert {"household_registration", "enterprise_registration", "residence_permit"} < marked
    assert not marked & {"marriage", "education", "local_tax"}


def test_where_a_list_names_every_part_the_rule_binds_them_all_and_else_people_are_told() -> None:
    [topics] = propose("natural_resource_geospatial", PUBLISHED).owners
    assert (topics.field, set(topics.values or ())) == ("topic", set(load("natural_resource_topic")))
    [schools] = propose("education", PUBLISHED).owners
    assert schools.field is None
    said = "\n".join(remarks(("education", "marriage")))
    assert "education has many lawful writers: give each its values of institution_code (Art 24)" in said
    assert "civil_affairs, education" in said


def test_only_a_packaged_resource_is_proposed() -> None:
    with pytest.raises(UsageError, match="no packaged schema for resource lamp"):
        propose("lamp", PUBLISHED)
