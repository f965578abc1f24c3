"""From a difference of digests to its case: one for all ranges, revised, seen to end; in both databases (Art 10)."""

from typing import Any

import pytest

from bus.intake.differences import Difference
from bus.intake.words import Taken
from compliance.register.service import Register
from compliance.workflows.data_case_rules import current
from schemas.errors import UsageError
from tests.findings import difference
from tests.intake import cases, take
from tests.procedures import FINDING, days, with_catalogue
from tests.register import NOW, OPERATOR, moved


def test_article_10_one_case_for_all_ranges_which_the_operator_looks_at_first(register: Register) -> None:
    with_catalogue(register)
    assert take(register, Difference.read(difference())) is Taken.OPENED
    [case] = cases(register)
    assert (case.state, case.parties.provider) == ("RECEIVED", "psb")
    form = case.facts["report_digest"]
    assert (form["key_range"], form["source_count"], form["bus_count"], form["refused"]) == ("00、40", 6, 4, 2)
    more = [*difference()["ranges"], {"key_range": "80", "source_count": 0, "bus_count": 1}]
    assert take(register, Difference.read(difference(days(1), ranges=more)), days(1)) is Taken.REVISED
    assert len(current(cases(register)[0], "ranges")) == 3
    assert take(register, Difference.read(difference(days(2), ranges=more)), days(2)) is Taken.NOTED


def test_article_10_digests_that_agree_again_are_seen_in_the_case(register: Register) -> None:
    with_catalogue(register)
    take(register, Difference.read(difference()))
    ended = Difference.read(difference(days(1), state="CLOSED", ranges=[]))
    assert take(register, ended, days(1)) is Taken.ENDED
    [case] = cases(register)
    assert (case.state, case.fact("see_resolved", "outcome")) == ("OWNER_DONE", "MENDED")


def test_a_difference_of_many_ranges_names_some_and_one_that_is_technical_stays_the_operators(book: Register) -> None:
    with_catalogue(book)
    many = [{"key_range": f"{number:02x}", "source_count": 1, "bus_count": 0} for number in range(12)]
    take(book, Difference.read(difference(ranges=many)))
    [case] = cases(book)
    assert case.fact("report_digest", "key_range").endswith("07 等12段")
    moved(book.act(case.number, "find_technical", FINDING, OPERATOR, NOW))
    assert take(book, Difference.read(difference(days(1), state="CLOSED")), days(1)) is Taken.ENDED
    assert cases(book)[0].state == "VERIFIED_TECHNICAL"


@pytest.mark.parametrize("changes", [{"refused": -1}, {"agency": "X"}, {"ranges": [{"key_range": ""}]}])
def test_what_is_no_difference_is_said_without_its_content(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no difference of digests"):
        Difference.read(difference(**changes))
