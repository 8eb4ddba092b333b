"""A folder of pictures to a listing: one sub-folder per class, or no sub-folders and no labels.

Nothing is opened: names, kinds and sizes come from the directory. Links are never followed, so a
link back up cannot list a picture twice, and pipes and devices are never touched.
"""

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from imageloom.data.image_directory import Rejected
from imageloom.data.index import UNLABELLED, file_name
from imageloom.data.listing import (
    FileColumns,
    Listing,
    in_string_order,
    relabelled,
    sorted_by_path,
)
from imageloom.data.names import is_document_name, is_system_name, suffix_of
from imageloom.data.params import ConvertParams
from imageloom.data.root import find_root
from imageloom.errors import InvalidDatasetError
from imageloom.events import CancelToken, EventSink, Progress, ignore_events
from imageloom.preprocessing import check_class_names
from imageloom.wording import some

_FILES_PER_EVENT: Final = 20_000
_SUFFIXES_SHOWN: Final = 5


def scan_folder(
    source: Path,
    params: ConvertParams,
    *,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> Listing:
    """List the files of a folder, in the order of their paths; classes stand in string order.

    Args:
        source: A folder; ``imageloom.data.root`` says which folder inside it counts.
        params: What to do with nested and with empty class folders.
        on_event: Told how many files were found.
        cancel: Stops the listing between two folders.

    Raises:
        InvalidDatasetError: Nothing in it, an empty class, folders inside class folders, two
            classes that cannot be told apart, or a folder that cannot be read.
        CouldNotOpenFileError: The sub-folder asked for is not there.
    """
    root = find_root(source, params.folder)
    walk = _Walk(os.fsencode(root), params, on_event)
    for _ in walk.folders():
        if cancel is not None:
            cancel.raise_if_set()
    return walk.listing(root)


@dataclass
class _Walk:
    """One pass over the folders below a root."""

    root: bytes
    params: ConvertParams
    on_event: EventSink
    files: FileColumns = field(default_factory=FileColumns)
    classes: list[bytes] = field(default_factory=list)  # in the order in which they were met
    empty: list[bytes] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    documents: Counter[str] = field(default_factory=Counter)
    system_files: int = 0

    def folders(self) -> Iterator[bytes]:
        """Read the root and every folder below it; yield each after it was read."""
        loose = FileColumns()
        waiting = self._read(b"", loose, UNLABELLED)
        yield b""
        if waiting:
            self._reject_loose(loose.table())
        else:
            self.files = loose
        while waiting:
            folder = waiting.pop()
            waiting += self._read_class(folder)
            yield folder

    def _read_class(self, folder: bytes) -> list[bytes]:
        """Read one folder below the root and return the folders inside it."""
        before, lost = len(self.files), len(self.rejected)
        inside = self._read(folder, self.files, len(self.classes))
        has_files = len(self.files) > before or len(self.rejected) > lost
        if has_files and b"/" in folder and self.params.nested == "refuse":
            raise _nested(self.root, folder)
        joined = self.params.nested == "join"
        if has_files:
            self.classes.append(folder)
        elif not inside if joined else b"/" not in folder:
            self.empty.append(folder)
        return inside

    def _read(self, folder: bytes, files: FileColumns, label: int) -> list[bytes]:
        """Add what a folder holds and return the folders inside it."""
        inside: list[bytes] = []
        for entry in _entries(self.root, folder):
            path = folder + b"/" + entry.name if folder else entry.name
            if is_system_name(entry.name):
                self.system_files += 1
            elif entry.is_dir(follow_symlinks=False):
                inside.append(path)
            elif not entry.is_file(follow_symlinks=False):
                self._reject(path, _odd_kind(entry), folder)
            elif is_document_name(entry.name):
                self.documents[suffix_of(entry.name)] += 1
            else:
                self._add(path, entry, files, label)
        return inside

    def _add(self, path: bytes, entry: os.DirEntry[bytes], files: FileColumns, label: int) -> None:
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError as problem:
            raise _gone(self.root, path, problem) from problem
        files.add(path, label, size=found.st_size, mtime_ns=found.st_mtime_ns)
        if len(files) % _FILES_PER_EVENT == 0:
            self.on_event(Progress("Listing files", len(files), None, "files"))

    def _reject(self, path: bytes, reason: str, folder: bytes) -> None:
        hint = "Put the file itself there, or give the folder that the link points to."
        label = file_name(folder) or None
        self.rejected.append(Rejected(file_name(path), reason, hint, label))

    def _reject_loose(self, loose: pa.Table) -> None:
        reason = "lies beside the class folders, so it has no class"
        hint = "Move it into the folder of its class."
        for path in loose.column("path"):
            self.rejected.append(Rejected(file_name(path.as_py()), reason, hint))

    def listing(self, root: Path) -> Listing:
        """Return what was found."""
        if self.empty and self.params.empty_classes == "refuse":
            raise _empty_classes(root, sorted(map(file_name, self.empty)))
        if not len(self.files) and not self.rejected:
            raise _nothing(root, self.documents)
        names = [file_name(folder) for folder in self.classes]
        check_class_names(names, InvalidDatasetError)
        classes, positions = in_string_order(names)
        files = sorted_by_path(self.files.table())
        if classes:
            files = relabelled(files, positions.astype(np.int32))
        return Listing(
            root=root,
            classes=classes,
            files=files,
            rejected=tuple(sorted(self.rejected, key=lambda one: one.file)),
            notices=tuple(self._notices()),
        )

    def _notices(self) -> Iterator[str]:
        if self.system_files:
            yield (
                f"{self.system_files:,} system files and hidden files or folders were ignored, "
                "such as .DS_Store, Thumbs.db or __MACOSX."
            )
        if self.documents:
            yield f"{_documents(self.documents)} were not looked at: they are not pictures."
        if self.empty:
            names = some([repr(file_name(folder)) for folder in sorted(self.empty)])
            yield f"Class folders without pictures were dropped: {names}."


def _entries(root: bytes, folder: bytes) -> Iterator[os.DirEntry[bytes]]:
    place = os.path.join(root, folder)  # noqa: PTH118 - pathlib cannot hold bytes
    try:
        with os.scandir(place) as entries:
            yield from entries
    except OSError as problem:
        raise _gone(root, folder, problem) from problem


def _odd_kind(entry: os.DirEntry[bytes]) -> str:
    if entry.is_symlink():
        return "is a link, and links are not followed"
    mode = entry.stat(follow_symlinks=False).st_mode
    kinds = (
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISCHR, "a device"),
    )
    kind = next((name for test, name in kinds if test(mode)), "no plain file")
    return f"is {kind}, not a file"


