"""The register's commands, as an office uses them: what they print, and what they end with."""

import json
from pathlib import Path
from shutil import rmtree

import pytest

from tests.command import Command, Ran
from tests.register import state_with_register

HEALTH = ("--role", "LEADER", "--agency", "health", "--as", "li")
AUTHORITY = ("--role", "AUTHORITY_CITY", "--as", "wang")


@pytest.fixture(autouse=True)
def own_register(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    state = state_with_register(tmp_path / "state")
    monkeypatch.setenv("BUS_STATE_DIR", str(state))
    monkeypatch.setenv("BUS_LAW_EFFECTIVE_DATE", "2020-01-01")
    return state


def form(folder: Path, text: str) -> Path:
    path = folder / "form.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def filed(bus_command: Command, folder: Path) -> Ran:
    """A complaint of a year that is told, whose number has the year, whenever this runs."""
    path = form(folder, 'about: hr\ndivision: "441300"\nstatement: 迟迟不提供\n')
    at = "2026-01-04T08:00:00+08:00"
    return bus_command("matter", "open", "complaint", "file", "--form", path, *HEALTH, "--at", at)


def received(bus_command: Command, folder: Path, *more: str) -> Ran:
    path = form(folder, "received_on: 2026-01-05\nfile_number: 1号\n")
    number = "CPL-2026-00001"
    return bus_command("matter", "act", number, "receive_at_authority", "--form", path, *AUTHORITY, *more)


# -- matters -------------------------------------------------------------------------------------------------------


def test_a_matter_is_opened_acted_on_and_shown_with_what_comes_next(bus_command: Command, tmp_path: Path) -> None:
    opened = filed(bus_command, tmp_path)
    assert (opened.code, opened.out) == (0, "CPL-2026-00001: 已提出 filed (FILED), step 1\n")
    assert received(bus_command, tmp_path, "--at", "2026-01-06T08:00:00+08:00").code == 0
    shown = bus_command("matter", "show", "CPL-2026-00001")
    assert shown.code == 0
    assert "(AT_AUTHORITY), step 2" in shown.out
    assert "clock complaint_answer: AUTHORITY_CITY owes it by 2026-01-26 (Art 58)" in shown.out
    assert "next: answer_at_authority 书面答复 (answer in writing), Art 58, by 市信息化主管部门" in shown.out
    before = json.loads(bus_command("matter", "show", "CPL-2026-00001", "--at", "2026-01-05", "--json").out)
    assert (before["state"], before["seq"], before["clocks"]) == ("FILED", 1, [])
    assert bus_command("matter", "show", "CPL-2026-00001", "--at", "2026-01-03").code == 2


def test_matters_are_listed_and_have_a_history(bus_command: Command, tmp_path: Path) -> None:
    filed(bus_command, tmp_path)
    received(bus_command, tmp_path, "--at", "2026-01-06T08:00:00+08:00")
    listed = json.loads(bus_command("matter", "list", "--agency", "health", "--open", "--json").out)
    assert [one["number"] for one in listed] == ["CPL-2026-00001"]
    assert json.loads(bus_command("matter", "list", "--agency", "land", "--json").out) == []
    assert "AT_AUTHORITY" in bus_command("matter", "list", "--workflow", "complaint").out
    steps = json.loads(bus_command("matter", "history", "CPL-2026-00001", "--json").out)
    assert [(step["action"], step["account"], step["role"]) for step in steps] == [
        ("file", "li", "LEADER"),
        ("receive_at_authority", "wang", "AUTHORITY_CITY"),
    ]
    assert "NEW → FILED" in bus_command("matter", "history", "CPL-2026-00001").out


def test_a_refusal_is_told_in_both_languages_with_its_article_and_ends_with_1(
    bus_command: Command, tmp_path: Path
) -> None:
    filed(bus_command, tmp_path)
    told = bus_command("matter", "act", "CPL-2026-00001", "answer_at_authority", *AUTHORITY)
    assert (told.code, told.out) == (1, "")
    assert "refused E_STATE (Art 58): 当前状态下不能办理此事项" in told.err
    assert "possible here: receive_at_authority, receive_at_supervision, withdraw" in told.err
    told = bus_command("matter", "act", "CPL-2026-00001", "withdraw", *AUTHORITY, "--json")
    assert told.code == 1
    refused = json.loads(told.out)["refused"]
    assert (refused["code"], refused["article"]) == ("E_ROLE", "58")


def test_who_saw_an_older_step_is_refused(bus_command: Command, tmp_path: Path) -> None:
    filed(bus_command, tmp_path)
    assert received(bus_command, tmp_path, "--seen", "1").code == 0
    path = form(tmp_path, "reason: 不再需要\n")
    told = bus_command("matter", "act", "CPL-2026-00001", "withdraw", "--form", path, *HEALTH, "--seen", "1")
    assert told.code == 1
    assert "E_CONFLICT" in told.err


def test_all_errors_of_a_form_are_told_at_once_with_line_and_column(bus_command: Command, tmp_path: Path) -> None:
    path = form(tmp_path, "about: HR!\nstatement:\ncolour: red\n")
    told = bus_command("matter", "open", "complaint", "file", "--form", path, *HEALTH)
    assert (told.code, told.out) == (2, "")
    places = [line.removeprefix("error: ").split(": ")[:2] for line in told.err.splitlines()]
    assert places == [
        ["form.yaml:1:1", "about"],
        ["form.yaml:1:1", "division"],
        ["form.yaml:2:1", "statement"],
        ["form.yaml:3:1", "colour"],
    ]
    assert "HR!" not in told.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--role", "LEADER"), "--role LEADER acts for an agency: name it with --agency"),
        (("--role", "OPERATOR_COUNTY"), "--role OPERATOR_COUNTY acts for a county: name it with --division"),
        (("--role", "CLOCK"), "the clock acts by itself"),
        (("--role", "LEADER", "--agency", "Health"), "--agency is not an agency code"),
        (("--role", "LEADER", "--agency", "health", "--at", "2099-01-01"), "--at lies in the future"),
        (("--role", "LEADER", "--agency", "health", "--at", "soon"), "is neither a day"),
    ],
)
def test_who_acts_and_when_must_be_said_rightly(bus_command: Command, words: tuple[str, ...], told: str) -> None:
    ran = bus_command("matter", "open", "complaint", "file", *words)
    assert ran.code == 2
    assert told in ran.err


