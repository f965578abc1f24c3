"""Forms: every action's empty form names every field, and filled in as it says it is taken."""

import pytest

from compliance.formtext import form_text
from compliance.positions import parse
from compliance.workflow import Transition, Workflow, fill_in
from compliance.workflows import WORKFLOWS
from schemas.refusals import RefusalCode, Refused

FORMS = [(table, row) for table in WORKFLOWS.values() for row in table.transitions]


@pytest.mark.parametrize(("table", "row"), FORMS, ids=lambda one: one.code if isinstance(one, Workflow) else one.action)
def test_an_empty_form_names_every_field_and_is_yaml(table: Workflow, row: Transition) -> None:
    text = form_text(table, row)
    assert row.article in text
    if row.form is None:
        assert "nothing is to be filled in" in text
        return
    for name, field in row.form.model_fields.items():
        assert f"# {field.alias or name}: " in text
    required = {field.alias or name for name, field in row.form.model_fields.items() if field.is_required()}
    if not required:
        return
    content = parse(text, "form.yaml").content
    assert set(content) == required
    # Empty, it is refused for each of them that cannot be empty.
    answer = fill_in(row, content)
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.E_FORM


def test_optional_fields_can_be_opened_up() -> None:
    table = WORKFLOWS["complaint"]
    text = form_text(table, table.transitions[0])
    opened = text.replace("# documents:\n", "documents:\n- 附件\n").replace("about:\n", "about: hr\n")
    filled = opened.replace("\ndivision:\n", "\ndivision: '441300'\n").replace("\nstatement:\n", "\nstatement: 迟\n")
    form = fill_in(table.transitions[0], parse(filled, "form.yaml").content)
    assert not isinstance(form, Refused)
    assert form is not None
    assert form.model_dump() == {"about": "hr", "division": "441300", "statement": "迟", "documents": ("附件",)}
