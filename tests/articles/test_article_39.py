"""Article 39: compiled, verified, approved, published; what an entry must contain; what must stand in the catalogue."""

from itertools import permutations

from compliance.inclusion import Gap, gaps, mandatory
from compliance.proposal import propose
from compliance.register.service import Register
from compliance.workflow import fill_in
from compliance.workflows.catalogue import CATALOGUE
from schemas.refusals import RefusalCode, Refused
from schemas.words import SharingClass
from tests.catalogue import LAW, entry
from tests.city_register import APPROVAL, PUBLICATION, VERIFICATION, city, drafted, published, wire
from tests.register import AUTHORITY, GOVERNMENT, NOW, OPERATOR, moved, refused

STEPS = {
    "verify": (VERIFICATION, AUTHORITY),
    "approve": (APPROVAL, GOVERNMENT),
    "publish": (PUBLICATION, AUTHORITY),
}
CONTENTS = (
    "name",
    "content",
    "responsible_department",
    "update_frequency",
    "platform",
    "scope_and_manner",
    "sharing_period",
)


def test_article_39_no_step_is_skipped(register: Register) -> None:
    city(register)
    for order in permutations(STEPS):
        if order == tuple(STEPS):
            continue
        number = drafted(register, entry())
        wrong = next(action for action, right in zip(order, STEPS, strict=True) if action != right)
        for action in order[: order.index(wrong)]:
            moved(register.act(number, action, *STEPS[action], NOW))
        form, by = STEPS[wrong]
        refused(register.act(number, wrong, form, by, NOW), RefusalCode.E_STATE)
        back = {"defects": ["退回"]}
        by = GOVERNMENT if wrong == "publish" and order[0] == "verify" else AUTHORITY
        moved(register.act(number, "return", back, by, NOW), "RETURNED")
        moved(register.act(number, "drop", {"reason": "撤销"}, OPERATOR, NOW), "DROPPED")
    assert register.view().entries() == ()


def test_article_39_the_published_entry_bears_the_day_of_its_publication(register: Register) -> None:
    city(register)
    done = published(register, entry())
    found = register.view().entry("lamp")
    assert found is not None
    assert found.published_at == NOW
    assert [step.article for step in register.history(done.matter.number)] == ["39, 41", "39", "39", "14, 39"]
    assert done.matter.fact("approve", "approval_number") == APPROVAL["approval_number"]


def test_article_39_an_entry_without_one_of_its_seven_contents_is_refused() -> None:
    draft = next(transition for transition in CATALOGUE.transitions if transition.action == "draft")
    for content in CONTENTS:
        form = {key: value for key, value in wire(entry()).items() if key != content}
        no = fill_in(draft, {"entry": form})
        assert isinstance(no, Refused)
        assert no.code is RefusalCode.E_FORM
        assert f"entry.{content}" in no.detail


def test_article_39_what_must_be_included_is_told_with_its_text(register: Register) -> None:
    city(register)
    listed = {
        "resource": "lamp",
        "name": "路灯",
        "agency": "psb",
        "basis": LAW.model_dump(),
        "from_day": "2026-09-01",
    }
    number = moved(register.open("mandatory_item", "list", listed, OPERATOR, NOW), "LISTED").matter.number
    refused(register.open("mandatory_item", "list", listed, AUTHORITY, NOW), RefusalCode.E_CONFLICT)
    found = {missing.item.resource: missing for missing in gaps(register.view(), register, NOW)}
    assert len(found) == 27
    assert found["lamp"].gap is Gap.MISSING
    assert (found["lamp"].item.basis, found["lamp"].item.matter) == (LAW, number)
    assert "18" in found["household_registration"].item.basis.article
    published(register, entry())
    register.put([propose("household_registration", NOW)], OPERATOR, NOW)
    assert {missing.item.resource for missing in gaps(register.view(), register, NOW)}.isdisjoint(
        {"lamp", "household_registration"}
    )
    shut = entry(version=2, sharing=SharingClass.NOT_SHARED, legal_basis=LAW)
    register.put([shut], OPERATOR, NOW)
    assert [missing.gap for missing in gaps(register.view(), register, NOW) if missing.item.resource == "lamp"] == [
        Gap.NOT_SHARED
    ]
    moved(register.act(number, "lift", {"reason": "废止", "document": "公告"}, AUTHORITY, NOW), "LIFTED")
    assert len(mandatory(register)) == 26
