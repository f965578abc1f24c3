"""Apache Kafka on this machine: its nodes' settings, formatting their storage, starting, awaiting them.

The settings that matter (listeners, TLS, rights) are in `deploy/kafka/server.properties`, which docker-
compose.yml uses too; here only ports, paths and replication for the number of nodes are added.
"""

import base64
import contextlib
import json
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from bus.local.artifacts import Installed, deploy_text
from bus.local.certificates import TlsFiles
from bus.local.process import Service, start, wait_until
from schemas.errors import LocalRunError, SettingsError

CONTROLLER_PORT_OFFSET = 1_000
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MOST_REPLICAS = 3
_FORMAT_S = 60.0
_ANSWER_S = 1.0
_HIGHEST_PORT = 65_535
# Short-lived tools start faster without the optimising compiler and with the simplest collector.
TOOL_OPTIONS = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
# Normal running logs nothing; denials are logged, since they are not normal (principals and topics only, no
# content).
_LOG_OPTIONS = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",
    "-Dorg.slf4j.simpleLogger.showThreadName=false",
    "-Dorg.slf4j.simpleLogger.log.kafka.authorizer.logger=info",
)


@dataclass(frozen=True, slots=True)
class Node:
    """One combined broker and controller: its id from 1, its folder, its address."""

    node_id: int
    folder: Path
    host: str
    port: int

    @property
    def name(self) -> str:
        """The process's name, as in `run/<name>.pid`."""
        return f"kafka-{self.node_id}"

    @property
    def controller_port(self) -> int:
        """Where the nodes' controllers talk to one another."""
        return self.port + CONTROLLER_PORT_OFFSET

    @property
    def data(self) -> Path:
        """The node's storage; exists only once it is formatted wholly."""
        return self.folder / "data"


def local_address(address: str, setting: str) -> tuple[str, int]:
    """Split `host:port`, which must be of this machine's loopback: the local run is reachable from nowhere else.

    Raises:
        SettingsError: naming the setting.
    """
    host, _, port = address.strip().rpartition(":")
    host = host.strip("[]")
    if host not in _LOOPBACK or not port.isdecimal() or not 0 < int(port) <= _HIGHEST_PORT - CONTROLLER_PORT_OFFSET:
        raise SettingsError(
            f"{setting} is {address!r}: `bus local` needs a loopback address and a port up to "
            f"{_HIGHEST_PORT - CONTROLLER_PORT_OFFSET}, such as 127.0.0.1:19092"
        )
    return host, int(port)


def nodes_of(state_dir: Path, bootstrap_servers: str, count: int) -> tuple[Node, ...]:
    """The nodes for `count` brokers: at the listed addresses, or on consecutive ports from the first of them.

    Raises:
        SettingsError: when an address is not this machine's, or fewer addresses than brokers are listed (but
            not one).
    """
    addresses = [local_address(item, "BUS_BOOTSTRAP_SERVERS") for item in bootstrap_servers.split(",")]
    if len(addresses) == 1:
        host, port = addresses[0]
        addresses = [(host, port + index) for index in range(count)]
    if len(addresses) < count:
        raise SettingsError(
            f"BUS_BOOTSTRAP_SERVERS lists {len(addresses)} addresses for {count} brokers: list one, or all"
        )
    return tuple(
        Node(index + 1, state_dir / "kafka" / f"node-{index + 1}", host, port)
        for index, (host, port) in enumerate(addresses[:count])
    )


