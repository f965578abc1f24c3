"""Articles 18 to 35, 7, 38 and 52: what each lists stands in its resource, its owner may write it, and nobody else may."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from bus.local.artifacts import deploy_text
from compliance.decision import Permitted
from compliance.models import Agency, AgencyType, Contact, ContactRole, OnboardingState, SecrecyReview
from compliance.proposal import propose
from compliance.view import RegisterView
from compliance.writing import may_submit
from schemas.codelists import names as code_lists
from schemas.refusals import RefusalCode, Refused
from schemas.resource import packaged_resources, packaged_text

NOW = datetime(2026, 9, 1, tzinfo=UTC)
STRANGER = "stranger"


def written(resource: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(packaged_text(resource))
    return parsed


@cache
def register() -> RegisterView:
    """Every resource as proposed, its owners connected and reviewed, and an agency that owns nothing."""
    view = RegisterView()
    owners = {owner for resource in packaged_resources() for owner in written(resource)["owner"]}
    for code in (*sorted(owners), STRANGER):
        agency = Agency(
            code=code,
            name="单位",
            credit_code="11441300007212348P",
            type=AgencyType.ADMINISTRATIVE_ORGAN,
            division="441300",
            state=OnboardingState.CONNECTED,
            contacts=tuple(Contact(role=role, name="某人", phone="0752-1234567") for role in ContactRole),
        )
        view.apply(agency.kind, agency.key, agency)
    for resource in packaged_resources():
        entry = propose(resource, datetime(2026, 1, 1, tzinfo=UTC))
        view.apply(entry.kind, entry.key, entry)
        for owner in (*written(resource)["owner"], STRANGER):
            review = SecrecyReview(
                number=f"R-{resource.replace('_', '-')}",
                agency=owner,
                resource=resource,
                catalogue_version=1,
                reviewer="某人",
                reviewed_on=NOW.date().replace(month=1),
                valid_until=NOW.date().replace(month=12),
                result="PASS",
            )
            view.apply(review.kind, review.key, review)
    return view


def asked(agency: str, resource: str) -> Permitted | Refused:
    number = f"R-{resource.replace('_', '-')}"
    return may_submit(register(), agency, resource, 1, number, "NON_SECRET", NOW)


def holds(article: int, lists: Mapping[str, tuple[str, int]]) -> None:
    """The article's resources with owner and number of listed fields; the owner may submit, a stranger not."""
    ours = {name for name in packaged_resources() if written(name)["article"].partition("(")[0] == str(article)}
    assert ours == set(lists)
    for resource, (owner, fields) in lists.items():
        assert sum(not spec.get("companion") for spec in written(resource)["fields"]) == fields, resource
        assert isinstance(asked(owner, resource), Permitted)
        no = asked(STRANGER, resource)
        assert isinstance(no, Refused)
        assert no.code is RefusalCode.E_OWNER


def test_article_07_every_listener_wants_a_certificate_and_nothing_is_allowed_by_default() -> None:
    lines = deploy_text("kafka/server.properties").splitlines()
    assert "ssl.client.auth=required" in lines
    assert "allow.everyone.if.no.acl.found=false" in lines
    [protocols] = [line for line in lines if line.startswith("listener.security.protocol.map=")]
    assert {pair.partition(":")[2] for pair in protocols.partition("=")[2].split(",")} == {"SSL"}


def test_article_18_household_registration_has_its_12_fields_and_is_the_police_s() -> None:
    holds(18, {"household_registration": ("psb", 12)})


def test_article_19_residence_permits_have_their_18_fields() -> None:
    holds(19, {"residence_permit": ("migrant_services", 18)})


def test_article_20_marriage_and_adoption_are_civil_affairs() -> None:
    holds(20, {"marriage": ("civil_affairs", 3), "adoption": ("civil_affairs", 3)})


def test_article_21_birth_and_death_are_health_s_but_for_the_police_s_part_of_a_death() -> None:
    health = {"birth_certificate": ("health_fp", 13), "death_certificate": ("health_fp", 23)}
    holds(21, {**health, "death_certificate_police": ("psb", 2)})


def test_article_22_family_planning_has_its_5_fields() -> None:
    holds(22, {"family_planning": ("health_fp", 5)})


def test_article_23_insurance_titles_and_allowances_have_two_owners() -> None:
    social = {"social_insurance": ("hrss", 10), "professional_title": ("hrss", 6)}
    holds(23, {**social, "minimum_living_allowance": ("civil_affairs", 3)})


def test_article_24_education_has_its_36_fields() -> None:
    holds(24, {"education": ("education", 36)})


def test_article_25_disability_has_its_8_fields() -> None:
    holds(25, {"disability": ("dpf", 8)})


def test_article_26_housing_fund_has_its_3_fields() -> None:
    holds(26, {"housing_fund": ("hpf", 3)})


def test_article_27_vocational_qualification_has_its_8_fields() -> None:
    holds(27, {"vocational_qualification": ("certificate_issuers", 8)})


def test_article_29_enterprises_and_individual_businesses_are_the_registry_s() -> None:
    holds(29, {"enterprise_registration": ("aic", 15), "individual_business": ("aic", 12)})


def test_article_30_inspection_and_licence_have_7_fields_together() -> None:
    holds(30, {"quality_inspection": ("qts", 3), "production_licence": ("qts", 4)})


def test_article_31_local_tax_has_its_4_fields() -> None:
    holds(31, {"local_tax": ("local_tax", 4)})


def test_article_32_national_tax_has_its_4_fields() -> None:
    holds(32, {"national_tax": ("national_tax", 4)})


def test_article_33_three_kinds_of_organisations_are_civil_affairs() -> None:
    kinds = {"private_non_enterprise": 12, "social_organisation": 12, "welfare_institution": 11}
    holds(33, {kind: ("civil_affairs", fields) for kind, fields in kinds.items()})


def test_article_34_public_institutions_have_their_6_fields() -> None:
    holds(34, {"public_institution": ("establishment_office", 6)})


def test_article_35_natural_resources_are_one_resource_by_topic_and_department() -> None:
    holds(35, {"natural_resource_geospatial": ("land", 0)})
    [topic] = [spec for spec in written("natural_resource_geospatial")["fields"] if spec["name"] == "topic"]
    assert topic["code_list"] in code_lists()


def test_article_38_every_code_list_that_a_schema_names_travels_with_the_bus() -> None:
    named = {
        spec["code_list"] for name in packaged_resources() for spec in written(name)["fields"] if "code_list" in spec
    }
    assert named
    assert named <= set(code_lists())


def test_article_52_who_is_not_named_may_neither_write_nor_is_there_a_default() -> None:
    for resource in packaged_resources():
        no = asked("nobody", resource)
        assert isinstance(no, Refused)
        assert no.code is RefusalCode.E_NOT_ONBOARDED
