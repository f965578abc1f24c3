"""Apicurio Registry on this machine: starting it, awaiting it, the compatibility that it enforces.

What it has in common with docker-compose.yml is in `deploy/registry/registry.properties`. It is reached by
mutual TLS only (Art 7), through its Confluent-compatible interface.
"""

import contextlib
import http.client
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from bus.local.artifacts import Installed, deploy_text
from bus.local.certificates import TlsFiles
from bus.local.kafka import local_address
from bus.local.process import Service, start, wait_until
from schemas.errors import LocalRunError, SettingsError

CCOMPAT = "/apis/ccompat/v7"
# Readers and writers of every version must understand one another: records stay in compacted topics for
# years.
COMPATIBILITY = "FULL_TRANSITIVE"
_OK = 200
_REQUEST_S = 5.0
# Schemas only: a small heap and the quick compiler, which halves the start.
_JAVA_OPTIONS = (
    "-Xms64m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
)


def registry_address(registry_url: str) -> tuple[str, int]:
    """Host and port that the registry is to listen on.

    Raises:
        SettingsError: when the address is not https on this machine, or not the Confluent-compatible
            interface.
    """
    parts = urlsplit(registry_url)
    if parts.scheme != "https" or parts.path.rstrip("/") != CCOMPAT:
        raise SettingsError(
            f"BUS_REGISTRY_URL is {registry_url!r}: `bus local` needs https://127.0.0.1:<port>{CCOMPAT}"
        )
    return local_address(parts.netloc, "BUS_REGISTRY_URL")


def environment_of(folder: Path, host: str, port: int, tls: TlsFiles) -> dict[str, str]:
    """The registry's own environment: address, certificates, database and the common file's place."""
    return {
        "SMALLRYE_CONFIG_LOCATIONS": (folder / "registry.properties").as_uri(),
        "QUARKUS_HTTP_HOST": host,
        "QUARKUS_HTTP_SSL_PORT": str(port),
        "QUARKUS_HTTP_SSL_CERTIFICATE_FILES": str(tls.certificate),
        "QUARKUS_HTTP_SSL_CERTIFICATE_KEY_FILES": str(tls.key),
        "QUARKUS_HTTP_SSL_CERTIFICATE_TRUST_STORE_FILE": str(tls.ca),
        "APICURIO_STORAGE_SQL_KIND": "h2",
        # H2 would write half a second later; a schema that was answered for must survive a kill.
        "APICURIO_DATASOURCE_URL": f"jdbc:h2:file:{folder / 'db'};WRITE_DELAY=0",
    }


def start_registry(
    service: Service,
    folder: Path,
    address: tuple[str, int],
    tls: TlsFiles,
    program: Installed,
) -> None:
    """Start the registry; `await_registry` tells when it serves.

    Raises:
        LocalRunError: when the program is not in its folder.
    """
    jars = sorted(program.folder.glob("apicurio-registry-app-*-runner.jar"))
    if len(jars) != 1:
        raise LocalRunError(f"{program.folder} does not hold the registry's program; remove the folder and try again")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "registry.properties").write_text(deploy_text("registry/registry.properties"), encoding="utf-8")
    own = environment_of(folder, *address, tls)
    start(service, [program.java, *_JAVA_OPTIONS, "-jar", str(jars[0])], {**program.environment, **own}, folder)


def request(
    address: tuple[str, int], tls: TlsFiles, method: str, path: str, body: Mapping[str, object] | None = None
) -> tuple[int, object]:
    """Ask the registry; returns HTTP status and the JSON of the answer (None if it is none).

    Raises:
        OSError, http.client.HTTPException: when it does not answer within 5 s.
    """
    context = ssl.create_default_context(cafile=str(tls.ca))
    context.load_cert_chain(str(tls.certificate), str(tls.key))
    connection = http.client.HTTPSConnection(*address, timeout=_REQUEST_S, context=context)
    try:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    try:
        return answer.status, json.loads(content)
    except ValueError:
        return answer.status, None


def registry_answers(address: tuple[str, int], tls: TlsFiles) -> bool:
    """Whether the registry says that it is ready."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        return request(address, tls, "GET", "/health/ready")[0] == _OK
    return False


def await_registry(service: Service, address: tuple[str, int], tls: TlsFiles, timeout_s: float) -> tuple[Service, ...]:
    """Wait until the registry serves; returns it if it ended meanwhile.

    Raises:
        LocalRunError: when the time is up, naming the log file.
    """
    if not wait_until(lambda: service.pid() is None or registry_answers(address, tls), timeout_s):
        raise LocalRunError(
            f"the registry did not serve within {timeout_s:.0f} s (BUS_LOCAL_START_TIMEOUT_S); see {service.log_file}"
        )
    return (service,) if service.pid() is None else ()


def require_compatibility(service: Service, address: tuple[str, int], tls: TlsFiles) -> None:
    """Make the registry hold every schema to FULL_TRANSITIVE; may be done again without harm.

    `deploy/registry/registry.properties` says so too; as a rule of the registry it is also what clients are told.

    Raises:
        LocalRunError: when it refuses or does not answer, naming the log file.
    """
    try:
        status, answer = request(address, tls, "GET", f"{CCOMPAT}/config")
        if status == _OK and isinstance(answer, dict) and answer.get("compatibilityLevel") == COMPATIBILITY:
            return
        status, _ = request(address, tls, "PUT", f"{CCOMPAT}/config", {"compatibility": COMPATIBILITY})
    except (OSError, http.client.HTTPException):
        status = 0
    if status != _OK:
        raise LocalRunError(f"the registry did not take {COMPATIBILITY} (HTTP {status}); see {service.log_file}")
