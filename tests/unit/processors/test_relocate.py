"""Relocate on real records: what moves opens at its home and nowhere else; what admit says of identity links."""

from typing import Any

import pytest

from compliance.models import OwnerRule
from processors.batch import Outgoing
from processors.deliver import RecordMessage
from processors.keying import TOKEN_BYTES, TokenKeys, record_key, subject_of, token_of
from processors.links import Links
from processors.rekey import Rekeyer
from processors.relocate import Relocator, Writer
from processors.sealing import Opener, Sealer
from schemas.codec import Codec, unframe
from schemas.errors import KeyStoreError
from schemas.identity import Identity
from schemas.partition import partition_of
from schemas.refusals import RefusalCode
from schemas.resource import packaged_text
from tests.builders import TODAY, permit
from tests.hall import NOW_MS, Hall, Record
from tests.hall_register import POLICE

PERMIT = packaged_text("residence_permit")
LINK = packaged_text("identity_link")
OLD, NEW = permit(1, id_type="111", id_number="44130219900307018X"), permit(2, id_type="111")
NEW_KEYS = TokenKeys("t2", bytes(range(1, 33)), bytes(range(33, 65)))


def token(hall: Hall, row: dict[str, Any]) -> bytes:
    found = subject_of(hall.schema, row, TODAY)
    assert isinstance(found, Identity)
    return token_of(found, hall.tokens)


def messages(hall: Hall, *rows: dict[str, Any]) -> list[RecordMessage]:
    return [RecordMessage(at, record.key, record.raw) for at, record in enumerate(hall.admit_rows(*rows))]


def written(*messages: Outgoing) -> list[Record]:
    return [Record(message["key"], message["partition"], None, message["value"]) for message in messages]


def decode(hall: Hall, message: RecordMessage) -> dict[str, Any]:
    framed = unframe(message.value)
    assert framed is not None
    return hall.codecs[framed[0]].decode_physical(framed[1])


def writer(hall: Hall) -> Writer:
    codec = hall.schema.record

    def layout(_: int) -> tuple[bytes, Codec]:
        return b"\x00" + hall.schema_id(codec).to_bytes(4, "big"), codec

    return Writer("record.residence_permit", 4, layout)


def sealer(hall: Hall) -> Sealer:
    return Sealer(hall.keys, bytes)


@pytest.fixture
def hall() -> Hall:
    return Hall(PERMIT)


def test_a_moved_record_opens_under_its_home_and_no_longer_under_its_old_token(hall: Hall) -> None:
    links, old, home = Links(), token(hall, OLD), token(hall, NEW)
    links.put(old, home)
    relocator = Relocator(links, hall.tokens, sealer(hall), hall.opener)
    [message] = messages(hall, OLD)
    leaving = relocator.leaving(0, [message], lambda m: decode(hall, m), 4)
    moved, left, tombstone = relocator.move(leaving, {}, writer(hall), NOW_MS)
    record = decode(hall, RecordMessage(0, moved["key"], moved["value"]))
    assert moved["key"][:TOKEN_BYTES] == home
    assert moved["key"] == record_key(home, record["change"]["discriminator"], hall.tokens)
    assert moved["partition"] == partition_of(home, 4)
    event_id = record["change"]["event_id"].encode()
    plain = hall.opener.open("s1", "identity", record["identity"], home + event_id)
    assert OLD["id_number"].encode() in plain
    with pytest.raises(KeyStoreError):
        hall.opener.open("s1", "identity", record["identity"], old + event_id)
    gone = decode(hall, RecordMessage(0, left["key"], left["value"]))
    assert (left["key"], tombstone) == (message.key, {"key": message.key, "value": None, "partition": 0})
    assert gone["change"]["operation"] == "MOVE"
    assert gone["change"]["moved_to"] == home
    assert (gone["identity"], gone["restricted"]) == (None, None)
    assert set(gone["open"].values()) == {None}


def test_a_subscriber_is_told_why_a_record_leaves_and_under_which_pseudonym_it_goes_on(hall: Hall) -> None:
    links, old, home = Links(), token(hall, OLD), token(hall, NEW)
    links.put(old, home)
    relocator = Relocator(links, hall.tokens, sealer(hall), hall.opener)
    records = messages(hall, OLD)
    leaving = relocator.leaving(0, records, lambda m: decode(hall, m), 4)
    moved, left, tombstone = relocator.move(leaving, {}, writer(hall), NOW_MS)
    plan = hall.grant(("sex_code", "id_number"))
    [there] = hall.deliver(written(moved), plan)
    told, gone = hall.deliver(written(left, tombstone), plan)
    assert there.value is not None
    assert told.value is not None
    assert (told.value["operation"], told.value["reason"], told.value["data"]) == ("WITHDRAW", "IDENTITY_LINK", None)
    assert told.value["moved_to"] == there.value["subject"] != told.value["subject"]
    assert there.value["data"]["id_number"] == OLD["id_number"]
    assert there.value["moved_at"] is not None
    assert (gone.key, gone.value) == (told.key, None)


