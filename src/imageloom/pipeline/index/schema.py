"""Whether a database has our tables in our version, and how it gets them."""

import sqlite3
from enum import Enum, auto
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Text, column, inspect, select, table, text

from imageloom.errors import StoreCorruptError
from imageloom.files.publish import writing_file
from imageloom.pipeline.index.tables import HEAD, METADATA, VERSION_TABLE

MIGRATIONS: Final = Path(__file__).with_name("migrations")
_VERSION: Final = select(column("version_num", Text)).select_from(table(VERSION_TABLE))
_ADVISORY_LOCK: Final = 7305011  # any number, the same in all our processes


class Condition(Enum):
    """What a database holds."""

    READY = auto()
    EMPTY = auto()
    OTHER_VERSION = auto()
    UNUSABLE = auto()


def condition_of(connection: Connection) -> Condition:
    """Return what a database holds.

    A SQLite file is read as a whole: 3 ms for 10,000 runs (1.6 MB, SQLite 3.40, one core).

    Raises:
        DBAPIError: It is so damaged that it cannot be read.
    """
    is_file = connection.dialect.name == "sqlite"
    if is_file and connection.scalars(text("PRAGMA integrity_check")).all() != ["ok"]:
        return Condition.UNUSABLE
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE not in tables:
        # A PostgreSQL database may have other tables; our own file may not.
        taken = tables if is_file else tables & set(METADATA.tables)
        return Condition.UNUSABLE if taken else Condition.EMPTY
    versions = connection.scalars(_VERSION).all()
    if versions == [HEAD] and set(METADATA.tables) <= tables:
        for ours in METADATA.sorted_tables:
            connection.execute(select(ours).limit(1))  # fails where a column is missing
        return Condition.READY
    is_other = len(versions) == 1 and versions != [HEAD]
    return Condition.OTHER_VERSION if is_other else Condition.UNUSABLE


def migrate(connection: Connection, *, backup: Path | None) -> bool:
    """Bring the tables to our version, in the transaction of the connection.

    Args:
        connection: In a transaction that will write.
        backup: Where a SQLite file of an older version is kept as it was; None for no copy.

    Returns:
        Whether there was an older version, of which a backup was made.

    Raises:
        StoreCorruptError: A newer version of Imageloom made the tables; they are left alone.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
    condition = condition_of(connection)
    if condition is Condition.READY:
        return False  # another process was faster
    # Late: alembic takes longer to import than everything else a listing needs.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    older = condition is Condition.OTHER_VERSION
    if older:
        found = connection.scalar(_VERSION)
        try:
            ScriptDirectory.from_config(config).get_revision(str(found))
        except CommandError as problem:
            raise StoreCorruptError(
                f"The database of the runs has version {found}, but this version of Imageloom "
                f"knows up to {HEAD}.",
                hint="Use a newer version of Imageloom, or delete the database: it is made again "
                "from the folders of the runs.",
                reason="newer",
            ) from problem
        if backup is not None:
            _copy(connection, backup)
    command.upgrade(config, "head")
    return older


def _copy(connection: Connection, backup: Path) -> None:
    # By a connection of its own: SQLite does not copy through one that is about to write, and a
    # plain copy of the file would end the lock that keeps other processes from writing meanwhile.
    source = sqlite3.connect(str(connection.engine.url.database))
    with writing_file(backup) as partial:
        target = sqlite3.connect(partial)
        source.backup(target)
        target.close()
    source.close()
