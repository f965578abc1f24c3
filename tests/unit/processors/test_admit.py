"""Admit, the submission as a whole: signature, frame, route, register, review; one refusal and one receipt each."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from compliance.models import OwnerRule, SharingPeriod, SigningCertificate
from processors.batch import InMessage
from processors.signature import CERTIFICATE_HEADER, SIGNATURE_HEADER
from schemas.codec import frame
from schemas.refusals import RULES, RefusalCode
from schemas.resource import packaged_text, resource_schema
from tests.builders import PERMIT, permit
from tests.hall import MAX_BYTES, Hall, Verdict
from tests.hall_register import DAY, NOW, POLICE, STATS, signing_key

SECOND = timedelta(seconds=1)
TOPIC = f"change.{POLICE}.{PERMIT}"


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT))


def refusal(hall: Hall, message: InMessage) -> str:
    """The code with which the whole submission is refused; and that the answer is complete and the only one."""
    verdict = hall.admit(message)
    assert not verdict.records
    [refused], [receipt] = verdict.refusals, verdict.receipts
    code = RefusalCode(refused["code"])
    assert (refused["topic"], refused["partition"], refused["offset"]) == message[:3]
    assert (refused["index"], refused["event_id"], refused["stage"]) == (-1, None, "ADMIT")
    assert (refused["article"], refused["agency"], refused["resource"]) == (RULES[code].article, POLICE, PERMIT)
    assert refused["reason_zh"].startswith(RULES[code].zh)
    assert refused["reason_en"].startswith(RULES[code].en)
    assert (receipt["topic"], receipt["partition"], receipt["offset"], receipt["admitted"]) == (*message[:3], 0)
    shared = ("index", "event_id", "code", "field", "detail", "article")
    assert receipt["refused"] == [{name: refused[name] for name in shared}]
    assert [(pulse["admitted"], pulse["refused"]) for pulse in verdict.pulses] == [(0, 1)]
    assert verdict.outcome.counts["refused", POLICE, PERMIT, code.value] == 1
    return code.value


def admitted(hall: Hall, message: InMessage) -> bool:
    verdict = hall.admit(message)
    return len(verdict.records) == 1 and not verdict.refusals and verdict.receipts[0]["admitted"] == 1


def submit(hall: Hall, **changes: object) -> InMessage:
    return hall.submit([hall.change(permit())], **changes)  # type: ignore[arg-type]  # any field of a submission


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


# -- route and register --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lie", [{"agency": STATS}, {"resource": "household_registration"}])
def test_a_submission_that_names_another_agency_or_resource_than_its_topic_is_refused(
    hall: Hall, lie: dict[str, str]
) -> None:
    assert refusal(hall, submit(hall, **lie)) == "E_ROUTE"


@pytest.mark.parametrize("lack", [{"state": "CHECKED"}, {"state": "APPLIED"}, {"contacts": ()}])
def test_an_agency_that_is_not_connected_or_lacks_its_three_persons_may_not_write(
    hall: Hall, lack: dict[str, object]
) -> None:
    hall.agency(POLICE, **lack)
    assert refusal(hall, submit(hall)) == "E_NOT_ONBOARDED"


def test_a_resource_without_an_entry_is_refused(hall: Hall) -> None:
    message = submit(hall)
    hall.view.apply("catalogue", f"{PERMIT}@1", None)
    assert refusal(hall, message) == "E_NOT_IN_CATALOGUE"


@pytest.mark.parametrize(
    "change",
    [
        {"state": "RETIRED"},
        {"sharing_period": SharingPeriod(from_=date(2026, 6, 2))},
        {"sharing_period": SharingPeriod(from_=date(2020, 1, 1), until=date(2026, 5, 31))},
    ],
)
def test_a_retired_entry_or_one_outside_its_sharing_period_is_refused(hall: Hall, change: dict[str, object]) -> None:
    hall.publish(packaged_text(PERMIT), **change)
    assert refusal(hall, submit(hall)) == "E_NOT_IN_CATALOGUE"


def test_a_sharing_period_is_counted_in_days_of_shanghai(hall: Hall) -> None:
    period = SharingPeriod(from_=date(2026, 6, 1), until=date(2026, 6, 1))
    hall.publish(packaged_text(PERMIT), sharing_period=period)
    midnight = NOW.replace(hour=16) - DAY  # 24:00 of 31 May in Shanghai
    assert refusal(hall, submit(hall, append=midnight - SECOND)) == "E_NOT_IN_CATALOGUE"
    assert admitted(hall, submit(hall, append=midnight))
    assert admitted(hall, submit(hall, append=midnight + DAY - SECOND))
    assert refusal(hall, submit(hall, append=midnight + DAY)) == "E_NOT_IN_CATALOGUE"


def test_a_catalogue_version_that_never_was_is_refused(hall: Hall) -> None:
    assert refusal(hall, submit(hall, catalogue_version=2)) == "E_VERSION"


def test_an_older_version_is_admitted_until_its_grace_is_over(hall: Hall) -> None:
    hall.publish(packaged_text(PERMIT), version=2, published_at=NOW - 10 * DAY, grace_days=10)
    assert admitted(hall, submit(hall, catalogue_version=2))
    assert admitted(hall, submit(hall, append=NOW))
    assert refusal(hall, submit(hall, append=NOW + SECOND)) == "E_VERSION"


def test_the_grace_of_a_version_runs_from_its_own_successor(hall: Hall) -> None:
    hall.publish(packaged_text(PERMIT), version=2, published_at=NOW - 40 * DAY, grace_days=30)
    hall.publish(packaged_text(PERMIT), version=3, published_at=NOW - DAY, grace_days=30)
    assert refusal(hall, submit(hall, catalogue_version=1)) == "E_VERSION"
    assert admitted(hall, submit(hall, catalogue_version=2))


def test_an_agency_that_no_owner_rule_names_is_refused() -> None:
    hall = Hall(packaged_text(PERMIT), OwnerRule(agencies=(STATS,)))
    assert refusal(hall, submit(hall)) == "E_OWNER"


def test_an_owner_rule_binds_from_its_first_instant_to_before_its_last() -> None:
    rule = OwnerRule(agencies=(POLICE,), effective_from=NOW - 2 * DAY, effective_until=NOW - DAY)
    hall = Hall(packaged_text(PERMIT), rule)
    assert refusal(hall, submit(hall, append=NOW - 2 * DAY - SECOND)) == "E_OWNER"
    assert admitted(hall, submit(hall, append=NOW - 2 * DAY))
    assert admitted(hall, submit(hall, append=NOW - DAY - SECOND))
    assert refusal(hall, submit(hall, append=NOW - DAY)) == "E_OWNER"


# -- secrecy -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"result": "FAIL"},
        {"reviewed_on": date(2026, 6, 2)},
        {"valid_until": date(2026, 5, 31)},
        {"resource": "household_registration"},
        {"catalogue_version": 2},
    ],
)
def test_a_review_that_failed_or_is_of_another_time_resource_or_version_covers_nothing(
    hall: Hall, change: dict[str, object]
) -> None:
    hall.review(**change)
    assert refusal(hall, submit(hall)) == "E_SECRECY_REVIEW"


def test_a_review_holds_on_its_first_and_last_day(hall: Hall) -> None:
    hall.review(reviewed_on=date(2026, 6, 1), valid_until=date(2026, 6, 1))
    assert admitted(hall, submit(hall))


def test_a_review_that_nobody_filed_or_another_agency_did_covers_nothing(hall: Hall) -> None:
    hall.review(number="R2", agency=STATS)
    for number in ("", "R2", "R9"):
        assert refusal(hall, submit(hall, review_number=number)) == "E_SECRECY_REVIEW"


@pytest.mark.parametrize("classification", ["INTERNAL", "CONFIDENTIAL", "SECRET", "TOP_SECRET", "", "non_secret"])
def test_data_that_are_not_non_secret_are_refused_purged_at_once_and_open_an_incident(
    hall: Hall, classification: str
) -> None:
    message = submit(hall, classification=classification)
    verdict = hall.admit(submit(hall), message)
    assert verdict.codes == [(-1, "E_STATE_SECRET", "classification")]
    assert verdict.outcome.purge == [(message.topic, message.partition, message.offset)]
    [incident] = verdict.incidents
    assert (incident["kind"], incident["agency"], incident["resource"]) == ("STATE_SECRET_FOUND", POLICE, PERMIT)
    assert (incident["topic"], incident["partition"], incident["offset"]) == message[:3]
    assert verdict.outcome.counts["incidents", "STATE_SECRET_FOUND"] == 1
    assert len(verdict.records) == 1, "the submission before it is not affected"


def test_a_batch_that_is_worked_again_opens_the_same_incident(hall: Hall) -> None:
    message = submit(hall, classification="SECRET")
    first, again = hall.admit(message), hall.admit(message)
    assert first.incidents[0]["incident_id"] == again.incidents[0]["incident_id"]


def test_any_other_refusal_purges_nothing(hall: Hall) -> None:
    verdict = hall.admit(submit(hall, review_number="R9"))
    assert not verdict.outcome.purge
    assert not verdict.incidents


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
