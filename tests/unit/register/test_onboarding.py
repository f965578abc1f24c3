"""First connections beyond Article 43's own tests: certificates, the kill switch, leaving, agencies known before."""

from datetime import timedelta

from compliance.entry import OwnerRule
from compliance.models import OnboardingState
from compliance.register.service import Register
from compliance.roles import Role
from schemas.refusals import RefusalCode
from tests.catalogue import entry, grant
from tests.city_register import CHECK, CONNECTION, application, city, connected, known, pem, published
from tests.hall_register import signing_key
from tests.register import AUTHORITY, NOW, OPERATOR, moved, of, office, refused

SECURITY = office(Role.SECURITY_ADMINISTRATOR)
REASON = {"reason": "安全事件", "document": "函1号"}
OTHER_CODE = "124413007349885727"


def serial(code: str) -> str:
    start = NOW - timedelta(days=30)
    return signing_key(code, start, start + timedelta(days=400)).serial


def test_without_a_valid_certificate_nobody_is_connected(book: Register) -> None:
    old = pem("expired", NOW - timedelta(days=60), 30)
    for certificate in (None, {"pem": old}):
        form = application(certificate=certificate)
        opened = book.open("onboarding", "apply", form, of("weather"), NOW)
        number = moved(opened, "APPLIED").matter.number
        moved(book.act(number, "check", CHECK, OPERATOR, NOW), "CHECKED")
        refused(book.act(number, "connect", CONNECTION, OPERATOR, NOW), RefusalCode.E_SIGNATURE)
        moved(book.act(number, "return", {"missing": ["证书"]}, OPERATOR, NOW), "RETURNED")
        moved(book.act(number, "withdraw", None, of("weather"), NOW), "WITHDRAWN")
        assert known(book).state is OnboardingState.DISCONNECTED


def test_what_is_no_certificate_is_told_and_not_repeated(book: Register) -> None:
    form = application(certificate={"pem": "nonsense"})
    no = refused(book.open("onboarding", "apply", form, of("weather"), NOW), RefusalCode.E_FORM)
    assert no.detail.startswith("certificate:")
    assert "nonsense" not in no.reason_en


def test_a_code_and_a_credit_code_belong_to_one_agency(book: Register) -> None:
    connected(book)
    again = book.open("onboarding", "apply", application(), of("weather"), NOW)
    assert refused(again, RefusalCode.E_CONFLICT).field == "code"
    twin = book.open("onboarding", "apply", application("climate"), of("climate"), NOW)
    assert refused(twin, RefusalCode.E_CONFLICT).field == "credit_code"


def test_an_application_that_comes_again_is_of_the_same_agency(book: Register) -> None:
    number = moved(book.open("onboarding", "apply", application(), of("weather"), NOW)).matter.number
    moved(book.act(number, "return", {"missing": ["地址"]}, OPERATOR, NOW))
    no = refused(book.act(number, "resubmit", application("climate"), of("weather"), NOW), RefusalCode.E_FORM)
    assert no.field == "code"


def test_a_certificate_is_rotated_without_a_gap_and_the_old_one_stays_on_file_revoked(book: Register) -> None:
    number = connected(book).matter.number
    form = {"certificate": {"pem": pem("next")}, "document": "函"}
    refused(book.act(number, "add_certificate", form, of("weather"), NOW), RefusalCode.E_ROLE)
    moved(book.act(number, "add_certificate", form, OPERATOR, NOW), "CONNECTED")
    refused(book.act(number, "add_certificate", form, OPERATOR, NOW), RefusalCode.E_CONFLICT)
    over = {"certificate": {"pem": pem("past", NOW - timedelta(days=60), 30)}, "document": "函"}
    refused(book.act(number, "add_certificate", over, OPERATOR, NOW), RefusalCode.E_SIGNATURE)
    revoke = {"serial": serial("weather"), "revoked_at": NOW.isoformat(), "reason": "更换"}
    done = moved(
        book.act(number, "revoke_certificate", revoke, of("weather", Role.TECHNICAL_OFFICER), NOW), "CONNECTED"
    )
    assert done.matter.flags == ()
    assert [certificate.revoked_at for certificate in known(book).certificates] == [NOW, None]
    last = {**revoke, "serial": serial("next")}
    assert moved(book.act(number, "revoke_certificate", last, SECURITY, NOW)).matter.flags == ("NO_CERTIFICATE",)


