"""Where the register's database is and which law binds, by the settings; every database error as one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from bus.settings import Settings
from compliance.profiles import Law
from compliance.register.database import open_engine
from compliance.register.migrate import is_migrated, migrate
from compliance.register.service import Register
from compliance.workdays import WorkCalendar
from schemas.errors import RegisterUnavailableError, SettingsError, UsageError

FILE = "register.db"


def database_url(settings: Settings) -> str:
    """The database's URL; without a setting a file in the state directory."""
    return settings.register_url or f"sqlite:///{settings.state_dir.absolute() / FILE}"


def law_of(settings: Settings) -> Law:
    """The profiles that bind together, in force from the day that the settings name.

    Raises:
        SettingsError: there is no such profile.
    """
    try:
        return Law.packaged(*settings.law_profiles.split(","), effective_date=settings.law_effective_date)
    except UsageError as error:
        raise SettingsError(f"BUS_LAW_PROFILES: {error}") from None


def open_register(settings: Settings) -> Register:
    """The register over its database, which is made or brought to the newest revision first.

    Whoever opens one closes it: `register.engine.dispose()`, or uses `opened`.

    Raises:
        SettingsError: the settings name no database, or no profile that there is.
        RegisterUnavailableError: the database cannot be reached.
        UsageError: it was made by a newer program.
    """
    law = law_of(settings)
    engine = _engine(settings)
    with answering():
        file = _file(engine)
        if file is not None:
            _make_room(file)
        migrate(engine)
    if file is not None:
        # Names of responsible persons stand in it: it is read by its owner alone.
        file.chmod(0o600)
    return Register(engine, law, WorkCalendar.packaged())


@contextmanager
def opened(settings: Settings) -> Iterator[Register]:
    """The register for a while; what its database raises meanwhile is told in words. Errors as `open_register`."""
    register = open_register(settings)
    try:
        with answering():
            yield register
    finally:
        register.engine.dispose()


@contextmanager
def opened_if_there(settings: Settings) -> Iterator[Register | None]:
    """As `opened`, but makes and changes nothing: None where there is no database yet, or not of this revision."""
    law, engine = law_of(settings), _engine(settings)
    try:
        with answering():
            file = _file(engine)
            there = (file is None or file.exists()) and is_migrated(engine)
            yield Register(engine, law, WorkCalendar.packaged()) if there else None
    finally:
        engine.dispose()


@contextmanager
def answering() -> Iterator[None]:
    """Whatever the database's driver raises within is an error of ours; statements and values are not repeated.

    Raises:
        RegisterUnavailableError: in its place.
    """
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise RegisterUnavailableError(
            f"the register's database does not answer ({type(error.orig).__name__}); is it there, at BUS_REGISTER_URL?"
        ) from None
    except DBAPIError as error:
        raise RegisterUnavailableError(
            f"the register's database refuses ({type(error.orig).__name__}); is it the register's own?"
        ) from None


def _engine(settings: Settings) -> sa.Engine:
    try:
        engine = open_engine(database_url(settings))
    except UsageError as error:
        raise SettingsError(f"BUS_REGISTER_URL: {error}") from None
    if engine.dialect.name == "sqlite" and engine.url.database in (None, "", ":memory:"):
        raise SettingsError("BUS_REGISTER_URL: a database in memory keeps nothing; name a file")
    return engine


def _make_room(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RegisterUnavailableError(
            f"the register's database has no folder: {file.parent} ({error.strerror})"
        ) from None


def _file(engine: sa.Engine) -> Path | None:
    """The file of an SQLite database."""
    return Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None
