"""Register events: what an older bus wrote stays readable, and nothing is lost on the way."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from compliance.entry import CatalogueEntry
from compliance.events import from_event, to_event
from compliance.proposal import propose
from schemas.codec import Codec
from schemas.errors import SchemaError
from schemas.resource import envelope
from tests.catalogue import PUBLISHED, entry
from tests.examples import examples
from tests.strategies import catalogue_entries

FIRST = Codec((Path(__file__).parents[2] / "data" / "register_catalogue_first.avsc").read_text(encoding="utf-8"))
GROWN = envelope("register_catalogue")
NEW = {"identifier", "conditions", "related_systems", "format", "open", "open_condition", "licensing_related"}
NEW |= {"baseline", "level", "source_route", "route_reason", "scope", "related", "field_groups"}


def test_an_entry_that_was_written_before_the_catalogue_grew_stays_readable() -> None:
    old = entry(conditions=None, related_systems=())
    datum = {name: value for name, value in to_event(old).items() if name not in NEW}
    for policy in datum["fields"].values():
        policy.pop("repeats_under")
    known = from_event("catalogue", FIRST.decode(FIRST.encode(datum)))
    assert known == old


def test_what_the_catalogue_gained_has_defaults_so_that_readers_and_writers_of_both_go_on() -> None:
    """FULL_TRANSITIVE, field by field; the registry itself says the same in tests/integration/test_evolution.py."""
    first, now = ({spec["name"]: spec for spec in codec.schema["fields"]} for codec in (FIRST, GROWN))
    assert now.keys() - first.keys() == NEW
    assert all("default" in now[name] for name in NEW)
    assert {name: spec for name, spec in now.items() if name not in NEW | {"fields"}} == {
        name: spec for name, spec in first.items() if name != "fields"
    }
    policies = [schema["fields"]["type"]["values"]["fields"] for schema in (first, now)]
    assert [spec["name"] for spec in policies[1] if spec not in policies[0]] == ["repeats_under"]


@settings(max_examples=examples(50), deadline=None)
@given(catalogue_entries())
def test_an_entry_is_an_event_and_back_without_loss(known: CatalogueEntry) -> None:
    assert from_event("catalogue", GROWN.decode(GROWN.encode(to_event(known)))) == known


def test_every_proposal_is_an_event() -> None:
    known = propose("education", PUBLISHED)
    assert from_event("catalogue", json.loads(json.dumps(to_event(known)))) == known


# -- what a newer bus wrote ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("nothing", [None, "", [], {}, False])
def test_what_a_newer_bus_could_say_and_does_not_is_passed_over(nothing: object) -> None:
    known = entry()
    datum = {**to_event(known), "later": nothing}
    datum["owners"] = [{**rule, "later": nothing} for rule in datum["owners"]]
    datum["fields"] = {name: {**policy, "later": nothing} for name, policy in datum["fields"].items()}
    before = json.dumps(datum)
    assert from_event("catalogue", datum) == known
    assert json.dumps(datum) == before, "what was read is left as it is"


@pytest.mark.parametrize("place", ["later", "owners.0.later"])
def test_what_only_a_newer_bus_knows_is_refused_with_its_place_and_without_what_it_says(place: str) -> None:
    datum = to_event(entry())
    where = datum if place == "later" else datum["owners"][0]
    where["later"] = ["SECRET"]
    with pytest.raises(SchemaError, match=f"only a newer version of the bus knows: {place}; install") as refused:
        from_event("catalogue", datum)
    assert "SECRET" not in str(refused.value)


def test_what_breaks_a_rule_is_named_also_where_a_newer_bus_says_nothing_beside_it() -> None:
    datum = {**to_event(entry()), "later": None, "version": -1}
    with pytest.raises(SchemaError, match=r"breaks the rules of: version$"):
        from_event("catalogue", datum)