def test_what_does_not_exist_is_wrong_usage(bus_command: Command) -> None:
    for words in (
        ("matter", "open", "nothing", "file", *HEALTH),
        ("matter", "act", "CPL-2026-00009", "withdraw", *HEALTH),
        ("matter", "show", "CPL-2026-00009"),
        ("matter", "history", "CPL-2026-00009"),
        ("workflow", "show", "nothing"),
        ("workflow", "form", "complaint", "nothing"),
    ):
        ran = bus_command(*words)
        assert (ran.code, ran.out) == (2, ""), words
        assert ran.err.startswith("error: there is no ") or "has no action" in ran.err


# -- workflows, clocks, calendar -----------------------------------------------------------------------------------


def test_a_workflow_is_listed_and_shown_as_table_and_diagram(bus_command: Command) -> None:
    codes = [one["code"] for one in json.loads(bus_command("workflow", "list", "--json").out)]
    assert "complaint" in codes
    shown = bus_command("workflow", "show", "complaint").out
    assert "stateDiagram-v2" in shown
    assert "starts complaint_answer" in shown
    told = json.loads(bus_command("workflow", "show", "complaint", "--json").out)
    assert set(told["states"]) == {"FILED", "AT_AUTHORITY", "AT_SUPERVISION", "ANSWERED", "WITHDRAWN"}
    assert "# statement: text; required\nstatement:\n" in bus_command("workflow", "form", "complaint", "file").out


def test_overdue_clocks_come_first_with_their_article(bus_command: Command, tmp_path: Path) -> None:
    filed(bus_command, tmp_path)
    received(bus_command, tmp_path)
    [clock] = json.loads(bus_command("clock", "list", "--overdue", "--json").out)
    assert (clock["due"], clock["article"], clock["overdue"], clock["advisory"]) == ("2026-01-26", "58", True, False)
    assert "huizhou-2016 Art 58" in bus_command("clock", "list").out
    assert json.loads(bus_command("clock", "list", "--agency", "health", "--json").out) == []
    assert bus_command("clock", "tick").out == "nothing follows by itself\n"
    assert json.loads(bus_command("clock", "tick", "--json").out) == []


