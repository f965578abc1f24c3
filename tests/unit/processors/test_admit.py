"""Admit, the submission as a whole: signature, frame, schema; one refusal and one receipt each."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from compliance.models import SigningCertificate
from processors.batch import InMessage
from processors.signature import CERTIFICATE_HEADER, SIGNATURE_HEADER
from schemas.codec import frame
from schemas.resource import packaged_text, resource_schema
from tests.builders import PERMIT, permit
from tests.hall import MAX_BYTES, Hall, Verdict
from tests.hall_register import DAY, NOW, POLICE, STATS, signing_key
from tests.submissions import admitted, refusal, submit

SECOND = timedelta(seconds=1)


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT))


def test_a_signed_submission_of_the_owner_is_admitted(hall: Hall) -> None:
    assert admitted(hall, submit(hall))


# -- signature -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", [(SIGNATURE_HEADER,), (CERTIFICATE_HEADER,), (SIGNATURE_HEADER, CERTIFICATE_HEADER)])
def test_without_its_headers_a_submission_is_not_signed(hall: Hall, gone: tuple[str, ...]) -> None:
    message = submit(hall)
    headers = {name: value for name, value in message.headers.items() if name not in gone}
    assert refusal(hall, message._replace(headers=headers)) == "E_SIGNATURE"


@pytest.mark.parametrize("serial", [b"", b"0", b"\xff\xfe", b"zz", "１".encode()])
def test_a_certificate_header_that_names_no_certificate_counts_for_nothing(hall: Hall, serial: bytes) -> None:
    message = submit(hall)
    assert refusal(hall, message._replace(headers={**message.headers, CERTIFICATE_HEADER: serial})) == "E_SIGNATURE"


def test_a_signature_by_another_key_under_the_right_serial_is_refused(hall: Hall) -> None:
    wrong = submit(hall, key=signing_key("mallory"))
    headers = {**wrong.headers, CERTIFICATE_HEADER: signing_key(POLICE).serial.encode()}
    assert refusal(hall, wrong._replace(headers=headers)) == "E_SIGNATURE"


def test_another_agencys_valid_certificate_does_not_sign_for_this_one(hall: Hall) -> None:
    assert refusal(hall, submit(hall, key=signing_key(STATS))) == "E_SIGNATURE"


def test_a_certificate_counts_until_the_instant_it_was_revoked(hall: Hall) -> None:
    revoked = SigningCertificate(pem=signing_key(POLICE).pem, revoked_at=NOW)
    hall.agency(POLICE, certificates=(revoked,))
    assert admitted(hall, submit(hall, append=NOW - SECOND))
    assert refusal(hall, submit(hall, append=NOW)) == "E_SIGNATURE"


def test_a_certificate_counts_from_its_first_to_before_its_last_instant(hall: Hall) -> None:
    key = signing_key("short", NOW - 2 * DAY, NOW - DAY)
    hall.agency(POLICE, certificates=(SigningCertificate(pem=key.pem),))
    assert refusal(hall, submit(hall, key=key, append=NOW - 2 * DAY - SECOND)) == "E_SIGNATURE"
    assert admitted(hall, submit(hall, key=key, append=NOW - 2 * DAY))
    assert admitted(hall, submit(hall, key=key, append=NOW - DAY - SECOND))
    assert refusal(hall, submit(hall, key=key, append=NOW - DAY)) == "E_SIGNATURE"


def test_each_of_an_agencys_certificates_signs_and_what_is_no_certificate_does_not_harm(hall: Hall) -> None:
    new = signing_key("police-new")
    pems = ("rubbish", signing_key(POLICE).pem, new.pem)
    hall.agency(POLICE, certificates=tuple(SigningCertificate(pem=pem) for pem in pems))
    assert admitted(hall, submit(hall))
    assert admitted(hall, submit(hall, key=new))


def test_a_value_altered_by_one_bit_is_refused(hall: Hall) -> None:
    message = submit(hall)
    assert message.value is not None
    altered = message.value[:-1] + bytes([message.value[-1] ^ 1])
    assert refusal(hall, message._replace(value=altered)) == "E_SIGNATURE"


def test_a_submission_replayed_on_another_topic_is_refused(hall: Hall) -> None:
    hall.agency(STATS, certificates=(SigningCertificate(pem=signing_key(POLICE).pem),))
    message = submit(hall)._replace(topic=f"change.{STATS}.{PERMIT}")
    assert [refused["code"] for refused in hall.admit(message).refusals] == ["E_SIGNATURE"]


def test_a_tombstone_on_a_change_topic_is_answered(hall: Hall) -> None:
    message = submit(hall)._replace(value=None)
    assert refusal(hall, message) == "E_SIGNATURE"
    assert refusal(hall, hall.message(None)) == "E_SCHEMA"


def test_an_agency_that_left_the_register_signs_nothing(hall: Hall) -> None:
    hall.view.apply("agency", POLICE, None)
    assert refusal(hall, submit(hall)) == "E_SIGNATURE"


# -- frame and schema ----------------------------------------------------------------------------------------------


def mangled(hall: Hall, mangle: Callable[[bytes], bytes]) -> InMessage:
    value = submit(hall).value
    assert value is not None
    return hall.message(mangle(value))


@pytest.mark.parametrize(
    "mangle",
    [
        pytest.param(lambda value: value[:0], id="empty"),
        pytest.param(lambda value: value[5:], id="no frame"),
        pytest.param(lambda value: b"\x01" + value[1:], id="wrong magic"),
        pytest.param(lambda value: value[:4], id="half a frame"),
        pytest.param(lambda value: frame(999, value[5:]), id="unknown id"),
        pytest.param(lambda value: frame(1, value[5:]), id="a schema that is no submission"),
        pytest.param(lambda value: value[:5], id="frame alone"),
        pytest.param(lambda value: value[:-1], id="cut"),
        pytest.param(lambda value: value + b"\x00", id="trailing byte"),
        pytest.param(lambda value: value[:5] + b"\xff" * 40, id="rubbish"),
        pytest.param(lambda value: value[:5] + b"\x01" + value[6:], id="negative length"),
    ],
)
def test_a_value_that_no_approved_schema_reads_is_refused(hall: Hall, mangle: Callable[[bytes], bytes]) -> None:
    assert refusal(hall, mangled(hall, mangle)) == "E_SCHEMA"


@pytest.mark.parametrize("number", [0, 1001])
def test_a_submission_holds_from_one_to_a_thousand_changes(hall: Hall, number: int) -> None:
    row = permit()
    assert refusal(hall, hall.submit([hall.change(row) for _ in range(number)])) == "E_SCHEMA"


def test_a_thousand_changes_are_admitted(hall: Hall) -> None:
    row = permit()
    verdict = hall.admit(hall.submit([hall.change(row) for _ in range(1000)]))
    assert verdict.receipts[0]["admitted"] == len(verdict.records) == 1000


def test_a_submission_over_the_limit_is_refused_before_it_is_read(hall: Hall) -> None:
    assert refusal(hall, hall.message(b"\x00" * (MAX_BYTES + 1))) == "E_SCHEMA"


@pytest.mark.parametrize("wrong", ["", "no uuid", "44132419190504001X"])
def test_a_submission_id_that_is_no_uuid_is_refused_and_not_repeated(hall: Hall, wrong: str) -> None:
    message = submit(hall, submission_id=wrong)
    assert refusal(hall, message) == "E_SCHEMA"
    if wrong:
        assert not any(wrong.encode() in written for written in hall.admit(message).written())


@pytest.mark.parametrize(("ahead_s", "good"), [(0, True), (299, True), (301, False), (10**12, False)])
def test_a_submission_may_not_have_been_published_in_the_future(hall: Hall, ahead_s: int, *, good: bool) -> None:
    codec = hall.schema.submission
    datum = codec.decode_physical((submit(hall).value or b"")[5:])
    datum["published_at"] = int(NOW.timestamp() + ahead_s) * 1000
    message = hall.message(frame(hall.schema_id(codec), codec.encode_physical(datum)))
    assert admitted(hall, message) if good else refusal(hall, message) == "E_SCHEMA"


def test_a_submission_published_before_there_was_a_clock_is_refused(hall: Hall) -> None:
    codec = hall.schema.submission
    datum = codec.decode_physical((submit(hall).value or b"")[5:])
    for wrong in (0, -(10**15)):
        value = frame(hall.schema_id(codec), codec.encode_physical({**datum, "published_at": wrong}))
        assert refusal(hall, hall.message(value)) == "E_SCHEMA"


# -- what the answer tells -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [{"review_number": "R9"}, {"classification": "SECRET"}, {"agency": STATS}])
def test_a_submission_that_could_be_read_is_answered_by_its_id(hall: Hall, wrong: dict[str, str]) -> None:
    verdict = hall.admit(submit(hall, submission_id="00000000-0000-0000-0000-00000000abcd", **wrong))
    assert verdict.receipts[0]["submission_id"] == "00000000-0000-0000-0000-00000000abcd"
    assert verdict.refusals[0]["submission_id"] == "00000000-0000-0000-0000-00000000abcd"


def test_a_submission_that_could_not_be_read_is_answered_by_its_place(hall: Hall) -> None:
    verdict = hall.admit(mangled(hall, lambda value: value[:-1]))
    assert verdict.receipts[0]["submission_id"] is None


def test_receipts_stand_in_the_order_of_the_submissions(hall: Hall) -> None:
    batch = [submit(hall), mangled(hall, lambda value: value[:-1]), submit(hall, review_number="R9"), submit(hall)]
    verdict = hall.admit(*batch)
    assert [receipt["offset"] for receipt in verdict.receipts] == [message.offset for message in batch]
    assert [receipt["admitted"] for receipt in verdict.receipts] == [1, 0, 0, 1]


def test_an_empty_batch_writes_nothing(hall: Hall) -> None:
    verdict: Verdict = hall.admit()
    assert not verdict.outcome.outgoing


def test_the_submission_is_read_with_the_version_that_wrote_it_and_written_as_the_newest_lays_it_out(
    hall: Hall,
) -> None:
    text = packaged_text(PERMIT)
    newer = text.replace('"section": "restricted"', '"section": "identity"')
    message = submit(hall)
    hall.publish(newer, version=2)
    [record] = hall.admit(message).records
    assert record.value is not None
    assert record.value["submission"]["catalogue_version"] == 1
    assert record.value["submission"]["layout_version"] == 2
    assert record.value["restricted"] is None
    assert set(hall.open(record, "identity")) == set(resource_schema(newer).names("identity"))
