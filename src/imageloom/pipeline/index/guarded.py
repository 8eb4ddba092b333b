"""A database that is brought into order instead of failing, where that is possible."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, DBAPIError

from imageloom.errors import FailedToWriteOutputsError
from imageloom.events import EventSink, Notice
from imageloom.files.locks import locked
from imageloom.pipeline.index.connect import (
    WRITE,
    connect_postgresql,
    connect_sqlite,
    parse_url,
)
from imageloom.pipeline.index.schema import Condition, condition_of, migrate
from imageloom.pipeline.index.tables import HEAD
from imageloom.pipeline.index.trouble import DatabaseTrouble, error_for, trouble_of

T = TypeVar("T")
_REPAIRS: Final = 2  # a damaged file may turn out to be one that cannot be written
_REPAIRABLE: Final = (DatabaseTrouble.DAMAGED, DatabaseTrouble.READ_ONLY, DatabaseTrouble.FULL)


class GuardedDatabase:
    """Runs transactions, and puts right what stands in their way.

    A SQLite file that is missing is made, one that is damaged or not ours is moved aside, and where
    the file cannot be written an index in memory takes its place. All that is lost by this are rows
    that the folders of the runs can give again.

    Attributes:
        where: The database, without a password.
        num_repairs: How often something was put right, by which rows may be lost.

    Args:
        url: Address of the database, or None for ``default_file``.
        default_file: SQLite file of the workspace.
        on_event: Hears what was put right.
        busy_timeout_s: How long to wait for other processes.

    Raises:
        ParameterParsingError: The address cannot be used.
        StoreError: The database stands in the way and cannot be put right.
    """

    def __init__(
        self, url: str | None, default_file: Path, *, on_event: EventSink, busy_timeout_s: float
    ) -> None:
        self._on_event = on_event
        self._timeout_s = busy_timeout_s
        self.num_repairs = 0
        address = parse_url(url) if url is not None else None
        if address is not None and address.get_backend_name() == "postgresql":
            self._file = None
            self.where = address.render_as_string(hide_password=True)
            self._engine = connect_postgresql(address, busy_timeout_s=busy_timeout_s)
        else:
            self._file = Path(address.database or "") if address is not None else default_file
            self.where = str(self._file)
            self._engine = connect_sqlite(self._file, busy_timeout_s=busy_timeout_s)
            with contextlib.suppress(OSError):  # opening it says what is wrong
                self._file.parent.mkdir(parents=True, exist_ok=True)
        try:
            if self.transact(condition_of) is not Condition.READY:
                self._put_right(DatabaseTrouble.DAMAGED)
        except BaseException:
            self.close()
            raise

    def transact(self, work: Callable[[Connection], T], *, write: bool = False) -> T:
        """Do some work in a transaction, again when something could be put right.

        Args:
            work: Gets a connection; it may be called several times.
            write: Whether it writes.

        Raises:
            StoreError: The database stands in the way and cannot be put right.
            FailedToWriteOutputsError: The disk of the server is full.
            EnvironmentUnsuitableError: The server does not answer.
        """
        for _ in range(_REPAIRS):
            try:
                return self._attempt(work, write=write)
            except DBAPIError as problem:
                trouble = trouble_of(problem)
                if self._file is None or trouble not in _REPAIRABLE:
                    raise error_for(trouble, self.where, problem) from problem
                self._put_right(trouble)
        with self._naming_failures():
            return self._attempt(work, write=write)

    def write_if_possible(self, work: Callable[[Connection], None]) -> None:
        """Write what only saves time later; where that fails, nothing is put right."""
        with contextlib.suppress(DBAPIError):
            self._attempt(work, write=True)

    @property
    def is_in_memory(self) -> bool:
        """Whether the file could not be used, so that nothing is kept."""
        return self._engine.dialect.name == "sqlite" and self._file is None

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _attempt(self, work: Callable[[Connection], T], *, write: bool) -> T:
        options = {WRITE: write}
        try:
            connected = self._engine.connect().execution_options(**options)
            with connected as connection, connection.begin():
                return work(connection)
        except UnicodeDecodeError as problem:  # what SQLite says of the damage names damaged bytes
            said = sqlite3.DatabaseError("it holds text that is not UTF-8")
            raise DatabaseError(None, None, said) from problem

    def _put_right(self, trouble: DatabaseTrouble) -> None:
        self.num_repairs += 1
        with self._naming_failures():
            if self._file is None:
                self._migrate()
            elif trouble is DatabaseTrouble.DAMAGED:
                try:
                    self._repair(self._file)
                except OSError as problem:
                    self._go_on_in_memory(str(problem.strerror))
                except FailedToWriteOutputsError:  # its lock
                    self._go_on_in_memory("nothing can be written beside it")
            elif trouble is DatabaseTrouble.FULL:  # runs must be listed to be deleted
                self._go_on_in_memory("the disk is full")
            else:
                self._go_on_in_memory("it cannot be written")

    def _repair(self, file: Path) -> None:
        with locked(file.with_name(f"{file.name}.lock")):
            try:
                usable = self._attempt(condition_of, write=False) is not Condition.UNUSABLE
            except DBAPIError as problem:
                if trouble_of(problem) is not DatabaseTrouble.DAMAGED:
                    raise
                usable = False
            if not usable:
                self._move_aside(file)
            self._migrate()

    def _migrate(self) -> None:
        backup = self._file and self._file.with_name(f"{self._file.name}.before-{HEAD}")
        if self._attempt(lambda connection: migrate(connection, backup=backup), write=True):
            self._on_event(
                Notice("info", f"The database {self.where} was brought to version {HEAD}.")
            )

    def _move_aside(self, file: Path) -> None:
        self._engine.dispose()
        when = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(2).hex()}"
        aside = file.with_name(f"{file.name}.damaged-{when}")
        journal = file.with_name(f"{file.name}-journal")
        # The journal first: beside a new file it would be taken for that one's.
        with contextlib.suppress(FileNotFoundError):
            journal.rename(aside.with_name(f"{aside.name}-journal"))
        file.rename(aside)
        self._on_event(
            Notice(
                "warning",
                f"The database {file} was damaged. It was moved to {aside.name} and is made again "
                "from the folders of the runs; no run is lost.",
            )
        )

    def _go_on_in_memory(self, why: str) -> None:
        self._engine.dispose()
        self._engine, self._file = connect_sqlite(None, busy_timeout_s=self._timeout_s), None
        self._migrate()
        self._on_event(
            Notice(
                "warning",
                f"The database {self.where} cannot be used: {why}. The runs are read from their "
                "folders every time, which is slower.",
            )
        )

    @contextlib.contextmanager
    def _naming_failures(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as problem:
            raise error_for(trouble_of(problem), self.where, problem) from problem
