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


class Trouble(Enum):
    """Kinds of failures that are answered differently."""

    BUSY = auto()
    DAMAGED = auto()
    READ_ONLY = auto()
    FULL = auto()
    UNREACHABLE = auto()


_SQLITE = {
    sqlite3.SQLITE_BUSY: Trouble.BUSY,
    sqlite3.SQLITE_LOCKED: Trouble.BUSY,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: Trouble.READ_ONLY,
    sqlite3.SQLITE_PERM: Trouble.READ_ONLY,
    sqlite3.SQLITE_AUTH: Trouble.READ_ONLY,
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_IOERR: Trouble.FULL,
}
_POSTGRESQL = {  # by the first characters of SQLSTATE, the longest first
    "55P03": Trouble.BUSY,  # lock not available
    "40": Trouble.BUSY,  # deadlock, serialization
    "25006": Trouble.READ_ONLY,
    "42501": Trouble.READ_ONLY,  # insufficient privilege
    "53": Trouble.FULL,
    "42": Trouble.DAMAGED,  # undefined table or column
    "XX": Trouble.DAMAGED,
    "22": Trouble.DAMAGED,
    "23": Trouble.DAMAGED,
}


def trouble_of(problem: DBAPIError) -> Trouble:
    """Return what kind of failure this is.

    Source:
        https://www.sqlite.org/rescode.html and
        https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    code = getattr(problem.orig, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE.get(code & 0xFF, Trouble.DAMAGED)  # the low byte is the primary code
    if isinstance(problem.orig, sqlite3.Error):
        return Trouble.DAMAGED  # text that is not UTF-8, and the like
    state = getattr(problem.orig, "sqlstate", None) or ""
    return next(
        (kind for start, kind in _POSTGRESQL.items() if state.startswith(start)),
        Trouble.UNREACHABLE,
    )


def error_for(trouble: Trouble, where: str, problem: BaseException) -> ImageloomError:
    """Return the error that tells a person.

    Args:
        trouble: The kind of failure.
        where: The database, without a password.
        problem: What the driver said.
    """
    said = str(getattr(problem, "orig", problem)).strip().partition("\n")[0]
    if trouble is Trouble.BUSY:
        return StoreBusyError(
            f"Another process holds the database {where} for too long: {said}.",
            hint="Runs are not affected; what they did is in their folders. Try again later.",
        )
    if trouble is Trouble.DAMAGED:
        return StoreCorruptError(
            f"The database {where} does not hold what we put there: {said}.",
            hint="Delete the tables imageloom_runs and imageloom_schema; they are made again from "
            "the folders of the runs.",
            reason="damaged",
        )
    if trouble is Trouble.UNREACHABLE:
        return EnvironmentUnsuitableError(
            f"The database {where} does not answer: {said}.",
            hint="Start it, or unset IMAGELOOM_DATABASE_URL to use a file in the workspace.",
            reason="database",
        )
    return FailedToWriteOutputsError(
        f"The database {where} could not be written: {said}.",
        hint="Free space, or see to it that you may write there. The runs' files are intact.",
        reason="full" if trouble is Trouble.FULL else "read-only",
    )
