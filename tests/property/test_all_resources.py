"""The whole language through the bus: rows of every resource survive admit and deliver, wrong ones get their code."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.models import OwnerRule
from schemas.resource import packaged_resources, packaged_text
from tests.examples import examples
from tests.hall import Hall
from tests.hall_register import POLICE
from tests.strategies import rows, wrong

OWNER = OwnerRule(agencies=(POLICE,), divisions=("441300",))
_HALLS: dict[str, Hall] = {}


def hall_of(resource: str) -> Hall:
    """A bus in memory for each resource, made once: an example is a submission to it."""
    if resource not in _HALLS:
        _HALLS[resource] = Hall(packaged_text(resource), OWNER)
    return _HALLS[resource]


@pytest.mark.parametrize("resource", packaged_resources())
@settings(max_examples=examples(20))
@given(data=st.data())
def test_a_valid_row_is_admitted_and_delivered_unchanged_and_a_wrong_one_is_refused_with_its_code(
    resource: str, data: st.DataObject
) -> None:
    hall = hall_of(resource)
    row, fault = data.draw(rows(resource)), data.draw(wrong(resource))
    verdict = hall.admit(hall.submit([hall.change(row), hall.change(fault.row)]))
    assert verdict.codes == [(1, fault.code.value, fault.field_name)]
    [record] = verdict.records
    [delivery] = hall.deliver([record], hall.grant(tuple(hall.schema.fields)))
    assert delivery.value is not None
    assert delivery.value["data"] == row
