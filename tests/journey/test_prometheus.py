"""A real Prometheus watches a running bus: every rule and every board finds data, and an alarm fires and ends."""

import html
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from bus import Change, Publisher
from bus.settings import Settings
from bus.workers.supervisor import environment_of
from processors.freshness.words import quarter_name, quarter_of
from tests.builders import permit
from tests.city import City
from tests.compose_file import ROOT
from tests.local_cluster import free_ports, own_cluster
from tests.prometheus import FOLDER, Prometheus, running_prometheus
from tests.threads import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

KINDS = ("admit", "deliver", "relocate", "register", "freshness", "crosscheck", "intake", "notices")
# Seven programs that start at once on a busy machine.
START_S = 90.0
SILENT_S = 10.0


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Workers:
    """One process of each kind, each with a port of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.ports = dict(zip(KINDS, free_ports(len(KINDS)), strict=True))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *kinds: str) -> None:
        for kind in kinds:
            more = {"metrics_port": self.ports[kind], "freshness_silent_after_s": SILENT_S}
            settings = self._settings.model_copy(update=more)
            self._processes[kind] = subprocess.Popen(
                [sys.executable, "-m", "bus", "run", kind],
                cwd=ROOT,
                env={**os.environ, **environment_of(settings)},
                stderr=subprocess.DEVNULL,
            )

    def stop(self, *kinds: str) -> None:
        for kind in kinds:
            self._processes[kind].send_signal(signal.SIGTERM)
        for kind in kinds:
            self._processes.pop(kind).wait(40)

    def stop_all(self) -> None:
        self.stop(*self._processes)


@pytest.fixture(scope="module")
def watched_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A cluster of their own: workers that read everything would read what all other tests left."""
    with own_cluster(tmp_path_factory.mktemp("watched")) as ours:
        yield ours


@pytest.fixture(scope="module")
def city(watched_bus: Settings, tmp_path_factory: pytest.TempPathFactory) -> City:
    made = City(watched_bus, tmp_path_factory.mktemp("city"))
    made.add_grant("full")
    made.add_resource("disability", freshness="STATIC", update_frequency="每季度")
    made.apply()
    return made


@pytest.fixture(scope="module")
def workers(city: City) -> Iterator[Workers]:
    made = Workers(city.settings)
    made.start(*KINDS)
    try:
        yield made
    finally:
        made.stop_all()


@pytest.fixture(scope="module")
def prometheus(city: City, workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It watches from the start; then the city's owner publishes: good changes, and one that is refused."""
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), workers.ports) as server:
        until(lambda: len(server.query("bus_ready == 1")) == len(KINDS), "seven workers that are ready", START_S)
        with Publisher(city.owner, settings=city.settings) as publisher:
            now = datetime.now(UTC)
            good = [Change(permit(number), now) for number in range(50)]
            foreign = Change(permit(98, registration_authority_division="440305"), now)
            receipts = publisher.publish(city.resource, [*good, foreign]).receipts()
        assert [receipt.admitted for receipt in receipts] == [True] * 50 + [False]
        until(lambda: server.query("sum(bus_delivered_total) >= 50") != [], "the deliveries")
        yield server


