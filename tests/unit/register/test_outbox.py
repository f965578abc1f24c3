"""The outbox: what waits goes out once, and Kafka and the database learn what the other alone knows."""

from datetime import timedelta

from compliance.calendaryear import packaged_years
from compliance.events import from_event, to_event
from compliance.models import Agency
from compliance.profiles import CountyOverride
from compliance.register.kept import kept_of
from compliance.register.outbox import backlog, mark_sent, waiting
from compliance.register.service import Register
from compliance.rulings import Reckoning
from compliance.view import RegisterView
from compliance.workdays import Suspension
from tests.catalogue import agencies, entry
from tests.register import NOW, OPERATOR

LATER = NOW + timedelta(hours=1)
[ONE, OTHER, *_] = agencies()


def named(agency: Agency, name: str) -> Agency:
    return agency.model_copy(update={"name": name})


def kafka(*models: Agency) -> RegisterView:
    view = RegisterView()
    for model in models:
        view.apply(model.kind, model.key, model)
    return view


def sent(register: Register, *models: Agency) -> None:
    register.put(models, OPERATOR, NOW)
    register.view()
    mark_sent(register.engine, [fact for one in waiting(register.engine, register.seen) for fact in one.facts], NOW)
    assert backlog(register.engine).facts == 0


def waits(register: Register) -> list[Agency]:
    register.view()
    return [one.model for one in waiting(register.engine, register.seen) if isinstance(one.model, Agency)]


def test_of_each_key_the_newest_waits_in_the_order_of_decisions(register: Register) -> None:
    register.put([ONE], OPERATOR, NOW)
    register.put([OTHER], OPERATOR, NOW)
    register.put([named(ONE, "新")], OPERATOR, LATER)
    register.view()
    found = waiting(register.engine, register.seen)
    assert [one.model for one in found] == [OTHER, named(ONE, "新")]
    assert [len(one.facts) for one in found] == [1, 2]
    assert (backlog(register.engine).facts, backlog(register.engine).oldest) == (3, NOW)
    mark_sent(register.engine, found[1].facts, LATER)
    assert waits(register) == [OTHER]


def test_what_a_view_has_not_taken_over_does_not_wait_for_it(register: Register) -> None:
    register.put([ONE], OPERATOR, NOW)
    register.view()
    seen = register.seen
    register.put([OTHER], OPERATOR, NOW)
    assert [one.model for one in waiting(register.engine, seen)] == [ONE]


def test_what_changes_how_deadlines_are_counted_goes_out_as_a_reckoning_that_says_the_same(register: Register) -> None:
    storm = Suspension(first=NOW.date(), last=NOW.date(), reason="台风")
    year = max(packaged_years(), key=lambda one: one.year)
    seven = CountyOverride(division="441322", clock="contact_change_notice", amount=7)
    register.keep([storm, year, seven], OPERATOR, NOW, "a typhoon")
    found = [one.model for one in waiting(register.engine, register.seen)]
    reckonings = [from_event(one.kind, to_event(one)) for one in found]
    assert [one.key for one in reckonings] == [
        f"suspension/all/{NOW.date()}",
        f"calendar_year/{year.year}",
        "county_override/441322/contact_change_notice",
    ]
    assert set(kept_of(one for one in reckonings if isinstance(one, Reckoning))) == {storm, year, seven}


def test_an_empty_database_adopts_kafkas_register_as_sent(register: Register) -> None:
    there = kafka(ONE, OTHER)
    there.apply("catalogue", "lamp@1", entry())
    found = register.reconcile(there, NOW)
    assert (len(found.adopt), found.again) == (3, ())
    assert set(register.view().models()) == set(there.models())
    assert backlog(register.engine).facts == 0
    again = register.reconcile(there, LATER)
    assert (again.adopt, again.again) == ((), ())


def test_what_a_new_kafka_lacks_waits_again(register: Register) -> None:
    sent(register, ONE, OTHER)
    found = register.reconcile(kafka(OTHER), LATER)
    assert (found.adopt, len(found.again)) == ((), 1)
    assert waits(register) == [ONE]


def test_an_older_version_on_kafka_gets_the_newest_again(register: Register) -> None:
    sent(register, ONE)
    sent(register, named(ONE, "新"))
    register.reconcile(kafka(ONE), LATER)
    assert waits(register) == [named(ONE, "新")]


def test_a_database_put_back_from_a_backup_adopts_what_came_after_it(register: Register) -> None:
    sent(register, ONE)
    register.reconcile(kafka(named(ONE, "新")), LATER)
    assert register.view().agency(ONE.code) == named(ONE, "新")
    assert waits(register) == []


def test_what_waits_is_not_overtaken_by_what_stands_on_kafka(register: Register) -> None:
    sent(register, ONE)
    register.put([named(ONE, "新")], OPERATOR, LATER)
    register.reconcile(kafka(ONE), LATER)
    register.reconcile(kafka(named(ONE, "陌生")), LATER)
    assert waits(register) == [named(ONE, "新")]
    assert register.view().agency(ONE.code) == named(ONE, "新")


def test_a_file_that_was_judged_by_an_older_register_is_not_taken_over(register: Register) -> None:
    register.put([ONE], OPERATOR, NOW)
    register.view()
    seen = register.seen
    assert register.put([OTHER], OPERATOR, NOW, seen=seen)
    assert not register.put([named(ONE, "新")], OPERATOR, NOW, seen=seen)
    assert register.view().agency(ONE.code) == ONE
