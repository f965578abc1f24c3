"""Rules, alarms, runbooks and boards agree with one another and with the metrics.

That the rules do what they say is proved in `tests/integration/test_promtool.py`.
"""

import re
from typing import Any

import pytest
import yaml

from bus.metrics import METRICS
from bus.reference.boardfiles import files
from bus.reference.boards import BOARDS
from tests.compose_file import ROOT

DEPLOY = ROOT / "deploy"
RUNBOOKS = ROOT / "docs" / "runbooks"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# What Prometheus itself makes.
OF_PROMETHEUS = {"up", "ALERTS", "ALERTS_FOR_STATE"}


def rules(name: str) -> list[dict[str, Any]]:
    content = yaml.safe_load((DEPLOY / "prometheus" / "rules" / f"{name}.yml").read_text(encoding="utf-8"))
    return [rule for group in content["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules("alerts")}
RECORDED = {rule["record"] for rule in rules("recording")}


def test_every_alarm_is_seen_firing_and_silent_by_those_tests() -> None:
    seen: set[tuple[str, bool]] = set()
    for path in (DEPLOY / "prometheus" / "tests").glob("*.yml"):
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            for check in test.get("promql_expr_test", []):
                [name] = re.findall(r'alertname="(\w+)", alertstate="firing"', check["expr"])
                seen.add((name, bool(check["exp_samples"])))
    assert seen == {(name, fires) for name in ALERTS for fires in (True, False)}


# -- alarms and runbooks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_an_alarm_says_what_since_when_whose_and_what_to_do(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in {"warning", "critical"}
    owner = alert["labels"]["owner"]
    assert owner in {"operator", "authority", "security"} or "{{ $labels." in owner
    told = alert["annotations"]
    assert told.keys() == {"summary_zh", "summary_en", "since", "runbook_url"}
    assert CHINESE.search(told["summary_zh"])
    assert not CHINESE.search(told["summary_en"])
    assert f"ALERTS_FOR_STATE{{alertname='{name}'" in told["since"]
    path, _, anchor = told["runbook_url"].partition("#")
    assert path == f"docs/runbooks/{name}.md"
    headings = re.findall(r"^## (.*)$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


def test_every_alarm_has_a_runbook_and_every_runbook_an_alarm() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"} == set(ALERTS)


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_a_runbook_says_in_both_languages_what_it_is_about_and_when_it_is_over(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert re.findall(r"^#+ (.*)$", text, re.MULTILINE) == [
        name,
        "What it means",
        "What to look at",
        "What to do",
        "How to know that it is over",
    ]
    parts = [part.strip() for part in re.split(r"^#+ .*$", text, flags=re.MULTILINE)[1:]]
    assert all(parts)
    assert CHINESE.search(parts[0])


def test_the_list_of_runbooks_names_each_with_its_severity() -> None:
    listed = re.findall(
        r"^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \|", (RUNBOOKS / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert listed == [(name, name, alert["labels"]["severity"]) for name, alert in ALERTS.items()]


# -- boards --------------------------------------------------------------------------------------------------------


def test_the_files_of_the_boards_are_what_their_table_says() -> None:
    made = files()
    assert {name for name, text in made.items() if (DEPLOY / name).read_text(encoding="utf-8") != text} == set()
    there = {path for folder in ("grafana/dashboards", "prometheus/consoles") for path in (DEPLOY / folder).iterdir()}
    assert {str(path.relative_to(DEPLOY)) for path in there} == set(made)


def test_every_board_and_panel_has_a_title_in_both_languages() -> None:
    for board in BOARDS:
        for said in (board, *board.panels):
            assert CHINESE.search(said.zh), said
            assert not CHINESE.search(said.en), said


def test_no_metric_is_asked_for_that_nobody_tells() -> None:
    told = OF_PROMETHEUS | RECORDED
    for spec in METRICS:
        told |= {spec.name, *(spec.name + end for end in ("_bucket", "_sum", "_count") if spec.kind == "histogram")}
    queries = [rule["expr"] for rule in (*rules("alerts"), *rules("recording"))]
    queries += [panel.query for board in BOARDS for panel in board.panels]
    asked = {name for query in queries for name in re.findall(r"[\w:]*bus_\w[\w:]*|\bup\b|\bALERTS\w*", query)}
    assert asked - told == set()
    # And what is recorded is asked for.
    assert RECORDED - asked == set()


def test_every_metric_is_on_a_board_or_in_an_alarm_or_is_the_edges_own() -> None:
    queries = " ".join(
        [rule["expr"] for rule in (*rules("alerts"), *rules("recording"))]
        + [panel.query for board in BOARDS for panel in board.panels]
    )
    # `bus_published_total` is told by connectors, which run at the agencies; `bus_live` is the reason behind `bus_ready`.
    assert {spec.name for spec in METRICS if spec.name not in queries} == {"bus_published_total", "bus_live"}


def test_no_board_or_rule_is_written_for_one_place() -> None:
    for path in (*(DEPLOY / "prometheus" / "rules").iterdir(), *(DEPLOY / "grafana" / "dashboards").iterdir()):
        assert not re.search(r"127\.0\.0\.1|localhost|:\d{5}", path.read_text(encoding="utf-8")), path
