"""The table of settings: where each comes from, what each is by default, and which do not go together."""

import os
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from bus.settings import Settings, default_cache_dir, default_state_dir, load
from bus.workers.supervisor import environment_of
from schemas.errors import SettingsError

# A changed default changes what every installation does: it must be changed here too, on purpose.
DEFAULTS: dict[str, str | float | None] = {
    "bootstrap_servers": "127.0.0.1:19092",
    "registry_url": "https://127.0.0.1:18081/apis/ccompat/v7",
    "register_url": None,
    "law_profiles": "huizhou-2016,state-council-2025",
    "law_effective_date": None,
    "replication_factor": 1,
    "min_insync_replicas": 1,
    "transaction_timeout_ms": 15_000,
    "session_timeout_ms": 10_000,
    "batch_max_messages": 5_000,
    "batch_wait_ms": 5,
    "linger_ms": 0.5,
    "submission_max_bytes": 8 * 1024 * 1024,
    "topic_max_bytes": 16 * 1024 * 1024,
    "corridor_retention_ms": 24 * 60 * 60 * 1000,
    "purge_interval_s": 10.0,
    "register_poll_ms": 200,
    "stop_timeout_s": 10.0,
    "request_timeout_s": 30.0,
    "publisher_batch_changes": 500,
    "publisher_linger_ms": 20,
    "publisher_max_pending": 20_000,
    "connector_batch_rows": 500,
    "connector_poll_ms": 500,
    "connector_settle_ms": 1_000,
    "connector_heartbeat_s": 300.0,
    "connector_declare_after_s": 3_600.0,
    "connector_digest_s": 86_400.0,
    "freshness_silent_after_s": 900.0,
    "freshness_bus_lag_s": 60.0,
    "freshness_delivery_lag_s": 60.0,
    "freshness_clock_tolerance_s": 120.0,
    "freshness_refused_share": 0.05,
    "crosschecks_file": None,
    "local_java_options": "",
    "local_start_timeout_s": 60.0,
    "metrics_host": "127.0.0.1",
    "metrics_port": 0,
    "notice_webhook_url": None,
    "notice_webhook_secret_file": None,
    "notice_smtp_host": None,
    "notice_smtp_port": 587,
    "notice_smtp_starttls": "required",
    "notice_smtp_from": None,
    "notice_smtp_user": None,
    "notice_smtp_password_file": None,
    "notice_addresses_file": None,
    "notice_ca_file": None,
    "notice_timeout_s": 10.0,
    "notice_damping_s": 900.0,
    "log_level": "WARNING",
}
NUMBERS = [name for name, value in DEFAULTS.items() if isinstance(value, int | float)]
OTHERS: dict[str, str | float | Path | date] = {
    "state_dir": Path("/srv/state"),
    "cache_dir": Path("/srv/cache"),
    "bootstrap_servers": "kafka-1:9093,kafka-2:9093",
    "registry_url": "https://registry:8081",
    "register_url": "postgresql+psycopg://register@db/register",
    "law_profiles": "huizhou-2016",
    "law_effective_date": date(2027, 1, 1),
    "replication_factor": 3,
    "min_insync_replicas": 2,
    "transaction_timeout_ms": 20_000,
    "session_timeout_ms": 9_000,
    "batch_max_messages": 100,
    "batch_wait_ms": 6,
    "linger_ms": 1.5,
    "submission_max_bytes": 2_048,
    "topic_max_bytes": 4_096,
    "corridor_retention_ms": 60_000,
    "purge_interval_s": 0.5,
    "register_poll_ms": 100,
    "stop_timeout_s": 1.5,
    "request_timeout_s": 2.5,
    "publisher_batch_changes": 10,
    "publisher_linger_ms": 0,
    "publisher_max_pending": 10,
    "connector_batch_rows": 11,
    "connector_poll_ms": 12,
    "connector_settle_ms": 0,
    "connector_heartbeat_s": 30.5,
    "connector_declare_after_s": 0.5,
    "connector_digest_s": 0.0,
    "freshness_silent_after_s": 30.5,
    "freshness_bus_lag_s": 5.5,
    "freshness_delivery_lag_s": 6.5,
    "freshness_clock_tolerance_s": 7.5,
    "freshness_refused_share": 0.5,
    "crosschecks_file": Path("/srv/crosschecks.yaml"),
    "local_java_options": "-Xlog:disable -XX:TieredStopAtLevel=1",
    "local_start_timeout_s": 12.5,
    "metrics_host": "::1",
    "metrics_port": 9_100,
    "notice_webhook_url": "https://hooks.example/in?token=1",
    "notice_webhook_secret_file": Path("/srv/webhook.secret"),
    "notice_smtp_host": "mail.example",
    "notice_smtp_port": 2_525,
    "notice_smtp_starttls": "offered",
    "notice_smtp_from": "bus@example.org",
    "notice_smtp_user": "bus",
    "notice_smtp_password_file": Path("/srv/mail.password"),
    "notice_addresses_file": Path("/srv/mailboxes.yaml"),
    "notice_ca_file": Path("/srv/ca.crt"),
    "notice_timeout_s": 2.5,
    "notice_damping_s": 60.0,
    "log_level": "DEBUG",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("BUS_", "XDG_"))]:
        monkeypatch.delenv(name)