def _documents(documents: Counter[str]) -> str:
    kinds = ", ".join(
        f"{count:,} .{suffix}" if suffix else f"{count:,} without suffix"
        for suffix, count in documents.most_common(_SUFFIXES_SHOWN)
    )
    return f"{documents.total():,} files that are documents by name ({kinds})"


def _nested(root: bytes, folder: bytes) -> InvalidDatasetError:
    top = file_name(folder.split(b"/")[0])
    return InvalidDatasetError(
        f"The class folder {top!r} in {file_name(root)} holds a folder with files: "
        f"{file_name(folder)!r}. Are its pictures of class {top!r}?",
        hint="Move the pictures up into the class folder, or take each inner folder as a class of "
        f"its own, such as {file_name(folder)!r}, with nested 'join'.",
        reason="nested-classes",
        details={"folder": file_name(folder)},
    )


def _empty_classes(root: Path, names: list[str]) -> InvalidDatasetError:
    shown = some([*map(repr, names)])
    return InvalidDatasetError(
        f"These class folders in {root} hold no pictures: {shown}.",
        hint="Add pictures or remove the folders; or leave them out with empty_classes 'drop'.",
        reason="empty-class",
        details={"classes": names[:100]},
    )


def _nothing(root: Path, documents: Counter[str]) -> InvalidDatasetError:
    found = f" It holds {_documents(documents)}." if documents else ""
    return InvalidDatasetError(
        f"There are no pictures in {root}.{found}",
        hint="Give a folder with a sub-folder of pictures for each class.",
        reason="no-pictures",
    )


def _gone(root: bytes, path: bytes, problem: OSError) -> InvalidDatasetError:
    where = f"{file_name(path)!r} in {file_name(root)}" if path else file_name(root)
    if problem.errno in (errno.EACCES, errno.EPERM):
        return InvalidDatasetError(
            f"{where} may not be read: {problem.strerror}.",
            hint="Give yourself the right to read it, or remove it.",
            reason="not-readable",
            details={"folder": file_name(path)},
        )
    return InvalidDatasetError(
        f"{where} could not be listed: {problem.strerror}.",
        hint="It was removed, renamed or unmounted, or its path is too long. Convert again when "
        "the folder is at rest.",
        reason="changed-while-listing",
        details={"folder": file_name(path)},
    )
