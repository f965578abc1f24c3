"""What only a look shows: health, keys, disk and certificates as figures, and whether Kafka and the registry answer."""

import threading
from pathlib import Path

import pytest
from cryptography import x509

from bus.keys.rotation import rotate
from bus.keys.store import create_keys, load_keys
from bus.local.certificates import issue_role
from bus.metrics import Metrics
from bus.settings import Settings, load
from bus.wire.clients import Principal
from bus.workers.health import Health
from bus.workers.watch import Watch, tell_certificates, tell_health, tell_keys, tell_place
from schemas.errors import KafkaUnavailableError
from tests.threads import until


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("admit")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(state_dir=tmp_path / "state")


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_health_is_told_as_it_is_when_asked(metrics: Metrics) -> None:
    health = Health()
    tell_health(metrics, health)

    def told() -> list[float | None]:
        return [value(metrics, name, worker="admit") for name in ("bus_live", "bus_ready", "bus_problem")]

    assert told() == [1, 0, 0]
    health.ready, health.problem = True, "something"
    assert told() == [1, 1, 1]
    # The loop turned for the last time more than a minute ago: ready it cannot be either.
    health._turned -= 61
    assert told() == [0, 0, 1]


def test_a_key_store_that_is_gone_open_to_others_or_another_is_not_current(
    metrics: Metrics, settings: Settings
) -> None:
    path = create_keys(settings.state_dir)
    tell_keys(metrics, settings, load_keys(settings.state_dir))
    assert value(metrics, "bus_key_store_current", worker="admit") == 1
    path.chmod(0o640)
    assert value(metrics, "bus_key_store_current", worker="admit") == 0
    path.chmod(0o600)
    assert value(metrics, "bus_key_store_current", worker="admit") == 1
    path.unlink()
    assert value(metrics, "bus_key_store_current", worker="admit") == 0
    create_keys(settings.state_dir)
    assert value(metrics, "bus_key_store_current", worker="admit") == 0


def test_while_keys_are_changed_a_worker_uses_two_token_keys(metrics: Metrics, settings: Settings) -> None:
    create_keys(settings.state_dir)
    before = load_keys(settings.state_dir)
    tell_keys(metrics, settings, before)
    rotate(settings.state_dir)
    # One that was not started since goes on with the old ones, and says so.
    assert value(metrics, "bus_token_keys", worker="admit") == 1
    assert value(metrics, "bus_key_store_current", worker="admit") == 0
    tell_keys(metrics, settings, load_keys(settings.state_dir))
    assert value(metrics, "bus_token_keys", worker="admit") == 2
    assert value(metrics, "bus_key_store_current", worker="admit") == 1


def test_the_free_part_of_the_disk_is_told_and_a_folder_that_is_gone_counts_as_full(
    metrics: Metrics, settings: Settings
) -> None:
    tell_place(metrics, settings)
    assert value(metrics, "bus_disk_free_ratio", worker="admit") == 0
    settings.state_dir.mkdir()
    assert 0 < (value(metrics, "bus_disk_free_ratio", worker="admit") or 0) < 1
    assert value(metrics, "bus_corridor_retention_seconds", worker="admit") == 86_400


def test_the_end_of_the_workers_certificate_and_of_its_authority_is_told(metrics: Metrics, settings: Settings) -> None:
    files = issue_role(settings.state_dir, "admit")
    tell_certificates(metrics, Principal.role(settings, "admit"))
    for kind, holder, path in (("tls", "bus-admit", files.certificate), ("authority", "authority", files.ca)):
        end = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc.timestamp()
        assert value(metrics, "bus_certificate_expiry_seconds", kind=kind, holder=holder) == end


def test_a_certificate_that_cannot_be_read_is_left_to_those_who_use_it(metrics: Metrics, settings: Settings) -> None:
    files = issue_role(settings.state_dir, "admit")
    files.certificate.write_text("rubbish", encoding="utf-8")
    tell_certificates(metrics, Principal.role(settings, "admit"))
    assert value(metrics, "bus_certificate_expiry_seconds", kind="tls", holder="bus-admit") is None
    assert value(metrics, "bus_certificate_expiry_seconds", kind="authority", holder="authority") is not None


def test_who_answers_and_who_does_not_is_told_one_by_one(metrics: Metrics) -> None:
    away = True

    def kafka() -> None:
        if away:
            raise KafkaUnavailableError("no answer")

    watch = Watch(metrics, {"kafka": kafka, "registry": lambda: "FULL_TRANSITIVE"})
    watch.look()
    assert value(metrics, "bus_reachable", worker="admit", target="kafka") == 0
    assert value(metrics, "bus_reachable", worker="admit", target="registry") == 1
    away = False
    watch.look()
    assert value(metrics, "bus_reachable", worker="admit", target="kafka") == 1


def test_the_watch_looks_at_once_and_leaves_no_thread(metrics: Metrics) -> None:
    seen = threading.Event()
    before = set(threading.enumerate())
    watch = Watch(metrics, {"kafka": seen.set})
    watch.start()
    assert seen.wait(10)
    watch.stop()
    until(lambda: set(threading.enumerate()) <= before, "the end of the watch's thread")


def test_a_watch_that_never_started_stops_too(metrics: Metrics) -> None:
    Watch(metrics, {}).stop()
