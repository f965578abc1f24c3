"""The benchmark's scene and the command's rules: each fault is found by its own check, and every check is shown."""

import json
import time
from collections import Counter
from random import Random

from click.testing import CliRunner

from bus.bench.crosscheck import checked_resources, entry
from bus.bench.scene import FAULTS, RecordWriter, event_ids, subject
from bus.cli.main import bus
from compliance.crosschecks import packaged_crosschecks
from processors.crosscheck.engine import CrossChecker
from processors.crosscheck.facts import Digester, fact_of
from schemas.partition import partition_of
from schemas.resource import packaged_text, resource_schema

CHECKS = packaged_crosschecks().checks
SUBJECTS = 500


def test_each_planted_fault_is_found_once_by_its_own_check_and_nothing_else_is() -> None:
    rng, ids = Random(1), event_ids(2)  # noqa: S311  a scene must repeat
    schemas = {name: resource_schema(packaged_text(name)) for name in checked_resources()}
    writers = {
        name: RecordWriter(schema, CHECKS, Digester("c1", bytes(32)), b"", 4, rng) for name, schema in schemas.items()
    }
    planted: Counter[str] = Counter()
    facts = []
    for number in range(SUBJECTS):
        fault, token, words = subject(number)
        planted.update([] if fault is None else [fault])
        for said in words:
            partition, key, value = writers[said.resource].write(token, said, next(ids))
            assert partition == partition_of(token, 4)
            record = schemas[said.resource].record.decode_physical(value)
            facts.append(fact_of(said.resource, len(facts), key, record))
    opened = CrossChecker(CHECKS).check(facts, (), {}, time.time_ns() // 1_000_000).opened
    assert Counter(hit.check for hit in opened) == planted
    assert set(planted) == set(FAULTS) == {check.id for check in CHECKS}


def test_the_benchs_catalogue_has_every_checked_resource() -> None:
    assert {entry(name).resource for name in checked_resources()} == set(checked_resources())


def test_the_rules_are_shown_for_people_and_programs() -> None:
    shown = CliRunner().invoke(bus, ["crosscheck", "rules"])
    assert shown.exit_code == 0
    assert all(check.id in shown.output for check in CHECKS)
    plain = json.loads(CliRunner().invoke(bus, ["crosscheck", "rules", "--json"]).output)
    assert [one["id"] for one in plain] == [check.id for check in CHECKS]
