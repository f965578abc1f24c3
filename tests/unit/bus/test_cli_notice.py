"""`bus notice`: what an office sees of what was told."""

import json
from pathlib import Path

import pytest

from bus.register.place import opened
from bus.settings import load
from compliance.models import ContactRole
from compliance.register.noticebook import NoticeBook
from tests.command import Command
from tests.notices import agency, cause
from tests.register import NOW, OPERATOR, state_with_register


@pytest.fixture(autouse=True)
def own_register(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BUS_STATE_DIR", str(state_with_register(tmp_path / "state")))
    monkeypatch.setenv("BUS_LAW_EFFECTIVE_DATE", "2026-01-01")
    with opened(load()) as register:
        register.put([agency(vacant=ContactRole.TECHNICAL_OFFICER)], OPERATOR, NOW)


def test_what_stands_in_the_register_is_told_once_and_listed_for_its_agency(bus_command: Command) -> None:
    told = bus_command("notice", "settle", "--at", "2026-09-02")
    assert (told.code, told.err) == (0, "")
    assert (
        told.out == "通知 notice → health/LEADER: 第十条规定的人员空缺 a role that Article 10 wants filled is vacant\n"
    )
    assert bus_command("notice", "settle", "--at", "2026-09-02").out == "nothing to tell\n"
    [one] = json.loads(bus_command("notice", "list", "--agency", "health", "--json").out)
    assert (one["kind"], one["role"], one["to"]["role"], one["sent"]) == ("VACANCY", "TECHNICAL_OFFICER", "LEADER", {})
    assert json.loads(bus_command("notice", "list", "--agency", "land", "--json").out) == []


def test_a_list_shows_role_article_and_what_was_taken_back_and_no_person(bus_command: Command) -> None:
    with opened(load()) as register:
        book = NoticeBook(register)
        book.tell([cause(matter="CPL-2026-00001", clock="complaint_answer", profile="huizhou-2016")], NOW)
    standing = bus_command("notice", "list", "--standing").out
    for words in ("health/SHARING_OFFICER 信息共享责任人", "CPL-2026-00001 complaint_answer", "2026-09-01", "Art 58"):
        assert words in standing
    with opened(load()) as register:
        NoticeBook(register).clear(
            [cause(matter="CPL-2026-00001", clock="complaint_answer", profile="huizhou-2016").id], NOW
        )
    assert "CPL" not in bus_command("notice", "list", "--standing").out
    everything = bus_command("notice", "list").out
    assert "通知 notice (taken back)" in everything
    assert "解除 withdrawn" in everything
    assert "某某" not in everything
    assert "there are more" in bus_command("notice", "list", "--limit", "1").out
    assert "某某" not in bus_command("notice", "list", "--json").out
