"""`bus local` against the real thing: starts, refuses strangers, recovers from kills, leaves nothing behind."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from bus.local import cluster, registry
from bus.local.artifacts import install
from bus.local.certificates import issue_role
from bus.local.kafka import TOOL_OPTIONS, java_options, nodes_of, render
from bus.local.process import port_is_free, wait_until
from bus.settings import Settings
from tests.compose_file import compose, environment
from tests.local_cluster import HOST, LocalBus, fresh_settings, kafka_client
from tests.properties_file import parse_properties

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]
# Several programs, two of them Java, start one after another before some of it holds.
WAIT_S = 90.0


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A cluster that tests may kill; each of them calls `up` first, which is harmless where it runs."""
    settings = fresh_settings(tmp_path_factory.mktemp("own") / "state")
    try:
        yield settings
    finally:
        cluster.down(settings, wipe=True)


def pids(status: cluster.LocalStatus) -> dict[str, int | None]:
    return {service.name: service.pid for service in status.services}


def processes_of(state_dir: Path) -> list[int]:
    """Every process whose command line or folder names the state directory, whether or not a pid file tells of it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = (folder / "cmdline").read_bytes() + bytes((folder / "cwd").readlink())
        except OSError:
            continue
        if str(state_dir).encode() in told and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def bus(settings: Settings, *words: str) -> subprocess.Popen[str]:
    """The command as a user starts it."""
    code = "from bus.cli.main import main; main()"
    told = {f"BUS_{name.upper()}": str(getattr(settings, name)) for name in ("state_dir", "bootstrap_servers")}
    told["BUS_REGISTRY_URL"] = settings.registry_url
    return subprocess.Popen(
        [sys.executable, "-c", code, "local", *words],
        env={**os.environ, **told},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_second_up_changes_nothing(own: Settings) -> None:
    first = cluster.up(own)
    assert first.running
    assert {"kafka-1", "registry"} == set(pids(first))
    assert pids(cluster.up(own)) == pids(first)


def test_the_command_tells_what_runs_as_json(own: Settings) -> None:
    running = pids(cluster.up(own))
    with bus(own, "status", "--json") as command:
        out, err = command.communicate(timeout=WAIT_S)
    assert (command.returncode, err) == (0, "")
    assert {service["name"]: service["pid"] for service in json.loads(out)["services"]} == running


def test_down_leaves_no_process_and_no_taken_port(own: Settings) -> None:
    cluster.up(own)
    assert set(processes_of(own.state_dir)) >= {pid for pid in pids(cluster.status(own)).values() if pid}
    assert set(cluster.down(own)) == {"kafka-1", "registry"}
    assert wait_until(lambda: processes_of(own.state_dir) == [], WAIT_S)
    node = nodes_of(own.state_dir, own.bootstrap_servers, 1)[0]
    ports = (node.port, node.controller_port, registry.registry_address(own.registry_url)[1])
    assert all(port_is_free(HOST, port) for port in ports)
    with bus(own, "status") as command:
        command.communicate(timeout=WAIT_S)
    assert command.returncode == 3


def test_after_kill_9_of_both_programs_the_next_up_finds_all_data(own: Settings) -> None:
    status = cluster.up(own)
    operator = issue_role(own.state_dir, "operator")
    admin = AdminClient(kafka_client(own, operator))
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(WAIT_S)
    schemas = SchemaRegistryClient(registry_client(own))
    schema_id = schemas.register_schema("kept-value", Schema('{"type": "record", "name": "kept", "fields": []}'))
    for service in status.services:
        assert service.pid is not None
        os.kill(service.pid, signal.SIGKILL)
    again = cluster.up(own)
    assert again.running
    assert not set(pids(again).values()) & set(pids(status).values())
    assert "kept" in AdminClient(kafka_client(own, operator)).list_topics(timeout=WAIT_S).topics
    assert SchemaRegistryClient(registry_client(own)).get_latest_version("kept-value").schema_id == schema_id


def test_another_number_of_brokers_is_refused_while_the_data_is_there(own: Settings) -> None:
    cluster.up(own)
    cluster.down(own)
    with bus(own, "up", "--brokers", "3") as command:
        _, err = command.communicate(timeout=WAIT_S)
    assert command.returncode == 3
    assert err.startswith("error: the data in ")
    assert "down --wipe" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("moment", ["kafka/cluster.json", "kafka/node-1/format.log", "run/kafka-1.pid"])
def test_an_up_that_is_killed_half_way_is_finished_by_the_next(tmp_path: Path, moment: str) -> None:
    settings = fresh_settings(tmp_path / "state")
    try:
        with bus(settings, "up") as command:
            assert wait_until((settings.state_dir / moment).exists, WAIT_S)
            command.kill()
        assert command.returncode == -signal.SIGKILL
        assert cluster.up(settings).running
        assert len(processes_of(settings.state_dir)) == 2
    finally:
        cluster.down(settings, wipe=True)
    assert wait_until(lambda: processes_of(settings.state_dir) == [], WAIT_S)


def test_half_formatted_storage_is_formatted_again(tmp_path: Path) -> None:
    settings = fresh_settings(tmp_path / "state")
    half = settings.state_dir / "kafka" / "node-1" / "data.new"
    half.mkdir(parents=True)
    (half / "meta.properties").write_text("version=1\ncluster.id=other\nnode.id=9\n", encoding="utf-8")
    try:
        assert cluster.up(settings).running
        assert not half.exists()
    finally:
        cluster.down(settings, wipe=True)
    assert not (settings.state_dir / "kafka").exists()
    assert (settings.state_dir / "pki").exists()


def test_three_brokers_form_one_cluster_that_outlives_one_of_them(tmp_path: Path) -> None:
    settings = fresh_settings(tmp_path / "state", brokers=3)
    try:
        status = cluster.up(settings, 3)
        assert [service.serving for service in status.services] == [True] * 4
        admin = AdminClient(kafka_client(settings, issue_role(settings.state_dir, "operator")))
        admin.create_topics([NewTopic("three", 3, 3)])["three"].result(WAIT_S)

        def replicas() -> list[list[int]]:
            """As the broker that is asked knows them; one may hear of a new topic later than another."""
            partitions = admin.list_topics("three", timeout=WAIT_S).topics["three"].partitions
            return [sorted(partition.replicas) for partition in partitions.values()]

        assert wait_until(lambda: replicas() == [[1, 2, 3]] * 3, WAIT_S)
        lost = status.services[0].pid
        assert lost is not None
        os.kill(lost, signal.SIGKILL)
        assert cluster.up(settings).running
    finally:
        cluster.down(settings, wipe=True)
    assert wait_until(lambda: processes_of(settings.state_dir) == [], WAIT_S)


def registry_client(settings: Settings) -> dict[str, str]:
    tls = issue_role(settings.state_dir, "operator")
    return {
        "url": settings.registry_url,
        "ssl.ca.location": str(tls.ca),
        "ssl.certificate.location": str(tls.certificate),
        "ssl.key.location": str(tls.key),
    }


def test_an_agency_without_a_right_writes_nowhere(local_bus: LocalBus) -> None:
    admin = AdminClient(local_bus.operator())
    admin.create_topics([NewTopic("local.denied", 1, 1)])["local.denied"].result(WAIT_S)
    seen: list[KafkaError | None] = []
    producer = Producer({**local_bus.agency("police"), "message.timeout.ms": 60_000})
    producer.produce("local.denied", b"x", on_delivery=lambda error, _: seen.append(error))
    producer.flush(WAIT_S)
    assert [error.code() for error in seen if error is not None] == [KafkaError.TOPIC_AUTHORIZATION_FAILED]
    assert "local.denied" not in AdminClient(local_bus.agency("police")).list_topics(timeout=WAIT_S).topics


def test_further_options_for_java_reach_the_brokers_behind_those_of_their_own(local_bus: LocalBus) -> None:
    pid = pids(cluster.status(local_bus.settings))["kafka-1"]
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    more = local_bus.settings.local_java_options.split()
    first = words.index(more[0])
    assert words[1:first] == list(java_options())
    assert words[first : first + len(more)] == more


def test_no_client_makes_a_topic_by_writing_to_it(local_bus: LocalBus) -> None:
    seen: list[KafkaError | None] = []
    producer = Producer({**local_bus.operator(), "message.timeout.ms": 3_000, "topic.metadata.propagation.max.ms": 100})
    producer.produce("local.misspelt", b"x", on_delivery=lambda error, _: seen.append(error))
    producer.flush(WAIT_S)
    assert len(seen) == 1
    assert seen[0] is not None
    assert "local.misspelt" not in AdminClient(local_bus.operator()).list_topics(timeout=WAIT_S).topics


@pytest.mark.parametrize("door", ["broker", "controller", "registry"])
def test_no_door_opens_without_a_certificate(local_bus: LocalBus, door: str) -> None:
    settings = local_bus.settings
    node = nodes_of(settings.state_dir, settings.bootstrap_servers, 1)[0]
    registry_port = registry.registry_address(settings.registry_url)[1]
    port = {"broker": node.port, "controller": node.controller_port, "registry": registry_port}[door]
    context = ssl.create_default_context(cafile=str(issue_role(settings.state_dir, "operator").ca))
    with (
        socket.create_connection((HOST, port), timeout=WAIT_S) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as secured,
        pytest.raises(ssl.SSLError, match=r"(?i)certificate"),
    ):
        # In TLS 1.3 the client's half of the handshake ends before the server has seen that there is no certificate.
        secured.recv(1)


def test_kafka_refuses_a_certificate_of_another_authority(local_bus: LocalBus, tmp_path: Path) -> None:
    forged = issue_role(tmp_path, "operator")
    ours = {"ssl.ca.location": local_bus.operator()["ssl.ca.location"], "log_level": 0}
    stranger = AdminClient({**local_bus.client(forged), **ours}, error_cb=lambda _: None)
    with pytest.raises(KafkaException):
        stranger.list_topics(timeout=3.0)


def test_kafka_hears_no_plaintext(local_bus: LocalBus) -> None:
    stranger = AdminClient(
        {"bootstrap.servers": local_bus.settings.bootstrap_servers, "log_level": 0}, error_cb=lambda _: None
    )
    with pytest.raises(KafkaException):
        stranger.list_topics(timeout=2.0)


def test_the_registry_hears_no_plaintext(local_bus: LocalBus) -> None:
    address = registry.registry_address(local_bus.settings.registry_url)
    connection = http.client.HTTPConnection(*address, timeout=5.0)
    connection.request("GET", f"{registry.CCOMPAT}/subjects")
    with pytest.raises((OSError, http.client.HTTPException)):
        connection.getresponse()


def test_the_registry_keeps_attributes_and_refuses_what_breaks_a_reader(local_bus: LocalBus) -> None:
    client = SchemaRegistryClient(registry_client(local_bus.settings))
    assert client.get_compatibility() == "FULL_TRANSITIVE"
    field = {"name": "name", "type": ["null", "string"], "default": None, "cn": "姓名", "section": "identity"}
    schema = {"type": "record", "name": "local_test", "article": "第十八条", "fields": [field]}
    client.register_schema("local-test-value", Schema(json.dumps(schema), "AVRO"))
    kept = client.get_latest_version("local-test-value").schema.schema_str
    assert kept is not None
    assert json.loads(kept) == schema
    broken = {**schema, "fields": [field, {"name": "must", "type": "string"}]}
    with pytest.raises(SchemaRegistryError) as refused:
        client.register_schema("local-test-value", Schema(json.dumps(broken), "AVRO"))
    assert refused.value.http_status_code == 409


def test_kafkas_own_container_start_makes_of_our_compose_file_what_runs_natively(
    local_bus: LocalBus, tmp_path: Path
) -> None:
    """The image's entry point is a class in Kafka's jar, so that it can be asked without Docker."""
    settings = local_bus.settings
    service = compose({"HOME": str(tmp_path), "BUS_REGISTRY_DB_PASSWORD": "made-up"})["services"]["kafka"]
    tls = issue_role(settings.state_dir, "broker")
    here = {
        "KAFKA_LOG_DIRS": str(tmp_path / "data"),
        "KAFKA_SSL_KEYSTORE_LOCATION": str(tls.bundle),
        "KAFKA_SSL_TRUSTSTORE_LOCATION": str(tls.ca),
    }
    for name in ("default", "mounted", "final"):
        (tmp_path / name).mkdir()
    mounted = Path(service["volumes"][0].split(":")[0])
    (tmp_path / "mounted" / "server.properties").write_bytes((Path(__file__).parents[2] / mounted).read_bytes())
    for name in ("log4j2.yaml", "tools-log4j2.yaml"):
        (tmp_path / "default" / name).write_text(
            "Configuration: {Loggers: {Root: {level: info}, Logger: []}}\n", encoding="utf-8"
        )
    program = install(settings.cache_dir, "kafka")
    folders = [f"--{name}-configs-dir={tmp_path / name}" for name in ("default", "mounted", "final")]
    command = [program.java, *TOOL_OPTIONS, "-cp", f"{program.folder}/*", "kafka.docker.KafkaDockerWrapper", "setup"]
    done = subprocess.run(
        [*command, *folders],
        env={**program.environment, **environment(service), **here},
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_S,
    )
    assert done.returncode == 0, done.stderr
    docker = parse_properties((tmp_path / "final" / "server.properties").read_text(encoding="utf-8"))
    nodes = nodes_of(settings.state_dir, "127.0.0.1:19092", 1)
    native = parse_properties(render(nodes[0], nodes, tls, tmp_path / "data"))
    differ = {key for key in docker.keys() | native.keys() if docker.get(key) != native.get(key)}
    # A container listens on all of its own addresses and calls itself by another name.
    assert differ == {"listeners", "controller.quorum.voters"}
