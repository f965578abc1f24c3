"""Article 56: who objects to what is shared gets it verified, corrected and reported, each within three working days."""

from datetime import date

from compliance.cases import flagged
from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.procedures import (
    CIVIL,
    CONFIRMED,
    COPY,
    CORRECTED,
    FINDING,
    NOTICE,
    POLICE,
    REDERIVED,
    TOKEN,
    VERIFICATION,
    days,
    objection,
    with_catalogue,
)
from tests.register import CITY, NOW, OPERATOR, moved, of, refused


def _filed(register: Register, **changes: object) -> str:
    return moved(register.open("data_case", "object", objection(**changes), CIVIL, NOW), "RECEIVED").matter.number


def test_article_56_a_non_technical_difference_goes_to_the_owner_is_reported_and_copied(register: Register) -> None:
    with_catalogue(register)
    number = _filed(register, token=TOKEN)
    [clock] = register.clocks()
    assert (clock.rule, clock.owes, clock.due) == ("objection_verification", "OPERATOR_CITY", date(2026, 9, 4))
    moved(register.act(number, "notify_owner", NOTICE, OPERATOR, days(3)), "NOTIFIED")
    [clock] = register.clocks()
    assert (clock.rule, clock.agency, clock.due) == ("owner_correction", "psb", date(2026, 9, 9))
    assert flagged(register) == {("lamp", TOKEN): frozenset({"area"})}
    refused(register.act(number, "answer", CORRECTED, CIVIL, days(6)), RefusalCode.E_ROLE)
    moved(register.act(number, "answer", CORRECTED, POLICE, days(6)), "OWNER_DONE")
    refused(register.act(number, "close", None, OPERATOR, days(6)), RefusalCode.E_STATE)
    moved(register.act(number, "report", VERIFICATION, OPERATOR, days(7)), "REPORTED")
    no = refused(register.act(number, "close", None, OPERATOR, days(7)), RefusalCode.E_STATE)
    assert no.article == "56"
    assert "copy" in no.reason_en
    moved(register.act(number, "send_copy", COPY, OPERATOR, days(7)), "REPORTED")
    done = moved(register.act(number, "close", None, OPERATOR, days(7)), "CLOSED").matter
    assert done.flags == ()
    assert register.clocks() == ()
    assert flagged(register) == {}


def test_article_56_a_technical_difference_is_mended_by_deriving_the_owners_event_again(register: Register) -> None:
    with_catalogue(register)
    number = _filed(register)
    moved(register.act(number, "find_technical", FINDING, OPERATOR, days(1)), "VERIFIED_TECHNICAL")
    [clock] = register.clocks()
    assert (clock.rule, clock.due) == ("technical_correction", date(2026, 9, 7))
    written = {**REDERIVED, "data": {"area": "江北"}}
    assert "data" in refused(register.act(number, "correct", written, OPERATOR, days(2)), RefusalCode.E_FORM).detail
    moved(register.act(number, "correct", REDERIVED, OPERATOR, days(2)), "CORRECTED")
    moved(register.act(number, "report", VERIFICATION, OPERATOR, days(2)), "REPORTED")


def test_article_56_each_of_the_three_clocks_is_kept_or_marked_late(register: Register) -> None:
    with_catalogue(register)
    number = _filed(register)
    # 9 September is the owner's last day when it is told on the 8th's morning, four days late.
    register.tick(days(6))
    assert [clock.rule for clock in register.clocks() if clock.expired] == ["objection_verification"]
    late = moved(register.act(number, "notify_owner", NOTICE, OPERATOR, days(6))).matter
    assert late.flags == ("LATE:objection_verification",)
    moved(register.act(number, "answer", CONFIRMED, POLICE, days(13)), "OWNER_DONE")
    assert register.matter(number).flags == ("LATE:objection_verification", "LATE:owner_correction")  # type: ignore[union-attr]


def test_article_56_an_unfounded_objection_is_reported_too_and_any_agency_may_object(register: Register) -> None:
    with_catalogue(register)
    stranger = of("county_bureau")
    number = moved(register.open("data_case", "object", objection(), stranger, NOW)).matter.number
    moved(register.act(number, "find_unfounded", FINDING, OPERATOR, NOW), "UNFOUNDED")
    refused(register.act(number, "send_copy", COPY, OPERATOR, NOW), RefusalCode.E_STATE)
    moved(register.act(number, "report", VERIFICATION, OPERATOR, NOW), "REPORTED")


def test_article_56_the_disputed_fields_of_a_located_record_are_flagged_and_nothing_else(register: Register) -> None:
    with_catalogue(register)
    number = _filed(register)
    assert flagged(register) == {}
    moved(register.act(number, "locate", {"token": TOKEN, "event_id": objection()["event_id"]}, OPERATOR, NOW))
    moved(register.open("data_case", "object", objection(token=TOKEN, fields=["number"]), of("aic"), NOW))
    assert flagged(register) == {("lamp", TOKEN): frozenset({"area", "number"})}
    assert register.matters("data_case", division=CITY)[0].parties.provider == "psb"
