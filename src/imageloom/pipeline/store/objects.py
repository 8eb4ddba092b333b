"""Outputs kept by the digest of their bytes, and which result they are of.

An object appears by a rename as the last step, so whatever is there is whole; a cache entry is
written after its objects and removed before them. Everything that changes what is there, or tells a
caller that it is there, happens while the store's lock is held, for moments.
"""

import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from imageloom.errors import FailedToWriteOutputsError, StoreCorruptError, write_failure
from imageloom.files.locks import locked
from imageloom.files.publish import digest_of_json, sha256_of_file, sync_to_disk, write_json
from imageloom.pipeline.workspace import Workspace, is_digest
from imageloom.spec.job import CacheEntry, to_json


@dataclass(frozen=True)
class StoredObject:
    """A published output.

    Attributes:
        digest: SHA-256 over the names, sizes and contents of its files.
        size_bytes: Bytes of its files.
    """

    digest: str
    size_bytes: int


@dataclass(frozen=True)
class ObjectStore:
    """The outputs and cache entries of a workspace."""

    workspace: Workspace

    def publish(self, folder: Path) -> StoredObject:
        """Move a folder into the store; a whole object of the same content wins.

        Args:
            folder: A folder on the workspace's file system, with sub-folders if need be. It is gone
                afterwards.

        Raises:
            FailedToWriteOutputsError: It is no folder, holds anything but plain files and folders,
                or cannot be moved.
        """
        try:
            files = dict(_files_of(folder, folder))
            digest = digest_of_json(sorted([name, *facts] for name, facts in files.items()))
            with self.lock():
                if self.is_whole(digest):
                    os.utime(self.workspace.object_record(digest))
                    self.workspace.throw_away(folder)
                else:
                    self._place(folder, digest, files)
            self.workspace.empty_trash()
        except OSError as problem:
            kept = "What was there before is intact."
            raise write_failure(f"The stored copy of {folder}", problem, kept=kept) from problem
        return StoredObject(digest, sum(size for size, _ in files.values()))

    def path(self, digest: str) -> Path:
        """Return where an object lies.

        Raises:
            StoreCorruptError: It is no digest.
        """
        return self.workspace.object_folder(digest)

    def is_whole(self, digest: str) -> bool:
        """Whether an object is there with every file, judged by their sizes."""
        files = self._record(digest)
        folder = self.path(digest)
        if files is None or not folder.is_dir():
            return False
        return all(_is_as_recorded(folder, name, size) for name, (size, _) in files.items())

    def verify(self, digest: str) -> None:
        """Read every byte of an object.

        Raises:
            StoreCorruptError: It is not there, or not what was published; the message names the
                file.
        """
        files = self._record(digest)
        folder = self.path(digest)
        if files is None or not folder.is_dir():
            raise StoreCorruptError(f"The store holds no whole object {digest}.", reason="missing")
        for name, (size, sha256) in files.items():
            file = folder / name
            whole = _is_as_recorded(folder, name, size)
            if not whole or (sha256 and sha256_of_file(file) != sha256):
                raise StoreCorruptError(
                    f"{file} is missing or not what was published.",
                    hint="Delete its folder; the next run that needs it makes it again.",
                    reason="damaged",
                    details={"file": name},
                )

    def cache_entry(self, key: str) -> CacheEntry | None:
        """Return what is known under a key, if every object of it is whole.

        The entry counts as used now. A damaged object is removed, and the entry with it.
        """
        file = self.workspace.cache_file(key)
        if not file.exists():
            return None
        with self.lock():
            entry = read_entry(file)
            named = [output.object for output in entry.outputs.values()] if entry else []
            damaged = [digest for digest in named if not self.is_whole(digest)]
            if entry is not None and entry.key == key and not damaged:
                os.utime(file)
                return entry
            self.forget(key)
            for digest in damaged:
                self.remove(digest)
        self.workspace.empty_trash()
        return None

    def look_up(self, key: str) -> CacheEntry | None:
        """Return what ``cache_entry`` would, but change nothing, so that one may only look."""
        entry = read_entry(self.workspace.cache_file(key))
        if entry is None or entry.key != key:
            return None
        is_whole = all(self.is_whole(output.object) for output in entry.outputs.values())
        return entry if is_whole else None

    def keep(self, entry: CacheEntry) -> None:
        """Make a result available to others; its objects must be in the store.

        Raises:
            FailedToWriteOutputsError: The entry cannot be written.
        """
        with self.lock():
            write_json(self.workspace.cache_file(entry.key), to_json(entry))

    def size_bytes(self, digest: str) -> int:
        """Return the bytes of an object's files; 0 when nothing is known of it."""
        return sum(size for size, _ in (self._record(digest) or {}).values())

    def total_bytes(self) -> int:
        """Return the bytes of all objects' files, as their records say; no run is looked at."""
        records = self.workspace.objects.glob("*/*.json")
        return sum(self.size_bytes(record.stem) for record in records if is_digest(record.stem))

    def forget(self, key: str) -> None:
        """Make a result unavailable; its objects stay."""
        self.workspace.cache_file(key).unlink(missing_ok=True)

    def remove(self, digest: str) -> None:
        """Take an object that no cache entry names out of its place; the caller holds the lock."""
        self.workspace.throw_away(self.path(digest))
        self.workspace.object_record(digest).unlink(missing_ok=True)

    def lock(self) -> AbstractContextManager[None]:
        """Return the right to change what the store holds, to be held for moments.

        Raises:
            StoreBusyError: On entering: somebody held it for too long.
        """
        return locked(self.workspace.store_lock)

    def _place(self, folder: Path, digest: str, files: dict[str, tuple[int, str]]) -> None:
        self.remove(digest)  # what is there is damaged
        total = sum(size for size, _ in files.values())
        rows = {name: [size, sha256] for name, (size, sha256) in files.items()}
        record = {"total_bytes": total, "created": time.time(), "files": rows}
        # The record first, the folder last: an object that is there always has its record.
        write_json(self.workspace.object_record(digest), record)
        folder.rename(self.path(digest))
        sync_to_disk(self.path(digest).parent)

    def _record(self, digest: str) -> dict[str, tuple[int, str]] | None:
        try:
            content = json.loads(self.workspace.object_record(digest).read_bytes())
            rows = content["files"].items()
            return {str(name): (int(size), str(sha256)) for name, (size, sha256) in rows}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


