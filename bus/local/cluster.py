"""`bus local`: start, stop and look at Kafka and the registry of this machine's state directory.

`up` in steps, each of which can be cut off at any point and done again:
1. take the state directory's lock (the kernel frees it if we die);
2. refuse taken ports, before anything starts;
3. fetch the programs (once), issue certificates;
4. format the storage of nodes that have none;
5. start what does not run (again, if it only seemed to run);
6. wait until Kafka and the registry serve, and set the registry's compatibility.
"""

import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bus.local import kafka, registry
from bus.local.artifacts import install
from bus.local.certificates import TlsFiles, issue_bus, issue_role
from bus.local.process import Service, exclusive, port_is_free, stop
from bus.settings import Settings
from schemas.errors import BusError, LocalRunError

# A broker writes its indexes before it ends; beyond this it is ended for it, which recovery at the next start
# mends.
_STOP_S = 20.0
_LAST_STOP_S = 2.0
_MOST_BROKERS = 7
# On a busy machine a first handshake takes seconds, and slow is not away.
_ANSWER_S = 10.0
# What `down --wipe` removes. Certificates and keys stay: agencies' register entries name the former, and
# without the latter nothing that was ever sealed could be opened again.
_WIPED = ("kafka", "registry", "log", "run")
# The register's database of this machine goes along: what it decided would come back on an empty Kafka.
_WIPED_FILES = ("register.db", "register.db-wal", "register.db-shm", "register.db.relay")


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One process: `pid` is None when it does not run; `serving`: it answers a client with a certificate."""

    name: str
    address: str
    pid: int | None
    serving: bool
    log: Path


@dataclass(frozen=True, slots=True)
class LocalStatus:
    """What runs of the local cluster."""

    state_dir: Path
    services: tuple[ServiceStatus, ...]

    @property
    def running(self) -> bool:
        """Whether every process runs and serves."""
        return bool(self.services) and all(service.serving for service in self.services)


def up(settings: Settings, brokers: int | None = None) -> LocalStatus:
    """Start Kafka and the registry unless they run, and return when both serve.

    Args:
        settings: where (state_dir, cache_dir), on which ports (bootstrap_servers, registry_url) and how long
            to wait.
        brokers: how many; None takes as many as the data was made for, at first 1.

    Raises:
        LocalRunError: a port is taken, a program is missing, a start failed; names the setting or the log
            file.
        SettingsError: an address is not this machine's.
    """
    known = kafka.known_cluster(settings.state_dir)
    count = brokers if brokers is not None else (known[1] if known else 1)
    if not 1 <= count <= _MOST_BROKERS:
        raise LocalRunError(f"{count} brokers: 1 to {_MOST_BROKERS} can be started on one machine")
    nodes = kafka.nodes_of(settings.state_dir, settings.bootstrap_servers, count)
    address = registry.registry_address(settings.registry_url)
    with _locked(settings) as lock:
        _check_layout(settings, count)
        _check_ports(settings, nodes, address)
        _start(settings, nodes, address, lock)
    return status(settings)


def _start(settings: Settings, nodes: Sequence[kafka.Node], address: tuple[str, int], lock: int) -> None:
    tls = issue_bus(settings.state_dir)
    services = [_service(settings, node.name) for node in nodes]
    registry_service = _service(settings, "registry")
    wait_s = settings.local_start_timeout_s
    started: set[Service] = set()
    while True:
        idle = [service for service in (*services, registry_service) if service.pid() is None]
        if failed := started.intersection(idle):
            logs = ", ".join(f"{service.name} ({service.log_file})" for service in failed)
            raise LocalRunError(f"ended while starting: {logs}")
        _start_idle(settings, nodes, address, tls, lock)
        started.update(idle)
        # What was killed just before may have looked alive until now; then the round begins again and starts it.
        if kafka.await_cluster(nodes, services, tls["operator"], wait_s):
            continue
        if not registry.await_registry(registry_service, address, tls["operator"], wait_s):
            break
    registry.require_compatibility(registry_service, address, tls["operator"])


def _start_idle(
    settings: Settings, nodes: Sequence[kafka.Node], address: tuple[str, int], tls: dict[str, TlsFiles], lock: int
) -> None:
    """Start what does not run: the registry first, which comes up while Kafka's storage is formatted."""
    registry_service = _service(settings, "registry")
    if registry_service.pid() is None:
        program = install(settings.cache_dir, "registry")
        folder = settings.state_dir / "registry"
        registry.start_registry(registry_service, folder, address, tls["registry"], program)
    idle = [node for node in nodes if _service(settings, node.name).pid() is None]
    if idle:
        program = install(settings.cache_dir, "kafka")
        cluster_id = kafka.settle_cluster(settings.state_dir, len(nodes))
        kafka.format_storage(nodes, cluster_id, tls["broker"], program, lock)
        more = settings.local_java_options.split()
        for node in idle:
            kafka.start_node(node, nodes, _service(settings, node.name), tls["broker"], program, more)


