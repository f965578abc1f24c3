"""Article 59: an agency that bore liability for wrong shared data complains about the supplier, with proof."""

from compliance.register.service import Register
from schemas.refusals import RefusalCode
from tests.procedures import CIVIL, CLAIM, EVENT, RIGHT_EVENT, with_catalogue
from tests.register import AUTHORITY, NOW, moved, refused

RULING = {"outcome": "SUPPLIER_LIABLE", "measures": "限期整改", "document": "处理决定1号"}


def test_article_59_filed_with_proof_investigated_decided_and_transferred_in_writing(register: Register) -> None:
    with_catalogue(register)
    unproved = {**CLAIM, "proof": []}
    assert "proof" in refused(register.open("liability", "file", unproved, CIVIL, NOW), RefusalCode.E_FORM).detail
    not_borne = {key: value for key, value in CLAIM.items() if key != "borne_document"}
    refused(register.open("liability", "file", not_borne, CIVIL, NOW), RefusalCode.E_FORM)
    number = moved(register.open("liability", "file", CLAIM, CIVIL, NOW), "FILED").matter.number
    refused(register.act(number, "decide", RULING, AUTHORITY, NOW), RefusalCode.E_STATE)
    strange = {"finding": "已查", "wrong_events": [RIGHT_EVENT]}
    refused(register.act(number, "investigate", strange, AUTHORITY, NOW), RefusalCode.E_FORM)
    moved(register.act(number, "investigate", {"finding": "已查", "wrong_events": [EVENT]}, AUTHORITY, NOW))
    moved(register.act(number, "decide", RULING, AUTHORITY, NOW), "DECIDED")
    spoken = register.act(number, "transfer", {"suspicion": "涉嫌违纪"}, AUTHORITY, NOW)
    refused(spoken, RefusalCode.E_FORM)
    written = {"suspicion": "涉嫌违纪", "document": "移交函1号"}
    moved(register.act(number, "transfer", written, AUTHORITY, NOW), "TRANSFERRED_TO_SUP")
    assert [step.target for step in register.history(number)] == [
        "FILED",
        "INVESTIGATED",
        "DECIDED",
        "TRANSFERRED_TO_SUP",
    ]
