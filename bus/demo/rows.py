"""Rows of any resource, made by its schema's own rules: what a field holds follows from role, code list, type, name.

So a resource that is new in the catalogue has demo rows and test rows on the same day (Art 36).
"""

from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from bus.demo import words
from schemas.codelists import load
from schemas.field import FieldSpec
from schemas.identity import birth_date_of, sex_of
from schemas.resource import ResourceSchema

if TYPE_CHECKING:
    from bus.demo.people import Maker

# The registering authority and category that a credit code of the resource begins with (GB 32100).
_CREDIT: Final = {
    "private_non_enterprise": "52",
    "social_organisation": "51",
    "welfare_institution": "52",
    "public_institution": "12",
}
_USUAL: Final = {"nationality_code": "CHN", "entity_class": "ENTERPRISE", "age_unit": "YEAR"}
_MOST_DAYS: Final = 3_000


def row_of(maker: "Maker", schema: ResourceSchema) -> dict[str, Any]:
    """One valid row; no two of one maker have the same subject."""
    subject = _subject(maker, schema)
    return {name: subject[name] if name in subject else _value(maker, spec) for name, spec in schema.fields.items()}


def _subject(maker: "Maker", schema: ResourceSchema) -> dict[str, Any]:
    """What the row says of its subject, in fields that must agree with each other."""
    rule = schema.subject
    if rule.kind == "feature":
        return {rule.number_field: maker.fresh(lambda: f"HZ.{maker.rng.randrange(10**8):08d}")}
    if rule.kind == "organisation":
        return _organisation(maker, schema)
    if rule.type_constant == "117":
        return _newborn(maker, schema)
    return _person(maker, schema)


def _organisation(maker: "Maker", schema: ResourceSchema) -> dict[str, Any]:
    rule = schema.subject
    county = maker.rng.choice(tuple(words.COUNTIES))
    code = maker.credit_code(_CREDIT.get(schema.code, "91"), county)
    found: dict[str, Any] = {rule.number_field: code, "taxpayer_id": code, "organisation_name": f"惠州市{maker.firm()}"}
    if rule.fallback_number_field:
        old = maker.chance(20)
        found[rule.fallback_number_field] = maker.registration_number(county, "0123") if old else None
        found[rule.number_field] = None if old else code
    return found


def _newborn(maker: "Maker", schema: ResourceSchema) -> dict[str, Any]:
    number = maker.fresh(lambda: f"X44{maker.rng.randrange(10**7):07d}")
    born = maker.days_back(1, 360)
    sex = maker.rng.choice("12")
    return {
        schema.subject.number_field: number,
        "id_type": "117",
        "id_number": number,
        "sex": "男" if sex == "1" else "女",
        "sex_code": sex,
        "birth_date": born,
        "certificate_issue_date": born,
        **_parent(maker, "mother", "2"),
        **_parent(maker, "father", "1"),
    }


def _parent(maker: "Maker", who: str, sex: str) -> dict[str, Any]:
    county = maker.rng.choice(tuple(words.COUNTIES))
    return {
        f"{who}_name": maker.name(sex),
        f"{who}_id_type": "111",
        f"{who}_id_number": maker.citizen_number(county, maker.adult(), sex),
    }


def _person(maker: "Maker", schema: ResourceSchema) -> dict[str, Any]:
    rule = schema.subject
    born, sex = maker.birth_date(), maker.rng.choice("12")
    document, number = maker.document(maker.rng.choice(tuple(words.COUNTIES)), born, sex)
    found: dict[str, Any] = {"sex_code": sex, "birth_date": born, rule.number_field: number}
    if rule.type_field:
        found[rule.type_field] = document
    if rule.name_field:
        found[rule.name_field] = maker.name(sex)
    if document != "111":  # only a citizen's number is part of a disability certificate's
        document, number = "111", maker.citizen_number("441302", born, sex)
    assert (birth_date_of(number), sex_of(number)) == (born, sex)  # noqa: S101  the maker's own promise
    found["disability_certificate_number"] = f"{number}{maker.rng.randrange(1, 8)}{maker.rng.randrange(1, 5)}"
    if schema.code == "disability":
        found[rule.number_field], found["id_type"] = number, document
    if rule.fallback_number_field:
        found[rule.fallback_number_field] = maker.fresh(lambda: f"4413{maker.rng.randrange(10**10):010d}")
        unknown = maker.chance(5)
        if unknown:
            found |= {"id_type": None, rule.number_field: None}
        found[str(rule.fallback_reason_field)] = "身份不明" if unknown else None
    return found


def _value(maker: "Maker", spec: FieldSpec) -> Any:  # noqa: ANN401, PLR0911  one return for each kind of field
    if spec.name in _USUAL:
        return _USUAL[spec.name]
    if spec.code_list == "gbt2260_division":
        return maker.rng.choice(tuple(words.COUNTIES))
    if spec.code_list == "gat517_document":
        return "111"
    if spec.code_list:
        return maker.rng.choice(_codes(spec.code_list, maker.today))
    kind = spec.value_type
    if kind == "date":
        return maker.days_back(30, _MOST_DAYS)
    if kind == "int":
        return maker.rng.randrange(1, 100)
    if kind == "decimal":
        return Decimal(maker.rng.randrange(1, 10**6)).scaleb(-2)
    if spec.section == "identity" and spec.name.endswith("id_number"):
        return maker.citizen_number("441302", maker.adult(), "1")
    if spec.section == "identity" and spec.name.endswith(("_name", "_signature")):
        return maker.name(maker.rng.choice("12"))
    return _text(maker, spec)


@cache
def _codes(name: str, on: date) -> tuple[str, ...]:
    codes = load(name)
    return tuple(code for code in codes if codes.contains(code, on))


def _text(maker: "Maker", spec: FieldSpec) -> str:
    if spec.name.endswith("_address"):
        return f"惠州市{maker.road()}"
    if spec.name.endswith(("_number", "_code", "_phone", "_ref")):
        return maker.fresh(lambda: f"{maker.rng.randrange(10**12):012d}")
    return f"{spec.cn}{maker.rng.randrange(1, 1_000)}"
