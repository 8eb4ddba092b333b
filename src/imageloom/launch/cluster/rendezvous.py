"""How the machines of a run find the one that leads it: through the run directory they all see.

Whoever holds the lock leads, and writes where it listens. The kernel, or the server of a shared
disk, gives the lock free when the leader ends, however it ends; another machine then leads. So
nothing but the disk that holds the checkpoints must last.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from imageloom.files.locks import holder, is_locked, release, try_lock
from imageloom.files.publish import writing_file


class LeaderAddress(BaseModel):
    """Where the leader of a run listens, and what it asks of those who come."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    address: str
    port: int
    token: str


@dataclass(frozen=True)
class MeetingPlace:
    """The files by which the machines of one run meet."""

    run: Path

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.run / "launch"

    @contextlib.contextmanager
    def leading(self, note: str) -> Iterator[bool]:
        """Lead while the body runs, if nobody else does; yield whether it is so."""
        lock = try_lock(self.folder / "lock", note)
        try:
            yield lock is not None
        finally:
            if lock is not None:
                release(lock)

    @property
    def is_led(self) -> bool:
        """Whether somebody leads."""
        return is_locked(self.folder / "lock")

    @property
    def holder(self) -> str:
        """Who leads, or led last, in words; empty where that is not known."""
        return holder(self.folder / "lock")

    def announce(self, leader: LeaderAddress) -> None:
        """Write where the leader listens, for this user's eyes only: the token is a key."""
        with writing_file(self._leader) as partial:
            os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            partial.write_text(leader.model_dump_json(), encoding="utf-8")

    def forget(self) -> None:
        """Remove the address of a leader whose work is done."""
        self._leader.unlink(missing_ok=True)

    def find(self) -> LeaderAddress | None:
        """Return where the leader listens, or the last one did; None where nobody ever said."""
        try:
            return LeaderAddress.model_validate_json(self._leader.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        except OSError as problem:
            if problem.errno == errno.ESTALE:  # NFS: it was replaced while we read it
                return None
            raise

    @property
    def _leader(self) -> Path:
        return self.folder / "leader.json"