def down(settings: Settings, *, wipe: bool = False) -> tuple[str, ...]:
    """Stop everything that was started below the state directory; returns the names of the processes that ran.

    Args:
        settings: names the state directory.
        wipe: also remove Kafka's and the registry's data and logs; certificates, keys and downloads stay.

    Raises:
        LocalRunError: when a process cannot be ended or a folder cannot be removed.
    """
    if not settings.state_dir.is_dir():
        return ()
    with _locked(settings):
        names = sorted(file.stem for file in (settings.state_dir / "run").glob("*.pid"))
        *others, last = [name for name in names if name.startswith("kafka-")] or [""]
        # A demo's workers, if it was left running: while Kafka still answers them.
        workers = [name for name in names if name != "registry" and not name.startswith("kafka-")]
        ended = stop([_service(settings, name) for name in workers], settings.stop_timeout_s)
        ended += stop([_service(settings, name) for name in ("registry", *others)], _STOP_S)
        # The last of several nodes has no majority of controllers left to take its leave of, and would wait for one.
        ended += stop([_service(settings, last)], _LAST_STOP_S if others else _STOP_S) if last else ()
        if wipe:
            _wipe(settings.state_dir)
    return ended


def _wipe(state_dir: Path) -> None:
    for name in _WIPED_FILES:
        (state_dir / name).unlink(missing_ok=True)
    for name in _WIPED:
        with contextlib.suppress(FileNotFoundError):
            try:
                shutil.rmtree(state_dir / name)
            except OSError as error:
                if isinstance(error, FileNotFoundError):
                    raise
                raise LocalRunError(f"cannot remove {state_dir / name}: {error.strerror}") from None


def status(settings: Settings) -> LocalStatus:
    """What runs, and whether it serves; starts and changes nothing."""
    known = kafka.known_cluster(settings.state_dir)
    nodes = kafka.nodes_of(settings.state_dir, settings.bootstrap_servers, known[1] if known else 1)
    address = registry.registry_address(settings.registry_url)
    services = []
    for node in nodes:
        service = _service(settings, node.name)
        pid = service.pid()
        at = f"{node.host}:{node.port}"
        serving = pid is not None and _answers_kafka(settings, at)
        services.append(ServiceStatus(node.name, at, pid, serving, service.log_file))
    service = _service(settings, "registry")
    pid = service.pid()
    serving = pid is not None and _answers_registry(settings, address)
    services.append(ServiceStatus("registry", settings.registry_url, pid, serving, service.log_file))
    return LocalStatus(settings.state_dir, tuple(services))


def _answers_kafka(settings: Settings, at: str) -> bool:
    tls = _operator(settings)
    return tls is not None and kafka.cluster_answers(at, tls, 1, _ANSWER_S)


def _answers_registry(settings: Settings, address: tuple[str, int]) -> bool:
    tls = _operator(settings)
    return tls is not None and registry.registry_answers(address, tls)


def _operator(settings: Settings) -> TlsFiles | None:
    try:
        return issue_role(settings.state_dir, "operator")
    except BusError:
        return None


def _check_layout(settings: Settings, count: int) -> None:
    known = kafka.known_cluster(settings.state_dir)
    if known is not None and known[1] != count:
        kafka.settle_cluster(settings.state_dir, count)


def _check_ports(settings: Settings, nodes: Sequence[kafka.Node], address: tuple[str, int]) -> None:
    wanted: list[tuple[str, int, str]] = []
    for node in nodes:
        if _service(settings, node.name).pid() is None:
            wanted.append((node.host, node.port, "BUS_BOOTSTRAP_SERVERS"))
            derived = f"Kafka's port of BUS_BOOTSTRAP_SERVERS plus {kafka.CONTROLLER_PORT_OFFSET}"
            wanted.append((node.host, node.controller_port, derived))
    if _service(settings, "registry").pid() is None:
        wanted.append((*address, "BUS_REGISTRY_URL"))
    seen: set[int] = set()
    for host, port, setting in wanted:
        if port in seen:
            raise LocalRunError(f"port {port} is wanted twice: choose another one ({setting})")
        seen.add(port)
        if not port_is_free(host, port):
            raise LocalRunError(f"port {port} on {host} is taken by another program: free it or change it ({setting})")


def _service(settings: Settings, name: str) -> Service:
    return Service(name, settings.state_dir / "run", settings.state_dir / "log")


def _locked(settings: Settings) -> contextlib.AbstractContextManager[int]:
    # Beside `run/`, not in it: a lock whose file is wiped away would be no lock.
    return exclusive(settings.state_dir / "local.lock", "`bus local`")
