"""`bus init` and `bus register apply` on real Kafka and a real registry: what they make, and what they leave alone."""

import json
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bus.keys.store import key_file
from bus.local import cluster as local
from bus.provision.actual import Cluster
from bus.provision.register import apply_register_file, init, read_register
from bus.provision.rights import READ, TOPIC, Right
from compliance.difference import Action
from compliance.models import GrantState
from schemas.errors import RegisterFileError
from tests.city import City
from tests.local_cluster import LocalBus, fresh_settings
from tests.provisioning import (
    REGISTER,
    actions,
    command,
    edited,
    picture,
    place_of,
    schema_file,
)

pytestmark = pytest.mark.kafka


@pytest.fixture
def city(local_bus: LocalBus, tmp_path: Path) -> City:
    made = City(local_bus.settings, tmp_path)
    made.add_grant("full")
    return made


# -- once, and again -----------------------------------------------------------------------------------------------


def test_applying_a_file_makes_everything_and_applying_it_again_makes_nothing(city: City) -> None:
    full = next(iter(city.grants))
    first = city.apply()
    assert set(actions(first).values()) == {Action.ADD}
    assert not first.dry_run
    made = picture(city.settings)
    corridor, records, delivery = f"change.{city.owner}.{city.resource}", f"record.{city.resource}", city.topic(full)
    assert {name: made.topics[name].partitions for name in (corridor, records, delivery)} == {
        corridor: 2,
        records: 2,
        delivery: 2,
    }
    assert made.configs[records]["cleanup.policy"] == "compact"
    assert made.configs[corridor]["retention.ms"] == str(city.settings.corridor_retention_ms)
    assert Right(f"User:agency-{city.subscriber}", TOPIC, delivery, READ) in made.rights
    assert {corridor, records, delivery, f"receipt.{city.owner}"} <= made.schemas.keys()
    assert made.compatibility == "FULL_TRANSITIVE"
    second = city.apply()
    assert set(actions(second).values()) == {Action.SAME}
    assert second.steps == ()
    assert picture(city.settings) == made


def test_init_after_an_apply_has_nothing_to_do(city: City) -> None:
    city.apply()
    # What earlier tests on this cluster left undone is done by the first.
    init(city.settings)
    before = picture(city.settings)
    assert init(city.settings).steps == ()
    assert init(city.settings, dry_run=True).steps == ()
    assert picture(city.settings) == before


def test_the_register_on_kafka_is_what_the_file_says(city: City) -> None:
    city.apply()
    view = read_register(Cluster(city.settings))
    entry, grant = view.entry(city.resource), view.grant(next(iter(city.grants)))
    assert entry is not None
    assert entry.avro == (city.folder / f"{city.resource}@1.avsc").read_text(encoding="utf-8")
    assert grant is not None
    assert (grant.state, grant.subscriber) == (GrantState.ACTIVE, city.subscriber)
    agency = view.agency(city.owner)
    assert agency is not None
    assert agency.onboarded


def test_an_empty_cluster_is_provisioned_by_one_command_and_by_several_at_once(tmp_path: Path) -> None:
    settings = fresh_settings(tmp_path / "state")
    try:
        local.up(settings, 1)
        empty = picture(settings)
        assert (empty.topics, empty.schemas, empty.keys) == ({}, {}, b"")
        dry = command(settings, "init", "--dry-run")
        assert (dry.returncode, dry.stderr) == (0, "")
        assert "* create topic register.grant with 1 partition(s), " in dry.stdout
        assert dry.stdout.endswith("dry run: nothing was changed\n")
        assert picture(settings) == empty
        with ThreadPoolExecutor(3) as pool:
            done = list(pool.map(lambda _: command(settings, "init", "--json"), range(3)))
        assert [(found.returncode, found.stderr) for found in done] == [(0, "")] * 3
        made = picture(settings)
        assert set(made.topics) >= {*REGISTER, "pulse", "incident", "bus.delivery-progress"}
        assert key_file(settings.state_dir).stat().st_mode & 0o777 == 0o600
        again = command(settings, "init")
        assert (again.returncode, again.stdout, again.stderr) == (0, "nothing to change\nnothing to change\n", "")
        assert picture(settings) == made
    finally:
        local.down(settings, wipe=True)


# -- what writes nothing -------------------------------------------------------------------------------------------


