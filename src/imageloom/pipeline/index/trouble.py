"""What a failure of the database means for us."""

import sqlite3
from enum import Enum, auto

from sqlalchemy.exc import DBAPIError

from imageloom.errors import (
    EnvironmentUnsuitableError,
    FailedToWriteOutputsError,
    ImageloomError,
    StoreBusyError,
    StoreCorruptError,
)


class DatabaseTrouble(Enum):
    """Kinds of failures that are answered differently."""

    BUSY = auto()
    DAMAGED = auto()
    READ_ONLY = auto()
    FULL = auto()
    UNREACHABLE = auto()


_SQLITE = {
    sqlite3.SQLITE_BUSY: DatabaseTrouble.BUSY,
    sqlite3.SQLITE_LOCKED: DatabaseTrouble.BUSY,
    sqlite3.SQLITE_READONLY: DatabaseTrouble.READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: DatabaseTrouble.READ_ONLY,
    sqlite3.SQLITE_PERM: DatabaseTrouble.READ_ONLY,
    sqlite3.SQLITE_AUTH: DatabaseTrouble.READ_ONLY,
    sqlite3.SQLITE_FULL: DatabaseTrouble.FULL,
    sqlite3.SQLITE_IOERR: DatabaseTrouble.FULL,
}
_POSTGRESQL = {  # by the first characters of SQLSTATE, the longest first
    "55P03": DatabaseTrouble.BUSY,  # lock not available
    "40": DatabaseTrouble.BUSY,  # deadlock, serialization
    "25006": DatabaseTrouble.READ_ONLY,
    "42501": DatabaseTrouble.READ_ONLY,  # insufficient privilege
    "53": DatabaseTrouble.FULL,
    "42": DatabaseTrouble.DAMAGED,  # undefined table or column
    "XX": DatabaseTrouble.DAMAGED,
    "22": DatabaseTrouble.DAMAGED,
    "23": DatabaseTrouble.DAMAGED,
}


def trouble_of(problem: DBAPIError) -> DatabaseTrouble:
    """Return what kind of failure this is.

    Source:
        https://www.sqlite.org/rescode.html and
        https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    code = getattr(problem.orig, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE.get(code & 0xFF, DatabaseTrouble.DAMAGED)  # the low byte is the primary code
    if isinstance(problem.orig, sqlite3.Error):
        return DatabaseTrouble.DAMAGED  # text that is not UTF-8, and the like
    state = getattr(problem.orig, "sqlstate", None) or ""
    return next(
        (kind for start, kind in _POSTGRESQL.items() if state.startswith(start)),
        DatabaseTrouble.UNREACHABLE,
    )


def error_for(trouble: DatabaseTrouble, where: str, problem: BaseException) -> ImageloomError:
    """Return the error that tells a person.

    Args:
        trouble: The kind of failure.
        where: The database, without a password.
        problem: What the driver said.
    """
    said = str(getattr(problem, "orig", problem)).strip().partition("\n")[0]
    if trouble is DatabaseTrouble.BUSY:
        return StoreBusyError(
            f"Another process holds the database {where} for too long: {said}.",
            hint="Runs are not affected; what they did is in their folders. Try again later.",
        )
    if trouble is DatabaseTrouble.DAMAGED:
        return StoreCorruptError(
            f"The database {where} does not hold what we put there: {said}.",
            hint="Delete the tables imageloom_runs, imageloom_sweeps and imageloom_schema; they "
            "are made again from the folders of the runs.",
            reason="damaged",
        )
    if trouble is DatabaseTrouble.UNREACHABLE:
        return EnvironmentUnsuitableError(
            f"The database {where} does not answer: {said}.",
            hint="Start it, or unset IMAGELOOM_DATABASE_URL to use a file in the workspace.",
            reason="database",
        )
    return FailedToWriteOutputsError(
        f"The database {where} could not be written: {said}.",
        hint="Free space, or see to it that you may write there. The runs' files are intact.",
        reason="full" if trouble is DatabaseTrouble.FULL else "read-only",
    )
