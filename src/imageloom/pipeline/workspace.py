"""Where everything of the runs lies in a workspace (docs/guides/workspace.md)."""

import calendar
import contextlib
import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.errors import NoSuchRunError, StoreCorruptError
from imageloom.pipeline.run_folder import RunFolder

_TIME_ID: Final = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
_PER_SECOND: Final = 65_536
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_DIGEST = re.compile(r"[0-9a-z]{3,64}")  # neither can name a place outside its folder


@dataclass(frozen=True)
class Workspace:
    """The folder with all runs, their outputs and uploads.

    Attributes:
        root: The folder; it is made when something is first written.
    """

    root: Path

    def exists(self) -> bool:
        """Whether anything was ever run or uploaded here."""
        return any(place.is_dir() for place in (self.runs, self.objects, self.uploads))

    @property
    def database(self) -> Path:
        """The index of the runs, which can be made again from their folders at any time."""
        return self.root / "database.sqlite"

    @property
    def runs(self) -> Path:
        """One folder per run."""
        return self.root / "runs"

    @property
    def objects(self) -> Path:
        """Published outputs by digest."""
        return self.root / "store" / "objects"

    @property
    def cache(self) -> Path:
        """Which outputs a key has, one file per key."""
        return self.root / "store" / "cache"

    @property
    def store_lock(self) -> Path:
        """Held for moments by whoever changes or vouches for what the store holds."""
        return self.root / "store" / "lock"

    @property
    def work(self) -> Path:
        """Results in the making, one folder per key."""
        return self.root / "work"

    @property
    def uploads(self) -> Path:
        """Files and folders a person uploaded."""
        return self.root / "uploads"

    @property
    def unfinished_uploads(self) -> Path:
        """Uploads that arrive in parts; on the file system of the others, but hidden from them."""
        return self.uploads / ".unfinished"

    @property
    def pipelines(self) -> Path:
        """Drawn pipelines, one folder each with all its versions."""
        return self.root / "pipelines"

    @property
    def studies(self) -> Path:
        """Searches for the best parameters, one folder each; their trials are runs."""
        return self.root / "studies"

    @property
    def trash(self) -> Path:
        """What is being deleted: it leaves its place by a rename, so nobody sees half of it."""
        return self.root / "trash"

    @property
    def recycle_bin(self) -> Path:
        """What was deleted in the page, one folder each, until it is swept."""
        return self.root / "bin"

    @property
    def people(self) -> Path:
        """Users, their sessions, and who did what; for the eyes of the machine's owner alone."""
        return self.root / "people"

    def owner_of_upload(self, name: str) -> Path:
        """Return the file that says whose an upload is."""
        return self.uploads / ".owners" / f"{name}.json"

    def object_folder(self, digest: str) -> Path:
        """Return where an object lies.

        Raises:
            StoreCorruptError: It is no digest.
        """
        return self.objects / _checked(digest)[:2] / digest

    def object_record(self, digest: str) -> Path:
        """Return the file that says what the object's files are."""
        return self.objects / _checked(digest)[:2] / f"{digest}.json"

    def cache_file(self, key: str) -> Path:
        """Return where the cache entry of a key lies.

        Raises:
            StoreCorruptError: It is no digest.
        """
        return self.cache / _checked(key)[:2] / f"{key}.json"

    def work_folder(self, key: str) -> Path:
        """Return the folder of a result in the making."""
        return self.work / _checked(key)

    def work_lock(self, key: str) -> Path:
        """Return the lock held by whoever makes the result of a key."""
        return self.work_folder(key) / "lock"

    def work_scratch(self, key: str) -> Path:
        """Return the folder that survives kills and cancels."""
        return self.work_folder(key) / "scratch"

    def work_outputs(self, key: str) -> Path:
        """Return the folder in which a component publishes before the store takes it."""
        return self.work_folder(key) / "outputs"

    def run(self, run_id: str) -> RunFolder:
        """Return the folder of a run, which need not be there.

        Raises:
            NoSuchRunError: No run can have this id.
        """
        if not _RUN_ID.fullmatch(run_id):
            raise NoSuchRunError(f"{run_id!r} is not the id of a run.", reason="no-id")
        return RunFolder(self.runs / run_id)

    def run_names(self) -> tuple[str, ...]:
        """Return the names of the folders that are runs, or may become some, in any order."""
        try:
            with os.scandir(self.runs) as entries:
                return tuple(one.name for one in entries if _is_run_folder(one))
        except (FileNotFoundError, NotADirectoryError):
            return ()

    def run_ids(self) -> tuple[str, ...]:
        """Return the ids of all runs, oldest first."""
        return tuple(sorted(name for name in self.run_names() if self.run(name).exists()))

    def new_run_id(self) -> str:
        """Return an id that no run has: the time in UTC, so that ids sort by it.

        The last four digits are the 65,536ths of the second, in hexadecimal. Where the clock was
        set back, or that of another machine is ahead, the id follows the newest one, so that
        ``last`` stays the run that was made last.
        """
        times = map(_time_of, sorted(filter(_TIME_ID.fullmatch, self.run_names()), reverse=True))
        at = max(int(time.time() * _PER_SECOND), next(filter(None, times), 0) + 1)
        while (self.runs / _id_at(at)).exists():
            at += 1
        return _id_at(at)

    def throw_away(self, path: Path) -> None:
        """Take a file or folder out of its place in one step; ``empty_trash`` then deletes it."""
        self.trash.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            path.rename(self.trash / os.urandom(16).hex())

    def empty_trash(self) -> None:
        """Delete what was thrown away, also by processes that were killed before they did."""
        for thrown in self.trash.glob("*"):
            if thrown.is_dir():
                shutil.rmtree(thrown, ignore_errors=True)
            else:
                thrown.unlink(missing_ok=True)


def _is_run_folder(entry: os.DirEntry[str]) -> bool:
    return _RUN_ID.fullmatch(entry.name) is not None and entry.is_dir()


def is_digest(text: str) -> bool:
    """Whether a text can be the digest of an object or of what a result depends on."""
    return _DIGEST.fullmatch(text) is not None


def _checked(digest: str) -> str:
    if not is_digest(digest):
        raise StoreCorruptError(
            f"{digest!r} is not a digest.",
            hint="A file of the workspace was changed or damaged.",
            reason="no-digest",
        )
    return digest


def _id_at(at: int) -> str:
    """Return the id of a run that is made at a time, in 65,536ths of a second since 1970."""
    second, rest = divmod(at, _PER_SECOND)
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(second))}-{rest:04x}"


def _time_of(run_id: str) -> int:
    """Return the time in an id; 0 where it tells none."""
    try:
        second = calendar.timegm(time.strptime(run_id[:15], "%Y%m%d-%H%M%S"))
    except ValueError:
        return 0
    return second * _PER_SECOND + int(run_id[16:], 16)
