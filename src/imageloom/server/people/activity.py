"""Who did what: a file of lines that is only ever appended to, and replaced when it is full."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from imageloom.errors import write_failure
from imageloom.files.locks import locked
from imageloom.server.people.users import make_private_folder

MAX_FILE_BYTES: Final = 4 * 1024 * 1024  # some 25,000 lines; there are two such files at most
_MAX_TEXT: Final = 200


class Deed(BaseModel):
    """Something that somebody did, or tried to.

    Attributes:
        time: In seconds since 1970, UTC.
        who: Name of the user; of the machine's owner at the command line.
        what: A few words for it: ``stop run``.
        on: Id or name of what it was done to; may be empty.
        address: From where; ``terminal`` at the command line.
        outcome: ``done``, or why not, as a status of HTTP.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    time: float
    who: str
    what: str
    on: str = ""
    address: str = ""
    outcome: str = "done"


class Activity:
    """The record of a workspace.

    Args:
        folder: The folder of the people of the workspace.
        max_file_bytes: When the file is put aside for a new one; the one of before goes.
    """

    def __init__(self, folder: Path, *, max_file_bytes: int = MAX_FILE_BYTES) -> None:
        self._folder = folder
        self._max_file_bytes = max_file_bytes
        self._file = folder / "activity.jsonl"
        self._older = folder / "activity.1.jsonl"

    def append(self, deed: Deed) -> None:
        """Write something down.

        Raises:
            FailedToWriteOutputsError: It cannot be written.
        """
        texts = {key: getattr(deed, key)[:_MAX_TEXT] for key in ("who", "what", "on", "address")}
        line = json.dumps({**deed.model_dump(), **texts}).encode() + b"\n"
        make_private_folder(self._folder)
        try:
            with locked(self._folder / "activity.lock"):
                if self._file.exists() and self._file.stat().st_size > self._max_file_bytes:
                    self._file.replace(self._older)
                flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
                descriptor = os.open(self._file, flags, 0o600)
                with os.fdopen(descriptor, "r+b", buffering=0) as file:
                    size = os.fstat(file.fileno()).st_size
                    is_torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
                    file.write(b"\n" * is_torn + line)
        except OSError as problem:
            raise write_failure(self._file, problem) from problem

    def newest(self, *, offset: int = 0, limit: int = 100) -> list[Deed]:
        """Return what was done, the newest first.

        Args:
            offset: How many to pass over.
            limit: How many at most.
        """
        found = []
        for number, deed in enumerate(self._backwards()):
            if number >= offset + limit:
                break
            if number >= offset:
                found.append(deed)
        return found

    def _backwards(self) -> Iterator[Deed]:
        for file in (self._file, self._older):
            try:
                lines = file.read_bytes().splitlines()
            except FileNotFoundError:
                continue
            for line in reversed(lines):
                try:
                    yield Deed.model_validate_json(line)
                except ValidationError:  # half written by a process that was killed
                    continue
