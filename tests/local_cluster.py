"""The test session's cluster: where it is and how a client with a certificate of it connects."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bus.local import cluster
from bus.local.certificates import TlsFiles, issue_agency, issue_role
from bus.local.kafka import CONTROLLER_PORT_OFFSET
from bus.local.process import port_is_free
from bus.settings import Settings, load

HOST = "127.0.0.1"
# Below the kernel's range of outgoing ports, so that no connection takes a port between the look and the
# start.
_PORTS = range(20_000, 29_000)
_SHARES = 10
_given: set[int] = set()


@dataclass(frozen=True, slots=True)
class LocalBus:
    """The running cluster; `settings` name its addresses and its state directory."""

    settings: Settings

    def client(self, tls: TlsFiles) -> dict[str, str | int | float | bool]:
        """Configuration of a confluent_kafka client with this certificate."""
        return kafka_client(self.settings, tls)

    def operator(self) -> dict[str, str | int | float | bool]:
        """Configuration of a client that may do everything."""
        return self.client(issue_role(self.settings.state_dir, "operator"))

    def agency(self, code: str) -> dict[str, str | int | float | bool]:
        """Configuration of an agency's client; it may do only what it was given rights for."""
        return self.client(issue_agency(self.settings.state_dir, code).tls)


def kafka_client(settings: Settings, tls: TlsFiles) -> dict[str, str | int | float | bool]:
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": "ssl",
        "ssl.ca.location": str(tls.ca),
        "ssl.certificate.location": str(tls.certificate),
        "ssl.key.location": str(tls.key),
    }


def tool_properties(principal: Path, into: Path) -> Path:
    """A properties file for Kafka's own tools, under the certificate in a principal's folder."""
    store = into / "client.pem"
    store.write_text((principal / "tls.key").read_text() + (principal / "tls.crt").read_text())
    properties = into / "client.properties"
    properties.write_text(
        "security.protocol=SSL\nssl.keystore.type=PEM\nssl.truststore.type=PEM\n"
        f"ssl.keystore.location={store}\nssl.truststore.location={principal / 'ca.crt'}\n"
    )
    return properties


def fresh_settings(state_dir: Path, brokers: int = 1, **overrides: object) -> Settings:
    """Settings for a cluster of its own: free ports, its own state directory, the user's download cache."""
    ports = free_ports(brokers + 1)
    return load(
        **{
            "state_dir": state_dir,
            "bootstrap_servers": ",".join(f"{HOST}:{port}" for port in ports[:brokers]),
            "registry_url": f"https://{HOST}:{ports[brokers]}/apis/ccompat/v7",
            # Several test processes start their programs at once.
            "local_start_timeout_s": 120.0,
            # Brokers of tests live for minutes: what the optimising compiler costs would not come back.
            "local_java_options": "-XX:TieredStopAtLevel=1",
            **overrides,
        }
    )


@contextmanager
def own_cluster(folder: Path) -> Iterator[Settings]:
    """One broker and the registry on free ports, with everything below a folder; gone at the end."""
    ours = fresh_settings(folder / "state")
    try:
        cluster.up(ours, 1)
        yield ours
    finally:
        cluster.down(ours, wipe=True)


def free_ports(count: int) -> list[int]:
    """Ports that are free now together with the controller ports derived from them, and that nobody else is given.

    Who asks binds them later: so none is given twice, and test processes that run side by side choose from shares of
    their own, by the port's hundreds, which a controller's port has in common with its broker's.
    """
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        both = {port, port + CONTROLLER_PORT_OFFSET}
        if _is_ours(port) and not both & _given and all(port_is_free(HOST, each) for each in both):
            found.append(port)
            _given.update(both)
        if len(found) == count:
            return found
    raise RuntimeError("no free ports on this machine")


def _is_ours(port: int) -> bool:
    """Whether a port is in the share of this process, as pytest-xdist numbers it: `gw0` of 3."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    count = min(_SHARES, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    return port // 100 % _SHARES % count == number % count