def told(**settings: object) -> str:
    with pytest.raises(SettingsError) as refused:
        load(**settings)
    return str(refused.value)


# -- where they come from ------------------------------------------------------------------------------------------


def test_the_table_of_defaults_holds() -> None:
    found = load().model_dump(exclude={"state_dir", "cache_dir"})
    assert found == DEFAULTS
    assert [type(value) for value in found.values()] == [type(value) for value in DEFAULTS.values()]


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, row in Settings.model_fields.items() if not row.description] == []


def test_every_setting_is_read_from_the_variable_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [name for name in Settings.model_fields if name not in OTHERS or OTHERS[name] == DEFAULTS.get(name)] == []
    for name, value in OTHERS.items():
        monkeypatch.setenv(f"BUS_{name.upper()}", str(value))
    assert load().model_dump() == OTHERS


def test_what_a_program_hands_over_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUS_BATCH_WAIT_MS", "9")
    assert load().batch_wait_ms == 9
    assert load(batch_wait_ms=3).batch_wait_ms == 3


def test_an_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("BUS_STATE_DIR", "")
    monkeypatch.setenv("BUS_METRICS_PORT", "")
    assert load().state_dir == tmp_path / ".local" / "state" / "exchange-bus"
    assert load().metrics_port == 0


def test_a_variable_of_another_program_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_PORT", "9")
    monkeypatch.setenv("BUS_OF_THE_CITY", "9")
    assert load().metrics_port == 0


def test_the_folders_follow_the_xdg_base_directories(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_state_dir() == tmp_path / ".local" / "state" / "exchange-bus"
    assert default_cache_dir() == tmp_path / ".cache" / "exchange-bus"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    assert (load().state_dir, load().cache_dir) == (tmp_path / "s" / "exchange-bus", tmp_path / "c" / "exchange-bus")


def test_a_process_of_our_own_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ours = load(state_dir=tmp_path / "here", batch_wait_ms=7, linger_ms=0.25, log_level="ERROR", metrics_port=1234)
    for name, value in environment_of(ours).items():
        monkeypatch.setenv(name, value)
    assert load() == ours


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        load().metrics_port = 9  # type: ignore[misc]  # that is the test


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["many", "-1", "1e999", "nan"])
def test_a_number_that_is_none_or_out_of_range_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"BUS_{name.upper()}", value)
    assert told().startswith(f"BUS_{name.upper()}: Input should be ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("replication_factor", 8),
        ("min_insync_replicas", 0),
        ("batch_max_messages", 0),
        ("batch_max_messages", 1_000_001),
        ("transaction_timeout_ms", 2**31),
        ("session_timeout_ms", 300_001),
        ("linger_ms", 900_001),
        ("topic_max_bytes", 1_000_000_001),
        ("register_poll_ms", 2**31),
        ("purge_interval_s", 1e300),
        ("stop_timeout_s", 1e300),
        ("request_timeout_s", 3_601),
        ("publisher_batch_changes", 1_001),
        ("connector_batch_rows", 1_001),
        ("metrics_port", 65_536),
        ("purge_interval_s", 0),
        ("corridor_retention_ms", 59_999),
        ("log_level", "LOUD"),
        ("log_level", "debug"),
        ("law_profiles", "huizhou-2016;"),
        ("law_effective_date", "2027-02-30"),
        ("registry_url", "registry.example:8081"),
        ("registry_url", "https://bus:secret@registry.example/apis/ccompat/v7"),
        ("notice_webhook_url", "ftp://hooks.example/in"),
        ("notice_webhook_url", "https://bus:secret@hooks.example/in"),
        ("notice_smtp_host", "mail example"),
        ("notice_smtp_from", "a@b, c@d"),
        ("notice_smtp_starttls", "never"),
        ("notice_timeout_s", 0),
    ],
)
def test_a_value_outside_its_bounds_names_its_variable(name: str, value: object) -> None:
    assert told(**{name: value}).startswith(f"BUS_{name.upper()}: ")


