"""The test session's cluster: where it is and how a client with a certificate of it connects."""

import random
from dataclasses import dataclass
from pathlib import Path

from bus.local.certificates import TlsFiles, issue_agency, issue_role
from bus.local.kafka import CONTROLLER_PORT_OFFSET
from bus.local.process import port_is_free
from bus.settings import Settings, load

HOST = "127.0.0.1"
# Below the kernel's range of outgoing ports, so that no connection takes a port between the look and the
# start.
_PORTS = range(20_000, 29_000)


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


def fresh_settings(state_dir: Path, brokers: int = 1, **overrides: object) -> Settings:
    """Settings for a cluster of its own: free ports, its own state directory, the user's download cache."""
    ports = free_ports(brokers + 1)
    return load(
        **{
            "state_dir": state_dir,
            "bootstrap_servers": ",".join(f"{HOST}:{port}" for port in ports[:brokers]),
            "registry_url": f"https://{HOST}:{ports[brokers]}/apis/ccompat/v7",
            **overrides,
        }
    )


def free_ports(count: int) -> list[int]:
    """Ports that are free now together with the controller ports derived from them."""
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        near = {abs(port - other) for other in found}
        if CONTROLLER_PORT_OFFSET in near or not port_is_free(HOST, port):
            continue
        if port_is_free(HOST, port + CONTROLLER_PORT_OFFSET):
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no free ports on this machine")
