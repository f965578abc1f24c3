"""Rows that are wrong on purpose, each in exactly one way, with the code that must answer it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final

from bus.demo.people import BUSINESS, ENTERPRISE, FOREIGN_DIVISION, HOUSEHOLD, PERMIT, TODAY, Maker, Row
from schemas.identity import citizen_check_digit
from schemas.identity.check import USCC_ALPHABET
from schemas.refusals import RefusalCode
from schemas.resource import ResourceSchema, SubjectRule, packaged_text, resource_schema


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row that is wrong on purpose.

    Attributes:
        code: what admit must answer.
        why: what is wrong, in English.
        field_name: the field that the refusal must name.
    """

    resource: str
    row: Row = field(repr=False)
    code: RefusalCode
    why: str
    field_name: str


def wrong_rows(seed: int, resource: str, today: date = TODAY) -> Iterator[WrongRow]:
    """One row for each way in which a row of the resource can be wrong; otherwise the rows are right.

    The codes hold for an agency of Huizhou whose owner rule covers all of 441300. Rows that only another
    owner could write (E_OWNER) are of Shenzhen.
    """
    maker = Maker(Random(seed), today)  # noqa: S311  made-up people need no secret chance
    for change, code, why, name in _WRONGS.get(resource) or _wrongs_of(resource_schema(packaged_text(resource))):
        row = maker.row(resource)
        if resource == PERMIT:
            row["id_type"], row["id_number"] = "111", maker.citizen_number("430421", row["birth_date"], row["sex_code"])
        change(row, today)
        yield WrongRow(resource, row, code, why, name)


_Change = Callable[[Row, date], None]
_Wrong = tuple[_Change, RefusalCode, str, str]


def _put(name: str, value: str | None) -> _Change:
    return lambda row, _today: row.update({name: value})


def _drop(*names: str) -> _Change:
    return lambda row, _today: row.update(dict.fromkeys(names))


def _spoil(name: str) -> _Change:
    """The last digit but one is changed, so that the check character is wrong."""

    def change(row: Row, _today: date) -> None:
        number = row[name]
        row[name] = f"{number[:-2]}{(int(number[-2], 36) + 1) % 10}{number[-1]}"

    return change


def _birth(name: str, when: Callable[[date], str]) -> _Change:
    """The date of birth in the number is another one; the check character is right."""

    def change(row: Row, today: date) -> None:
        body = f"{row[name][:6]}{when(today)}{row[name][14:17]}"
        row[name] = body + citizen_check_digit(body)

    return change


def _spoil_code(row: Row, _today: date) -> None:
    """The credit code's check character is another one, and no registration number stands in for it."""
    code = row["unified_social_credit_code"] or "91441302MA4W1X2YX9"
    wrong = USCC_ALPHABET[(USCC_ALPHABET.index(code[-1]) + 1) % len(USCC_ALPHABET)]
    row.update(unified_social_credit_code=code[:-1] + wrong, registration_number=None)


def _spoil_registration(row: Row, today: date) -> None:
    """Only a registration number keys the business, and its check digit is wrong."""
    row["unified_social_credit_code"] = None
    _spoil("registration_number")(row, today)


def _tomorrow(today: date) -> str:
    return f"{today + timedelta(days=1):%Y%m%d}"


