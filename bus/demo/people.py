"""People, permits and firms that do not exist: rows for the demo, the tests and the benchmark.

Every number is made by the rule that admits it, names and addresses are composed of lists of words; the
same seed gives the same town. A row is a dictionary with the fields of its resource schema, values as a
publisher hands them over (dates as `date`, decimals as `Decimal`). `wrong_rows` makes rows that must be
refused, with the code of why. A number may by chance be somebody's, since every valid one is given some
day; nothing else in its row is that person's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from bus.demo import words
from schemas.identity import (
    HMT_RESIDENCE,
    citizen_check_digit,
    organisation_code_check,
    registration_check_digit,
    uscc_check_character,
)
from schemas.identity.check import USCC_ALPHABET
from schemas.refusals import RefusalCode

Row = dict[str, Any]

# The day on which the demo's town is looked at; nothing in it lies later.
TODAY: Final = date(2026, 6, 1)
HOUSEHOLD: Final = "household_registration"
PERMIT: Final = "residence_permit"
ENTERPRISE: Final = "enterprise_registration"
BUSINESS: Final = "individual_business"
# Shenzhen's Nanshan: near, real, and no agency of Huizhou may write about it.
FOREIGN_DIVISION: Final = "440305"
_PERMIT_DAYS: Final = 3650
_HAN: Final = "01"
_OTHER_ETHNICITIES: Final = ("03", "06", "08", "12", "13", "15", "22")
_CURRENCY: Final = "CNY"


@dataclass(frozen=True, slots=True)
class Town:
    """Everything that `generate` made, by resource."""

    people: list[Row] = field(repr=False)
    permits: list[Row] = field(repr=False)
    enterprises: list[Row] = field(repr=False)
    businesses: list[Row] = field(repr=False)

    def rows(self) -> dict[str, list[Row]]:
        """The rows by resource code."""
        return {HOUSEHOLD: self.people, PERMIT: self.permits, ENTERPRISE: self.enterprises, BUSINESS: self.businesses}


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


class Maker:
    """Makes rows from a random generator; no two subjects of one maker are the same.

    Args:
        rng: decides everything.
        today: the day on which the rows make sense.
    """

    def __init__(self, rng: Random, today: date = TODAY) -> None:
        self._rng = rng
        self._today = today
        self._used: set[str] = set()

    # -- the four resources
    # ------------------------------------------------------------------------------------

    def person(self) -> Row:
        """A row of `household_registration` (Art 18), of one of Huizhou's counties."""
        rng = self._rng
        county = rng.choice(tuple(words.COUNTIES))
        sex = rng.choice("12")
        number = self.citizen_number(county, self._birth_date(), sex)
        township = rng.choice(words.TOWNSHIPS[county])
        cancelled = self._chance(3)
        return {
            "name": self.name(sex),
            "citizen_id_number": number,
            "sex_code": sex,
            "ethnicity_code": self._ethnicity(),
            "household_township": township,
            "household_police_station": _police_station(township),
            "photo": rng.randbytes(64) if self._chance(2) else None,
            "household_status": "CANCELLED" if cancelled else "NORMAL",
            "pre_cancellation_division": county if cancelled else None,
            "pre_cancellation_police_station": _police_station(township) if cancelled else None,
            "cancellation_date": self._days_back(1, 2000) if cancelled else None,
            "cancellation_reason": rng.choice(("MOVED_OUT", "DEATH")) if cancelled else None,
        }

    def permit(self, county: str | None = None) -> Row:
        """A row of `residence_permit` (Art 19); most holders have a citizen number, some come from elsewhere."""
        rng = self._rng
        county = county or rng.choice(tuple(words.COUNTIES))
        origin, place = rng.choice(words.ORIGINS)
        sex, born = rng.choice("12"), self._birth_date()
        document, number = self._document(origin, born, sex)
        citizen = document == "111"
        township = rng.choice(words.TOWNSHIPS[county])
        registered = self._days_back(30, _PERMIT_DAYS)
        return {
            "name": self.name(sex),
            "id_type": document,
            "id_number": number,
            "sex_code": sex,
            "ethnicity_code": self._ethnicity() if citizen else None,
            "birth_date": born,
            "household_address": f"{place}{self._road()}" if citizen else None,
            "residence_permit_number": self._fresh(lambda: f"{county}{rng.randrange(10**9):09d}"),
            "residence_address_detail": f"惠州市{words.COUNTIES[county]}{township}{self._road()}",
            "residence_county": county,
            "residence_township": township,
            "residence_committee": f"{rng.choice(words.ROADS)}社区居委会",
            "residence_police_station": _police_station(township),
            "permit_issue_date": registered + timedelta(days=rng.randrange(1, 20)),
            "registration_authority": f"{words.COUNTIES[county]}来惠人员服务管理中心",
            "registration_authority_division": county,
            "registration_date": registered,
            "cancellation_date": self._days_back(0, 9) if self._chance(5) else None,
        }

    def enterprise(self) -> Row:
        """A row of `enterprise_registration` (Art 29); one in five has no credit code yet (Art 15)."""
        rng = self._rng
        county = rng.choice(tuple(words.COUNTIES))
        industry, trade, scope = rng.choice(words.TRADES)
        sex = rng.choice("12")
        old = self._chance(20)
        return {
            "unified_social_credit_code": None if old else self.credit_code("91", county),
            "registration_number": self.registration_number(county, "0123") if old or self._chance(30) else None,
            "enterprise_name": f"惠州市{self._firm()}{trade}有限公司",
            "legal_representative_name": self.name(sex),
            "legal_representative_id_type": "111",
            "legal_representative_id_number": self.citizen_number(county, self._adult(), sex),
            "division_code": county,
            "division_name": words.COUNTIES[county],
            "local_administration": f"惠州市{words.COUNTIES[county]}工商行政管理局",
            "registered_address": f"惠州市{words.COUNTIES[county]}{self._road()}",
            "enterprise_type": "有限责任公司",
            "entity_class": "ENTERPRISE",
            "industry_code": industry,
            "business_scope": scope,
            "registered_capital": Decimal(rng.randrange(1, 5000)).scaleb(4).quantize(Decimal("0.01")),
            "registered_capital_currency": _CURRENCY,
            "registered_capital_unit": "YUAN",
            "establishment_date": self._days_back(60, 9000),
            "registration_authority": f"惠州市{words.COUNTIES[county]}工商行政管理局",
        }

    def individual_business(self) -> Row:
        """A row of `individual_business` (Art 29); half of them have a credit code besides the registration number."""
        rng = self._rng
        county = rng.choice(tuple(words.COUNTIES))
        industry, shop, scope = rng.choice(words.SHOPS)
        sex = rng.choice("12")
        return {
            "registration_number": self.registration_number(county, "6789"),
            "unified_social_credit_code": self.credit_code("92", county) if self._chance(50) else None,
            "business_name": f"{words.COUNTIES[county]}{self._firm()}{shop}" if self._chance(90) else None,
            "operator_name": self.name(sex),
            "operator_id_type": "111",
            "operator_id_number": self.citizen_number(county, self._adult(), sex),
            "division_code": county,
            "division_name": words.COUNTIES[county],
            "local_administration": f"惠州市{words.COUNTIES[county]}工商行政管理局",
            "registered_premises": f"惠州市{words.COUNTIES[county]}{self._road()}",
            "business_scope": scope,
            "industry_code": industry,
            "establishment_date": self._days_back(30, 6000),
            "registration_authority": f"惠州市{words.COUNTIES[county]}工商行政管理局",
        }

    def row(self, resource: str) -> Row:
        """A row of any of the four resources."""
        makers: dict[str, Callable[[], Row]] = {
            HOUSEHOLD: self.person,
            PERMIT: self.permit,
            ENTERPRISE: self.enterprise,
            BUSINESS: self.individual_business,
        }
        return makers[resource]()

    # -- numbers
    # -----------------------------------------------------------------------------------------------

    def citizen_number(self, division: str, born: date, sex: str) -> str:
        """A valid citizen number that this maker has not given yet."""

        def body() -> str:
            sequence = self._rng.randrange(1, 499) * 2 + (sex == "1")
            digits = f"{division}{born:%Y%m%d}{sequence:03d}"
            return digits + citizen_check_digit(digits)

        return self._fresh(body)

    def credit_code(self, category: str, division: str) -> str:
        """A valid unified social credit code that this maker has not given yet."""

        def code() -> str:
            subject = "MA" + "".join(self._rng.choices(USCC_ALPHABET, k=6))
            body = f"{category}{division}{subject}{organisation_code_check(subject)}"
            return body + uscc_check_character(body)

        return self._fresh(code)

    def registration_number(self, division: str, kinds: str) -> str:
        """A valid 15-digit registration number; `kinds` are the digits its sequence may begin with."""

        def number() -> str:
            body = f"{division}{self._rng.choice(kinds)}{self._rng.randrange(10**7):07d}"
            return body + registration_check_digit(body)

        return self._fresh(number)

    def _document(self, origin: str, born: date, sex: str) -> tuple[str, str]:
        rng = self._rng
        kind = rng.choices(("111", "516", HMT_RESIDENCE, "553"), weights=(96, 2, 1, 1))[0]
        if kind == "516":
            return kind, self._fresh(lambda: f"{rng.choice('HM')}{rng.randrange(10**8):08d}") + "01"
        if kind == HMT_RESIDENCE:
            origin = rng.choice(("810000", "820000", "830000"))
        elif kind == "553":
            origin = "944840"
        return kind, self.citizen_number(origin, born, sex)

    def _fresh(self, make: Callable[[], str]) -> str:
        number = make()
        while number in self._used:
            number = make()
        self._used.add(number)
        return number

    # -- words
    # -------------------------------------------------------------------------------------------------

    def name(self, sex: str) -> str:
        """A name of two or three characters."""
        rng = self._rng
        last = rng.choice(words.GIVEN_MALE if sex == "1" else words.GIVEN_FEMALE)
        middle = rng.choice(words.GIVEN_ANY) if self._chance(80) else ""
        return f"{rng.choice(words.SURNAMES)}{middle}{last}"

    def _firm(self) -> str:
        return "".join(self._rng.sample(words.FIRM_WORDS, k=2))

    def _road(self) -> str:
        rng = self._rng
        road = f"{rng.choice(words.ROADS)}{rng.choice(words.ROAD_KINDS)}"
        return f"{road}{rng.randrange(1, 400)}号{rng.randrange(1, 30)}栋{rng.randrange(101, 2504)}房"

    def _chance(self, percent: int) -> bool:
        return self._rng.randrange(100) < percent

    def _ethnicity(self) -> str:
        return _HAN if self._chance(95) else self._rng.choice(_OTHER_ETHNICITIES)

    def _birth_date(self) -> date:
        return self._days_back(365, 33_000)

    def _adult(self) -> date:
        return self._days_back(19 * 365, 27_000)

    def _days_back(self, first: int, last: int) -> date:
        return self._today - timedelta(days=self._rng.randrange(first, last))


