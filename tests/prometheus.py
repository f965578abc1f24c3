"""A Prometheus of the test's own on this repository's configuration: same rules and consoles, other ports, in a hurry."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from tests.compose_file import ROOT
from tests.local_cluster import HOST, free_ports
from tests.threads import until

FOLDER = ROOT / "deploy" / "prometheus"
_EVERY = "1s"
_STOP_S = 10.0


class PrometheusMissingError(Exception):
    """There is no Prometheus on this machine."""


def program(name: str) -> str:
    """The path of `prometheus` or `promtool`.

    Raises:
        PrometheusMissingError: naming the package to install.
    """
    found = shutil.which(name)
    if found is None:
        raise PrometheusMissingError(f"{name} is needed for this test: apt-get install prometheus, or `make setup`")
    return found


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server."""

    port: int

    def page(self, path: str) -> tuple[int, str]:
        """Status and content of a page."""
        connection = HTTPConnection(HOST, self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def api(self, path: str, **parameters: str) -> Any:
        """The data of an answer of its HTTP API; one that is not a success fails the test, with its reason."""
        status, content = self.page(f"/api/v1/{path}?{urlencode(parameters)}")
        answer = json.loads(content)
        assert (status, answer["status"]) == (200, "success"), answer
        return answer["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What an expression finds now."""
        found: list[dict[str, Any]] = self.api("query", query=expression)["result"]
        return found

    def firing(self, name: str) -> list[dict[str, Any]]:
        """The firing alarms of a name, with labels and annotations."""
        alerts = self.api("alerts")["alerts"]
        return [alert for alert in alerts if alert["labels"]["alertname"] == name and alert["state"] == "firing"]

    def ready(self) -> bool:
        """Whether it serves."""
        try:
            return self.page("/-/ready")[0] == 200
        except OSError:
            return False


@contextmanager
def running_prometheus(folder: Path, ports: Mapping[str, int]) -> Iterator[Prometheus]:
    """A server that scrapes the workers at these ports, by kind, until the end; its data are in the folder.

    It looks every second, and an alarm waits for one second where an operator's waits for minutes.
    """
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": _EVERY, "scrape_timeout": _EVERY, "evaluation_interval": _EVERY}
    for group in config["scrape_configs"][0]["static_configs"]:
        group["targets"] = [f"{HOST}:{ports[group['labels']['worker']]}"]
    (folder / "rules").mkdir()
    for path in (FOLDER / "rules").glob("*.yml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for rule in (rule for group in content["groups"] for rule in group["rules"] if "for" in rule):
            rule["for"] = _EVERY
        (folder / "rules" / path.name).write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    [port] = free_ports(1)
    command = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={HOST}:{port}",
        f"--web.console.templates={FOLDER / 'consoles'}",
        "--log.level=error",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        try:
            server = Prometheus(port)
            until(lambda: process.poll() is not None or server.ready(), "Prometheus' start")
            assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
            yield server
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
