"""The register file: every error with its line and column, and no value in any of them."""

from pathlib import Path

import pytest

from compliance.difference import Action, after, check, difference
from compliance.divisions import DivisionSet
from compliance.models import GrantState
from compliance.registerfile import read_register_file
from compliance.view import RegisterView
from schemas.errors import RegisterFileError

GOOD = """\
version: 1
agencies:
  - code: psb
    name: 公安局
    credit_code: 11441300007212348P
    type: ADMINISTRATIVE_ORGAN
    division: 441300
catalogue:
  - resource: residence_permit
    version: 1
    name: 居住证登记
    content: 信息
    responsible_department: 公安局
    update_frequency: 实时
    platform: 平台
    scope_and_manner: 订阅
    sharing_period: {from: 2020-01-01}
    freshness: DYNAMIC
    sharing: CONDITIONAL
    conditions: 依法履职所必需
    related_systems: [居住证系统]
    owners: [{agencies: [psb]}]
    published_at: 2026-01-01T00:00:00+08:00
    schema: {packaged: residence_permit}
grants:
  - id: g-1
    subscriber: psb
    resource: residence_permit
    fields: [sex_code]
    purpose: 测试
    valid_from: 2026-01-01
    valid_until: 2026-12-31
    state: ACTIVE
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "r.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def errors(folder: Path, text: str) -> str:
    with pytest.raises(RegisterFileError) as caught:
        check(RegisterView(), read_register_file(write(folder, text)))
    return str(caught.value)


def test_a_good_file_becomes_models(tmp_path: Path) -> None:
    file = read_register_file(write(tmp_path, GOOD))
    check(RegisterView(), file)
    assert [item.kind for item in file.items] == ["agency", "catalogue", "grant"]
    assert file.items[2].place.line == 26
    assert '"resource": "residence_permit"' in getattr(file.items[1].model, "avro", "")


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("    division: 441300", "    division: 4413", "r.yaml:7:", "agencies.0.division"),
        ("version: 1\nagencies", "version: 2\nagencies", "r.yaml:1:", "must be 1"),
        ("    type: ADMINISTRATIVE_ORGAN", "    typ: ADMINISTRATIVE_ORGAN", "r.yaml:6:", "typ"),
        ("grants:", "gifts:", "r.yaml:25:", "unknown section"),
        ("    state: ACTIVE", "    state: ACTIVE\n    state: ENDED", "r.yaml:34:", "stands twice"),
        ("packaged: residence_permit", "packaged: nothing", "r.yaml:24:", "nothing"),
        ("fields: [sex_code]", "fields: [nickname]", "r.yaml:26:", "no field nickname"),
        ("subscriber: psb", "subscriber: nobody", "r.yaml:26:", "no agency nobody"),
        (
            "agencies: [psb]}]",
            "agencies: [psb]}, {agencies: [psb]}]",
            "r.yaml:22:",
            "E_TWO_OWNERS (Art 5, 11): two owner rules overlap",
        ),
        ("fields: [sex_code]", "fields: [sex_code, sex_code]", "r.yaml:26:", "fields names something twice"),
        ("valid_until: 2026-12-31", "valid_until: 2025-12-31", "r.yaml:26:", "valid_until lies before valid_from"),
        ("    state: ACTIVE", "    state: REVOKED", "r.yaml:26:", "cannot go from nothing to REVOKED"),
        ("version: 1\nagencies", "version: &v 1\nagencies", "r.yaml:1:", "anchors"),
        ("    name: 公安局", "    name: [", "r.yaml:", "not YAML"),
        # an entry's named errors, where the key stands or else where the entry does
        ("    platform: 平台\n", "", "r.yaml:9:5", "E_CONTENT_MISSING (Art 39)"),
        ("    platform: 平台\n", "    platform: ' '\n", "r.yaml:15:", "E_CONTENT_MISSING (Art 39)"),
        ("    sharing: CONDITIONAL\n", "", "r.yaml:9:5", "E_CLASS_MISSING (Art 4)"),
        ("    related_systems: [居住证系统]\n", "", "r.yaml:9:5", "E_CONTENT_MISSING (Art 39)"),
        ("[居住证系统]", "[]", "r.yaml:21:5", "E_CONTENT_MISSING (Art 39)"),
        ("conditions: 依法履职所必需", "conditions: 无", "r.yaml:20:5", "E_NO_CONDITIONS (Art 4)"),
        ("update_frequency: 实时", "update_frequency: 每年", "r.yaml:14:5", "E_FREQUENCY (Art 16)"),
        ("    owners: [{", "    owners: [{field: nickname, values: [a], ", "r.yaml:22:14", "E_NO_FIELD (Art 40)"),
        (
            "    owners",
            "    fields: {sex_code: {sharing: CONDITIONAL}}\n    owners",
            "r.yaml:22:14",
            "E_BASE_ITEM (Art 4)",
        ),
        ("{packaged: residence_permit}", '"{}"', "r.yaml:24:5", "E_SCHEMA (Art 38)"),
        *(
            ("    owners", f"    field_groups:\n      looks: {said}\n    owners", where, what)
            for said, where, what in (
                ("{fields: [sex_code, nickname]}", "r.yaml:23:34", "E_NO_FIELD (Art 40): a field is named"),
                ("{fields: [sex_code]}\n      more: {fields: [sex_code]}", "r.yaml:24:23", "E_TWO_GROUPS (Art 16)"),
                ("{fields: [sex_code], update_frequency: 每月}", "r.yaml:23:35", "group looks is DYNAMIC"),
                ("{fields: [sex_code], freshness: STATIC}", "r.yaml:23:7", "group looks is STATIC"),
                ("{fields: []}", "r.yaml:23:15", "field_groups.looks.fields"),
                ("{fields: [sex_code, sex_code]}", "r.yaml:23:7", "fields names something twice"),
                ("{fields: [sex_code], freshness: 某人}", "r.yaml:23:35", "field_groups.looks.freshness"),
                ("{fields: [sex_code]}\n      Bad-Name: {fields: [name]}", "r.yaml:24:7", "is not a group's name"),
            )
        ),
        ("    owners", "    open_condition: 经同意\n    owners", "r.yaml:9:5", "open is not true"),
        ("    owners", "    identifier: 4/1\n    owners", "r.yaml:22:5", "is not a resource identifier"),
        (
            "    owners",
            "    scope: 441300\n    owners",
            "r.yaml:22:5",
            "is neither CITY nor the six digits of a county",
        ),
    ],
)
def test_an_error_names_its_line_and_rule(tmp_path: Path, old: str, new: str, where: str, what: str) -> None:
    assert old in GOOD
    found = errors(tmp_path, GOOD.replace(old, new, 1))
    assert where in found
    assert what in found


def test_all_errors_are_told_at_once_and_no_value_with_them(tmp_path: Path) -> None:
    text = GOOD.replace("division: 441300", "division: 某人甲").replace("freshness: DYNAMIC", "freshness: 某人乙")
    found = errors(tmp_path, text)
    assert len(found.splitlines()) == 2
    assert "某人" not in found


def test_a_second_reading_changes_nothing_and_scope_never_changes(tmp_path: Path) -> None:
    file = read_register_file(write(tmp_path, GOOD))
    view = after(RegisterView(), file)
    assert {found.action for found in difference(view, file)} == {Action.SAME}
    wider = read_register_file(write(tmp_path, GOOD.replace("fields: [sex_code]", "fields: [sex_code, name]")))
    with pytest.raises(RegisterFileError, match="never changes"):
        check(view, wider)
    ended = read_register_file(write(tmp_path, GOOD.replace("state: ACTIVE", "state: REVOKED")))
    check(view, ended)
    [change] = [found for found in difference(view, ended) if found.action is not Action.SAME]
    assert (change.key, change.fields) == ("g-1", ("state",))
    then = after(view, ended)
    grant = then.grant("g-1")
    assert grant is not None
    assert grant.state is GrantState.REVOKED
    with pytest.raises(RegisterFileError, match="REVOKED to ACTIVE"):
        check(then, file)


def test_a_published_version_never_changes(tmp_path: Path) -> None:
    view = after(RegisterView(), read_register_file(write(tmp_path, GOOD)))
    with pytest.raises(RegisterFileError, match="never changes"):
        check(
            view, read_register_file(write(tmp_path, GOOD.replace("update_frequency: 实时", "update_frequency: 每日")))
        )


def test_a_city_covers_its_counties_and_no_others() -> None:
    city = DivisionSet(["441300"])
    assert city.covers("441302")
    assert city.covers("441302001")
    assert not city.covers("441402")
    assert not city.covers(None)
    assert not DivisionSet(["441302"]).covers("441300")
    assert DivisionSet(["441302"]).overlaps(city)
    assert not DivisionSet(["441302"]).overlaps(DivisionSet(["441303"]))
