"""What one version changes of the version before, field by field, and nothing that it does not."""

import json
from datetime import timedelta
from typing import Any

import pytest

from compliance.changes import entry_changes
from compliance.models import CatalogueEntry, FieldPolicy, OwnerRule
from compliance.proposal import propose
from schemas.words import SharingClass
from tests.builders import RESOURCES
from tests.catalogue import LAW, PUBLISHED, entry, field, schema_text

OLD = schema_text("lamp", field("glow"), field("post", required=True))


def lines(text: str = OLD, **changes: Any) -> list[str]:
    """What a second version says, against the first."""
    return entry_changes(entry(OLD), entry(text, version=2, **changes)).lines()


def marked(name: str, **attributes: Any) -> str:
    """The old schema with attributes of one field replaced."""
    text = json.loads(OLD)
    for spec in text["fields"]:
        if spec["name"] == name:
            spec.update(attributes)
    return json.dumps(text, ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "changes", "line"),
    [
        (schema_text("lamp", field("glow"), field("post", required=True), field("lens")), {}, "+ lens added"),
        (schema_text("lamp", field("post", required=True)), {}, "- glow removed"),
        (marked("glow", deprecated=True), {}, "~ glow deprecated: still read, no longer asked for"),
        (marked("post", deprecated=True), {}, "~ post deprecated: still read, no longer asked for"),
        (marked("glow", sharing="UNCONDITIONAL"), {}, "~ glow re-classed: CONDITIONAL → UNCONDITIONAL"),
        (
            OLD,
            {"fields": {"glow": FieldPolicy(sharing=SharingClass.UNCONDITIONAL)}},
            "~ glow re-classed: CONDITIONAL → UNCONDITIONAL",
        ),
        (OLD, {"fields": {"glow": FieldPolicy(required=True)}}, "~ glow required"),
        (OLD, {"fields": {"post": FieldPolicy(required=False)}}, "~ post no longer required"),
        (marked("glow", section="restricted"), {}, "~ glow moved: section open → restricted"),
        (marked("glow", cn="亮度"), {}, "~ glow described otherwise in the schema"),
        (OLD, {"fields": {"glow": FieldPolicy(legal_basis=LAW)}}, "~ glow: conditions or basis changed"),
        (OLD, {"platform": "县级平台"}, "~ platform"),
        (OLD, {"state": "RETIRED"}, "~ state"),
    ],
)
def test_one_change_is_one_line(text: str, changes: dict[str, Any], line: str) -> None:
    assert lines(text, **changes) == [line]


def test_a_new_owner_is_told_with_the_old_one_and_the_time() -> None:
    at = PUBLISHED + timedelta(days=60)
    owners = (
        OwnerRule(agencies=("psb",), divisions=("441300",), effective_until=at),
        OwnerRule(agencies=("aic",), divisions=("441300",), effective_from=at),
    )
    assert lines(owners=owners) == [
        "- owner psb; divisions 441300",
        "+ owner psb; divisions 441300; until 2026-03-02T08:00:00+08:00",
        "+ owner aic; divisions 441300; from 2026-03-02T08:00:00+08:00",
    ]


def test_a_field_that_is_no_longer_deprecated_is_told() -> None:
    known = entry(marked("glow", deprecated=True))
    assert entry_changes(known, entry(OLD, version=2)).lines() == ["~ glow no longer deprecated"]


def test_a_version_that_differs_in_number_and_day_alone_is_the_same() -> None:
    changes = entry_changes(entry(OLD), entry(OLD, version=2, published_at=PUBLISHED + timedelta(days=1)))
    assert changes.same
    assert (changes.old, changes.new) == (1, 2)


def test_everything_of_a_new_entry_is_new() -> None:
    changes = entry_changes(None, entry(OLD))
    assert not changes.same
    assert changes.added == ("number", "area", "glow", "post")
    assert changes.reowned == ((), ("psb; divisions 441300",))


@pytest.mark.parametrize("code", RESOURCES)
def test_a_proposal_repeated_is_the_same(code: str) -> None:
    known: CatalogueEntry = propose(code, PUBLISHED)
    assert entry_changes(known, propose(code, PUBLISHED, version=2)).same