_ID, _SCHEMA, _CODE, _KEY, _OWNER = (
    RefusalCode.E_ID_INVALID,
    RefusalCode.E_SCHEMA,
    RefusalCode.E_CODE,
    RefusalCode.E_NO_KEY,
    RefusalCode.E_OWNER,
)
_WRONGS: Final[dict[str, tuple[_Wrong, ...]]] = {
    HOUSEHOLD: (
        (_spoil("citizen_id_number"), _ID, "wrong check character", "citizen_id_number"),
        (_birth("citizen_id_number", _tomorrow), _ID, "born tomorrow", "citizen_id_number"),
        (_birth("citizen_id_number", lambda _today: "19990231"), _ID, "31 February", "citizen_id_number"),
        (_drop("name"), _SCHEMA, "no name", "name"),
        (_put("sex_code", "7"), _CODE, "unknown sex code", "sex_code"),
        (_drop("citizen_id_number"), _KEY, "no number", "citizen_id_number"),
    ),
    PERMIT: (
        (_spoil("id_number"), _ID, "wrong check character", "id_number"),
        (_birth("id_number", _tomorrow), _ID, "born tomorrow", "id_number"),
        (_drop("name"), _SCHEMA, "no name", "name"),
        (_put("sex_code", "M"), _CODE, "a letter for a sex code", "sex_code"),
        (_put("id_type", "999"), _CODE, "unknown document type", "id_type"),
        (
            _put("registration_authority_division", FOREIGN_DIVISION),
            _OWNER,
            "another city's permit",
            "registration_authority_division",
        ),
        (_drop("residence_permit_number"), _KEY, "no permit number", "residence_permit_number"),
    ),
    ENTERPRISE: (
        (_spoil_code, _ID, "wrong check character", "unified_social_credit_code"),
        (
            _drop("unified_social_credit_code", "registration_number"),
            _KEY,
            "neither credit code nor registration number",
            "registration_number",
        ),
        (_drop("enterprise_name"), _SCHEMA, "no name", "enterprise_name"),
        (_put("legal_representative_id_type", "ID"), _CODE, "unknown code", "legal_representative_id_type"),
        (_put("division_code", FOREIGN_DIVISION), _OWNER, "another city's enterprise", "division_code"),
    ),
    BUSINESS: (
        (_spoil_registration, _ID, "wrong check digit", "registration_number"),
        (
            _drop("unified_social_credit_code", "registration_number"),
            _KEY,
            "neither credit code nor registration number",
            "registration_number",
        ),
        (_drop("operator_name"), _SCHEMA, "no operator", "operator_name"),
        (_put("division_code", FOREIGN_DIVISION), _OWNER, "another city's business", "division_code"),
    ),
}


def _wrong_subjects(rule: SubjectRule) -> Iterator[_Wrong]:
    if rule.type_field or rule.type_constant == "USCC":
        yield _one_subject(rule.number_field, _spoil_number), _ID, "wrong check character", rule.number_field
    if rule.type_field:
        yield (
            _one_subject(rule.number_field, lambda _number: "44130219990231701X"),
            _ID,
            "31 February",
            rule.number_field,
        )
    if rule.fallback_reason_field:
        dropped = _drop(rule.number_field, rule.fallback_reason_field)
        yield dropped, _KEY, "neither number nor reason", rule.fallback_reason_field
    if rule.fallback_class_field:
        yield _not_of_class(rule), _KEY, "not a market entity", rule.fallback_class_field
    numbers = [name for name in (rule.number_field, rule.fallback_number_field) if name]
    yield _drop(*numbers), _KEY, "no number", numbers[-1]


def _wrongs_of(schema: ResourceSchema) -> Iterator[_Wrong]:
    """The ways in which a row of any resource can be wrong, by its schema's own rules."""
    rule = schema.subject
    yield from _wrong_subjects(rule)
    for name, spec in schema.fields.items():
        if spec.required:
            yield _drop(name), _SCHEMA, "a required field is missing", name
        if spec.code_policy == "refuse" and name != rule.type_field:
            yield _put(name, "?"), _CODE, "unknown code", name
    if schema.division_field:
        yield _put(schema.division_field, FOREIGN_DIVISION), _OWNER, "another city's", schema.division_field
    for part in schema.record_key:
        if len(part) == 1 and part[0] not in (rule.number_field, rule.fallback_number_field):
            yield _drop(part[0]), _KEY, "a part of the record's key is missing", part[0]


def _not_of_class(rule: SubjectRule) -> _Change:
    """An organisation without credit code that no registration number may key."""

    def change(row: Row, _today: date) -> None:
        row[rule.number_field] = None
        row[str(rule.fallback_number_field)] = "441302000001234"
        row[str(rule.fallback_class_field)] = None

    return change


def _one_subject(name: str, change: Callable[[str], str]) -> _Change:
    """Change the number of the subject, of a kind that has a check character."""

    def spoil(row: Row, _today: date) -> None:
        number = row[name] or "44130219900307018X"
        if "id_type" in row:
            row["id_type"] = "111"
        row[name] = change(number if len(number) == _LONG else "44130219900307018X")

    return spoil


_LONG: Final = 18


def _spoil_number(number: str) -> str:
    alphabet = USCC_ALPHABET
    return number[:-1] + alphabet[(alphabet.index(number[-1]) + 1) % 10]
