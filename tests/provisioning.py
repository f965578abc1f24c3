"""What tests of provisioning share: a picture of all that it could change, register files changed, the command."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from confluent_kafka.schema_registry import SchemaRegistryClient

from bus.keys.store import key_file
from bus.provision.actual import Cluster, _in_threads
from bus.provision.binding import binding_of, filter_of
from bus.provision.register import Report
from bus.provision.rights import Right
from bus.settings import Settings
from bus.wire.clients import Principal
from bus.wire.table import end_offsets
from bus.workers.supervisor import environment_of
from compliance.difference import Action
from tests.city import City

REGISTER = (
    "register.agency",
    "register.catalogue",
    "register.review",
    "register.grant",
    "register.outage",
    "register.reckoning",
    "register.waiver",
)
WATCHED = ("cleanup.policy", "retention.ms", "min.compaction.lag.ms", "max.message.bytes", "min.insync.replicas")


@dataclass(frozen=True)
class Picture:
    """Everything that provisioning could change."""

    topics: dict[str, Any]
    configs: dict[str, dict[str, str]]
    rights: frozenset[Right]
    schemas: dict[str, tuple[str, ...]]
    compatibility: str
    events: dict[tuple[str, int], int]
    keys: bytes


def picture(settings: Settings) -> Picture:
    cluster = Cluster(settings)
    topics = cluster.topics()
    registered = [(kind, 0) for kind in REGISTER if kind in topics]
    keys = key_file(settings.state_dir)
    subjects = sorted(cluster.registry.subjects())
    return Picture(
        topics,
        cluster._configs({name: dict.fromkeys(WATCHED, "") for name in topics}),
        cluster.rights(),
        dict(zip(subjects, _in_threads(cluster.registry.versions, subjects), strict=True)),
        cluster.registry.compatibility(),
        end_offsets(cluster.admin, registered, settings.request_timeout_s) if registered else {},
        keys.read_bytes() if keys.exists() else b"",
    )


def actions(report: Report) -> dict[str, Action]:
    return {f"{found.kind} {found.key}": found.action for found in report.differences}


def edited(city: City, edit: Callable[[dict[str, Any]], object], name: str = "edited.yaml") -> Path:
    """The city's register file, changed, as people write it: a line for each key."""
    content = json.loads(city.register_file().read_text(encoding="utf-8"))
    edit(content)
    path = city.folder / name
    # By way of JSON no two places share an object, which YAML would write as an alias.
    content = json.loads(json.dumps(content))
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def schema_file(city: City, name: str, edit: Callable[[dict[str, Any]], object]) -> dict[str, str]:
    """The city's resource schema, changed, in a file beside the register's."""
    content = json.loads((city.folder / f"{city.resource}@1.avsc").read_text(encoding="utf-8"))
    edit(content)
    (city.folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return {"file": name}


def next_version(content: dict[str, Any], **changes: Any) -> None:
    entry = content["catalogue"][0]
    content["catalogue"].append({**entry, "version": 2, **changes})


def command(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    """The command as the operator starts it."""
    return subprocess.run(
        [sys.executable, "-m", "bus", *words],
        env={**os.environ, **environment_of(settings)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def place_of(path: Path, text: str) -> int:
    """The line in which a text stands."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def registry_of(settings: Settings) -> SchemaRegistryClient:
    folder = Principal.role(settings, "operator").folder
    return SchemaRegistryClient(
        {
            "url": settings.registry_url,
            "ssl.ca.location": str(folder / "ca.crt"),
            "ssl.certificate.location": str(folder / "tls.crt"),
            "ssl.key.location": str(folder / "tls.key"),
        }
    )


def change_rights(cluster: Cluster, give: list[Right], take: list[Right]) -> None:
    """What Kafka's own tools do."""
    for future in cluster.admin.create_acls([binding_of(right) for right in give]).values() if give else ():
        future.result(20)
    for future in cluster.admin.delete_acls([filter_of(right) for right in take]).values() if take else ():
        future.result(20)
