"""Docker and `bus local up` start the same: versions, listeners, security; only paths and the database differ."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bus.local.artifacts import deploy_text, version
from bus.local.certificates import issue_role
from bus.local.kafka import java_options, nodes_of, render
from bus.local.registry import environment_of, registry_address
from bus.reference.boardfiles import DATASOURCE
from bus.settings import Settings
from tests.compose_file import ROOT, compose, environment
from tests.properties_file import parse_properties

VARIABLES = {"HOME": "/home/somebody", "BUS_REGISTRY_DB_PASSWORD": "made-up"}
# Where the two may differ: paths, and that a container listens on all of its own addresses.
PLACES = {"log.dirs", "ssl.keystore.location", "ssl.truststore.location", "listeners", "controller.quorum.voters"}
DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}


@pytest.fixture
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose(VARIABLES)["services"]
    return found


def from_docker(service: dict[str, Any]) -> dict[str, str]:
    """Kafka's properties in the container, by the image's rule: the mounted file, then KAFKA_A_B as a.b."""
    reserved = {"KAFKA_HEAP_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS"}
    own = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in environment(service).items()
        if name.startswith("KAFKA_") and name not in reserved
    }
    mounted = {mount.split(":")[1]: mount.split(":")[0] for mount in service["volumes"]}
    return parse_properties((ROOT / mounted["/mnt/shared/config/server.properties"]).read_text(encoding="utf-8")) | own


def natively(tmp_path: Path) -> dict[str, str]:
    nodes = nodes_of(tmp_path, DEFAULTS["bootstrap_servers"], 1)
    return parse_properties(render(nodes[0], nodes, issue_role(tmp_path, "broker"), nodes[0].data))


def test_docker_and_the_native_run_give_kafka_the_same_settings(
    services: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    docker, native = from_docker(services["kafka"]), natively(tmp_path)
    differ = {key for key in docker.keys() | native.keys() if docker.get(key) != native.get(key)}
    assert differ <= PLACES


def test_docker_and_the_native_run_have_the_same_listeners(services: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    def shape(properties: dict[str, str]) -> list[tuple[str, str]]:
        found = re.findall(r"(\w+)://[^,]*:(\d+)", properties["listeners"])
        return sorted(found)

    docker, native = from_docker(services["kafka"]), natively(tmp_path)
    assert shape(docker) == shape(native)
    assert [voter.split(":")[1] for voter in docker["controller.quorum.voters"].split(",")] == ["20092"]
    assert docker["advertised.listeners"].endswith(DEFAULTS["bootstrap_servers"])
    # The image looks for `SSL://` and would then demand key stores of its own form.
    assert "SSL://" not in docker["advertised.listeners"]


def test_docker_and_the_native_run_have_the_same_versions(services: dict[str, dict[str, Any]]) -> None:
    assert services["kafka"]["image"] == f"apache/kafka:{version('kafka')}"
    assert services["registry"]["image"] == f"apicurio/apicurio-registry:{version('registry')}"


def test_docker_and_the_native_run_give_java_the_same_options(services: dict[str, dict[str, Any]]) -> None:
    kafka = environment(services["kafka"])
    words = (kafka["KAFKA_HEAP_OPTS"] + " " + kafka["KAFKA_JVM_PERFORMANCE_OPTS"]).split()
    assert tuple(words) == java_options()


def test_docker_and_the_native_run_give_the_registry_the_same_settings(
    services: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    host, port = registry_address(DEFAULTS["registry_url"])
    native = environment_of(tmp_path, host, port, issue_role(tmp_path, "registry"))
    docker = environment(services["registry"])
    assert docker["QUARKUS_HTTP_SSL_PORT"] == native["QUARKUS_HTTP_SSL_PORT"]
    database_access = {"APICURIO_DATASOURCE_USERNAME", "APICURIO_DATASOURCE_PASSWORD"}
    assert docker.keys() - database_access == native.keys()
    mounts = {mount.split(":")[1]: mount.split(":")[0] for mount in services["registry"]["volumes"]}
    named = docker["SMALLRYE_CONFIG_LOCATIONS"].removeprefix("file:")
    assert (ROOT / mounts[named]).read_text(encoding="utf-8") == deploy_text("registry/registry.properties")


def test_the_registry_demands_a_certificate_and_full_transitive_compatibility() -> None:
    properties = parse_properties(deploy_text("registry/registry.properties"))
    # Below this rank the setting fixed in Apicurio's build would win, and anybody could write schemas.
    assert properties["config_ordinal"] == str(2**31 - 1)
    assert properties["quarkus.http.ssl.client-auth"] == "REQUIRED"
    assert properties["quarkus.http.insecure-requests"] == "disabled"
    assert properties["apicurio.rules.global.compatibility"] == "FULL_TRANSITIVE"


def test_nothing_is_published_beyond_this_machine(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        if service.get("network_mode") == "host":
            told = [*service.get("command", []), *(f"{key}={value}" for key, value in environment(service).items())]
            listens = {"--web.listen-address=127.0.0.1:9090", "GF_SERVER_HTTP_ADDR=127.0.0.1"}
            assert listens & set(told), name
    assert "ports" not in services["postgres"]
    assert compose(VARIABLES)["networks"]["database"] == {"internal": True}


def test_the_database_has_no_default_password() -> None:
    with pytest.raises(KeyError, match="BUS_REGISTRY_DB_PASSWORD"):
        compose({"HOME": "/home/somebody"})


def test_every_file_that_docker_mounts_from_the_checkout_is_there(services: dict[str, dict[str, Any]]) -> None:
    mounted = [mount.split(":")[0] for service in services.values() for mount in service["volumes"]]
    files = [path for path in mounted if path.startswith("./")]
    assert len(files) == 5
    assert all((ROOT / path).exists() for path in files)


def test_docker_reads_the_certificates_where_the_authority_puts_them(
    services: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    for service, role in (("kafka", "broker"), ("registry", "registry")):
        issued = issue_role(tmp_path, role).certificate.parent
        sources = [mount.split(":")[0] for mount in services[service]["volumes"]]
        assert f"/home/somebody/.local/state/exchange-bus/{issued.relative_to(tmp_path)}" in sources


def test_grafana_finds_its_boards_and_lets_nobody_in_as_more_than_a_viewer(services: dict[str, dict[str, Any]]) -> None:
    mounts = {mount.split(":")[1]: mount.split(":")[0] for mount in services["grafana"]["volumes"]}
    provider = yaml.safe_load(deploy_text("grafana/provisioning/dashboards/boards.yml"))["providers"][0]
    assert list((ROOT / mounts[provider["options"]["path"]]).glob("*.json"))
    [source] = yaml.safe_load(deploy_text("grafana/provisioning/datasources/prometheus.yml"))["datasources"]
    assert source["uid"] == DATASOURCE
    assert f"--web.listen-address={source['url'].removeprefix('http://')}" in services["prometheus"]["command"]
    told = environment(services["grafana"])
    assert told["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert (told["GF_AUTH_BASIC_ENABLED"], told["GF_AUTH_DISABLE_LOGIN_FORM"]) == ("false", "true")


def test_prometheus_finds_rules_and_consoles_where_docker_mounts_them(services: dict[str, dict[str, Any]]) -> None:
    mounts = {mount.split(":")[1]: mount.split(":")[0] for mount in services["prometheus"]["volumes"]}
    options = dict(word.removeprefix("--").split("=") for word in services["prometheus"]["command"])
    for option, needed in (("config.file", "prometheus.yml"), ("web.console.templates", "consoles")):
        assert options[option] == f"/etc/prometheus/{needed}"
        assert (ROOT / mounts["/etc/prometheus"] / needed).exists()


def test_prometheus_scrapes_this_machine_only() -> None:
    loaded = yaml.safe_load(deploy_text("prometheus/prometheus.yml"))
    targets = [
        target for job in loaded["scrape_configs"] for group in job["static_configs"] for target in group["targets"]
    ]
    assert targets
    assert all(target.startswith("127.0.0.1:") for target in targets)
