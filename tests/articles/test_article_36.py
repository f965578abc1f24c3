"""Article 36: a new resource is a schema and an entry; what only the province has says so; coverage lists what is silent."""

from compliance.coverage import Lack, coverage
from compliance.entry import OwnerRule
from compliance.register.service import Register
from compliance.routing import Platform, Tier, route
from schemas.refusals import RefusalCode
from tests.catalogue import entry, schema_text
from tests.city_register import city, known, published, wire
from tests.register import NOW, OPERATOR, moved, of, refused

REVIEW = {
    "number": "BM-1",
    "resource": "bench",
    "catalogue_version": 1,
    "reviewer": "某人",
    "reviewed_on": "2026-09-01",
    "valid_until": "2026-12-31",
    "result": "PASS",
    "conclusion": "不涉密",
    "document": "审查表",
}


def test_article_36_a_provincial_source_says_why_and_is_answered_by_the_province(register: Register) -> None:
    city(register)
    silent = {"entry": wire(entry(source_route="PROVINCIAL"))}
    no = refused(register.open("catalogue", "draft", silent, OPERATOR, NOW), RefusalCode.E_FORM)
    assert no.article == "36"
    published(register, entry(source_route="PROVINCIAL", route_reason="使用省直系统，无提取权限"))
    found = register.view().entry("lamp")
    assert found is not None
    answer = route(known(register, "aic"), found)
    assert answer.platform == Platform(Tier.PROVINCE)
    assert answer.article == "36"
    assert "使用省直系统" in answer.en


def test_article_36_coverage_lists_entries_without_a_living_producer(register: Register) -> None:
    city(register)
    published(register, entry())
    published(register, entry(schema_text("bench")))
    published(register, entry(schema_text("kiosk"), owners=(OwnerRule(agencies=("newcomer",)),)))
    moved(register.open("secrecy_review", "file", REVIEW, of("psb"), NOW))
    view = register.view()
    assert [(line.agency, line.resource, line.lack) for line in coverage(view, (), NOW)] == [
        ("newcomer", "kiosk", Lack.NOT_CONNECTED),
        ("psb", "bench", Lack.SILENT),
        ("psb", "lamp", Lack.NO_REVIEW),
    ]
    assert [line.resource for line in coverage(view, {("psb", "bench")}, NOW)] == ["kiosk", "lamp"]
