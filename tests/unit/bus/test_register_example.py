"""`bus register example`: what it prints may be applied as it is, once its two agencies have their certificates."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from bus.cli.main import bus
from bus.local.certificates import issue_agency
from compliance.difference import after, check
from compliance.reading import Permitted, may_read
from compliance.registerfile import read_register_file
from compliance.view import RegisterView
from schemas.errors import RegisterFileError

AGENCIES = ("migrant_services", "hrss")


def printed(state_dir: Path, folder: Path) -> Path:
    """What the command prints, as a file."""
    done = CliRunner().invoke(bus, ["register", "example"], env={"BUS_STATE_DIR": str(state_dir)})
    assert done.exit_code == 0, done.output
    file = folder / "register.yaml"
    file.write_text(done.output, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", ["state", "with blank", 'a "quoted": one #1', "市"])
def test_it_is_in_order_and_its_grant_delivers(tmp_path: Path, name: str) -> None:
    for agency in AGENCIES:
        issue_agency(tmp_path / name, agency)
    file = read_register_file(printed(tmp_path / name, tmp_path))
    check(RegisterView(), file)
    view = after(RegisterView(), file)
    assert {agency.code for agency in view.agencies() if agency.onboarded and agency.certificates} == set(AGENCIES)
    [grant] = view.grants()
    assert isinstance(may_read(view, grant, datetime(2026, 6, 1, tzinfo=UTC)), Permitted)


def test_without_their_certificates_the_missing_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = printed(tmp_path / "state", tmp_path)
    with pytest.raises(RegisterFileError, match=r"register\.yaml:\d+:\d+: agencies\.0\.certificates\.0\.file: "):
        read_register_file(file)
