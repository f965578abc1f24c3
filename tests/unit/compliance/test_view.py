"""The register as it is known now: what is taken over is found again, what is removed is gone."""

import pytest
from pydantic import ValidationError

from compliance.events import from_event, to_event
from compliance.models import Agency, Grant, GrantState, RegisterModel
from compliance.rulings import Waiver
from compliance.view import RegisterView
from schemas.resource import envelope, packaged_text
from tests.builders import PERMIT
from tests.hall import Hall
from tests.hall_register import POLICE, STATS

TEXT = packaged_text(PERMIT)


@pytest.fixture
def hall() -> Hall:
    """Two agencies, one entry in version 1, one review; `view` has taken over four changes."""
    return Hall(TEXT)


def granted(hall: Hall, name: str, **changes: object) -> Grant:
    grant = hall.grant(("sex_code",), id=name).grant.model_copy(update=changes)
    hall.view.apply("grant", name, grant)
    return grant


def test_an_empty_register_knows_nothing() -> None:
    view = RegisterView()
    assert (view.agencies(), view.entries(), view.reviews(), view.grants()) == ((), (), (), ())
    assert (view.agency("a"), view.entry("r"), view.entry_version("r", 1), view.review("a", "1")) == (None,) * 4
    assert (view.grant("g"), view.versions("r"), view.grants_on("r"), view.grants_of("a")) == (None, (), (), ())
    assert view.version == 0


def test_what_is_taken_over_is_found_by_its_key(hall: Hall) -> None:
    view = hall.view
    assert [agency.code for agency in view.agencies()] == [POLICE, STATS]
    assert view.entries() == (view.entry(PERMIT),) == (hall.entry,)
    review = view.review(POLICE, "R1")
    assert view.reviews() == (review,)
    grant = granted(hall, "g1")
    assert (view.grant("g1"), view.grants_on(PERMIT), view.grants_of(STATS)) == (grant, (grant,), (grant,))
    assert view.review(STATS, "R1") is None


def test_every_change_counts(hall: Hall) -> None:
    before = hall.view.version
    assert before == 4
    hall.agency(POLICE)
    hall.view.apply("grant", "unheard-of", None)
    assert hall.view.version == before + 2


def test_a_later_state_replaces_the_earlier_one(hall: Hall) -> None:
    granted(hall, "g1")
    ended = granted(hall, "g1", state=GrantState.ENDED)
    assert hall.view.grants() == hall.view.grants_on(PERMIT) == hall.view.grants_of(STATS) == (ended,)
    renamed = hall.agency(POLICE, name="新名")
    assert hall.view.agency(POLICE) == renamed


def test_a_grant_that_moves_is_found_only_where_it_went(hall: Hall) -> None:
    """The bus never changes a grant's scope, but a register that others wrote might."""
    granted(hall, "g1")
    moved = granted(hall, "g1", subscriber="other", resource="household_registration")
    view = hall.view
    assert (view.grants_on(PERMIT), view.grants_of(STATS)) == ((), ())
    assert view.grants_on("household_registration") == view.grants_of("other") == (moved,)


def test_grants_are_told_apart_by_resource_and_subscriber(hall: Hall) -> None:
    one, other = granted(hall, "g1"), granted(hall, "g2", subscriber="other")
    assert hall.view.grants_on(PERMIT) == (one, other)
    assert hall.view.grants_of("other") == (other,)


# -- versions of an entry ------------------------------------------------------------------------------------------


def test_the_newest_version_is_the_one_of_the_highest_number_whatever_the_order(hall: Hall) -> None:
    tenth = hall.publish(TEXT, version=10)
    second = hall.publish(TEXT, version=2)
    view = hall.view
    assert view.entry(PERMIT) == tenth
    assert view.versions(PERMIT) == (hall.entry, second, tenth)
    assert view.entry_version(PERMIT, 2) == second
    assert view.entry_version(PERMIT, 3) is None
    assert view.entries() == (tenth,)


def test_when_the_newest_version_is_removed_the_one_before_is_the_newest(hall: Hall) -> None:
    hall.publish(TEXT, version=2)
    hall.view.apply("catalogue", f"{PERMIT}@2", None)
    assert hall.view.entry(PERMIT) == hall.entry
    hall.view.apply("catalogue", f"{PERMIT}@1", None)
    assert (hall.view.entry(PERMIT), hall.view.entries(), hall.view.versions(PERMIT)) == (None, (), ())


@pytest.mark.parametrize("key", ["", "@", PERMIT, f"{PERMIT}@", f"{PERMIT}@x", f"{PERMIT}@-1", f"{PERMIT}@9", "x@1"])
def test_the_removal_of_what_is_not_there_changes_no_entry(hall: Hall, key: str) -> None:
    hall.view.apply("catalogue", key, None)
    assert hall.view.entries() == (hall.entry,)


# -- removal -------------------------------------------------------------------------------------------------------


def test_what_is_removed_is_gone_from_every_look_up(hall: Hall) -> None:
    granted(hall, "g1")
    view = hall.view
    for kind, key in (("agency", STATS), ("review", f"{POLICE}/R1"), ("grant", "g1")):
        view.apply(kind, key, None)
        view.apply(kind, key, None)
    assert [agency.code for agency in view.agencies()] == [POLICE]
    assert (view.reviews(), view.grants(), view.grants_on(PERMIT), view.grants_of(STATS)) == ((), (), (), ())


def test_a_kind_that_the_register_does_not_have_is_an_error(hall: Hall) -> None:
    agency: RegisterModel | None = hall.view.agency(POLICE)
    assert isinstance(agency, Agency)
    for model in (agency, None):
        with pytest.raises(KeyError, match="the register has no kind audit"):
            hall.view.apply("audit", POLICE, model)
    assert hall.view.version == 4


def waived(**changes: object) -> Waiver:
    values = {
        "id": "00000000-0000-5000-8000-000000000001",
        "token": "ab" * 16,
        "pair": "00000000-0000-5000-8000-000000000002",
        "compared": "cd" * 16,
        "reason": "写法不同，依第28条含义一致",
        "role": "OPERATOR_CITY",
        "decided_at": "2026-09-01T09:00:00+08:00",
        "case": "CASE-2026-00001",
    }
    return Waiver.model_validate({**values, **changes})


def test_a_waiver_is_found_by_its_pair_as_it_was_compared_until_it_is_removed(hall: Hall) -> None:
    one, other = waived(), waived(compared="ef" * 16)
    for waiver in (one, other):
        hall.view.apply("waiver", waiver.key, waiver)
    assert hall.view.waivers() == hall.view.copy().waivers() == (one, other)
    assert hall.view.waiver(one.pair, one.compared) == one
    assert hall.view.models()[-2:] == (one, other)
    assert (
        from_event("waiver", envelope("register_waiver").decode(envelope("register_waiver").encode(to_event(one))))
        == one
    )
    hall.view.apply("waiver", one.key, None)
    assert (hall.view.waiver(one.pair, one.compared), hall.view.waivers()) == (None, (other,))


@pytest.mark.parametrize("reason", [" ", "441300199001011234", "电话０７５２", "x" * 201])
def test_a_waivers_reason_is_short_and_holds_no_long_number(reason: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        waived(reason=reason)
    assert "1990" not in str(wrong.value)
