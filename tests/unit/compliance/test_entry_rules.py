"""Every rule for a catalogue entry by its name: what is right passes, and one thing wrong has one name."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from compliance.entry import FieldGroup
from compliance.entry_codes import ENTRY_RULES, EntryCode
from compliance.models import FieldPolicy, GrantState, OwnerRule
from schemas.words import FreshnessClass, SharingClass
from tests.catalogue import CIRCULAR, LAW, PUBLISHED, against, codes, entry, field, grant, register, schema_text

UNCONDITIONAL, CONDITIONAL, NOT_SHARED = SharingClass.UNCONDITIONAL, SharingClass.CONDITIONAL, SharingClass.NOT_SHARED
FREE = schema_text(
    "lamp",
    fields=[field("number", "灯号", sharing="UNCONDITIONAL"), field("area", "灯区", sharing="UNCONDITIONAL")],
)


def policy(sharing: SharingClass, **more: Any) -> dict[str, FieldPolicy]:
    return {"area": FieldPolicy(sharing=sharing, **more)}


def groups(**named: FieldGroup) -> dict[str, Any]:
    return {"field_groups": named}


def test_an_entry_that_is_right_in_everything_is_taken() -> None:
    assert against(entry()) == []


def test_every_code_has_a_rule_with_article_and_sentences_and_is_named_by_a_test() -> None:
    assert set(ENTRY_RULES) == set(EntryCode)
    assert all(rule.article and rule.zh and rule.en for rule in ENTRY_RULES.values())
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [code for code in EntryCode if f'"{code.value}"' not in tests] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        # Art 39 and decisions 35
        ({"related_systems": ()}, "E_CONTENT_MISSING"),
        ({"avro": FREE, "sharing": UNCONDITIONAL, "conditions": None}, "E_CONTENT_MISSING"),
        # Art 4
        ({"conditions": None}, "E_NO_CONDITIONS"),
        ({"conditions": "无"}, "E_NO_CONDITIONS"),
        (
            {"avro": FREE, "sharing": UNCONDITIONAL, "conditions": "无", "fields": policy(CONDITIONAL)},
            "E_NO_CONDITIONS",
        ),
        ({"avro": schema_text("lamp", field("glow", sharing=None))}, "E_CLASS_MISSING"),
        ({"avro": schema_text("lamp", field("glow", base_item=True))}, "E_BASE_ITEM"),
        (
            {
                "avro": schema_text("lamp", field("glow", base_item=True, sharing="UNCONDITIONAL")),
                "fields": {"glow": FieldPolicy(sharing=NOT_SHARED, legal_basis=LAW)},
            },
            "E_BASE_ITEM",
        ),
        ({"avro": FREE, "licensing_related": True}, "E_LICENSING"),
        (
            {"avro": FREE, "licensing_related": True, "sharing": UNCONDITIONAL, "fields": policy(CONDITIONAL)},
            "E_LICENSING",
        ),
        ({"fields": policy(NOT_SHARED)}, "E_NO_LEGAL_BASIS"),
        ({"fields": policy(NOT_SHARED, legal_basis=CIRCULAR)}, "E_NO_LEGAL_BASIS"),
        ({"sharing": NOT_SHARED, "legal_basis": CIRCULAR}, "E_NO_LEGAL_BASIS"),
        ({"avro": schema_text("lamp", field("glow", sharing="NOT_SHARED"))}, "E_NO_LEGAL_BASIS"),
        # Art 16
        ({"update_frequency": "每日"}, "E_FREQUENCY"),
        ({"update_frequency": "经常"}, "E_FREQUENCY"),
        ({"freshness": FreshnessClass.STATIC, "update_frequency": "每年"}, "E_FREQUENCY"),
        (groups(glow=FieldGroup(fields=("colour",))), "E_NO_FIELD"),
        (groups(one=FieldGroup(fields=("area",)), two=FieldGroup(fields=("number", "area"))), "E_TWO_GROUPS"),
        # A group's own class with the entry's frequency, a frequency of another class, and one longer than a quarter.
        (groups(glow=FieldGroup(fields=("area",), freshness=FreshnessClass.STATIC)), "E_FREQUENCY"),
        (groups(glow=FieldGroup(fields=("area",), update_frequency="每季度")), "E_FREQUENCY"),
        (
            groups(glow=FieldGroup(fields=("area",), freshness=FreshnessClass.STATIC, update_frequency="每年")),
            "E_FREQUENCY",
        ),
        # Art 36
        ({"source_route": "PROVINCIAL"}, "E_ROUTE_REASON"),
        # Art 38, 40
        ({"owners": (OwnerRule(agencies=("nobody",)),)}, "E_NO_AGENCY"),
        ({"owners": (OwnerRule(agencies=("psb", "nobody")),)}, "E_NO_AGENCY"),
        ({"owners": (OwnerRule(agencies=("psb",), field="colour", values=("red",)),)}, "E_NO_FIELD"),
        ({"fields": {"colour": FieldPolicy(required=True)}}, "E_NO_FIELD"),
        ({"avro": "{}"}, "E_SCHEMA"),
        ({"avro": schema_text("street_lamp")}, "E_SCHEMA"),
        ({"avro": schema_text("lamp", field("glow", code_list="no_such_list"))}, "E_SCHEMA"),
        ({"avro": schema_text("lamp", field("glow", code_list="currency", code_policy="shout"))}, "E_SCHEMA"),
        ({"avro": schema_text("lamp", field("glow", deprecated="yes"))}, "E_SCHEMA"),
        ({"avro": schema_text("lamp", field("glow", type=["null", "candle"]))}, "E_SCHEMA"),
        ({"version": 2}, "E_VERSION_GAP"),
        # a deprecated field is asked for by nobody
        ({"avro": schema_text("lamp", field("glow", deprecated=True), record_key=["glow"])}, "E_DEPRECATED"),
        (
            {
                "avro": schema_text("lamp", field("glow", deprecated=True)),
                "fields": {"glow": FieldPolicy(required=True)},
            },
            "E_DEPRECATED",
        ),
        (
            {
                "avro": schema_text("lamp", field("glow", deprecated=True)),
                "owners": (OwnerRule(agencies=("psb",), field="glow", values=("warm",)),),
            },
            "E_DEPRECATED",
        ),
    ],
)
def test_one_thing_wrong_has_one_name(changes: dict[str, Any], code: str) -> None:
    assert set(codes(entry(**{"resource": "lamp", **changes}))) == {code}


@pytest.mark.parametrize(
    "changes",
    [
        {"avro": FREE, "sharing": UNCONDITIONAL, "conditions": "无", "licensing_related": True},
        {"fields": policy(CONDITIONAL, conditions="经同意")},
        {"fields": policy(UNCONDITIONAL)},
        {
            "avro": schema_text("lamp", field("glow", base_item=True, sharing="UNCONDITIONAL")),
            "fields": {"glow": FieldPolicy(sharing=UNCONDITIONAL, required=True)},
        },
        {"sharing": NOT_SHARED, "legal_basis": LAW, "fields": policy(NOT_SHARED)},
        {"fields": policy(NOT_SHARED, legal_basis=LAW)},
        {"freshness": FreshnessClass.STATIC, "update_frequency": "每季度"},
        groups(
            glow=FieldGroup(fields=("area",), freshness=FreshnessClass.STATIC, update_frequency="每月"),
            plate=FieldGroup(fields=("number",)),
        ),
        {
            "freshness": FreshnessClass.STATIC,
            "update_frequency": "每季度",
            **groups(glow=FieldGroup(fields=("area",), freshness=FreshnessClass.DYNAMIC, update_frequency="实时")),
        },
        {"source_route": "PROVINCIAL", "route_reason": "省直系统，无提取权限"},
        {"avro": schema_text("lamp", field("glow", deprecated=True, required=True))},
        {"avro": schema_text("lamp", field("glow", code_list="currency", code_policy="flag"))},
        {
            "avro": schema_text("lamp", field("glow", sharing=None)),
            "fields": {"glow": FieldPolicy(sharing=CONDITIONAL)},
        },
    ],
)
def test_what_the_law_allows_is_taken(changes: dict[str, Any]) -> None:
    assert against(entry(**{"resource": "lamp", **changes})) == []


@pytest.mark.parametrize("level", ["LAW", "ADMINISTRATIVE_REGULATION", "PARTY_STATE_COUNCIL_POLICY", "GOVERNMENT_RULE"])
def test_each_level_that_article_4_names_closes_a_field(level: str) -> None:
    basis = CIRCULAR.model_copy(update={"level": level})
    assert against(entry(fields=policy(NOT_SHARED, legal_basis=basis))) == []


def test_the_entrys_conditions_serve_for_every_field_and_a_fields_own_for_itself_alone() -> None:
    own = {name: FieldPolicy(conditions="经同意") for name in ("number", "area")}
    assert codes(entry(conditions=None, fields=own)) == ["E_NO_CONDITIONS"], "the entry itself is conditional too"
    text = json.loads(FREE)
    text["fields"][1]["sharing"] = "CONDITIONAL"
    mixed = {"avro": json.dumps(text), "sharing": UNCONDITIONAL, "conditions": "无"}
    assert codes(entry(**mixed)) == ["E_NO_CONDITIONS"]
    assert codes(entry(**mixed, fields={"area": FieldPolicy(conditions="经同意")})) == []


# -- versions --------------------------------------------------------------------------------------------------------


def later(text: str = "", **changes: Any) -> Any:
    return entry(text, **{"version": 2, "published_at": PUBLISHED + timedelta(days=30), **changes})


def test_a_published_version_never_changes_and_a_field_goes_or_comes_in_the_next_alone() -> None:
    view = register(entry())
    wider = schema_text("lamp", field("glow"))
    assert codes(entry(wider), view=view) == ["E_IMMUTABLE"]
    assert codes(entry(owners=(OwnerRule(agencies=("aic",)),)), view=view) == ["E_IMMUTABLE"]
    assert "schema" in against(entry(wider), view=view)[0]
    assert codes(later(wider), view=view) == []
    assert codes(later(schema_text("lamp")), view=register(entry(wider))) == []


def test_a_version_that_is_applied_again_is_not_judged_again() -> None:
    """Rules that are stricter today do not turn away what was published under those of then."""
    old = entry(related_systems=(), update_frequency="经常")
    assert codes(old) != []
    assert codes(old, view=register(old)) == []
    assert codes(old.model_copy(update={"state": "RETIRED"}), view=register(old)) == []


def test_a_retired_entry_stays_retired_and_may_have_a_successor() -> None:
    retired = entry(state="RETIRED")
    assert codes(entry(), view=register(retired)) == ["E_RETIRED"]
    assert codes(later(), view=register(retired)) == []


def test_versions_follow_one_another_in_number_and_in_time() -> None:
    view = register(entry())
    assert codes(later(version=3), view=view) == ["E_VERSION_GAP"]
    assert codes(later(published_at=PUBLISHED - timedelta(days=1)), view=view) == ["E_VERSION_GAP"]
    assert codes(later(), later(version=3), view=view) == []


def test_partitions_are_for_ever() -> None:
    assert codes(later(partitions=8), view=register(entry())) == ["E_PARTITIONS"]


def test_a_type_never_changes_from_any_version_to_any_other() -> None:
    first, number = schema_text("lamp", field("glow")), schema_text("lamp", field("glow", type=["null", "int"]))
    assert codes(later(number), view=register(entry(first))) == ["E_INCOMPATIBLE"]
    without = register(entry(first), later())
    assert codes(later(number, version=3), view=without) == ["E_INCOMPATIBLE"], "the first version's readers are there"
    assert codes(later(schema_text("lamp", name="Lantern")), view=register(entry())) == ["E_INCOMPATIBLE"]


def test_two_versions_of_one_file_must_fit_each_other_too() -> None:
    first, number = schema_text("lamp", field("glow")), schema_text("lamp", field("glow", type=["null", "int"]))
    assert codes(entry(first), later(number)) == ["E_INCOMPATIBLE"]


def test_what_keys_a_record_never_changes() -> None:
    keyed = schema_text("lamp", record_key=["area"])
    assert codes(later(keyed), view=register(entry())) == ["E_KEY_CHANGED"]
    other = json.loads(schema_text())
    other["subject"]["number_field"] = "area"
    assert codes(later(json.dumps(other)), view=register(entry())) == ["E_KEY_CHANGED"]


def test_a_field_that_a_live_grant_delivers_is_not_removed_under_it() -> None:
    wide, held = entry(schema_text("lamp", field("glow"))), grant("lamp", ["area", "glow"])
    view = register(wide, held)
    assert codes(later(), view=view) == ["E_FIELD_IN_USE"]
    assert "grant g-1 delivers glow" in against(later(), view=view)[0]
    assert "E_FIELD_IN_USE" not in codes(later(), grant("lamp", ["area", "glow"], state=GrantState.ENDED), view=view)
    assert codes(later(), view=view, now=PUBLISHED + timedelta(days=400)) == [], "the grant's last day is over"
    assert codes(later(), view=register(wide, grant("lamp", ["area"]))) == []


def test_an_identifier_belongs_to_one_resource_for_ever() -> None:
    view = register(entry(identifier="306013/000012"))
    other = schema_text("bench")
    assert codes(entry(other, identifier="306013/000012"), view=view) == ["E_IDENTIFIER"]
    assert codes(entry(other, identifier="306013/000013"), view=view) == []
    assert codes(later(identifier="306013/000014"), view=view) == ["E_IDENTIFIER"]
    assert codes(later(identifier=None), view=view) == ["E_IDENTIFIER"]
    assert codes(later(identifier="306013/000012"), view=register(entry())) == []
