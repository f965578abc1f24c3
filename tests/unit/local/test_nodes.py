"""Where the local nodes are and what is written for them; ports and settings refused in words."""

import socket
from pathlib import Path

import pytest

from bus.local import cluster
from bus.local.certificates import issue_role
from bus.local.kafka import java_options, known_cluster, local_address, nodes_of, render, settle_cluster
from bus.local.registry import registry_address
from bus.settings import load
from schemas.errors import LocalRunError, SettingsError
from tests.local_cluster import fresh_settings
from tests.properties_file import parse_properties


def test_one_address_gives_consecutive_ports(tmp_path: Path) -> None:
    nodes = nodes_of(tmp_path, "127.0.0.1:19092", 3)
    assert [(node.node_id, node.port, node.controller_port) for node in nodes] == [
        (1, 19092, 20092),
        (2, 19093, 20093),
        (3, 19094, 20094),
    ]


def test_listed_addresses_are_taken_as_they_are(tmp_path: Path) -> None:
    nodes = nodes_of(tmp_path, "127.0.0.1:19092,localhost:19500", 2)
    assert [(node.host, node.port) for node in nodes] == [("127.0.0.1", 19092), ("localhost", 19500)]


def test_too_few_listed_addresses_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="2 addresses for 3 brokers"):
        nodes_of(tmp_path, "127.0.0.1:1,127.0.0.1:2", 3)


@pytest.mark.parametrize("address", ["10.0.0.1:9092", "kafka.example:9092", "127.0.0.1", "127.0.0.1:x", "localhost:0"])
def test_an_address_beyond_this_machine_is_refused_with_the_settings_name(address: str) -> None:
    with pytest.raises(SettingsError, match="BUS_BOOTSTRAP_SERVERS"):
        local_address(address, "BUS_BOOTSTRAP_SERVERS")


@pytest.mark.parametrize("url", ["http://127.0.0.1:18081/apis/ccompat/v7", "https://127.0.0.1:18081/"])
def test_a_registry_without_tls_or_at_another_interface_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="BUS_REGISTRY_URL"):
        registry_address(url)


def test_every_listener_of_a_node_asks_for_a_certificate(tmp_path: Path) -> None:
    node = nodes_of(tmp_path, "127.0.0.1:19092", 1)[0]
    properties = parse_properties(render(node, [node], issue_role(tmp_path, "broker"), node.data))
    protocols = dict(item.split(":") for item in properties["listener.security.protocol.map"].split(","))
    listeners = {item.split("://")[0] for item in properties["listeners"].split(",")}
    assert listeners == {"CLIENTS", "CONTROLLER"}
    assert {protocols[name] for name in listeners} == {"SSL"}
    assert properties["ssl.client.auth"] == "required"


def test_a_nodes_own_lines_win_and_are_written_for_java(tmp_path: Path) -> None:
    folder = tmp_path / "状态 dir"
    nodes = nodes_of(folder, "[::1]:19092", 3)
    text = render(nodes[1], nodes, issue_role(folder, "broker"), nodes[1].data)
    properties = parse_properties(text)
    assert text.isascii() or "\\u" in text
    assert properties["node.id"] == "2"
    assert properties["log.dirs"] == str(folder / "kafka" / "node-2" / "data")
    assert properties["listeners"] == "CLIENTS://[::1]:19093,CONTROLLER://[::1]:20093"
    assert properties["controller.quorum.voters"] == "1@[::1]:20092,2@[::1]:20093,3@[::1]:20094"


@pytest.mark.parametrize(
    ("brokers", "replicas", "in_sync"), [(1, "1", "1"), (2, "2", "1"), (3, "3", "2"), (5, "3", "2")]
)
def test_the_coordinators_topics_have_at_most_three_replicas(
    tmp_path: Path, brokers: int, replicas: str, in_sync: str
) -> None:
    nodes = nodes_of(tmp_path, "127.0.0.1:19092", brokers)
    properties = parse_properties(render(nodes[0], nodes, issue_role(tmp_path, "broker"), nodes[0].data))
    assert properties["offsets.topic.replication.factor"] == replicas
    assert properties["transaction.state.log.replication.factor"] == replicas
    assert properties["transaction.state.log.min.isr"] == in_sync


def test_a_topic_may_hold_what_the_settings_let_a_submission_be(tmp_path: Path) -> None:
    node = nodes_of(tmp_path, "127.0.0.1:19092", 1)[0]
    properties = parse_properties(render(node, [node], issue_role(tmp_path, "broker"), node.data))
    assert int(properties["message.max.bytes"]) >= load().topic_max_bytes
    assert int(properties["replica.fetch.max.bytes"]) >= load().topic_max_bytes


def test_the_brokers_heap_is_small() -> None:
    assert "-Xmx768m" in java_options()


def test_a_cluster_keeps_its_id_and_its_number_of_brokers(tmp_path: Path) -> None:
    assert known_cluster(tmp_path) is None
    cluster_id = settle_cluster(tmp_path, 3)
    assert not cluster_id.startswith("-")
    assert settle_cluster(tmp_path, 3) == cluster_id
    assert known_cluster(tmp_path) == (cluster_id, 3)
    with pytest.raises(LocalRunError, match="down --wipe"):
        settle_cluster(tmp_path, 1)


def test_a_torn_cluster_file_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "cluster.json").write_text('{"cluster_id": "x', encoding="utf-8")
    assert known_cluster(tmp_path) is None


@pytest.mark.parametrize(
    ("which", "setting"),
    [
        ("broker", "BUS_BOOTSTRAP_SERVERS"),
        ("controller", "BUS_BOOTSTRAP_SERVERS plus 1000"),
        ("registry", "REGISTRY_URL"),
    ],
)
def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path, which: str, setting: str) -> None:
    settings = fresh_settings(tmp_path / "state")
    node = nodes_of(settings.state_dir, settings.bootstrap_servers, 1)[0]
    port = {
        "broker": node.port,
        "controller": node.controller_port,
        "registry": registry_address(settings.registry_url)[1],
    }[which]
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(LocalRunError, match=f"{port}.*taken.*{setting}"):
            cluster.up(settings)
    assert not (settings.state_dir / "run").exists()
    assert not (settings.state_dir / "pki").exists()


def test_two_services_on_one_port_are_refused(tmp_path: Path) -> None:
    # Beyond the ports that other test processes are given, one of which could be taken just now.
    settings = load(
        state_dir=tmp_path,
        bootstrap_servers="127.0.0.1:30001",
        registry_url="https://127.0.0.1:31001/apis/ccompat/v7",
    )
    with pytest.raises(LocalRunError, match="31001 is wanted twice"):
        cluster.up(settings)


def test_stopping_where_nothing_ever_ran_makes_no_folder(tmp_path: Path) -> None:
    settings = fresh_settings(tmp_path / "state")
    assert cluster.down(settings, wipe=True) == ()
    assert not settings.state_dir.exists()
