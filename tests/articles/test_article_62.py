"""Article 62: before it is in force clocks advise and nothing is imposed; after five years delivery goes on."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from compliance.decision import Permitted
from compliance.profiles import Law
from compliance.reading import may_read
from compliance.sanctions import sanctioned
from schemas.refusals import RefusalCode
from tests.register import AUTHORITY, NOW, moved, refused, sqlite_register
from tests.sharing import active, apply, disputed, found, ordered, state, wanted

TOO_LATE = datetime(2026, 9, 15, 16, 0, tzinfo=UTC)
FINDING = {"found_on": "2026-09-09", "statement": "拒不提供", "document": "认定1号"}


@pytest.mark.parametrize("effective", [None, date(2027, 1, 1)])
def test_article_62_before_the_rules_are_in_force_clocks_only_advise(tmp_path: Path, effective: date | None) -> None:
    with sqlite_register(tmp_path, Law.packaged("huizhou-2016", effective_date=effective)) as register:
        found(register)
        [item] = apply(register, wanted("area"))
        [clock] = register.clocks()
        assert (clock.advisory, clock.due) == (True, date(2026, 9, 15))
        assert register.tick(TOO_LATE) == ()
        assert state(register, item.number) == "AWAITING_ANSWER"
        [clock] = register.clocks()
        assert clock.expired == TOO_LATE


def test_article_62_before_the_rules_are_in_force_nothing_is_imposed(tmp_path: Path) -> None:
    with sqlite_register(tmp_path, Law.packaged("huizhou-2016", effective_date=None)) as register:
        found(register)
        _, dispute = disputed(register)
        moved(ordered(register, dispute.number), "ORDERED")
        form = {"agency": "psb", "dispute": dispute.number, "year": 2027, "reason": "拒不执行", "document": "决定2号"}
        no = refused(register.open("sanction", "impose", form, AUTHORITY, NOW), RefusalCode.E_STATE)
        assert no.article == "62"
        assert sanctioned(register, "psb", 2027) is None


def test_article_62_after_five_years_delivery_goes_on(tmp_path: Path) -> None:
    law = Law.packaged("huizhou-2016", effective_date=NOW.date() - timedelta(days=5 * 366))
    expires = law.expires_on()
    assert expires is not None
    assert expires < NOW.date()
    with sqlite_register(tmp_path, law) as register:
        found(register)
        _, grant = active(register, "area")
        model = register.view().grant(grant.parties.subject or "")
        assert model is not None
        assert isinstance(may_read(register.view(), model, NOW), Permitted)


def test_article_62_no_date_is_assumed() -> None:
    law = Law.packaged("huizhou-2016")
    assert law.effective_date is None
    assert law.expires_on() is None
    assert law.advisory(date(2050, 1, 1))
