"""A subject's partition is the one that Apache Kafka's own producer would choose."""

import random
import subprocess
from pathlib import Path

import pytest
from confluent_kafka import Message
from confluent_kafka.cimpl import NewTopic

from bus.local.artifacts import install, java
from bus.provision.actual import Cluster
from bus.wire.clients import Principal
from schemas.partition import partition_of
from tests.city import City
from tests.local_cluster import LocalBus, tool_properties
from tests.threads import until

pytestmark = pytest.mark.kafka
PARTITIONS = 7


def test_kafkas_own_producer_sends_every_key_where_we_would(local_bus: LocalBus, tmp_path: Path) -> None:
    city = City(local_bus.settings, tmp_path)
    topic = f"partitioner.{city.suffix}"
    cluster = Cluster(city.settings)
    cluster.admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(20)
    until(lambda: topic in cluster.topics(), "the topic")
    made = random.Random(7)  # noqa: S311  tests must repeat
    keys = ["".join(made.choices("0123456789Xab:居住证", k=length % 40 + 1)) for length in range(400)]
    folder = Principal.role(city.settings, "operator").folder
    config = tool_properties(folder, tmp_path)
    program = install(city.settings.cache_dir, "kafka")
    command = [java(), "-cp", f"{program.folder}/*", "org.apache.kafka.tools.ConsoleProducer"]
    command += ["--bootstrap-server", city.settings.bootstrap_servers, "--topic", topic]
    command += ["--command-config", str(config), "--reader-property", "parse.key=true"]
    # Its own 1.5 s and three attempts are little on a busy machine.
    command += ["--request-timeout-ms", "30000"]
    lines = "".join(f"{key}\tx\n" for key in keys)
    done = subprocess.run(command, input=lines.encode(), capture_output=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    found: list[Message] = city.read(topic)
    assert sorted(message.key() or b"" for message in found) == sorted(key.encode() for key in keys)
    assert all(message.partition() == partition_of(message.key() or b"", PARTITIONS) for message in found)
    assert {message.partition() for message in found} == set(range(PARTITIONS))