def test_only_a_certificate_on_file_is_revoked_and_not_ahead_of_time(book: Register) -> None:
    number = connected(book).matter.number
    form = {"serial": "abc", "revoked_at": NOW.isoformat(), "reason": "更换"}
    assert refused(book.act(number, "revoke_certificate", form, SECURITY, NOW), RefusalCode.E_FORM).field == "serial"
    ahead = {**form, "serial": serial("weather"), "revoked_at": (NOW + timedelta(days=1)).isoformat()}
    no = refused(book.act(number, "revoke_certificate", ahead, SECURITY, NOW), RefusalCode.E_FORM)
    assert no.field == "revoked_at"


def test_the_kill_switch_cuts_an_agency_off_and_the_authority_alone_lets_it_go_on(book: Register) -> None:
    number = connected(book).matter.number
    moved(book.act(number, "suspend", {"reason": "异常流量"}, SECURITY, NOW), "SUSPENDED")
    assert not known(book).onboarded
    revoke = {"serial": serial("weather"), "revoked_at": NOW.isoformat(), "reason": "泄露"}
    moved(book.act(number, "revoke_certificate", revoke, OPERATOR, NOW), "SUSPENDED")
    refused(book.act(number, "resume", REASON, OPERATOR, NOW), RefusalCode.E_ROLE)
    refused(book.act(number, "resume", REASON, AUTHORITY, NOW), RefusalCode.E_SIGNATURE)
    moved(book.act(number, "add_certificate", {"certificate": {"pem": pem("fresh")}, "document": "函"}, OPERATOR, NOW))
    moved(book.act(number, "resume", REASON, AUTHORITY, NOW), "CONNECTED")
    assert known(book).onboarded


def test_whoever_leaves_hands_over_its_entries_and_ends_its_grants_first(book: Register) -> None:
    city(book)
    number = connected(book, credit_code=OTHER_CODE).matter.number
    published(book, entry(owners=(OwnerRule(agencies=("weather",)),)))
    no = refused(book.act(number, "disconnect", REASON, AUTHORITY, NOW), RefusalCode.E_STATE)
    assert (no.article, "lamp" in no.detail) == ("40", True)
    lamp = book.view().entry("lamp")
    assert lamp is not None
    book.put(
        [lamp.model_copy(update={"state": "RETIRED"}), grant("lamp", ["area"], subscriber="weather")], OPERATOR, NOW
    )
    assert refused(book.act(number, "disconnect", REASON, AUTHORITY, NOW), RefusalCode.E_STATE).article == "48"
    book.put([grant("lamp", ["area"], subscriber="weather", state="ENDED")], OPERATOR, NOW)
    moved(book.act(number, "disconnect", REASON, AUTHORITY, NOW), "DISCONNECTED")
    assert known(book).state is OnboardingState.DISCONNECTED
    connected(book, credit_code=OTHER_CODE)


def test_an_agency_that_was_connected_before_is_taken_on_file_once(book: Register) -> None:
    city(book)
    form = {"code": "psb", "document": "原接入档案"}
    number = moved(book.open("onboarding", "adopt", form, OPERATOR, NOW), "CONNECTED").matter.number
    refused(book.open("onboarding", "adopt", form, OPERATOR, NOW), RefusalCode.E_CONFLICT)
    refused(book.open("onboarding", "adopt", {**form, "code": "newcomer"}, OPERATOR, NOW), RefusalCode.E_NOT_ONBOARDED)
    moved(book.act(number, "suspend", {"reason": "异常"}, AUTHORITY, NOW), "SUSPENDED")


def test_a_vacancy_is_of_a_role_that_somebody_had_and_not_ahead(book: Register) -> None:
    number = connected(book).matter.number
    ahead = {"role": "LEADER", "since": "2026-09-02"}
    assert refused(book.act(number, "report_vacancy", ahead, OPERATOR, NOW), RefusalCode.E_FORM).field == "since"
