"""Every setting of the bus in one table: name, default, unit and help; the documentation derives from it.

Each is read from the environment as `BUS_<NAME>`. Contradictory settings are refused at start, in words.
"""

import os
from datetime import date
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bus.address import WEBHOOK_SECRET, is_mailbox, url_problem
from schemas.errors import SettingsError


def default_state_dir() -> Path:
    """The user's state directory of the bus, by the XDG base directory specification."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "exchange-bus"


def default_cache_dir() -> Path:
    """The user's cache directory of the bus, by the XDG base directory specification."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "exchange-bus"


# Where Kafka's client, a clock or a thread takes no more, a larger number would be an error in the middle of the work.
_MOST_MS = 2_147_483_647
_DAY_S = 86_400


class Settings(BaseSettings):
    """The settings; build with `load()`, which turns errors into sentences."""

    # An empty variable counts as none, as everywhere in XDG: an empty BUS_STATE_DIR must not mean the present folder.
    model_config = SettingsConfigDict(
        env_prefix="BUS_", env_ignore_empty=True, extra="ignore", frozen=True, allow_inf_nan=False
    )

    state_dir: Path = Field(
        default_factory=default_state_dir, description="folder of certificates, keys and local data"
    )
    cache_dir: Path = Field(
        default_factory=default_cache_dir, description="folder of downloaded programs, which `bus local` runs"
    )
    bootstrap_servers: str = Field("127.0.0.1:19092", description="Kafka's bootstrap servers, host:port,…")
    registry_url: str = Field(
        "https://127.0.0.1:18081/apis/ccompat/v7", description="the schema registry's Confluent-compatible address"
    )
    register_url: str | None = Field(
        None,
        repr=False,
        description="the register's database, postgresql+psycopg://… or sqlite:///FILE; none is register.db in "
        "BUS_STATE_DIR",
    )
    law_profiles: str = Field(
        "huizhou-2016,state-council-2025",
        pattern=r"^[a-z][a-z0-9-]*(,[a-z][a-z0-9-]*)*$",
        description="the law profiles that bind together, the stricter of equal clocks first",
    )
    law_effective_date: date | None = Field(
        None,
        description="day on which the municipal rule comes into force (Art 62), YYYY-MM-DD; none, clocks only advise",
    )
    replication_factor: int = Field(1, ge=1, le=7, description="replicas of every topic")
    min_insync_replicas: int = Field(1, ge=1, le=7, description="replicas that must acknowledge a write")
    transaction_timeout_ms: int = Field(
        15_000,
        ge=1_000,
        le=_MOST_MS,
        description="milliseconds after which the broker aborts a worker's open transaction",
    )
    session_timeout_ms: int = Field(
        10_000,
        ge=1_000,
        le=300_000,
        description="milliseconds of silence after which a worker's partitions move to another",
    )
    batch_max_messages: int = Field(5_000, ge=1, le=1_000_000, description="messages in one worker batch at the most")
    batch_wait_ms: int = Field(5, ge=0, description="milliseconds that a started batch waits to fill")
    linger_ms: float = Field(0.5, ge=0, le=900_000, description="milliseconds that a producer waits to fill a request")
    submission_max_bytes: int = Field(8_388_608, ge=1_024, description="bytes of one submission at the most")
    topic_max_bytes: int = Field(
        16_777_216,
        ge=1_024,
        le=1_000_000_000,
        description="bytes that the broker lets into a change topic, so that admit can refuse them",
    )
    corridor_retention_ms: int = Field(
        86_400_000, ge=60_000, description="milliseconds that a change topic keeps what was not purged yet"
    )
    purge_interval_s: float = Field(
        10.0, gt=0, le=_DAY_S, description="seconds between purges behind admit's committed position"
    )
    register_poll_ms: int = Field(
        200, ge=1, le=_MOST_MS, description="milliseconds between looks at the register when idle"
    )
    stop_timeout_s: float = Field(
        10.0, gt=0, le=_DAY_S, description="seconds that a worker may take to end after SIGTERM"
    )
    request_timeout_s: float = Field(
        30.0, gt=0, le=3_600, description="seconds that any call to Kafka or the registry may take"
    )
    publisher_batch_changes: int = Field(500, ge=1, le=1_000, description="changes in one submission at the most")
    publisher_linger_ms: int = Field(20, ge=0, description="milliseconds that a publisher waits to fill a submission")
    publisher_max_pending: int = Field(20_000, ge=1, description="changes without receipt before publish() blocks")
    connector_batch_rows: int = Field(500, ge=1, le=1_000, description="rows that a connector reads at a time")
    connector_poll_ms: int = Field(500, ge=10, description="milliseconds between looks at an unchanged source")
    connector_settle_ms: int = Field(
        1_000,
        ge=0,
        description="milliseconds a source row must be old, so that transactions in flight are not overtaken",
    )
    connector_heartbeat_s: float = Field(
        300.0,
        gt=0,
        le=600,
        description="seconds between two heartbeats of a connector; silence of 15 minutes is an alarm",
    )
    connector_declare_after_s: float = Field(
        3_600.0,
        ge=0,
        description="seconds that a connector waits, once it has read its source beyond a quarter's end, before it "
        "declares the quarter: what it sent must have been admitted before",
    )
    connector_digest_s: float = Field(
        86_400.0,
        ge=0,
        description="seconds between two digests of what a connector's source holds; 0 makes none",
    )
    freshness_silent_after_s: float = Field(
        900.0, gt=0, description="seconds without heartbeat or publication after which a dynamic source is silent"
    )
    freshness_bus_lag_s: float = Field(
        60.0, gt=0, description="longest time in seconds from a submission's arrival to its admission"
    )
    freshness_delivery_lag_s: float = Field(
        60.0, gt=0, description="longest time in seconds from a record's admission to its delivery"
    )
    freshness_clock_tolerance_s: float = Field(
        120.0, gt=0, description="by how many seconds the clock of a source may be wrong"
    )
    freshness_refused_share: float = Field(
        0.05, ge=0, lt=1, description="largest share of a day's changes that may be refused"
    )
    crosschecks_file: Path | None = Field(
        None,
        description="YAML file with the city's own cross-checks, which count beside the packaged ones; the same for "
        "every process of the bus",
    )
    local_java_options: str = Field(
        "",
        description="further options for the brokers' Java under `bus local up`, behind those of its own, such as "
        "-XX:TieredStopAtLevel=1 for brokers that live for minutes",
    )
    local_start_timeout_s: float = Field(
        60.0, gt=0, description="seconds that Kafka or the registry may take to start under `bus local up`"
    )
    metrics_host: str = Field("127.0.0.1", description="address that /metrics and /health listen on")
    metrics_port: int = Field(
        0,
        ge=0,
        le=65_535,
        description="port of /metrics and /health, the first one of `bus run all`; 0 takes free ones",
    )
    notice_webhook_url: str | None = Field(
        None, repr=False, description="http or https address that each notice is posted to; none posts nothing"
    )
    notice_webhook_secret_file: Path | None = Field(
        None, description="file with the secret that a posted notice is signed with, 16 bytes or more, mode 600"
    )
    notice_smtp_host: str | None = Field(
        None, pattern=r"^[A-Za-z0-9.:-]+$", description="mail server that notices are handed to; none sends no mail"
    )
    notice_smtp_port: int = Field(587, ge=1, le=65_535, description="its port")
    notice_smtp_starttls: Literal["required", "offered"] = Field(
        "required", description="whether mail is sent over TLS alone, or without where the server does not offer it"
    )
    notice_smtp_from: str | None = Field(None, description="address that mail with notices is from")
    notice_smtp_user: str | None = Field(
        None, description="account at the mail server, used over TLS alone; none logs in nowhere"
    )
    notice_smtp_password_file: Path | None = Field(None, description="file with the password of that account, mode 600")
    notice_addresses_file: Path | None = Field(
        None, description="YAML file with the mailbox of each role, as health/LEADER, mode 600"
    )
    notice_ca_file: Path | None = Field(
        None, description="certificates that webhook and mail server are checked against; none takes the system's"
    )
    notice_timeout_s: float = Field(
        10.0, gt=0, le=300, description="seconds that each wait for webhook or mail server may take"
    )
    notice_damping_s: float = Field(
        900.0,
        ge=0,
        le=86_400,
        description="seconds after a notice of an alarm was taken back within which the same alarm is not told again; "
        "it is told then if it stands",
    )
    log_level: str = Field("WARNING", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="least level that is logged")

    @field_validator("notice_webhook_url")
    @classmethod
    def _whole_url(cls, url: str | None) -> str | None:
        problem = None if url is None else url_problem(url, WEBHOOK_SECRET)
        if problem is not None:
            raise ValueError(problem)
        return url

    @field_validator("registry_url")
    @classmethod
    def _registry(cls, url: str) -> str:
        problem = url_problem(url, "the registry is asked under a certificate")
        if problem is not None:
            raise ValueError(problem)
        return url

    @field_validator("notice_smtp_from")
    @classmethod
    def _one_mailbox(cls, address: str | None) -> str | None:
        if address is not None and not is_mailbox(address):
            raise ValueError("is not the address of one mailbox")
        return address

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  the library's signature, here and below
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment; no file is asked, which would cost as much again."""
        return init_settings, env_settings

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.min_insync_replicas > self.replication_factor:
            raise ValueError(
                f"min_insync_replicas ({self.min_insync_replicas}) is more than replication_factor "
                f"({self.replication_factor}): no write could ever be acknowledged"
            )
        if self.submission_max_bytes >= self.topic_max_bytes:
            raise ValueError(
                f"submission_max_bytes ({self.submission_max_bytes}) must be less than topic_max_bytes "
                f"({self.topic_max_bytes}), or an oversized submission could not be refused by admit with a reason"
            )
        if self.publisher_max_pending < self.publisher_batch_changes:
            raise ValueError(
                f"publisher_max_pending ({self.publisher_max_pending}) is less than publisher_batch_changes "
                f"({self.publisher_batch_changes}): a submission could never fill"
            )
        if self.transaction_timeout_ms < self.batch_wait_ms * 2:
            raise ValueError(
                f"transaction_timeout_ms ({self.transaction_timeout_ms}) must be at least twice batch_wait_ms "
                f"({self.batch_wait_ms})"
            )
        return self

    @model_validator(mode="after")
    def _notices_agree(self) -> Self:
        pairs = (
            ("notice_webhook_url", "notice_webhook_secret_file"),
            ("notice_webhook_secret_file", "notice_webhook_url"),
            ("notice_smtp_host", "notice_smtp_from"),
            ("notice_smtp_host", "notice_addresses_file"),
            ("notice_smtp_from", "notice_smtp_host"),
            ("notice_addresses_file", "notice_smtp_host"),
            ("notice_smtp_user", "notice_smtp_host"),
            ("notice_smtp_user", "notice_smtp_password_file"),
            ("notice_smtp_password_file", "notice_smtp_user"),
        )
        for one, other in pairs:
            if getattr(self, one) is not None and getattr(self, other) is None:
                raise ValueError(f"{one} is set and {other} is not: they belong together")
        return self


def load(**overrides: object) -> Settings:
    """Read the settings from the environment; keyword arguments win.

    Raises:
        SettingsError: with one sentence for each wrong or contradictory setting.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # overrides are validated by pydantic itself
    except ValidationError as error:
        lines = []
        for item in error.errors():
            name = "_".join(str(part) for part in item["loc"]).upper()
            told = str(item["msg"]).removeprefix("Value error, ")
            lines.append(f"BUS_{name}: {told}" if name else told)
        raise SettingsError("; ".join(lines)) from None
