"""Who is signed in: a file for each session, named by the hash of what a browser keeps."""

import contextlib
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from imageloom.errors import StoreCorruptError, write_failure
from imageloom.files.publish import read_json
from imageloom.server.people.roles import Person
from imageloom.server.people.users import User, Users, make_private_folder

SECRET_BYTES: Final = 32
IDLE_S: Final = 24 * 3600.0
LIFE_S: Final = 14 * 24 * 3600.0
_NOTED_EVERY_S: Final = 60.0
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class _Session(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    user: str
    epoch: str
    begun: float


class Sessions:
    """All sessions; that one was used is noted as the time of its file.

    Args:
        folder: The folder of the people of a workspace.
        users: Who may be signed in: a user who was changed is signed out.
        now: A clock, in seconds since 1970.
    """

    def __init__(self, folder: Path, users: Users, *, now: Callable[[], float] = time.time) -> None:
        self._folder = folder / "sessions"
        self._users = users
        self._now = now

    def begin(self, name: str, user: User) -> str:
        """Sign a user in, whose password was right; return the secret, which is kept nowhere.

        A user who was removed or changed since is not signed in: the secret is nobody's then.

        Args:
            name: Of the user.
            user: As they were when their password was looked at.

        Raises:
            FailedToWriteOutputsError: The session cannot be written.
        """
        secret = secrets.token_urlsafe(SECRET_BYTES)
        session = _Session(user=name, epoch=user.epoch, begun=self._now())
        make_private_folder(self._folder)
        file = self._file(secret)
        new = file.with_suffix(".new")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(session.model_dump_json())
            os.utime(new, (self._now(),) * 2)
            new.replace(file)
        except OSError as problem:
            raise write_failure(file, problem) from problem
        return secret

    def person(self, secret: str, *, is_use: bool = True) -> Person | None:
        """Return who keeps a secret, or None where the session is none or has ended.

        Args:
            secret: What a browser sent.
            is_use: Whether somebody does something; a page that only stays open does not count.

        Raises:
            StoreCorruptError: The file of users is damaged.
        """
        if not _SECRET.fullmatch(secret):
            return None
        file, now = self._file(secret), self._now()
        session = _read(file)
        if session is None:
            return None
        user = self._users.find(session.user)
        try:
            used = file.stat().st_mtime
        except FileNotFoundError:
            return None
        is_old = now - session.begun > LIFE_S or now - used > IDLE_S
        if user is None or user.epoch != session.epoch or is_old:
            file.unlink(missing_ok=True)
            return None
        if is_use and now - used > _NOTED_EVERY_S:
            with contextlib.suppress(FileNotFoundError):  # signed out at this moment
                os.utime(file, (now, now))
        return Person(session.user, user.role)

    def end(self, secret: str) -> None:
        """Sign out."""
        if _SECRET.fullmatch(secret):
            self._file(secret).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove the files of sessions that nobody may use any more."""
        for file in self._folder.glob("*"):
            session = _read(file)
            user = None if session is None else self._users.find(session.user)
            is_over = user is None or session is None or user.epoch != session.epoch
            with contextlib.suppress(FileNotFoundError):
                # One that is being written can be read only when it is whole.
                idle_s = self._now() - file.stat().st_mtime
                if idle_s > (_NOTED_EVERY_S if is_over else IDLE_S):
                    file.unlink()

    def _file(self, secret: str) -> Path:
        return self._folder / hashlib.sha256(secret.encode()).hexdigest()


def _read(file: Path) -> _Session | None:
    if not file.is_file():
        return None
    try:
        return _Session.model_validate_json(json.dumps(read_json(file, StoreCorruptError)))
    except (StoreCorruptError, ValidationError):
        return None
