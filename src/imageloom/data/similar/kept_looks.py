"""Miniatures that were made before, by the SHA-256 of their picture's bytes.

They are kept for all image directories together: the parts of a split, and a version that was
corrected, find those of the whole.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from imageloom.data.similar.miniature import NUM_BYTES
from imageloom.errors import write_failure

_FORMAT_VERSION: Final = 1
_ASKED_AT_ONCE: Final = 500
_WAIT_S: Final = 30.0  # for another process that writes
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS looks (sha256 BLOB PRIMARY KEY, miniature BLOB NOT NULL)"
    " WITHOUT ROWID"
)


class KeptLooks:
    """The file; several processes may use it at once, and it may be deleted at any time.

    Args:
        table: An open database.
        file: Where it lies.
    """

    def __init__(self, table: sqlite3.Connection, file: Path) -> None:
        self._table = table
        self._file = file

    def find(self, digests: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the miniatures that are there, by the digest of their picture."""
        found: dict[bytes, bytes] = {}
        for begin in range(0, len(digests), _ASKED_AT_ONCE):
            some = digests[begin : begin + _ASKED_AT_ONCE]
            marks = ",".join("?" * len(some))
            rows = self._table.execute(
                f"SELECT sha256, miniature FROM looks WHERE sha256 IN ({marks})", some
            )
            found.update(
                (bytes(sha256), bytes(miniature))
                for sha256, miniature in rows
                if len(miniature) == NUM_BYTES
            )
        return found

    def keep(self, miniatures: Sequence[tuple[bytes, bytes]]) -> None:
        """Add miniatures with the digests of their pictures; all or none of them.

        Raises:
            FailedToWriteOutputsError: The disk is full, or the like.
        """
        try:
            with self._table:
                self._table.executemany("INSERT OR IGNORE INTO looks VALUES (?, ?)", miniatures)
        except sqlite3.Error as problem:
            raise write_failure(self._file, OSError(str(problem))) from problem


@contextlib.contextmanager
def open_looks(file: Path) -> Iterator[KeptLooks]:
    """Open the file, made anew where it is damaged or of another version: all in it can be.

    Raises:
        FailedToWriteOutputsError: It cannot be made.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        table = _opened(file)
    except (sqlite3.Error, OSError) as problem:
        failure = problem if isinstance(problem, OSError) else OSError(str(problem))
        raise write_failure(file, failure) from problem
    with contextlib.closing(table):
        yield KeptLooks(table, file)


def _opened(file: Path) -> sqlite3.Connection:
    try:
        return _checked(file)
    except sqlite3.DatabaseError as problem:
        if isinstance(problem, sqlite3.OperationalError):  # it is locked, or the disk says no
            raise
    file.unlink(missing_ok=True)
    return _checked(file)


def _checked(file: Path) -> sqlite3.Connection:
    table = sqlite3.connect(file, timeout=_WAIT_S)
    try:
        (version,) = table.execute("PRAGMA user_version").fetchone()
        if version not in (0, _FORMAT_VERSION):
            raise sqlite3.DatabaseError(f"its format version is {version}")
        table.execute(_SCHEMA)
        table.execute(f"PRAGMA user_version = {_FORMAT_VERSION}")
    except BaseException:
        table.close()
        raise
    return table
