"""People, permits and firms that do not exist: rows for the demo, the tests and the benchmark.

Every number is made by the rule that admits it, names and addresses are composed of lists of words; the
same seed gives the same town. A row is a dictionary with the fields of its resource schema, values as a
publisher hands them over (dates as `date`, decimals as `Decimal`). A number may by chance be somebody's,
since every valid one is given some day; nothing else in its row is that person's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from bus.demo import words
from bus.demo.rows import row_of
from schemas.identity import (
    HMT_RESIDENCE,
    citizen_check_digit,
    organisation_code_check,
    registration_check_digit,
    uscc_check_character,
)
from schemas.identity.check import USCC_ALPHABET
from schemas.resource import packaged_text, resource_schema

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


class Maker:
    """Makes rows from a random generator; no two subjects of one maker are the same.

    Args:
        rng: decides everything.
        today: the day on which the rows make sense.
    """

    def __init__(self, rng: Random, today: date = TODAY) -> None:
        self.rng = rng
        self.today = today
        self._used: set[str] = set()

    # -- the four resources
    # ------------------------------------------------------------------------------------

    def person(self) -> Row:
        """A row of `household_registration` (Art 18), of one of Huizhou's counties."""
        rng = self.rng
        county = rng.choice(tuple(words.COUNTIES))
        sex = rng.choice("12")
        number = self.citizen_number(county, self.birth_date(), sex)
        township = rng.choice(words.TOWNSHIPS[county])
        cancelled = self.chance(3)
        return {
            "name": self.name(sex),
            "citizen_id_number": number,
            "sex_code": sex,
            "ethnicity_code": self._ethnicity(),
            "household_township": township,
            "household_police_station": _police_station(township),
            "photo": rng.randbytes(64) if self.chance(2) else None,
            "household_status": "CANCELLED" if cancelled else "NORMAL",
            "pre_cancellation_division": county if cancelled else None,
            "pre_cancellation_police_station": _police_station(township) if cancelled else None,
            "cancellation_date": self.days_back(1, 2000) if cancelled else None,
            "cancellation_reason": rng.choice(("MOVED_OUT", "DEATH")) if cancelled else None,
        }

    def permit(self, county: str | None = None) -> Row:
        """A row of `residence_permit` (Art 19); most holders have a citizen number, some come from elsewhere."""
        rng = self.rng
        county = county or rng.choice(tuple(words.COUNTIES))
        origin, place = rng.choice(words.ORIGINS)
        sex, born = rng.choice("12"), self.birth_date()
        document, number = self.document(origin, born, sex)
        citizen = document == "111"
        township = rng.choice(words.TOWNSHIPS[county])
        registered = self.days_back(30, _PERMIT_DAYS)
        return {
            "name": self.name(sex),
            "id_type": document,
            "id_number": number,
            "sex_code": sex,
            "ethnicity_code": self._ethnicity() if citizen else None,
            "birth_date": born,
            "household_address": f"{place}{self.road()}" if citizen else None,
            "residence_permit_number": self.fresh(lambda: f"{county}{rng.randrange(10**9):09d}"),
            "residence_address_detail": f"惠州市{words.COUNTIES[county]}{township}{self.road()}",
            "residence_county": county,
            "residence_township": township,
            "residence_committee": f"{rng.choice(words.ROADS)}社区居委会",
            "residence_police_station": _police_station(township),
            "permit_issue_date": registered + timedelta(days=rng.randrange(1, 20)),
            "registration_authority": f"{words.COUNTIES[county]}来惠人员服务管理中心",
            "registration_authority_division": county,
            "registration_date": registered,
            "cancellation_date": self.days_back(0, 9) if self.chance(5) else None,
        }

    def enterprise(self) -> Row:
        """A row of `enterprise_registration` (Art 29); one in five has no credit code yet (Art 15)."""
        rng = self.rng
        county = rng.choice(tuple(words.COUNTIES))
        industry, trade, scope = rng.choice(words.TRADES)
        sex = rng.choice("12")
        old = self.chance(20)
        return {
            "unified_social_credit_code": None if old else self.credit_code("91", county),
            "registration_number": self.registration_number(county, "0123") if old or self.chance(30) else None,
            "enterprise_name": f"惠州市{self.firm()}{trade}有限公司",
            "legal_representative_name": self.name(sex),
            "legal_representative_id_type": "111",
            "legal_representative_id_number": self.citizen_number(county, self.adult(), sex),
            "division_code": county,
            "division_name": words.COUNTIES[county],
            "local_administration": f"惠州市{words.COUNTIES[county]}工商行政管理局",
            "registered_address": f"惠州市{words.COUNTIES[county]}{self.road()}",
            "enterprise_type": "有限责任公司",
            "entity_class": "ENTERPRISE",
            "industry_code": industry,
            "business_scope": scope,
            "registered_capital": Decimal(rng.randrange(1, 5000)).scaleb(4).quantize(Decimal("0.01")),
            "registered_capital_currency": _CURRENCY,
            "registered_capital_unit": "YUAN",
            "establishment_date": self.days_back(60, 9000),
            "registration_authority": f"惠州市{words.COUNTIES[county]}工商行政管理局",
        }

    def individual_business(self) -> Row:
        """A row of `individual_business` (Art 29); half of them have a credit code besides the registration number."""
        rng = self.rng
        county = rng.choice(tuple(words.COUNTIES))
        industry, shop, scope = rng.choice(words.SHOPS)
        sex = rng.choice("12")
        return {
            "registration_number": self.registration_number(county, "6789"),
            "unified_social_credit_code": self.credit_code("92", county) if self.chance(50) else None,
            "business_name": f"{words.COUNTIES[county]}{self.firm()}{shop}" if self.chance(90) else None,
            "operator_name": self.name(sex),
            "operator_id_type": "111",
            "operator_id_number": self.citizen_number(county, self.adult(), sex),
            "division_code": county,
            "division_name": words.COUNTIES[county],
            "local_administration": f"惠州市{words.COUNTIES[county]}工商行政管理局",
            "registered_premises": f"惠州市{words.COUNTIES[county]}{self.road()}",
            "business_scope": scope,
            "industry_code": industry,
            "establishment_date": self.days_back(30, 6000),
            "registration_authority": f"惠州市{words.COUNTIES[county]}工商行政管理局",
        }

    def row(self, resource: str) -> Row:
        """A row of any packaged resource; of four of them as above, of the others after their schema's own rules."""
        makers: dict[str, Callable[[], Row]] = {
            HOUSEHOLD: self.person,
            PERMIT: self.permit,
            ENTERPRISE: self.enterprise,
            BUSINESS: self.individual_business,
        }
        make = makers.get(resource)
        return make() if make else row_of(self, resource_schema(packaged_text(resource)))

    # -- numbers
    # -----------------------------------------------------------------------------------------------

    def citizen_number(self, division: str, born: date, sex: str) -> str:
        """A valid citizen number that this maker has not given yet."""

        def body() -> str:
            sequence = self.rng.randrange(1, 499) * 2 + (sex == "1")
            digits = f"{division}{born:%Y%m%d}{sequence:03d}"
            return digits + citizen_check_digit(digits)

        return self.fresh(body)

    def credit_code(self, category: str, division: str) -> str:
        """A valid unified social credit code that this maker has not given yet."""

        def code() -> str:
            subject = "MA" + "".join(self.rng.choices(USCC_ALPHABET, k=6))
            body = f"{category}{division}{subject}{organisation_code_check(subject)}"
            return body + uscc_check_character(body)

        return self.fresh(code)

    def registration_number(self, division: str, kinds: str) -> str:
        """A valid 15-digit registration number; `kinds` are the digits its sequence may begin with."""

        def number() -> str:
            body = f"{division}{self.rng.choice(kinds)}{self.rng.randrange(10**7):07d}"
            return body + registration_check_digit(body)

        return self.fresh(number)

    def document(self, origin: str, born: date, sex: str) -> tuple[str, str]:
        """A document type of GA/T 517 and a valid number of it; the citizen identity card as a rule."""
        rng = self.rng
        kind = rng.choices(("111", "516", HMT_RESIDENCE, "553"), weights=(96, 2, 1, 1))[0]
        if kind == "516":
            return kind, self.fresh(lambda: f"{rng.choice('HM')}{rng.randrange(10**8):08d}") + "01"
        if kind == HMT_RESIDENCE:
            origin = rng.choice(("810000", "820000", "830000"))
        elif kind == "553":
            origin = "944840"
        return kind, self.citizen_number(origin, born, sex)

    def fresh(self, make: Callable[[], str]) -> str:
        """What `make` makes, and not what this maker made before."""
        number = make()
        while number in self._used:
            number = make()
        self._used.add(number)
        return number

    # -- words
    # -------------------------------------------------------------------------------------------------

    def name(self, sex: str) -> str:
        """A name of two or three characters."""
        rng = self.rng
        last = rng.choice(words.GIVEN_MALE if sex == "1" else words.GIVEN_FEMALE)
        middle = rng.choice(words.GIVEN_ANY) if self.chance(80) else ""
        return f"{rng.choice(words.SURNAMES)}{middle}{last}"

    def firm(self) -> str:
        """Two words of a firm's name."""
        return "".join(self.rng.sample(words.FIRM_WORDS, k=2))

    def road(self) -> str:
        """Road, number and flat."""
        rng = self.rng
        road = f"{rng.choice(words.ROADS)}{rng.choice(words.ROAD_KINDS)}"
        return f"{road}{rng.randrange(1, 400)}号{rng.randrange(1, 30)}栋{rng.randrange(101, 2504)}房"

    def chance(self, percent: int) -> bool:
        """Whether it happens this time."""
        return self.rng.randrange(100) < percent

    def _ethnicity(self) -> str:
        return _HAN if self.chance(95) else self.rng.choice(_OTHER_ETHNICITIES)

    def birth_date(self) -> date:
        """The birth date of anybody."""
        return self.days_back(365, 33_000)

    def adult(self) -> date:
        """The birth date of somebody of age."""
        return self.days_back(19 * 365, 27_000)

    def days_back(self, first: int, last: int) -> date:
        """A day so many days before today."""
        return self.today - timedelta(days=self.rng.randrange(first, last))


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
