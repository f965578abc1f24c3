"""A client's certificate: what is missing, damaged or another's is named before anybody is asked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bus.local.certificates import issue_agency
from bus.settings import Settings, load
from bus.wire.clients import Principal, admin, consumer, producer
from bus.wire.registry import Registry
from schemas.errors import NotProvisionedError

CLIENTS: dict[str, Callable[[Settings, Principal], object]] = {
    "admin": admin,
    "consumer": lambda settings, principal: consumer(settings, principal, "hrss.test"),
    "producer": producer,
    "registry": Registry,
}


def encrypted(folder: Path) -> None:
    (folder / "tls.key").write_text(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n", encoding="ascii"
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = load(state_dir=tmp_path)
    issue_agency(tmp_path, "hrss")
    issue_agency(tmp_path, "health")
    return found


@pytest.mark.parametrize("client", CLIENTS)
def test_a_good_certificate_makes_a_client(settings: Settings, client: str) -> None:
    assert CLIENTS[client](settings, Principal.agency(settings, "hrss")) is not None


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "tls.crt").unlink(), "tls.crt is missing; has its certificate been issued?"),
        (lambda folder: (folder / "ca.crt").unlink(), "ca.crt is missing; has its certificate been issued?"),
        (lambda folder: (folder / "ca.crt").write_text(""), "ca.crt holds no certificate"),
        (lambda folder: (folder / "ca.crt").write_text("rubbish"), "ca.crt holds no certificate"),
        (lambda folder: (folder / "tls.crt").write_text("rubbish"), "tls.crt and tls.key are no certificate and its"),
        (lambda folder: (folder / "tls.key").write_text(""), "tls.crt and tls.key are no certificate and its key"),
        (
            lambda folder: (folder / "tls.key").write_bytes((folder.parent / "health" / "tls.key").read_bytes()),
            "tls.crt and tls.key are no certificate and its key",
        ),
        (encrypted, "tls.crt and tls.key are no certificate and its key"),
    ],
)
def test_a_certificate_of_no_use_is_named(
    settings: Settings, client: str, spoil: Callable[[Path], object], told: str
) -> None:
    principal = Principal.agency(settings, "hrss")
    spoil(principal.folder)
    with pytest.raises(NotProvisionedError) as raised:
        CLIENTS[client](settings, principal)
    assert f"agency-hrss: {principal.folder / told}" in str(raised.value)