def expressions() -> dict[str, str]:
    """What the boards ask for, as Grafana's files hold it."""
    found = {}
    for path in (ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                found[f"{path.stem}: {panel['title']}"] = target["expr"]
    return found


def test_every_worker_is_scraped(prometheus: Prometheus) -> None:
    def healthy() -> bool:
        targets = prometheus.api("targets")["activeTargets"]
        return {target["labels"]["worker"] for target in targets if target["health"] == "up"} == set(KINDS)

    until(healthy, "seven targets that are up")

    # A worker's own word for its kind and the target's are one label, not two. One that answers a scrape late is
    # missing until the next.
    def live() -> set[str]:
        return {row["metric"]["worker"] for row in prometheus.query("bus_live")}

    until(lambda: live() == set(KINDS), "what seven workers say of themselves")
    assert prometheus.query('{exported_worker=~".+"}') == []


def test_every_recording_rule_and_every_board_finds_data(prometheus: Prometheus) -> None:
    recording = yaml.safe_load((FOLDER / "rules" / "recording.yml").read_text(encoding="utf-8"))
    wanted = {
        rule["record"]: rule["record"] for group in recording["groups"] for rule in group["rules"]
    } | expressions()
    assert len(wanted) > 40
    missing = set(wanted)

    def found() -> bool:
        missing.difference_update([name for name in missing if prometheus.query(wanted[name])])
        return not missing

    try:
        until(found, "data for every rule and panel")
    finally:
        assert missing == set()


def test_every_rule_is_evaluated_without_an_error(prometheus: Prometheus) -> None:
    def looked_at() -> list[dict[str, str]]:
        return [rule for group in prometheus.api("rules")["groups"] for rule in group["rules"]]

    until(lambda: all(rule["health"] != "unknown" for rule in looked_at()), "a first look at each rule")
    assert {rule["name"]: rule.get("lastError") for rule in looked_at() if rule["health"] != "ok"} == {}
    alerts = [rule for rule in looked_at() if rule["type"] == "alerting"]
    assert len(alerts) > 20
    for rule in alerts:
        prometheus.query(rule["query"])


@pytest.mark.parametrize("board", ["index", "operator", "authority", "security"])
def test_prometheus_shows_the_boards_itself(prometheus: Prometheus, board: str) -> None:
    pages: list[tuple[int, str]] = []

    def whole() -> bool:
        pages.append(prometheus.page(f"/consoles/{board}.html"))
        return "no data" not in pages[-1][1]

    # Where a scrape came late, its figures are missing until the next.
    until(whole, "a board with data everywhere")
    status, page = pages[-1]
    assert status == 200, page
    assert page.rstrip().endswith("</html>")
    if board != "index":
        links = re.findall(r'<h2><a href="(/graph\?g0\.expr=[^"]+)"', page)
        assert len(links) == page.count("<h2><a")
        # Debian's Prometheus has the curves at another place and says so.
        assert prometheus.page(html.unescape(links[0]))[0] in {200, 301}


def test_a_worker_that_stops_is_an_alarm_with_owner_and_page_until_it_is_back(
    workers: Workers, prometheus: Prometheus
) -> None:
    def down() -> list[dict[str, Any]]:
        """The alarm of this worker; another one that answers a scrape late has its own for a moment."""
        return [alarm for alarm in prometheus.firing("BusWorkerDown") if alarm["labels"]["worker"] == "relocate"]

    until(lambda: prometheus.firing("BusWorkerDown") == [], "four workers and no alarm")
    workers.stop("relocate")
    until(lambda: down() != [], "the alarm")
    until(lambda: down()[0]["annotations"]["since"] != "", "the time of its beginning")
    [alarm] = down()
    assert (alarm["labels"]["worker"], alarm["labels"]["owner"]) == ("relocate", "operator")
    assert alarm["annotations"]["summary_zh"].startswith("工作进程 relocate")
    assert alarm["annotations"]["since"].startswith(f"{alarm['activeAt'][:10]} {alarm['activeAt'][11:18]}")
    assert (ROOT / alarm["annotations"]["runbook_url"].partition("#")[0]).is_file()
    assert "BusWorkerDown" in prometheus.page("/consoles/operator.html")[1]
    workers.start("relocate")
    until(lambda: down() == [], "the end of the alarm", START_S)


def test_a_source_that_is_not_fresh_is_its_agencys_alarm_until_it_speaks(city: City, prometheus: Prometheus) -> None:
    def alarms(code: str) -> list[dict[str, Any]]:
        """The city's own alarms of a code: other tests' agencies have theirs."""
        wanted = {"agency": city.owner, "code": code}
        return [one for one in prometheus.firing("BusSourceNotFresh") if wanted.items() <= one["labels"].items()]

    [static] = city.others
    with Publisher(city.owner, settings=city.settings) as publisher:
        for code, speak in (
            ("SILENT", lambda: publisher.heartbeat(city.resource)),
            ("STATIC_OVERDUE", lambda: publisher.declare(static, quarter_name(quarter_of(now_ms()) - 1))),
        ):
            until(lambda code=code: alarms(code) != [], f"the alarm {code}")
            until(lambda code=code: alarms(code)[0]["annotations"]["since"] != "", "the time of its beginning")
            [alarm] = alarms(code)
            assert alarm["labels"]["owner"] == city.owner
            assert city.owner in alarm["annotations"]["summary_zh"]
            assert code in alarm["annotations"]["summary_en"]
            page = (ROOT / alarm["annotations"]["runbook_url"].partition("#")[0]).read_text(encoding="utf-8")
            # It leads to the steps of each code.
            assert "../freshness.md#alarms-and-what-to-do" in page
            assert f"### {code}\n" in (ROOT / "docs" / "freshness.md").read_text(encoding="utf-8")
            speak()
            until(lambda code=code: alarms(code) == [], f"the end of {code}")