def test_a_years_notice_is_loaded_and_shown(bus_command: Command, tmp_path: Path) -> None:
    assert "2050 is provisional" in bus_command("calendar", "show", "2050").out
    path = form(
        tmp_path,
        "year: 2050\nnotices:\n- title: 测试通知\nrest_days:\n- {name: 元旦, first: 2050-01-01, last: 2050-01-03}\n"
        "- {name: 劳动节, first: 2050-05-01, last: 2050-05-01}\n- {name: 国庆节, first: 2050-10-01, last: 2050-10-03}\n",
    )
    assert bus_command("calendar", "load", path).out == "2050 is loaded; 0 open clock(s) got another due day\n"
    shown = bus_command("calendar", "show", "2050")
    assert "rest 2050-01-01 to 2050-01-03: 元旦" in shown.out
    assert json.loads(bus_command("calendar", "show", "2050", "--json").out)["provisional"] is False
    path = form(tmp_path, "year: 2050\nnotices: []\n")
    told = bus_command("calendar", "load", path)
    assert told.code == 2
    assert "form.yaml:2:1: notices" in told.err


# -- explain, export, import ---------------------------------------------------------------------------------------


def test_explain_says_no_with_article_and_ends_with_1(bus_command: Command) -> None:
    ran = bus_command("explain", "hr", "residence_permit")
    assert ran.code == 1
    assert "write: refused 拒绝 E_NOT_ONBOARDED, Art 10, 43" in ran.out
    told = json.loads(bus_command("explain", "hr", "residence_permit", "sex_code", "--read", "--json").out)
    assert [(one["way"], one["permitted"], one["code"]) for one in told] == [("READ", False, "E_NOT_ONBOARDED")]
    assert bus_command("explain", "hr", "residence_permit", "--at", "2026-01-01").code == 1


def test_a_hypothetical_grant_with_an_error_is_told_with_its_line(bus_command: Command, tmp_path: Path) -> None:
    path = form(tmp_path, "id: g-1\nsubscriber: hr\nresource: residence_permit\n")
    ran = bus_command("explain", "hr", "residence_permit", "--read", "--grant-file", path)
    assert ran.code == 2
    assert "form.yaml:1:1: fields" in ran.err


def test_the_register_goes_out_and_comes_back(
    bus_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed(bus_command, tmp_path)
    out = tmp_path / "out"
    assert json.loads(bus_command("register", "export", out, "--json").out)["matter"] == 1
    assert bus_command("register", "export", out).code == 2
    assert bus_command("register", "export").code == 2
    assert bus_command("register", "export", "--yaml").out.startswith("version: '1'\n")
    assert bus_command("register", "import", out).code == 2
    monkeypatch.setenv("BUS_REGISTER_URL", f"sqlite:///{tmp_path / 'new.db'}")
    assert "matter: 1\n" in bus_command("register", "import", out).out
    assert [one["number"] for one in json.loads(bus_command("matter", "list", "--json").out)] == ["CPL-2026-00001"]


# -- where it is ---------------------------------------------------------------------------------------------------


def test_the_database_is_a_file_that_its_owner_alone_reads(bus_command: Command, own_register: Path) -> None:
    # The command makes folder and file anew.
    rmtree(own_register)
    assert bus_command("matter", "list").code == 0
    assert (own_register / "register.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("url", "code", "told"),
    [
        ("sqlite://", 2, "BUS_REGISTER_URL: a database in memory keeps nothing"),
        ("mysql://root:secret@h/d", 2, "BUS_REGISTER_URL: the register lives in PostgreSQL or SQLite"),
        ("postgresql+psycopg://root:secret@127.0.0.1:1/d", 3, "the register's database does not answer"),
        ("sqlite:////dev/null/register.db", 3, "the register's database"),
    ],
)
def test_a_database_that_does_not_do_is_told_without_its_password(
    bus_command: Command, monkeypatch: pytest.MonkeyPatch, url: str, code: int, told: str
) -> None:
    monkeypatch.setenv("BUS_REGISTER_URL", url)
    ran = bus_command("matter", "list")
    assert ran.code == code
    assert told in ran.err
    assert "secret" not in ran.err


def test_a_profile_that_does_not_exist_is_told(bus_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUS_LAW_PROFILES", "huizhou-1999")
    ran = bus_command("matter", "list")
    assert ran.code == 2
    assert "BUS_LAW_PROFILES: no packaged profile huizhou-1999" in ran.err
