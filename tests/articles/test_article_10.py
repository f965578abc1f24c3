"""Article 10: the three named persons, each agency's own catalogue, no exchange beside the platform."""

from datetime import timedelta

from compliance.contacts import vacancies
from compliance.models import NAMED_PERSONS, ContactRole
from compliance.register.service import Register
from compliance.roles import Role
from compliance.workflows.legacy_exchange import BUILT_LATER
from schemas.refusals import RefusalCode
from tests.catalogue import entry, schema_text
from tests.city_register import CHECK, application, city, connected, known, persons, wire
from tests.register import IN_FORCE, NOW, OPERATOR, SUPERVISION, moved, of, office, refused


def test_article_10_nobody_is_connected_without_the_three_named_persons(register: Register) -> None:
    number = moved(register.open("onboarding", "apply", application(), of("weather"), NOW)).matter.number
    for lacking in NAMED_PERSONS:
        moved(register.act(number, "return", {"missing": ["责任人"]}, OPERATOR, NOW), "RETURNED")
        form = application(contacts=persons(lacking=lacking))
        moved(register.act(number, "resubmit", form, of("weather"), NOW), "APPLIED")
        no = refused(register.act(number, "check", CHECK, OPERATOR, NOW), RefusalCode.E_NOT_ONBOARDED)
        assert lacking.value in no.detail
    assert not known(register).onboarded


def test_article_10_a_vacancy_alarms_and_the_flow_goes_on(register: Register) -> None:
    number = connected(register).matter.number
    form = {"role": "SHARING_OFFICER", "since": "2026-09-01"}
    told = moved(register.act(number, "report_vacancy", form, of("weather", Role.CONTACT), NOW), "CONNECTED")
    assert told.matter.flags == ("VACANT:SHARING_OFFICER",)
    assert known(register).onboarded
    assert [line.role for line in vacancies(register.view())] == [ContactRole.SHARING_OFFICER]
    change = {"agency": "weather", "persons": persons(ContactRole.SHARING_OFFICER), "effective_from": "2026-09-01"}
    moved(register.open("contact_change", "notify", change, of("weather"), NOW))
    assert vacancies(register.view()) == ()


def test_article_10_an_agency_submits_its_own_entries_and_the_operator_consolidates_them(register: Register) -> None:
    city(register)
    entries = [wire(entry()), wire(entry(schema_text("bench")))]
    form = {"entries": entries, "document": "目录报送函1号"}
    refused(register.open("sub_catalogue", "submit", form, of("aic"), NOW), RefusalCode.E_OWNER)
    number = moved(register.open("sub_catalogue", "submit", form, of("psb"), NOW), "SUBMITTED").matter.number
    refused(register.act(number, "consolidate", {"taken": ["lamp"]}, OPERATOR, NOW), RefusalCode.E_FORM)
    answer = {"taken": ["lamp"], "left_out": [{"resource": "bench", "reason": "与路灯重复"}]}
    done = moved(register.act(number, "consolidate", answer, OPERATOR, NOW), "CONSOLIDATED")
    [draft] = done.others
    assert (draft.workflow, draft.state, draft.parent, draft.parties.resource) == ("catalogue", "DRAFT", number, "lamp")
    assert draft.fact("draft", "origin") == number


def test_article_10_exchanges_beside_the_platform_are_registered_and_move_to_it(register: Register) -> None:
    city(register)
    old = {
        "unit": "psb",
        "counterpart": "aic",
        "name": "企业法人比对接口",
        "data": "法定代表人身份核验",
        "direction": "SUPPLIES",
        "manner": "INTERFACE",
        "since": "2015-05-01",
    }
    made = moved(register.open("legacy_exchange", "register", old, of("psb", Role.CONTACT), NOW), "REGISTERED")
    assert made.matter.flags == ()
    later = {**old, "since": (IN_FORCE + timedelta(days=1)).isoformat()}
    assert moved(register.open("legacy_exchange", "register", later, SUPERVISION, NOW)).matter.flags == (BUILT_LATER,)
    number = made.matter.number
    moved(register.act(number, "plan", {"until": "2026-12-31", "steps": "改用共享平台"}, of("psb"), NOW), "MIGRATING")
    form = {"grants": ["g-1"], "switched_off_on": "2026-09-01", "document": "迁移确认1号"}
    refused(register.act(number, "migrate", form, OPERATOR, NOW), RefusalCode.E_NO_GRANT)
    basis = {"title": "保守国家秘密法", "article": "3", "level": "LAW"}
    exempt = {"reason": "涉密", "legal_basis": basis, "document": "函1号"}
    moved(register.act(number, "exempt", exempt, office(Role.AUTHORITY_CITY), NOW), "EXEMPTED")
