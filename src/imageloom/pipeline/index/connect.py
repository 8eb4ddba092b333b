"""Connections to SQLite and PostgreSQL that behave alike under several processes."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, StaticPool

from imageloom.errors import EnvironmentUnsuitableError, ParameterParsingError

WRITE: Final = "imageloom_write"  # an option of a connection whose transaction will write


def parse_url(text: str) -> URL:
    """Return the address of a PostgreSQL database or a SQLite file.

    Raises:
        ParameterParsingError: It is not one. The message shows no password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as problem:
        raise _not_an_address("it cannot be read") from problem
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite")
    raise _not_an_address(f"it begins with {url.drivername!r}")


def connect_sqlite(file: Path | None, *, busy_timeout_s: float) -> Engine:
    """Return an engine on a SQLite file, or in memory when there is none.

    The journal stays of the kind SQLite begins with, which is rolled back: in WAL mode, SQLite
    before 3.51.3 can damage a file that several processes write
    (docs/decisions/0008-files-are-the-truth.md). Every transaction opens the file anew, so that a
    file put in its place is seen.
    """
    engine = create_engine(
        URL.create("sqlite", database=None if file is None else str(file)),
        poolclass=StaticPool if file is None else NullPool,
        connect_args={"timeout": busy_timeout_s, "check_same_thread": False},
    )
    event.listen(engine, "connect", _leave_beginning_to_us)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def connect_postgresql(url: URL, *, busy_timeout_s: float) -> Engine:
    """Return an engine on a PostgreSQL database.

    Raises:
        EnvironmentUnsuitableError: The driver is not installed.
    """
    try:
        return create_engine(
            url,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": max(2, round(busy_timeout_s)),
                "options": f"-c lock_timeout={round(busy_timeout_s * 1000)}",
            },
        )
    except ImportError as problem:
        raise EnvironmentUnsuitableError(
            "The database is PostgreSQL, but its driver psycopg is not installed.",
            hint="Install it with pip install 'imageloom[postgres]'.",
            reason="missing-library",
        ) from problem


def _leave_beginning_to_us(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that will write says so at once: one that finds out later can only give up.
    writes = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _not_an_address(why: str) -> ParameterParsingError:
    return ParameterParsingError(
        f"IMAGELOOM_DATABASE_URL is not the address of a database we can use: {why}.",
        hint="Write postgresql://USER:PASSWORD@HOST/DATABASE, or leave it out to use a file.",
        reason="database-url",
    )