def test_all_wrong_values_are_told_at_once() -> None:
    error = told(metrics_port="x", log_level="LOUD", state_dir=7)
    assert [part.split(":")[0] for part in error.split("; ")] == ["BUS_STATE_DIR", "BUS_METRICS_PORT", "BUS_LOG_LEVEL"]


@pytest.mark.parametrize(
    ("settings", "both"),
    [
        ({"min_insync_replicas": 3, "replication_factor": 2}, ("min_insync_replicas (3)", "replication_factor (2)")),
        (
            {"submission_max_bytes": 4_096, "topic_max_bytes": 4_096},
            ("submission_max_bytes (4096)", "topic_max_bytes (4096)"),
        ),
        (
            {"publisher_max_pending": 499, "publisher_batch_changes": 500},
            ("publisher_max_pending (499)", "publisher_batch_changes (500)"),
        ),
        (
            {"transaction_timeout_ms": 1_000, "batch_wait_ms": 501},
            ("transaction_timeout_ms (1000)", "batch_wait_ms (501)"),
        ),
        ({"notice_webhook_url": "https://h/"}, ("notice_webhook_url", "notice_webhook_secret_file")),
        ({"notice_webhook_secret_file": "/srv/s"}, ("notice_webhook_secret_file", "notice_webhook_url")),
        ({"notice_smtp_host": "h", "notice_addresses_file": "/srv/a"}, ("notice_smtp_host", "notice_smtp_from")),
        ({"notice_smtp_host": "h", "notice_smtp_from": "a@b"}, ("notice_smtp_host", "notice_addresses_file")),
        ({"notice_smtp_from": "a@b"}, ("notice_smtp_from", "notice_smtp_host")),
        ({"notice_addresses_file": "/srv/a"}, ("notice_addresses_file", "notice_smtp_host")),
        ({"notice_smtp_user": "bus"}, ("notice_smtp_user", "notice_smtp_host")),
        ({"notice_smtp_password_file": "/srv/p"}, ("notice_smtp_password_file", "notice_smtp_user")),
    ],
    ids=lambda value: " and ".join(value) if isinstance(value, dict) else "",
)
def test_contradictory_settings_are_refused_in_words_that_name_both(
    settings: dict[str, object], both: tuple[str, str]
) -> None:
    error = told(**settings)
    assert all(name in error for name in both)
    assert "Value error" not in error
    assert "\n" not in error


@pytest.mark.parametrize(
    "settings",
    [
        {"min_insync_replicas": 2, "replication_factor": 2},
        {"submission_max_bytes": 4_095, "topic_max_bytes": 4_096},
        {"publisher_max_pending": 500, "publisher_batch_changes": 500},
        {"transaction_timeout_ms": 1_000, "batch_wait_ms": 500},
    ],
    ids=" and ".join,
)
def test_settings_that_just_go_together_are_taken(settings: dict[str, object]) -> None:
    assert load(**settings).model_dump(include=set(settings)) == settings


def test_what_is_wrong_with_an_address_of_notices_is_told_without_it() -> None:
    error = told(notice_webhook_url="https://bus:passw0rd@h/", notice_smtp_from="somebody,else@h")
    assert "Value error" not in error
    assert "passw0rd" not in error
    assert "somebody" not in error
    assert "token" not in repr(load(notice_webhook_url="https://h/?token=1", notice_webhook_secret_file=Path("/srv/s")))


def test_wrong_settings_end_the_command_as_wrong_usage() -> None:
    assert SettingsError.exit_code == 2
    assert not SettingsError.retryable
