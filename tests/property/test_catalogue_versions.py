"""What must hold however the catalogue moves on.

1. A grant never widens by a new version: it delivers the fields that it named, under every version and of every record.
2. Whatever owners two versions name, a file that passes leaves at every instant each datum one owner rule, and no part
   without one that had one.
"""

import json
import os
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.entry import CatalogueEntry, OwnerRule
from compliance.writing import compile_owner
from schemas.resource import resource_schema
from tests.catalogue import PUBLISHED, against, entry, register, schema_text
from tests.examples import examples
from tests.hall import Hall
from tests.hall_register import NOW
from tests.strategies import generic_rows, resource_texts

QUICK = settings(
    max_examples=examples(60),
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=list(HealthCheck),
)
CLASSES = ("UNCONDITIONAL", "CONDITIONAL")


@st.composite
def next_version(draw: st.DrawFn, text: str, number: int) -> str:
    """A compatible next version: fields added anywhere, deprecated, re-classed, moved to another section."""
    known = json.loads(text)
    for spec in known["fields"]:
        if spec["name"] not in ("subject_number", *known["record_key"]):
            spec["deprecated"] = draw(st.booleans())
            spec["sharing"] = draw(st.sampled_from(CLASSES))
            spec["section"] = draw(st.sampled_from(("open", "identity", "restricted")))
    for at in range(draw(st.integers(0, 3))):
        spec = {**known["fields"][0], "name": f"new_{number}_{at}", "type": ["null", "string"], "cn": f"新{number}{at}"}
        spec |= {"section": draw(st.sampled_from(("open", "identity", "restricted"))), "sharing": "UNCONDITIONAL"}
        spec.pop("role", None)
        known["fields"].insert(draw(st.integers(0, len(known["fields"]))), spec)
    return json.dumps(known, ensure_ascii=False)


@QUICK
@given(st.data())
def test_a_grant_never_widens_by_a_new_version(data: st.DataObject) -> None:
    text = data.draw(resource_texts(max_fields=5))
    hall = Hall(text)
    granted = data.draw(st.sets(st.sampled_from(sorted(resource_schema(text).fields)), min_size=1))
    plans = [hall.grant(sorted(granted), id="g1")]
    records = hall.admit(hall.submit([hall.change(data.draw(generic_rows(resource_schema(text))))])).records
    texts = [text]
    for version in range(2, data.draw(st.integers(2, 4)) + 1):
        texts.append(data.draw(next_version(texts[-1], version)))
        hall.publish(texts[-1], version=version, published_at=NOW)
        # A plan is compiled again when the entry changes; the older one may still be at work.
        plans.append(hall.grant(sorted(granted), id=f"g{version}"))
        cited = data.draw(st.integers(1, version))
        row = data.draw(generic_rows(resource_schema(texts[cited - 1])))
        records += hall.admit(hall.submit([hall.change(row)], catalogue_version=cited)).records
    for plan in plans:
        deliveries = hall.deliver(records, plan)
        assert len(deliveries) == len(records)
        for delivery in deliveries:
            assert delivery.value is not None
            assert set(delivery.value["data"]) == granted


# -- owners -----------------------------------------------------------------------------------------------------------

DAYS = [PUBLISHED + timedelta(days=days) for days in range(0, 100, 10)]
NEXT = PUBLISHED + timedelta(days=30)
COUNTIES = ("441302", "441303", "441322", "441323", "441324", "441396", "441397")
VALUES = ("s1", "s2")
TEXT = schema_text("lamp")
# Rules of few kinds, so that many of the files that are drawn pass.
RULES = st.builds(
    lambda agency, divisions, from_, until: OwnerRule(
        agencies=(agency,), divisions=divisions, **({"effective_from": from_} if from_ else {}), effective_until=until
    ),
    st.sampled_from(("psb", "aic")),
    st.sampled_from((None, ("441300",), ("441302",), COUNTIES[1:])),
    st.none() | st.sampled_from(DAYS[:5]),
    st.none() | st.sampled_from(DAYS[5:]),
)


def halves(agency: str, division: tuple[str, ...] | None, at: datetime) -> tuple[OwnerRule, OwnerRule]:
    other = "aic" if agency == "psb" else "psb"
    return (
        OwnerRule(agencies=(agency,), divisions=division, effective_until=at),
        OwnerRule(agencies=(other,), divisions=division, effective_from=at),
    )


def owners(version: CatalogueEntry, at: datetime) -> dict[str, set[str]]:
    """By division, who may write at an instant, as admit decides it."""
    scopes = {code: compile_owner(version, code, at) for code in ("psb", "aic")}
    return {division: {c for c, scope in scopes.items() if scope.covers(division, {})} for division in COUNTIES}


HALVES = st.builds(halves, st.sampled_from(("psb", "aic")), st.sampled_from((None, ("441300",))), st.sampled_from(DAYS))
LAWFUL = st.one_of(
    HALVES,
    st.builds(lambda agency: (OwnerRule(agencies=(agency,), divisions=("441300",)),), st.sampled_from(("psb", "aic"))),
)
ANY = st.one_of(HALVES, st.lists(RULES, min_size=1, max_size=3).map(tuple))


@settings(QUICK, max_examples=examples(300))
@given(LAWFUL, ANY)
def test_what_passes_has_one_owner_at_every_instant_and_changes_it_at_one(
    before: tuple[OwnerRule, ...], after: tuple[OwnerRule, ...]
) -> None:
    first = entry(TEXT, owners=before)
    second = entry(TEXT, owners=after, version=2, published_at=NEXT)
    if against(second, view=register(first)):
        return
    instants = sorted({*DAYS, *(at - timedelta(milliseconds=1) for at in DAYS), DAYS[-1] + timedelta(days=999)})
    history = [owners(first if at < NEXT else second, at) for at in instants]
    named = {rule.effective_from for rule in (*before, *after)}
    for division in COUNTIES:
        known = [who[division] for who in history]
        assert all(len(who) <= 1 for who in known), "two owners of one datum"
        for at, (who, then) in zip(instants[1:], pairwise(known), strict=True):
            assert then or not who, f"{division} has no owner at {at}"
            assert not who or who == then or at in named, "a change without a time"


@settings(QUICK, max_examples=examples(200))
@given(st.sampled_from(DAYS), st.sampled_from(("psb", "aic")), st.sampled_from((None, ("441300",))))
def test_a_handover_is_taken_exactly_when_it_lies_at_or_after_publication(
    at: datetime, agency: str, division: tuple[str, ...] | None
) -> None:
    first = entry(TEXT, owners=(OwnerRule(agencies=(agency,), divisions=division),))
    second = entry(TEXT, owners=halves(agency, division, at), version=2, published_at=NEXT)
    assert (against(second, view=register(first)) == []) is (at >= NEXT)
