"""Ways out of a dispute, and who is never sanctioned."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.register.service import Register
from compliance.roles import Role
from schemas.refusals import RefusalCode
from tests.register import AUTHORITY, COUNTY, NOW, moved, of, office, refused, sqlite_register
from tests.sharing import ASKER, OTHER_COUNTY, disputed, found, ordered, resource, result, state

OVERDUE = datetime(2026, 9, 8, 16, 0, tzinfo=UTC)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Register]:
    with sqlite_register(tmp_path) as register:
        yield found(register)


def test_withdrawing_the_dispute_withdraws_its_item_and_the_other_way_round(city: Register) -> None:
    item, dispute = disputed(city)
    moved(city.act(dispute.number, "withdraw", {"reason": "撤回"}, ASKER, NOW), "WITHDRAWN")
    assert state(city, item.number) == "WITHDRAWN"
    item, dispute = disputed(city)
    moved(city.act(item.number, "withdraw", {"reason": "撤回"}, ASKER, NOW), "WITHDRAWN")
    assert state(city, dispute.number) == "WITHDRAWN"
    assert city.clocks() == ()


def test_an_ordered_item_may_still_be_withdrawn(city: Register) -> None:
    item, dispute = disputed(city)
    moved(ordered(city, dispute.number), "ORDERED")
    moved(city.act(item.number, "withdraw", {"reason": "撤回"}, ASKER, NOW), "WITHDRAWN")
    assert state(city, dispute.number) == "WITHDRAWN"
    [grant] = city.matters("grant")
    assert grant.state == "LAPSED"
    assert city.clocks() == ()


def test_the_review_too_may_settle_it(city: Register) -> None:
    _, dispute = disputed(city)
    moved(city.act(dispute.number, "publish_result", result("UNSOLVED"), AUTHORITY, NOW), "BOARD")
    [clock] = city.clocks()
    assert (clock.rule, clock.due.isoformat()) == ("board_pooling", "2026-10-08")
    [late] = city.tick(datetime(2026, 10, 9, 1, 0, tzinfo=UTC))
    assert late.matter.flags == ("REVIEW_OVERDUE",)


def test_an_agency_by_reference_is_not_sanctioned(city: Register) -> None:
    city.put([resource("levy", "tax", ["area"])], AUTHORITY, NOW)
    form = {"kind": "SUPPLY", "against": "tax", "statement": "停供"}
    made = moved(city.open("dispute", "file", form, ASKER, NOW), "NEGOTIATION").matter
    moved(ordered(city, made.number), "ORDERED")
    city.tick(OVERDUE)
    finding = {"found_on": "2026-09-09", "statement": "拒不提供", "document": "认定1号"}
    moved(city.act(made.number, "find_defied", finding, AUTHORITY, OVERDUE), "DEFIED")
    imposed = {"agency": "tax", "dispute": made.number, "year": 2027, "reason": "拒不执行", "document": "决定1号"}
    no = refused(city.open("sanction", "impose", imposed, AUTHORITY, OVERDUE), RefusalCode.E_STATE)
    assert no.article == "2"
    unknown = {**imposed, "agency": "nobody"}
    refused(city.open("sanction", "impose", unknown, AUTHORITY, OVERDUE), RefusalCode.E_FORM)


def test_a_county_s_offices_act_on_their_county_s_disputes_alone(city: Register) -> None:
    form = {"kind": "SUPPLY", "against": "boluo_roads", "statement": "停供"}
    made = moved(city.open("dispute", "file", form, of("boluo_civil"), NOW), "NEGOTIATION").matter
    boluo, huidong = (office(Role.AUTHORITY_COUNTY, county) for county in (COUNTY, OTHER_COUNTY))
    refused(city.act(made.number, "publish_result", result("OTHERWISE"), huidong, NOW), RefusalCode.E_ROLE)
    moved(city.act(made.number, "publish_result", result("OTHERWISE"), boluo, NOW), "SETTLED")