def test_a_dry_run_tells_what_an_apply_does_and_writes_nothing(city: City) -> None:
    before = picture(city.settings)
    dry = apply_register_file(city.settings, city.register_file(), dry_run=True)
    assert dry.dry_run
    assert picture(city.settings) == before
    real = city.apply()
    assert (dry.differences, dry.steps) == (real.differences, real.steps)
    assert any(f"create topic record.{city.resource} with 2 partition(s)" in step for step in dry.steps)


def test_a_dry_run_makes_no_keys(city: City, tmp_path: Path) -> None:
    elsewhere = city.settings.model_copy(update={"state_dir": tmp_path / "elsewhere"})
    shutil.copytree(city.settings.state_dir / "pki", elsewhere.state_dir / "pki")
    init(elsewhere, dry_run=True)
    apply_register_file(elsewhere, city.register_file(), dry_run=True)
    assert not key_file(elsewhere.state_dir).exists()


ERRORS: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    "value": (
        lambda file: file["agencies"][0].update(division="4413"),
        "division: '4413'",
        "is not a division code",
    ),
    "section": (lambda file: file.update(gifts=[]), "gifts:", "unknown section"),
    "bound": (
        lambda file: file["catalogue"][0].update(partitions=0),
        "partitions: 0",
        "greater than or equal to 1",
    ),
    "missing file": (
        lambda file: file["catalogue"][0].update(schema={"file": "none.avsc"}),
        "file: none.avsc",
        "cannot be read",
    ),
    "unknown agency": (
        lambda file: file["grants"][0].update(subscriber="nobody"),
        "- id: full-",
        "there is no agency nobody",
    ),
    "unknown field": (
        lambda file: file["grants"][0].update(fields=["nickname"]),
        "- id: full-",
        "has no field nickname",
    ),
    "missing content": (
        lambda file: file["catalogue"][0].update(related_systems=[]),
        "related_systems: []",
        r"E_CONTENT_MISSING \(Art 39\): .*related_systems",
    ),
    "unknown owner": (
        lambda file: file["catalogue"][0]["owners"][0]["agencies"].append("nobody"),
        "- agencies:",
        r"E_NO_AGENCY \(Art 11, 39\): an owner is not a registered agency: there is no agency nobody",
    ),
}


def test_a_file_with_an_error_writes_nothing_and_says_where(city: City) -> None:
    before = picture(city.settings)
    for error, (edit, line_of, what) in ERRORS.items():
        path = edited(city, edit)
        place = rf"^edited\.yaml:{place_of(path, line_of)}:\d+: .*{what}"
        for dry_run in (True, False):
            with pytest.raises(RegisterFileError) as refused:
                apply_register_file(city.settings, path, dry_run=dry_run)
            assert re.search(place, str(refused.value), re.MULTILINE), (error, str(refused.value))
    assert picture(city.settings) == before


def test_a_malformed_schema_writes_nothing_and_says_which_field(city: City) -> None:
    before = picture(city.settings)
    broken = schema_file(city, "broken.avsc", lambda schema: schema["fields"][2].pop("section"))
    path = edited(city, lambda file: file["catalogue"][0].update(schema=broken))
    with pytest.raises(RegisterFileError) as refused:
        apply_register_file(city.settings, path)
    field = json.loads((city.folder / f"{city.resource}@1.avsc").read_text(encoding="utf-8"))["fields"][2]["name"]
    assert str(refused.value) == (
        f"edited.yaml:{place_of(path, '  schema:')}:3: catalogue {city.resource}@1: "
        f"E_SCHEMA (Art 38): the schema is not one of this resource: resource {city.resource}: "
        f"field {field}: section must be one of open, identity, restricted"
    )
    assert picture(city.settings) == before


def test_the_command_tells_an_error_in_one_sentence_and_ends_as_wrong_usage(city: City) -> None:
    path = edited(city, lambda file: file["agencies"][0].update(division="4413"))
    told = command(city.settings, "register", "apply", str(path))
    assert (told.returncode, told.stdout) == (2, "")
    line = place_of(path, "division: '4413'")
    assert told.stderr.startswith(f"error: edited.yaml:{line}:3: agencies.0.division: ")
    assert told.stderr.count("\n") == 1


def test_the_command_applies_a_file_and_then_finds_nothing_to_change(city: City) -> None:
    path = str(city.register_file())
    first = command(city.settings, "register", "apply", path, "--json")
    assert first.returncode == 0, first.stderr
    assert {found["action"] for found in json.loads(first.stdout)["register"]} == {"ADD"}
    second = command(city.settings, "register", "apply", path)
    assert (second.returncode, second.stdout.splitlines()[-1]) == (0, "nothing to change")
