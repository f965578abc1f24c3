"""The demo's lawful way without Kafka: every decision by who may take it, and what the register holds in the end."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from bus.demo.law import BEGAN_DAYS_AGO, LawfulWay, UnlawfulError, began
from bus.demo.register import AGENCIES, COUNTY, EXPIRED, FULL, LINKS, OTHERS, OWNERS
from bus.local.certificates import issue_agency
from compliance.models import GrantState
from compliance.profiles import Law
from compliance.reading import may_read
from schemas.refusals import Refused
from tests.register import NOW, sqlite_register

LAW = Law.packaged("huizhou-2016", effective_date=date(2017, 1, 1))


def test_from_nothing_to_grants_and_a_refusal_that_ends_in_negotiation(tmp_path: Path) -> None:
    for code in AGENCIES:
        issue_agency(tmp_path, code, began(NOW))
    with sqlite_register(tmp_path, LAW) as register:
        way = LawfulWay(register, tmp_path, NOW)
        lawful = way.go()
        view = register.view()
        assert {agency.code for agency in view.agencies() if agency.onboarded} == set(AGENCIES)
        assert {entry.resource for entry in view.entries()} == {*OWNERS, *OTHERS, LINKS}
        grants = {name: view.grant(key) for name, key in lawful.grants.items()}
        states = Counter(grant.state for grant in grants.values() if grant is not None)
        assert states == {GrantState.ACTIVE: len(OTHERS) + 2, GrantState.EXPIRED: 1}
        for name, grant in grants.items():
            assert grant is not None
            assert isinstance(may_read(view, grant, NOW), Refused) == (name == EXPIRED)
        assert [line.partition(" ")[2] for line in lawful.negotiated] == [
            "open: – → AWAITING_ANSWER (Art 44, 45)",
            "refuse: AWAITING_ANSWER → NEGOTIATION (Art 44, 45)",
            "agree: NEGOTIATION → CONFIRMED (Art 44)",
        ]
        assert lawful.expired == 1
        assert all(step.at <= NOW for matter in register.matters() for step in register.history(matter.number))
        assert (NOW - min(matter.opened_at for matter in register.matters())).days == BEGAN_DAYS_AGO
        way.revoke(lawful.grants[COUNTY])
        revoked = register.view().grant(lawful.grants[COUNTY])
        assert revoked is not None
        assert revoked.state is GrantState.REVOKED
        with pytest.raises(UnlawfulError, match="E_STATE"):
            way.revoke(lawful.grants[COUNTY])
        assert register.view().grant(lawful.grants[FULL]) == grants[FULL]
