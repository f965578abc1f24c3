"""Changes into signed submissions: what is checked, how they are grouped, and that admit takes what comes out."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import example, given
from hypothesis import strategies as st

from bus.publishing.assemble import Prepared, Signed, Signer, check, prepare, sign, split, standing_review
from processors.batch import InMessage
from processors.keying import subject_key, subject_of
from schemas.codec import frame
from schemas.errors import NotProvisionedError
from schemas.identity import Identity
from schemas.partition import partition_of
from schemas.refusals import RefusalCode, Refused
from schemas.resource import packaged_text, resource_schema
from schemas.words import Change, Operation
from tests.builders import PERMIT, permit
from tests.hall import NOW_MS, Hall
from tests.hall_register import NOW, POLICE, STATS, signing_folder

ON = NOW.date()
DAY = timedelta(days=1)


@pytest.fixture
def hall() -> Hall:
    return Hall(packaged_text(PERMIT), partitions=7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return signing_folder(tmp_path, POLICE)


def change(number: int = 1, **more: Any) -> Change:
    return replace(Change(permit(number), NOW - DAY), **more)


def prepared(hall: Hall, made: Change) -> Prepared:
    found = prepare(hall.entry, made, ON)
    assert isinstance(found, Prepared)
    return found


def piece(number: int, size: int) -> Prepared:
    return Prepared(str(number), 0, {}, size)


# -- grouping ------------------------------------------------------------------------------------------------------


def sizes(groups: list[list[Prepared]]) -> list[list[int]]:
    return [[found.encoded_bytes for found in group] for group in groups]


def test_a_submission_is_full_when_it_holds_the_most_changes() -> None:
    groups = split([piece(number, 1) for number in range(7)], 3, 1_000)
    assert [[found.event_id for found in group] for group in groups] == [["0", "1", "2"], ["3", "4", "5"], ["6"]]


def test_a_submission_is_full_when_the_next_change_would_make_it_too_large() -> None:
    pieces = [piece(number, size) for number, size in enumerate([40, 60, 1, 99, 2])]
    assert sizes(split(pieces, 10, 100)) == [[40, 60], [1, 99], [2]]


def test_a_change_that_is_too_large_goes_alone_and_is_admits_to_refuse() -> None:
    pieces = [piece(number, size) for number, size in enumerate([5, 500, 5, 5])]
    assert sizes(split(pieces, 10, 100)) == [[5], [500], [5, 5]]


def test_nothing_becomes_no_submission() -> None:
    assert split([], 10, 100) == []


@given(st.lists(st.integers(0, 120), max_size=40), st.integers(1, 10), st.integers(1, 100))
@example([100, 100], 10, 100)
def test_groups_keep_the_order_stay_in_bounds_and_are_as_few_as_can_be(
    bytes_: list[int], most: int, max_bytes: int
) -> None:
    pieces = [piece(number, size) for number, size in enumerate(bytes_)]
    groups = split(pieces, most, max_bytes)
    assert [found for group in groups for found in group] == pieces
    for group in groups:
        assert 1 <= len(group) <= most
        assert len(group) == 1 or sum(found.encoded_bytes for found in group) <= max_bytes
    for group, following in pairwise(groups):
        full = sum(found.encoded_bytes for found in group) + following[0].encoded_bytes > max_bytes
        assert len(group) == most or full


# -- preparing -----------------------------------------------------------------------------------------------------


def test_a_subjects_changes_share_the_partition_that_kafkas_partitioner_gives_its_identity(hall: Hall) -> None:
    seen = set()
    for number in range(20):
        one, later = change(number), change(number, operation=Operation.CANCEL)
        identity = subject_of(hall.schema, one.data, ON)
        assert isinstance(identity, Identity)
        wanted = partition_of(subject_key(identity), 7)
        assert prepared(hall, one).partition == prepared(hall, later).partition == wanted
        seen.add(wanted)
    assert len(seen) > 3


def test_a_subject_without_a_usable_number_goes_to_partition_zero_for_admit_to_refuse(hall: Hall) -> None:
    for number in ("441302199003070010", None):
        assert prepared(hall, change(data={**permit(1), "id_type": "111", "id_number": number})).partition == 0


def test_an_event_id_is_kept_and_a_missing_one_is_made(hall: Hall) -> None:
    given_id = str(uuid.UUID(int=7))
    assert prepared(hall, change(event_id=given_id)).event_id == given_id
    made = {prepared(hall, change()).event_id for _ in range(5)}
    assert len(made) == 5
    assert all(str(uuid.UUID(found)) == found for found in made)


def test_the_size_is_that_of_the_avro_bytes_and_the_datum_is_the_change(hall: Hall) -> None:
    made = change(division="441302", operation=Operation.CORRECT, supersedes=str(uuid.UUID(int=9)))
    found = prepared(hall, made)
    encoded = hall.schema.change.encode(found.datum)
    assert found.encoded_bytes == len(encoded)
    read = hall.schema.change.decode(encoded)
    assert read["data"] == made.data
    assert (read["operation"], read["subject_division_code"], read["business_time"]) == ("CORRECT", "441302", NOW - DAY)
    assert str(read["supersedes"]) == made.supersedes


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (change(data={**permit(1), "nickname": "x"}), "nickname"),
        (change(data={**permit(1), "birth_date": "1990-01-01"}), "birth_date"),
        (change(data={**permit(1), "name": "\ud800"}), None),
        (change(division=441302), None),
    ],
    ids=["unknown field", "wrong type", "half a character", "division as a number"],
)
def test_what_cannot_be_encoded_is_refused_and_raises_nothing(hall: Hall, made: Change, field: str | None) -> None:
    found = prepare(hall.entry, made, ON)
    assert isinstance(found, Refused)
    assert (found.code, found.field) == (RefusalCode.E_SCHEMA, field)


def test_nothing_that_is_printed_holds_a_value(hall: Hall, folder: Path) -> None:
    made = change(5)
    found = prepared(hall, made)
    signed = sign(Signer(folder), POLICE, hall.entry, "R1", b"", [found], NOW)
    for value in (made.data["name"], made.data["id_number"]):
        assert value not in repr(found) + repr(signed)


# -- what a publisher can know to be wrong -------------------------------------------------------------------------


def test_a_good_change_passes(hall: Hall) -> None:
    assert check(hall.entry, change(), ON) is None


@pytest.mark.parametrize(
    ("made", "code", "field"),
    [
        (change(data={**permit(1), "nickname": 1}), RefusalCode.E_SCHEMA, "nickname"),
        (change(business_time=datetime(2026, 1, 1)), RefusalCode.E_SCHEMA, "business_time"),  # noqa: DTZ001  that is the test
        (change(operation=Operation.CORRECT), RefusalCode.E_SCHEMA, "supersedes"),
        (change(data=None), RefusalCode.E_SCHEMA, "data"),
        (change(data=[permit(1)]), RefusalCode.E_SCHEMA, "data"),
        (change(data={**permit(1), 7: "x"}), RefusalCode.E_SCHEMA, "data"),
        (change(business_time="2026-01-01"), RefusalCode.E_SCHEMA, "business_time"),
        (change(business_time=date(2026, 1, 1)), RefusalCode.E_SCHEMA, "business_time"),
        (change(operation="CREATE"), RefusalCode.E_SCHEMA, "operation"),
        (change(operation=None), RefusalCode.E_SCHEMA, "operation"),
        (change(data={**permit(1), "name": None}), RefusalCode.E_SCHEMA, "name"),
        (change(data={**permit(1), "name": ""}), RefusalCode.E_SCHEMA, "name"),
        (change(data={**permit(1), "id_number": None}), RefusalCode.E_NO_KEY, "id_number"),
        (
            change(data={**permit(1), "id_type": "111", "id_number": "441302199003070010"}),
            RefusalCode.E_ID_INVALID,
            "id_number",
        ),
    ],
)
def test_what_is_wrong_is_told_before_a_byte_is_sent(hall: Hall, made: Change, code: RefusalCode, field: str) -> None:
    found = check(hall.entry, made, ON)
    assert found is not None
    assert (found.code, found.field) == (code, field)


def test_a_withdrawal_needs_no_more_than_its_key(hall: Hall) -> None:
    keyed = {name: permit(1)[name] for name in ("id_type", "id_number", *hall.schema.record_key_fields)}
    assert check(hall.entry, change(data=keyed, operation=Operation.WITHDRAW), ON) is None
    assert check(hall.entry, change(data=keyed), ON) is not None


# -- the review that is cited --------------------------------------------------------------------------------------


def test_of_several_standing_reviews_the_longest_valid_is_cited(hall: Hall) -> None:
    hall.review(number="R2", valid_until=date(2027, 1, 1))
    hall.review(number="R3", valid_until=date(2026, 6, 2))
    assert standing_review(hall.view, POLICE, PERMIT, ON) == "R2"


@pytest.mark.parametrize(
    "wrong", [{"result": "FAIL"}, {"agency": STATS}, {"resource": "other"}, {"valid_until": date(2026, 5, 31)}], ids=str
)
def test_a_review_that_does_not_stand_is_not_cited(hall: Hall, wrong: dict[str, Any]) -> None:
    hall.view.apply("review", f"{POLICE}/R1", None)
    hall.review(**wrong)
    assert standing_review(hall.view, POLICE, PERMIT, ON) is None


def test_a_review_stands_on_its_first_and_on_its_last_day(hall: Hall) -> None:
    for day, stands in (
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), False),
    ):
        assert (standing_review(hall.view, POLICE, PERMIT, day) == "R1") is stands, day


# -- signing -------------------------------------------------------------------------------------------------------


def message(signed: Signed) -> InMessage:
    return InMessage(signed.topic, signed.partition, 0, NOW_MS, None, signed.value, dict(signed.headers))


def test_admit_takes_what_is_signed_here_in_the_order_in_which_it_was_handed_over(hall: Hall, folder: Path) -> None:
    changes = [prepared(hall, change(number)) for number in range(5)]
    head = frame(hall.schema_id(hall.schema.submission), b"")
    signed = sign(Signer(folder), POLICE, hall.entry, "R1", head, changes, NOW)
    assert signed.topic == f"change.{POLICE}.{PERMIT}"
    assert signed.partition == changes[0].partition
    verdict = hall.admit(message(signed))
    assert verdict.codes == []
    assert [str(record.value["change"]["event_id"]) for record in verdict.records if record.value] == [
        found.event_id for found in changes
    ]
    [receipt] = verdict.receipts
    assert str(receipt["submission_id"]) == signed.submission_id


def test_a_submission_cites_what_it_rests_on(hall: Hall, folder: Path) -> None:
    signed = sign(Signer(folder), POLICE, hall.entry, "R1", b"", [prepared(hall, change())], NOW)
    content = resource_schema(hall.entry.avro).submission.decode(signed.value)
    assert {name: content[name] for name in content if name not in ("changes", "submission_id")} == {
        "agency": POLICE,
        "resource": PERMIT,
        "catalogue_version": 1,
        "review_number": "R1",
        "classification": "NON_SECRET",
        "published_at": datetime(2026, 6, 1, 4, tzinfo=UTC),
    }


def test_each_submission_has_an_id_of_its_own(hall: Hall, folder: Path) -> None:
    signer, one = Signer(folder), [prepared(hall, change())]
    ids = {sign(signer, POLICE, hall.entry, "R1", b"", one, NOW).submission_id for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize("name", ["signing.key", "signing.crt"])
@pytest.mark.parametrize("content", [None, b"rubbish", b""])
def test_a_signing_file_that_is_missing_or_damaged_names_both(folder: Path, name: str, content: bytes | None) -> None:
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(NotProvisionedError, match=r"signing\.key or signing\.crt is missing or unreadable") as refused:
        Signer(folder)
    assert refused.value.__suppress_context__


def test_a_key_of_another_kind_is_told(folder: Path) -> None:
    key = generate_private_key(SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "signing.key").write_bytes(pem)
    with pytest.raises(NotProvisionedError, match=r"signing\.key is not an Ed25519 key"):
        Signer(folder)