def known_cluster(state_dir: Path) -> tuple[str, int] | None:
    """Cluster id and number of brokers of the data in the state directory; None before the first start."""
    try:
        known = json.loads((state_dir / "kafka" / "cluster.json").read_text(encoding="utf-8"))
        return str(known["cluster_id"]), int(known["brokers"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def settle_cluster(state_dir: Path, brokers: int) -> str:
    """The cluster's id; made and written down at the first start, together with the number of brokers.

    Raises:
        LocalRunError: when the data was made for another number of brokers.
    """
    known = known_cluster(state_dir)
    if known is not None:
        cluster_id, made_for = known
        if made_for != brokers:
            raise LocalRunError(
                f"the data in {state_dir / 'kafka'} is that of {made_for} broker(s), not {brokers}: "
                f"run `bus local down --wipe` first, or ask for {made_for}"
            )
        return cluster_id
    # Kafka's ids are 16 bytes in URL-safe base64; one with a leading dash would read as an option.
    cluster_id = "-"
    while cluster_id.startswith("-"):
        cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    file = state_dir / "kafka" / "cluster.json"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps({"cluster_id": cluster_id, "brokers": brokers}), encoding="utf-8")
    draft.replace(file)
    return cluster_id


def render(node: Node, nodes: Sequence[Node], tls: TlsFiles, data: Path) -> str:
    """The node's whole `server.properties`: the common file, then what is this node's own."""
    voters = ",".join(f"{each.node_id}@{_url_host(each.host)}:{each.controller_port}" for each in nodes)
    host = _url_host(node.host)
    replicas = min(_MOST_REPLICAS, len(nodes))
    # One replica may be away without stopping transactions, where there are three.
    in_sync = max(1, replicas - 1)
    own = {
        "node.id": node.node_id,
        "controller.quorum.voters": voters,
        "listeners": f"CLIENTS://{host}:{node.port},CONTROLLER://{host}:{node.controller_port}",
        "advertised.listeners": f"CLIENTS://{host}:{node.port}",
        "log.dirs": data,
        "ssl.keystore.location": tls.bundle,
        "ssl.truststore.location": tls.ca,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "default.replication.factor": replicas,
    }
    lines = "".join(f"{key}={_escape(str(value))}\n" for key, value in own.items())
    return f"{deploy_text('kafka/server.properties')}\n# This node's own lines.\n{lines}"


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _escape(value: str) -> str:
    """A value as java.util.Properties reads it: backslashes doubled, what is not ASCII as UTF-16 escapes."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = [int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2)]
    return "".join(chr(code) if chr(code).isascii() else f"\\u{code:04x}" for code in codes)


def java_options() -> tuple[str, ...]:
    """The words of `deploy/kafka/jvm.env`."""
    words: list[str] = []
    for line in deploy_text("kafka/jvm.env").splitlines():
        name, sign, value = line.partition("=")
        if sign and not name.startswith("#"):
            words += value.split()
    return tuple(words)


def format_storage(nodes: Sequence[Node], cluster_id: str, tls: TlsFiles, program: Installed, lock: int) -> None:
    """Format the storage of nodes that have none; a storage gets its name only when it is whole.

    Kafka's tool holds the lock `lock` (a file descriptor) too: were `up` killed, the next one waits for the tool to end
    before it formats again.

    Raises:
        LocalRunError: naming the log file, when Kafka's own tool fails.
    """
    running: list[tuple[Node, subprocess.Popen[bytes], Path]] = []
    for node in (each for each in nodes if not each.data.is_dir()):
        node.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = node.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        properties = node.folder / "format.properties"
        properties.write_text(render(node, nodes, tls, draft), encoding="utf-8")
        log = node.folder / "format.log"
        command = [program.java, *TOOL_OPTIONS, *_LOG_OPTIONS, "-cp", f"{program.folder}/*", "kafka.tools.StorageTool"]
        command += ["format", "--cluster-id", cluster_id, "--config", str(properties)]
        with log.open("wb") as output:
            child = subprocess.Popen(  # noqa: S603  the words are ours, no shell parses them
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(program.environment),
                pass_fds=(lock,),
            )
        running.append((node, child, log))
    for node, child, log in running:
        try:
            code = child.wait(_FORMAT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise LocalRunError(f"formatting {node.name} took longer than {_FORMAT_S:.0f} s; see {log}") from None
        if code != 0:
            raise LocalRunError(f"the storage of {node.name} could not be formatted; see {log}")
        (node.folder / "data.new").replace(node.data)


def start_node(
    node: Node, nodes: Sequence[Node], service: Service, tls: TlsFiles, program: Installed, more: Sequence[str] = ()
) -> None:
    """Write the node's properties and start it; `await_cluster` tells when it serves.

    Args:
        node: the one to start.
        nodes: all of the cluster.
        service: its process.
        tls: the brokers' certificate.
        program: Kafka and its Java.
        more: options for Java behind our own, of which the later one counts.
    """
    properties = node.folder / "server.properties"
    properties.write_text(render(node, nodes, tls, node.data), encoding="utf-8")
    command = [
        program.java,
        *java_options(),
        *more,
        *_LOG_OPTIONS,
        "-cp",
        f"{program.folder}/*",
        "kafka.Kafka",
        str(properties),
    ]
    start(service, command, program.environment, node.folder)


def cluster_answers(bootstrap_servers: str, tls: TlsFiles, brokers: int, timeout_s: float) -> bool:
    """Whether all brokers are seen through mutual TLS by the operator, within `timeout_s` seconds."""
    admin = AdminClient(
        {
            "bootstrap.servers": bootstrap_servers,
            "security.protocol": "ssl",
            "ssl.ca.location": str(tls.ca),
            "ssl.certificate.location": str(tls.certificate),
            "ssl.key.location": str(tls.key),
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 200,
            # Until Kafka listens every attempt fails, which is what we are waiting out.
            "log_level": 0,
        },
        error_cb=lambda _: None,
    )
    with contextlib.suppress(KafkaException):
        return len(admin.list_topics(timeout=timeout_s).brokers) >= brokers
    return False


def await_cluster(
    nodes: Sequence[Node], services: Sequence[Service], tls: TlsFiles, timeout_s: float
) -> tuple[Service, ...]:
    """Wait until every node serves clients and knows all others; returns the processes that ended meanwhile.

    Raises:
        LocalRunError: when the time is up, naming the log files.
    """
    dead: list[Service] = []
    waiting = [f"{_url_host(node.host)}:{node.port}" for node in nodes]

    def done() -> bool:
        dead.extend(service for service in services if service.pid() is None)
        # Each is asked at its own address: the others list one that was just killed for some seconds more.
        while waiting and not dead and cluster_answers(waiting[-1], tls, len(nodes), _ANSWER_S):
            waiting.pop()
        return bool(dead) or not waiting

    if not wait_until(done, timeout_s):
        logs = ", ".join(str(service.log_file) for service in services)
        raise LocalRunError(f"Kafka did not serve within {timeout_s:.0f} s (BUS_LOCAL_START_TIMEOUT_S); see {logs}")
    return tuple(dead)
