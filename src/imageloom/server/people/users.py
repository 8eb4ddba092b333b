"""The users of a workspace, in a file that only the machine's owner reads."""

import functools
import json
import os
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from imageloom.errors import (
    InvalidRequestError,
    ParameterParsingError,
    StoreCorruptError,
    UnknownNameError,
    write_failure,
)
from imageloom.files.locks import locked
from imageloom.files.publish import read_json, to_json, writing_file
from imageloom.server.people.passwords import hash_password, require_password
from imageloom.server.people.roles import Role

FORMAT_VERSION: Final = 1
_NAME: Final = re.compile(r"[a-z][a-z0-9._-]{0,31}")


class User(BaseModel):
    """A user.

    Attributes:
        role: What they may do.
        password: Its hash.
        epoch: Another one after each change: sessions of before end with it.
        added: When they were added, in seconds since 1970, UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    role: Role
    password: str
    epoch: str
    added: float


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format_version: int
    users: dict[str, User]


class Users:
    """All users; any process may change them, and all see it at their next look.

    Args:
        folder: The folder of the people of a workspace; it is made when somebody is added.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "users.json"
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._known: Mapping[str, User] = {}

    def all(self) -> Mapping[str, User]:
        """Return all users by name.

        Raises:
            StoreCorruptError: The file is damaged; nobody is let in then.
        """
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return {}
        stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
        with self._lock:
            if stamp != self._stamp:
                self._known, self._stamp = self._read(), stamp
            return self._known

    def find(self, name: str) -> User | None:
        """Return a user, or None."""
        return self.all().get(name)

    def add(self, name: str, role: Role, password: str, *, now: float) -> None:
        """Add a user.

        Raises:
            ParameterParsingError: The name or the password cannot be one, or the name is taken.
            FailedToWriteOutputsError: The file cannot be written.
        """
        require_user_name(name)
        require_password(password, name)
        user = User(role=role, password=hash_password(password), epoch=_epoch(), added=now)

        def change(users: dict[str, User]) -> None:
            if name in users:
                raise ParameterParsingError(
                    f"There is a user {name!r} already.",
                    hint="Choose another name, or give that one a new password.",
                    reason="taken",
                    details={"parameter": "name"},
                )
            users[name] = user

        self._change(change)

    def remove(self, name: str) -> None:
        """Remove a user, whose sessions end; what they own stays, for admins to see.

        Raises:
            UnknownNameError: There is none.
            InvalidRequestError: It is the last admin.
        """

        def change(users: dict[str, User]) -> None:
            _require_other_admin(users, name)
            del users[name]

        self._change(change, known=name)

    def set_role(self, name: str, role: Role) -> None:
        """Give a user another role; their sessions end.

        Raises:
            UnknownNameError: There is none.
            InvalidRequestError: It is the last admin.
        """

        def change(users: dict[str, User]) -> None:
            if role is not Role.ADMIN:
                _require_other_admin(users, name)
            users[name] = users[name].model_copy(update={"role": role, "epoch": _epoch()})

        self._change(change, known=name)

    def set_password(self, name: str, password: str) -> None:
        """Give a user another password; their sessions end.

        Raises:
            UnknownNameError: There is none.
            ParameterParsingError: It cannot be a password.
        """
        require_password(password, name)
        update = {"password": hash_password(password), "epoch": _epoch()}

        def change(users: dict[str, User]) -> None:
            users[name] = users[name].model_copy(update=update)

        self._change(change, known=name)

    def _change(self, change: Callable[[dict[str, User]], None], *, known: str = "") -> None:
        make_private_folder(self._folder)
        with locked(self._folder / "lock"):
            users = dict(self.all())
            if known and known not in users:
                raise UnknownNameError(
                    f"There is no user {known!r}.",
                    hint="'imageloom users list' shows those there are.",
                    reason="no-user",
                )
            change(users)
            content = _File(format_version=FORMAT_VERSION, users=users).model_dump(mode="json")
            with writing_file(self._file) as partial:
                write = functools.partial(os.open, mode=0o600)
                with open(partial, "x", encoding="utf-8", opener=write) as file:
                    file.write(to_json(content))

    def _read(self) -> Mapping[str, User]:
        content = read_json(self._file, StoreCorruptError)
        try:
            return _File.model_validate_json(json.dumps(content)).users
        except ValidationError as problem:
            first = problem.errors()[0]
            where = ".".join(str(part) for part in first["loc"] if part != "password")
            raise StoreCorruptError(
                f"{self._file} is damaged: {where}: {first['msg']}.",
                hint="Restore it from a backup, or delete it and add the users anew.",
                reason="damaged",
            ) from problem


def make_private_folder(folder: Path) -> None:
    """Make a folder that its owner alone may look into.

    Raises:
        FailedToWriteOutputsError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as problem:
        raise write_failure(folder, problem) from problem


def require_user_name(name: str) -> None:
    """Refuse what cannot be the name of a user.

    Raises:
        ParameterParsingError: It cannot.
    """
    if not _NAME.fullmatch(name):
        raise ParameterParsingError(
            f"{name[:64]!r} cannot be the name of a user.",
            hint="A name begins with a small letter, and has at most 32 small letters, digits, "
            "points, dashes and underscores.",
            reason="no-user-name",
            details={"parameter": "name"},
        )


def _require_other_admin(users: Mapping[str, User], name: str) -> None:
    admins = [one for one, user in users.items() if user.role is Role.ADMIN]
    if admins == [name]:
        raise InvalidRequestError(
            f"{name} is the only admin.",
            hint="Make somebody else an admin first.",
            reason="last-admin",
        )


def _epoch() -> str:
    return secrets.token_hex(16)
