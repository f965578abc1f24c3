"""Certificates of a made-up authority, for the servers that receive."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bus.local.certificates import TlsFiles, issue_role


@pytest.fixture(scope="session")
def issued() -> Iterator[TlsFiles]:
    """A server's certificate for this machine, with its authority's."""
    with TemporaryDirectory() as folder:
        yield issue_role(Path(folder), "registry")


@pytest.fixture(scope="session")
def server_tls(issued: TlsFiles) -> ssl.SSLContext:
    """What a server shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    return context


@pytest.fixture
def trusting(issued: TlsFiles) -> ssl.SSLContext:
    """What trusts it."""
    return ssl.create_default_context(cafile=str(issued.ca))
