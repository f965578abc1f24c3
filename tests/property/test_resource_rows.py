"""The strategies themselves: what they call valid is valid, for packaged resources and for ones yet unwritten."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processors.keying import subject_of
from schemas.codec import Codec
from schemas.identity import Identity
from schemas.refusals import Refused
from schemas.resource import ResourceSchema, packaged_text, resource_schema
from tests.builders import TODAY
from tests.strategies import generic_rows, resource_texts, resources, rows, wrong


@given(st.data())
def test_a_valid_row_of_a_packaged_resource_survives_avro_unchanged(data: st.DataObject) -> None:
    resource = data.draw(resources())
    row = data.draw(rows(resource))
    schema = resource_schema(packaged_text(resource))
    codec = Codec(schema.avro)
    assert schema.check(row) is None
    assert codec.decode(codec.encode(row)) == row
    assert isinstance(subject_of(schema, row, TODAY), Identity)


@given(st.data())
def test_a_wrong_row_names_a_field_of_its_resource(data: st.DataObject) -> None:
    case = data.draw(wrong(data.draw(resources())))
    assert case.field_name in case.row


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_row_of_a_resource_that_nobody_has_written_yet_survives_avro_unchanged(data: st.DataObject) -> None:
    schema = ResourceSchema(data.draw(resource_texts()))
    row = data.draw(generic_rows(schema))
    codec = Codec(schema.avro)
    assert not isinstance(schema.check(row), Refused)
    assert codec.decode(codec.encode(row)) == row
    assert isinstance(subject_of(schema, row, TODAY), Identity)