def test_re_keying_finds_the_same_subject_under_the_new_keys_and_leaves_what_is_new(hall: Hall) -> None:
    rekeyer = Rekeyer(Links(), NEW_KEYS, hall.opener, b"", hall.fact_maker(NEW_KEYS))
    relocator = Relocator(Links(), NEW_KEYS, sealer(hall), hall.opener)
    records = messages(hall, OLD, NEW)
    found = rekeyer.rekey(0, records, lambda m: decode(hall, m), lambda _: hall.entry, 4, TODAY)
    assert (len(found.leaving), found.links, found.left) == (2, [], 0)
    out = relocator.move(found.leaving, {}, writer(hall), NOW_MS)
    moved = [RecordMessage(at, m["key"], m["value"]) for at, m in enumerate(out[::3])]
    for message, row in zip(moved, (OLD, NEW), strict=True):
        identity = subject_of(hall.schema, row, TODAY)
        assert isinstance(identity, Identity)
        assert message.key[:TOKEN_BYTES] == token_of(identity, NEW_KEYS)
    again = rekeyer.rekey(0, moved, lambda m: decode(hall, m), lambda _: hall.entry, 4, TODAY)
    assert again.leaving == []


def test_re_keying_does_not_open_with_a_key_that_is_not_held(hall: Hall) -> None:
    rekeyer = Rekeyer(Links(), NEW_KEYS, Opener({}), b"", hall.fact_maker(NEW_KEYS))
    with pytest.raises(KeyStoreError, match="no key s1"):
        rekeyer.rekey(0, messages(hall, OLD), lambda m: decode(hall, m), lambda _: hall.entry, 4, TODAY)


# -- what admit says of links --------------------------------------------------------------------------------------


@pytest.fixture
def links() -> Hall:
    return Hall(LINK, OwnerRule(agencies=(POLICE,), field="kind", values=("NUMBER_ASSIGNED", "CORRECTED", "RENEWED")))


def link(old: str, new: str, **more: object) -> dict[str, Any]:
    numbers = {"old_id_type": "111", "old_id_number": old, "new_id_type": "111", "new_id_number": new}
    return {**numbers, "kind": "CORRECTED", "effective_on": None, "basis": None, **more}


A, B, C = "44130219900307018X", "441322199602290219", "441302200002290127"


def test_a_link_is_kept_under_the_number_that_is_given_up_and_told_to_the_workers(links: Hall) -> None:
    verdict = links.admit(links.submit([links.change(link(A, B))]))
    assert verdict.codes == []
    [entry] = verdict.outcome.outgoing["bus.identity-links"]
    [record] = verdict.records
    assert entry["key"] == record.key
    assert entry["value"] is not None


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        (link(A, A), RefusalCode.E_LINK, "new_id_number"),
        (link(A, "130503670401001", old_id_number="130503196704010016"), RefusalCode.E_LINK, "new_id_number"),
        (link(A, "441302199003070010"), RefusalCode.E_ID_INVALID, "new_id_number"),
        (link(A, None), RefusalCode.E_NO_KEY, "new_id_number"),  # type: ignore[arg-type]  # what is missing is the point
        (link(None, B), RefusalCode.E_NO_KEY, "old_id_number"),  # type: ignore[arg-type]  # as above
        (link(A, B, kind="WISH"), RefusalCode.E_CODE, "kind"),
        (link(A, B, kind="CREDIT_CODE_ASSIGNED"), RefusalCode.E_OWNER, None),
    ],
    ids=["itself", "two forms of one number", "invalid", "no new", "no old", "unknown kind", "another owner's kind"],
)
def test_a_link_that_says_nothing_or_is_not_its_owners_is_refused(
    links: Hall, row: dict[str, Any], code: RefusalCode, field: str | None
) -> None:
    verdict = links.admit(links.submit([links.change(row)]))
    assert verdict.codes == [(0, code.value, field)]
    assert "bus.identity-links" not in verdict.outcome.outgoing


def test_a_number_is_linked_once_until_the_link_is_withdrawn(links: Hall) -> None:
    changes = [
        links.change(link(A, B)),
        links.change(link(A, B)),
        links.change(link(A, C)),
        links.change(link(A, B), operation="WITHDRAW"),
        links.change(link(A, C)),
    ]
    verdict = links.admit(links.submit(changes))
    assert verdict.codes == [(2, "E_LINK", "new_id_number")]
    values = [entry["value"] is None for entry in verdict.outcome.outgoing["bus.identity-links"]]
    assert values == [False, False, True, False]