def _police_station(township: str) -> str:
    return f"{township.removesuffix('街道').removesuffix('镇')}派出所"


def generate(
    seed: int,
    people: int,
    permits: int | None = None,
    enterprises: int | None = None,
    businesses: int | None = None,
    today: date = TODAY,
) -> Town:
    """A town of made-up people and firms; what is not said of permits and firms follows from the number of people."""
    maker = Maker(Random(seed), today)  # noqa: S311  made-up people need no secret chance
    return Town(
        people=[maker.person() for _ in range(people)],
        permits=[maker.permit() for _ in range(people // 2 if permits is None else permits)],
        enterprises=[maker.enterprise() for _ in range(people // 10 if enterprises is None else enterprises)],
        businesses=[maker.individual_business() for _ in range(people // 10 if businesses is None else businesses)],
    )


def wrong_rows(seed: int, resource: str, today: date = TODAY) -> Iterator[WrongRow]:
    """One row for each way in which a row of the resource can be wrong; otherwise the rows are right.

    The codes hold for an agency of Huizhou whose owner rule covers all of 441300. Rows that only another
    owner could write (E_OWNER) are of Shenzhen.
    """
    maker = Maker(Random(seed), today)  # noqa: S311  made-up people need no secret chance
    for change, code, why, name in _WRONGS[resource]:
        row = maker.row(resource)
        if resource == PERMIT:
            row["id_type"], row["id_number"] = "111", maker.citizen_number("430421", row["birth_date"], row["sex_code"])
        change(row, today)
        yield WrongRow(resource, row, code, why, name)


_Change = Callable[[Row, date], None]


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
_WRONGS: Final[dict[str, tuple[tuple[_Change, RefusalCode, str, str], ...]]] = {
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
