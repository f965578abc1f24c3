"""Records of made-up subjects for cross-checks, most in order, some with one thing wrong that one check must find."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from random import Random
from typing import Any

from bus.demo.people import Maker
from compliance.crosschecks import CrossCheck
from processors.crosscheck.facts import Digester, FactMaker
from processors.keying import TOKEN_BYTES
from schemas.codec import Codec
from schemas.partition import partition_of
from schemas.resource import ResourceSchema

Row = dict[str, Any]
_TEMPLATES = 40
_SEALED = (160, 120)
_DAY = 86_400_000
_LONG_AGO_DAYS = 400
# Of so many subjects, one has each fault.
_EVERY = 400
_BESIDE = ("marriage", "social_insurance", "housing_fund")
FAULTS = (
    "death_household",
    "death_reason",
    "name_by_number",
    "permit_household",
    "permit_beside_household",
    "enterprise_tax",
    "tax_enterprise_name",
    "birth_household",
    "birth_household_sex",
    "birth_link",
    "permit_single",
    "business_kind_single",
)
"""What is wrong with some subjects, named after the check that finds it."""
_ENTERPRISE = ("enterprise_tax", "tax_enterprise_name", "business_kind_single")


@dataclass(frozen=True, slots=True)
class Said:
    """One source's word on a subject: the resource, who publishes it, and what of its row the scene decides."""

    resource: str
    fields: Row
    agency: str = ""
    record: bytes = b""
    link: bytes | None = None


def subject(number: int) -> tuple[str | None, bytes, list[Said]]:
    """The fault, the token and the words of one subject; each number has its own."""
    fault = FAULTS[number % _EVERY] if number % _EVERY < len(FAULTS) else None
    # As tokens are: no two subjects that come together lie side by side.
    token = sha256(number.to_bytes(8, "big")).digest()[:TOKEN_BYTES]
    enterprise = fault in _ENTERPRISE or (fault is None and number % 5 == 0)
    return fault, token, _enterprise(number, fault) if enterprise else _person(number, fault, token)


def _enterprise(number: int, fault: str | None) -> list[Said]:
    name = f"惠州市第{number}有限公司"
    found = [Said("enterprise_registration", {"enterprise_name": name})]
    if fault != "enterprise_tax":
        found.append(Said("national_tax", {"organisation_name": name}))
        other = "乙" if fault == "tax_enterprise_name" else ""
        found.append(Said("local_tax", {"organisation_name": name + other}))
    if fault == "business_kind_single":
        found.append(Said("individual_business", {"business_name": name}))
    return found


def _person(number: int, fault: str | None, token: bytes) -> list[Said]:
    who: Row = {"name": f"测试{number}", "sex_code": "12"[number % 2], "ethnicity_code": "01"}
    other = {**who, "sex_code": "21"[number % 2]}
    dead = fault in ("death_household", "death_reason") or (fault is None and number % 11 == 0)
    household: Row = {**who, "household_status": "NORMAL", "cancellation_reason": None}
    if dead and fault != "death_household":
        reason = "MOVED_OUT" if fault == "death_reason" else "DEATH"
        household |= {"household_status": "CANCELLED", "cancellation_reason": reason}
    found = [Said("household_registration", household)]
    if fault in ("birth_household", "permit_single"):
        found = []
    for resource in _BESIDE:
        name = "另名" if fault == "name_by_number" and resource == "marriage" else who["name"]
        found.append(Said(resource, {"name": name}))
    if dead:
        found.append(Said("death_certificate", {"deceased_name": who["name"], "sex_code": who["sex_code"]}))
    ended = {"cancellation_date": 20_000}
    if fault == "permit_single":
        stands = {**who, "cancellation_date": None}
        found += [Said("residence_permit", stands, agency, agency.encode()) for agency in ("east", "west")]
    elif fault == "permit_beside_household":
        found.append(Said("residence_permit", {**who, "cancellation_date": None}))
    elif fault == "permit_household" or number % 3 == 0:
        found.append(Said("residence_permit", {**(other if fault == "permit_household" else who), **ended}))
    if fault in ("birth_household", "birth_household_sex", "birth_link") or (fault is None and number % 17 == 0):
        sex = other["sex_code"] if fault == "birth_household_sex" else who["sex_code"]
        child = {"newborn_name": who["name"], "sex_code": sex, "id_type": "111", "id_number": "1"}
        away = b"\xff" * TOKEN_BYTES
        found.append(Said("birth_certificate", child, link=away if fault == "birth_link" else token))
    return found


class RecordWriter:
    """Record values of one resource, as admit would write them but for what is sealed.

    Args:
        schema: of the resource.
        checks: what is compared.
        digester: the key.
        head: the frame head of the record topic.
        partitions: of it.
        rng: decides what the scene does not.
        packaged: the packaged resource that the schema is a copy of; none, it is one itself.
    """

    def __init__(
        self,
        schema: ResourceSchema,
        checks: Sequence[CrossCheck],
        digester: Digester,
        head: bytes,
        partitions: int,
        rng: Random,
        packaged: str | None = None,
    ) -> None:
        self._schema, self._head, self._partitions, self._rng = schema, head, partitions, rng
        self._link: bytes | None = None
        self._facts = FactMaker(tuple(checks), digester, lambda *_: self._link)
        self._on = datetime.now(UTC).date()
        maker, codec = Maker(rng, date(2026, 1, 1)), Codec({**schema.avro, "namespace": "scene"})
        self._rows = [codec.decode_physical(codec.encode(self._row(maker, packaged))) for _ in range(_TEMPLATES)]
        self._now = int(datetime.now(UTC).timestamp() * 1000)

    def _row(self, maker: Maker, packaged: str | None) -> Row:
        row = maker.row(packaged or self._schema.code)
        return {name: row.get(name) for name in self._schema.fields}

    def write(
        self,
        token: bytes,
        said: Said,
        event_id: str,
        *,
        operation: str = "PUBLISH",
        days_ago: float = _LONG_AGO_DAYS,
        division: str = "441302",
    ) -> tuple[int, bytes, bytes]:
        """Partition, key and value of one record."""
        self._link = said.link
        row = {**self._rows[self._rng.randrange(_TEMPLATES)], **said.fields}
        gone = operation == "WITHDRAW"
        datum = {
            "change": {
                "event_id": event_id,
                "operation": operation,
                "business_time": self._now - int(days_ago * _DAY),
                "subject_division_code": division,
                "flags": [],
                "index": 0,
                "discriminator": said.record,
            },
            "submission": {
                "submission_id": event_id,
                "agency": said.agency or said.resource,
                "partition": 0,
                "offset": 0,
                "certificate": "0",
                "catalogue_version": 1,
                "layout_version": 1,
                "review_number": "R-1",
                "freshness": "DYNAMIC",
                "sharing": "CONDITIONAL",
                "published_at": self._now,
                "admitted_at": self._now,
                "key_id": "s1",
            },
            "open": {} if gone else row,
            "identity": None if gone else self._rng.randbytes(_SEALED[0]),
            "restricted": None if gone else self._rng.randbytes(_SEALED[1]),
            "compared": None if gone else self._facts.compared(self._schema, (), row, self._on),
        }
        key = token + said.record.ljust(TOKEN_BYTES, b"\0") if said.record else token
        value = self._head + self._schema.record.encode_physical(datum)
        return partition_of(token, self._partitions), key, value


def event_ids(seed: int) -> Iterator[str]:
    """Event ids without end."""
    rng = Random(seed)  # noqa: S311  a scene must repeat
    while True:
        yield str(uuid.UUID(int=rng.getrandbits(128), version=4))
