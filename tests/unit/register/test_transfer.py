"""The register as files: out of one database and into another it is the same, and a changed file is refused."""

import json
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa

from bus.intake.alarms import take_alarm
from bus.intake.cases import note_refusal
from bus.intake.hits import Hit
from compliance.difference import Action, after, difference
from compliance.register.intake import take_in
from compliance.register.noticebook import NoticeBook
from compliance.register.service import Register
from compliance.register.transfer import MANIFEST, export_register, import_register
from compliance.registerfile import read_register_file
from compliance.registertext import register_text
from compliance.view import RegisterView
from schemas.errors import RegisterFileError, UsageError
from schemas.refusals import RefusalCode, Refused
from tests.catalogue import agencies, entry, grant
from tests.findings import alarm, hit
from tests.notices import tell_and_take_back
from tests.register import AUTHORITY, CITY, NOW, OPERATOR, moved, of, register_on, sqlite_register

COMPLAINT = {"about": "hr", "division": CITY, "statement": "迟迟不提供"}


def filled(register: Register) -> Register:
    """With something in every table."""
    register.put([*agencies(), entry(), grant("lamp", ("area",))], OPERATOR, NOW)
    number = moved(register.open("complaint", "file", COMPLAINT, of("health"), NOW)).matter.number
    moved(
        register.act(number, "receive_at_authority", {"received_on": "2026-08-31", "file_number": "1"}, AUTHORITY, NOW)
    )
    tell_and_take_back(register)
    take_something_in(register)
    with register.engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(sa.text("UPDATE outbox SET sent_at = (SELECT at FROM fact WHERE id = outbox.fact)"))
    return register


def take_something_in(register: Register) -> None:
    """An alarm that stands, and a hit that became no case."""
    with register.deciding(NOW) as decision:
        assert take_in(decision.connection, ("alarm", 0), 1)
        take_alarm(decision, "x", alarm(), NOW, timedelta(0))
        note_refusal(decision, Hit.read(hit(), {}), Refused(RefusalCode.E_FORM))


@pytest.fixture
def full(register: Register) -> Register:
    return filled(register)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Register]:
    folder = tmp_path / "other"
    folder.mkdir()
    with sqlite_register(folder) as made:
        yield made


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_out_and_in_again_shows_no_difference(full: Register, other: Register, tmp_path: Path) -> None:
    rows = export_register(full.engine, tmp_path / "one")
    assert all(rows.values()), rows
    assert import_register(other.engine, tmp_path / "one") == rows
    export_register(other.engine, tmp_path / "two")
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert set(other.view().models()) == set(full.view().models())
    assert other.clocks() == full.clocks()
    [matter] = other.matters("complaint")
    assert other.history(matter.number) == full.history(matter.number)
    assert NoticeBook(other).listed() == NoticeBook(full).listed()


@pytest.mark.postgres
def test_what_was_read_in_goes_on_counting(other: Register, postgres_engine: sa.Engine, tmp_path: Path) -> None:
    export_register(filled(other).engine, tmp_path / "one")
    import_register(postgres_engine, tmp_path / "one")
    made = register_on(postgres_engine)
    made.put([agencies()[0].model_copy(update={"name": "新"})], OPERATOR, NOW)
    assert moved(made.open("complaint", "file", COMPLAINT, of("health"), NOW)).matter.number == "CPL-2026-00002"
    found = made.view().agency(agencies()[0].code)
    assert found is not None
    assert found.name == "新"


def test_a_child_that_stands_before_its_parent_is_read_in(full: Register, other: Register, tmp_path: Path) -> None:
    with full.engine.connect().execution_options(writes=True) as connection, connection.begin():
        values = "complaint', 'FILED', 1, '441300', 'CPL-2026-00001', opened_at, facts, flags FROM matter"
        columns = "number, workflow, state, seq, division, parent, opened_at, facts, flags"
        connection.execute(sa.text(f"INSERT INTO matter ({columns}) SELECT 'AAA-1', '{values}"))
    export_register(full.engine, tmp_path / "one")
    import_register(other.engine, tmp_path / "one")
    assert [matter.number for matter in other.matters(parent="CPL-2026-00001")] == ["AAA-1"]


def test_only_an_empty_register_takes_an_export(full: Register, tmp_path: Path) -> None:
    export_register(full.engine, tmp_path / "one")
    with pytest.raises(UsageError, match="is not empty"):
        import_register(full.engine, tmp_path / "one")
    with pytest.raises(UsageError, match="is not empty; an export wants a folder of its own"):
        export_register(full.engine, tmp_path / "one")


@pytest.mark.parametrize(
    ("name", "harm", "told"),
    [
        ("fact.jsonl", lambda text: text.replace("psb", "psc", 1), "fact.jsonl: was changed since it was exported"),
        ("step.jsonl", lambda text: text[:-5], "step.jsonl: was changed since it was exported"),
        ("clock.jsonl", None, "clock.jsonl: cannot be read"),
        (MANIFEST, lambda text: text[:40], "manifest.json: is not the manifest"),
        (MANIFEST, lambda _: "[" * 100_000, "manifest.json: is not the manifest"),
        (MANIFEST, lambda text: text.replace("fact", "fiction"), "manifest.json: is not the manifest"),
        (MANIFEST, None, "manifest.json: cannot be read"),
    ],
)
def test_a_broken_or_changed_file_is_named_and_nothing_is_read_in(
    full: Register, other: Register, tmp_path: Path, name: str, harm: object, told: str
) -> None:
    export_register(full.engine, tmp_path / "one")
    path = tmp_path / "one" / name
    if callable(harm):
        path.write_text(harm(path.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        path.unlink()
    with pytest.raises(RegisterFileError) as refused:
        import_register(other.engine, tmp_path / "one")
    assert told in str(refused.value)
    assert other.view().models() == ()


def test_a_row_that_lacks_a_column_is_named_by_its_line(full: Register, other: Register, tmp_path: Path) -> None:
    """Somebody changed a file and its digest alike."""
    export_register(full.engine, tmp_path / "one")
    path = tmp_path / "one" / "step.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], '{"matter": "x"}', ""]), encoding="utf-8")
    manifest = json.loads((tmp_path / "one" / MANIFEST).read_text(encoding="utf-8"))
    manifest["tables"]["step"]["sha256"] = sha256(path.read_bytes()).hexdigest()
    (tmp_path / "one" / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(RegisterFileError, match=r"step.jsonl:2: is no row of step"):
        import_register(other.engine, tmp_path / "one")
    assert other.matters() == ()


def test_an_export_of_another_revision_is_refused(full: Register, other: Register, tmp_path: Path) -> None:
    export_register(full.engine, tmp_path / "one")
    path = tmp_path / "one" / MANIFEST
    path.write_text(path.read_text(encoding="utf-8").replace('"revision": "', '"revision": "9'), encoding="utf-8")
    with pytest.raises(UsageError, match="the export is of revision 9"):
        import_register(other.engine, tmp_path / "one")


def test_the_register_as_a_register_file_is_read_back_without_a_difference(full: Register, tmp_path: Path) -> None:
    path = tmp_path / "register.yaml"
    path.write_text(register_text(full.view()), encoding="utf-8")
    file = read_register_file(path)
    assert len(file.items) == len(full.view().models())
    assert {found.action for found in difference(full.view(), file)} == {Action.SAME}
    assert set(after(RegisterView(), file).models()) == set(full.view().models())
