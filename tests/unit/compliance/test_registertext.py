"""Register files that the bus writes itself are read back without loss."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from compliance.difference import Action, after, difference
from compliance.entry import CatalogueEntry
from compliance.proposal import propose
from compliance.registerfile import read_register_file
from compliance.registertext import catalogue_text
from compliance.view import RegisterView
from tests.builders import RESOURCES
from tests.catalogue import PUBLISHED
from tests.examples import examples
from tests.strategies import catalogue_entries


def read(folder: Path, text: str) -> tuple[object, ...]:
    path = folder / "r.yaml"
    path.write_text(text, encoding="utf-8")
    return read_register_file(path).models


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_proposal_names_its_packaged_schema_and_comes_back(tmp_path: Path, resource: str) -> None:
    known = propose(resource, PUBLISHED)
    text = catalogue_text([known], remarks=["a remark"])
    assert text.startswith("# a remark\nversion: '1'\ncatalogue:\n- resource: ")
    assert f"packaged: {resource}" in text
    assert read(tmp_path, text) == (known,)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(known=catalogue_entries())
def test_any_entry_is_written_and_read_without_loss(tmp_path: Path, known: CatalogueEntry) -> None:
    assert read(tmp_path, catalogue_text([known])) == (known,)


def test_what_is_written_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(catalogue_text([propose(code, PUBLISHED) for code in RESOURCES]), encoding="utf-8")
    view = after(RegisterView(), read_register_file(path))
    path.write_text(catalogue_text(view.entries()), encoding="utf-8")
    assert {found.action for found in difference(view, read_register_file(path))} == {Action.SAME}
