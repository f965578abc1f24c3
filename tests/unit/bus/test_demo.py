"""The demo beside Kafka: what it shows fits a terminal, it takes ports that are free, what it leaves is stopped."""

import io
import os
import shutil
import socket
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from bus.cli.demo import demo_settings
from bus.demo.register import EXPIRED, FULL
from bus.demo.tables import refusals, summary
from bus.demo.tally import Counts
from bus.local import cluster
from bus.local.process import Service, start
from schemas.refusals import RULES, RefusalCode
from tests.local_cluster import HOST, fresh_settings

LONGEST = "change.migrant_services.residence_permit"


def shown(*things: object) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=80).print(*things)
    return text.getvalue().splitlines()


def counts() -> Counts:
    found = Counts(refused=Counter({code.value: 3 for code in RULES}))
    for code in RULES:
        found.examples[code.value] = {
            "topic": LONGEST,
            "partition": 3,
            "offset": 12345,
            "index": 498,
            "field": "registration_authority_division",
        }
    return found


def test_every_refusal_is_readable_at_80_columns() -> None:
    lines = shown(refusals(counts()))
    assert all(len(line) <= 80 for line in lines)
    places = [line for line in lines if f" {LONGEST}/3/12345 #498 " in line]
    fields = [line for line in lines if " field registration_authority_division " in line]
    assert len(places) == len(fields) == len(RULES)
    text = "\n".join(lines)
    assert "…" not in text
    for code in RefusalCode:
        assert f" {code.value} " in text


def test_what_came_under_a_grant_that_is_over_is_counted_not_claimed() -> None:
    found = counts()
    found.delivered.update({FULL: 7, EXPIRED: 2})
    [line] = [line for line in shown(summary(found, 1.0)) if EXPIRED in line]
    assert line.split()[-2] == "2"


@pytest.mark.parametrize("port_of", ["bootstrap_servers", "registry_url"])
def test_the_demo_leaves_taken_ports_alone(tmp_path: Path, port_of: str) -> None:
    base = fresh_settings(tmp_path)
    assert demo_settings(base).bootstrap_servers == base.bootstrap_servers
    taken = int(getattr(base, port_of).removesuffix("/apis/ccompat/v7").rsplit(":", 1)[1])
    with socket.create_server((HOST, taken)):
        chosen = demo_settings(base)
    assert chosen.bootstrap_servers != base.bootstrap_servers
    assert chosen.registry_url != base.registry_url
    assert chosen.state_dir == tmp_path / "demo"


def test_bus_local_down_also_stops_workers_that_a_demo_left(tmp_path: Path) -> None:
    worker = Service("demo-admit", tmp_path / "run", tmp_path / "log")
    start(worker, [shutil.which("sleep") or "sleep", "600"], os.environ, tmp_path)
    assert worker.pid() is not None
    assert cluster.down(fresh_settings(tmp_path)) == ("demo-admit",)
    assert worker.pid() is None
