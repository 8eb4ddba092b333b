"""What was deleted in the page: it can be restored for some days, and is then swept.

One folder each, ``bin/ID``, with ``entry.json`` and the thing itself under the name ``content``. It
gets there and back by a rename, so nobody sees half of it; an entry without content is none.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from imageloom.errors import (
    CouldNotOpenFileError,
    OutputInUseError,
    StoreCorruptError,
    write_failure,
)
from imageloom.files.locks import locked
from imageloom.files.publish import read_json, write_json
from imageloom.pipeline.ownership import EVERYBODYS, Ownership, write_ownership
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.workspace import Workspace

BIN_DAYS: Final = 7
_ID: Final = re.compile(r"[0-9a-f]{32}")
_DAY_S: Final = 86_400

BinKind = Literal["pipeline", "run", "upload"]


class Binned(BaseModel):
    """Something in the recycle bin.

    Attributes:
        id: Of the entry.
        kind: What it is.
        key: Its id, or the name of an upload.
        title: What a person calls it.
        deleted: When it was deleted, in seconds since 1970, UTC.
        deleted_by: Who did.
        ownership: Whose it is.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: str
    kind: BinKind
    key: str
    title: str
    deleted: float
    deleted_by: str
    ownership: Ownership = EVERYBODYS


@dataclass(frozen=True)
class RecycleBin:
    """What was deleted of a workspace."""

    workspace: Workspace

    def put(self, place: Path, what: Binned) -> None:
        """Take something out of its place.

        Args:
            place: Where it lies; whoever calls sees to it that nobody uses it.
            what: What it is; its id is new.

        Raises:
            CouldNotOpenFileError: It is not there any more.
            FailedToWriteOutputsError: The workspace cannot be written.
        """
        folder = self.workspace.recycle_bin / what.id
        write_json(folder / "entry.json", what.model_dump(mode="json"))
        try:
            place.rename(folder / "content")
        except FileNotFoundError:
            self.workspace.throw_away(folder)
            raise CouldNotOpenFileError(
                f"{what.title} is not there any more.", reason="gone"
            ) from None
        except OSError as problem:
            self.workspace.throw_away(folder)
            raise write_failure(folder, problem) from problem
        if what.kind == "upload":
            self.workspace.owner_of_upload(what.key).unlink(missing_ok=True)

    def entries(self) -> tuple[Binned, ...]:
        """Return what can be restored, the newest first."""
        found = (self._read(folder) for folder in _folders(self.workspace))
        there = (one for one in found if one is not None)
        return tuple(sorted(there, key=lambda one: one.deleted, reverse=True))

    def find(self, entry_id: str) -> Binned:
        """Return an entry by its id.

        Raises:
            CouldNotOpenFileError: There is none.
        """
        known = _ID.fullmatch(entry_id) is not None
        found = self._read(self.workspace.recycle_bin / entry_id) if known else None
        if found is None:
            raise no_such_entry()
        return found

    def restore(self, what: Binned) -> None:
        """Put something back where it was, whose it was.

        Raises:
            OutputInUseError: Something else has its place by now.
            CouldNotOpenFileError: It is not in the bin any more.
            FailedToWriteOutputsError: The workspace cannot be written.
        """
        place, content = self._home(what), self.workspace.recycle_bin / what.id / "content"
        # The lock of those who put uploads into their place.
        with locked(self.workspace.unfinished_uploads / "lock"):
            if os.path.lexists(place):
                raise OutputInUseError(
                    f"There is another {what.kind} {what.key!r} by now.",
                    hint="Delete that one first.",
                    reason="taken",
                )
            try:
                if what.kind == "upload" and what.ownership != EVERYBODYS:
                    write_ownership(self.workspace.owner_of_upload(what.key), what.ownership)
                place.parent.mkdir(parents=True, exist_ok=True)
                content.rename(place)
            except FileNotFoundError:
                self.find(what.id)
                raise
            except OSError as problem:
                raise write_failure(place, problem) from problem
        self.workspace.throw_away(content.parent)
        self.workspace.empty_trash()

    def delete(self, what: Binned) -> None:
        """Delete something for ever."""
        self.workspace.throw_away(self.workspace.recycle_bin / what.id)
        self.workspace.empty_trash()

    def sweep(self, *, now: float) -> int:
        """Delete what has lain there for ``BIN_DAYS``; return how much that was.

        Args:
            now: In seconds since 1970, UTC.
        """
        old = [folder for folder in _folders(self.workspace) if self._age_s(folder, now) > _DAY_S]
        num_swept = 0
        for folder in old:
            what = self._read(folder)
            if what is None or now - what.deleted > BIN_DAYS * _DAY_S:
                self.workspace.throw_away(folder)
                num_swept += what is not None
        self.workspace.empty_trash()
        return num_swept

    def _home(self, what: Binned) -> Path:
        homes = {
            "pipeline": self.workspace.pipelines,
            "run": self.workspace.runs,
            "upload": self.workspace.uploads,
        }
        return homes[what.kind] / what.key

    def _read(self, folder: Path) -> Binned | None:
        if not os.path.lexists(folder / "content"):
            return None
        try:
            content = read_json(folder / "entry.json", StoreCorruptError)
            return Binned.model_validate_json(json.dumps(content))
        except (StoreCorruptError, ValidationError):
            return None

    def _age_s(self, folder: Path, now: float) -> float:
        try:
            return now - folder.stat().st_mtime
        except FileNotFoundError:
            return 0.0


def binned(kind: BinKind, key: str, title: str, *, by: str, ownership: Ownership) -> Binned:
    """Return what describes something that is deleted now."""
    return Binned(
        id=os.urandom(16).hex(),
        kind=kind,
        key=key,
        title=title,
        deleted=time.time(),
        deleted_by=by,
        ownership=ownership,
    )


def no_such_entry() -> CouldNotOpenFileError:
    """Return the error for what is not in the bin, or is somebody else's."""
    return CouldNotOpenFileError(
        "That is not in the recycle bin.",
        hint=f"It was restored, deleted for ever, or lay there for {BIN_DAYS} days.",
        reason="not-in-bin",
    )


def binned_runs(workspace: Workspace) -> Iterator[RunFolder]:
    """Yield the runs in the recycle bin, whose outputs must be there when they are restored."""
    for folder in _folders(workspace):
        run = RunFolder(folder / "content")
        if run.exists():
            yield run


def _folders(workspace: Workspace) -> list[Path]:
    return [one for one in workspace.recycle_bin.glob("*") if _ID.fullmatch(one.name)]