def read_entry(file: Path) -> CacheEntry | None:
    """Return a cache entry, or None when the file is gone or damaged."""
    try:
        return CacheEntry.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def _files_of(folder: Path, top: Path) -> Iterator[tuple[str, tuple[int, str]]]:
    """Yield name, size and SHA-256 of all in a folder, synced to disk; folders end with a slash."""
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise _refused(folder, "is not a folder")
    for path in sorted(folder.iterdir()):
        name = path.relative_to(top).as_posix()
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            yield f"{name}/", (0, "")
            yield from _files_of(path, top)
        elif stat.S_ISREG(mode):
            yield name, (path.stat().st_size, sha256_of_file(path))
            sync_to_disk(path)
        else:
            raise _refused(path, "is not a plain file")
    sync_to_disk(folder)


def _refused(path: Path, what: str) -> FailedToWriteOutputsError:
    return FailedToWriteOutputsError(
        f"{path} {what}.",
        hint="An output is a folder of plain files and folders, without links, pipes and devices.",
        reason="not-a-plain-file",
    )


def _is_as_recorded(folder: Path, name: str, size: int) -> bool:
    try:
        found = (folder / name).lstat()
    except OSError:
        return False
    if name.endswith("/"):
        return stat.S_ISDIR(found.st_mode)
    return stat.S_ISREG(found.st_mode) and found.st_size == size
