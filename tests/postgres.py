"""PostgreSQL's own server for one test session: started when a test first asks, a fresh database at each call.

It listens on a socket in its own folder alone, so it needs no port, and nobody but its user and root gets in.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from tests.threads import until

_SUPERUSER = "postgres"
# Data of tests may be lost with the machine; one query more or less at a time is all that tests ask for.
_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "jit": "off",
    "timezone": "UTC",
}
_STOP_S = 20.0


class PostgresMissingError(Exception):
    """There is no PostgreSQL server on this machine."""


@dataclass
class Postgres:
    """The running server; addresses are SQLAlchemy's."""

    folder: Path
    _names: int = 0
    _templates: set[str] = field(default_factory=set)

    def url(self, database: str) -> str:
        """The address of a database of this server."""
        return f"postgresql+psycopg://{_SUPERUSER}@/{database}?host={self.folder}"

    def fresh(self, template: str | None = None) -> str:
        """The address of a new database: empty, or a copy of a template that was made with `template`."""
        self._names += 1
        name = f"test_{self._names}"
        source = sql.Identifier(template or "template1")
        self._do(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), source))
        return self.url(name)

    def template(self, name: str, make: Callable[[str], None]) -> str:
        """A database that `make` fills once a session, given its address; `fresh(name)` then copies it."""
        if name not in self._templates:
            database = sql.Identifier(name)
            self._do(sql.SQL("CREATE DATABASE {}").format(database))
            make(self.url(name))
            # A database that somebody is connected to cannot be copied.
            self._do(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(database))
            self._do(
                sql.SQL("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = {}").format(name)
            )
            self._templates.add(name)
        return name

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it: for a test that makes one for each example."""
        name = url.partition("@/")[2].partition("?")[0]
        self._do(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            self._do(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def _do(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(host=str(self.folder), user=_SUPERUSER, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server of our own, which is gone at the end together with its folder.

    Raises:
        PostgresMissingError: naming the package to install.
    """
    programs = find_programs(Path("/usr/lib/postgresql"), os.environ.get("PATH", ""))
    account = _account()
    # The user must be able to walk to the folder, which a run's own scratch folder may not allow.
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=None if account is None else _open_folder()))
    try:
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        with _server(programs, account, folder) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@contextmanager
def _server(programs: Path, account: pwd.struct_passwd | None, folder: Path) -> Iterator[Postgres]:
    log, data = folder / "server.log", folder / "data"
    initdb = ["initdb", "--pgdata", str(data), "--username", _SUPERUSER, "--encoding", "UTF8", "--locale", "C.UTF-8"]
    initdb += ["--auth-local", "trust", "--auth-host", "reject", "--no-sync"]
    options = [word for name, value in _OPTIONS.items() for word in ("-c", f"{name}={value}")]
    with log.open("ab") as output:

        def start(words: Sequence[str]) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [*_as(account), str(programs / words[0]), *words[1:]],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            )

        assert start(initdb).wait(120) == 0, log.read_text(encoding="utf-8")
        process = start(["postgres", "-D", str(data), "-k", str(folder), *options])
        try:
            server = Postgres(folder)
            until(lambda: process.poll() is not None or server.answers(), "PostgreSQL's start")
            assert process.poll() is None, log.read_text(encoding="utf-8")
            yield server
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGINT ends PostgreSQL's sessions and then itself; SIGKILL is for one that does not."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def find_programs(installed: Path, path: str) -> Path:
    """The folder of the newest server below Debian's folder, else the one on the path.

    Raises:
        PostgresMissingError: there is none.
    """
    found = [
        folder for folder in installed.glob("*/bin") if (folder / "initdb").exists() and (folder / "postgres").exists()
    ]
    if found:
        return max(found, key=lambda folder: int("".join(filter(str.isdecimal, folder.parent.name)) or 0))
    initdb = shutil.which("initdb", path=path)
    if initdb is None:
        raise PostgresMissingError(
            "there is no PostgreSQL server below /usr/lib/postgresql or on the PATH: apt-get install postgresql"
        )
    return Path(initdb).resolve().parent


def _account() -> pwd.struct_passwd | None:
    """Who runs the server: root may not, so the package's own user does, else nobody. None: whoever we are."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _as(account: pwd.struct_passwd | None) -> list[str]:
    """The words before a command that make it run as that user, and end when we die."""
    words = ["setpriv", "--pdeathsig", "INT"]
    if account is not None:
        words += ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups"]
    return words


def _open_folder() -> Path:
    """The temporary folder, or where that is closed to other users /var/tmp."""
    folder = Path(tempfile.gettempdir()).resolve()
    closed = any(not each.stat().st_mode & 0o001 for each in (folder, *folder.parents))
    return Path("/var/tmp") if closed else folder  # noqa: S108  made there by mkdtemp, for its user alone
