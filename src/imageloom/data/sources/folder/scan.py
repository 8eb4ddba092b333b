"""A folder of pictures to a listing: one sub-folder per class, or pictures without labels.

Nothing is opened: names, kinds and sizes come from the directory. Links are followed only on
request, and never back up, so that none lists a picture twice for ever; pipes and devices are never
touched.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from imageloom.data.images.directory import Rejected
from imageloom.data.images.index import UNLABELLED, file_name
from imageloom.data.links import FOLLOW, LinkTarget, is_below, leads_back, look_behind
from imageloom.data.names import is_document_name, is_system_name, promised_format, suffix_of
from imageloom.data.params import ConvertParams
from imageloom.data.sources.folder import problems as scan_problems
from imageloom.data.sources.folder.links import LinksMet
from imageloom.data.sources.folder.problems import LinkedFiles, documents_text, quoted
from imageloom.data.sources.listing import (
    FileColumns,
    Listing,
    in_string_order,
    relabelled,
    sorted_by_path,
)
from imageloom.data.sources.root import find_root, named_as
from imageloom.errors import InvalidDatasetError
from imageloom.events import Control, EventSink, Progress
from imageloom.preprocessing import check_new_class_names
from imageloom.system.wording import count, some

_FILES_PER_EVENT: Final = 20_000
_NOT_FOLLOWED: Final = "is a link, and links are not followed"
_FOLLOW: Final = f"Read what links lead to with {FOLLOW}, or put the file itself there."
_MEND: Final = "Restore what it leads to, or remove the link."
_REMOVE: Final = "Remove it if it should not be there."


def scan_folder(
    source: Path, params: ConvertParams, *, archive: Path | None = None, control: Control
) -> Listing:
    """List the files of a folder, in the order of their paths; classes stand in string order.

    Args:
        source: A folder; ``data.sources.root`` says which folder inside it counts. Without
            labels it counts itself, with every folder below it.
        params: What to do with links, with nested and with empty class folders.
        archive: What errors name instead, when it lies unpacked at ``source`` for a moment.
        control: Told how many files were found; stops the listing between two folders.

    Raises:
        InvalidDatasetError: Nothing in it, an empty class, folders inside class folders, two
            classes that cannot be told apart, a folder that cannot be read, or, where links are
            not followed, one that is a link or holds mostly links.
        CouldNotOpenFileError: The sub-folder asked for is not there.
    """
    if params.part is not None:
        raise InvalidDatasetError(
            f"{archive or source} is no table, so no column of it names the part {params.part!r}.",
            hint=f"Use --folder {params.part} to take the pictures of that folder.",
            reason="no-such-part",
        )
    root = source
    if params.labels != "none" or params.folder is not None:
        root = find_root(source, params.folder, archive=archive, follow_links=params.follow_links)
    place = named_as(root, source, archive)
    walk = _Walk(os.fsencode(root), os.fsencode(place), params, control.on_event)
    for _ in walk.folders():
        control.raise_if_cancelled()
    return walk.listing(root, place)


@dataclass
class _Walk:
    """One pass over the folders below a root."""

    root: bytes
    place: bytes  # what errors call the root
    params: ConvertParams
    on_event: EventSink
    files: FileColumns = field(default_factory=FileColumns)
    classes: list[bytes] = field(default_factory=list)  # in the order in which they were met
    empty: list[bytes] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    documents: Counter[str] = field(default_factory=Counter)
    system_files: int = 0
    links: LinksMet = field(default_factory=LinksMet)

    @property
    def is_labelled(self) -> bool:
        """Whether folders are classes."""
        return self.params.labels != "none"

    def folders(self) -> Iterator[bytes]:
        """Read the root and every folder below it; yield each after it was read."""
        loose = FileColumns()
        waiting = self._read(b"", loose, UNLABELLED)
        yield b""
        if waiting and self.is_labelled:
            self._reject_loose(loose.table())
            self.links.files.clear()  # files there are left out, whether links or not
        else:
            self.files = loose
            self._reject_broken()
        while waiting:
            folder = waiting.pop()
            waiting += self._read_below(folder)
            yield folder

    def _read_below(self, folder: bytes) -> list[bytes]:
        """Read one folder below the root and return the folders inside it."""
        if not self.is_labelled:
            return self._read(folder, self.files, UNLABELLED)
        before, lost = len(self.files), len(self.rejected)
        inside = self._read(folder, self.files, len(self.classes))
        has_files = len(self.files) > before or len(self.rejected) > lost
        if has_files and b"/" in folder and self.params.nested == "refuse":
            raise scan_problems.nested(self.place, folder)
        joined = self.params.nested == "join"
        if has_files:
            self.classes.append(folder)
        elif not inside if joined else b"/" not in folder:
            self.empty.append(folder)
        return inside

    def _read(self, folder: bytes, files: FileColumns, label: int) -> list[bytes]:
        """Add what a folder holds and return the folders inside it."""
        inside: list[bytes] = []
        before, links = len(files), []
        for entry in self._entries(folder):
            path = folder + b"/" + entry.name if folder else entry.name
            if is_system_name(entry.name):
                self.system_files += 1
            elif entry.is_symlink():
                target = look_behind(_joined(self.root, path))
                if self._is_way_on(path, folder, target):
                    inside.append(path)
                elif not target.is_folder and self._add_behind(path, target, files, label):
                    links.append((path, target.path))
            elif entry.is_dir(follow_symlinks=False):
                inside.append(path)
            elif not entry.is_file(follow_symlinks=False):
                self._reject(path, _odd_kind(entry), _REMOVE, is_picture=False)
            elif is_document_name(entry.name):
                self.documents[suffix_of(entry.name)] += 1
            else:
                self._add(path, self._found(path, entry), files, label)
        plain = len(files) - before
        if len(links) > plain:
            self.links.files.append(LinkedFiles(folder, len(links), len(links) + plain, *links[0]))
        return inside

    def _is_way_on(self, path: bytes, folder: bytes, target: LinkTarget) -> bool:
        """Whether a link leads to a folder that is walked; another one is noted."""
        if not target.is_folder:
            return False
        if leads_back(self.root, folder, target):
            reason = "is a link back to a folder that it lies in"
            self._reject(path, reason, _REMOVE, is_picture=False)
        elif target.problem:
            self._reject(path, target.problem, _REMOVE, is_picture=False)
        elif self.params.follow_links:
            self.links.follow(self.place, path, target.path)
            return True
        elif not self._is_class(folder) and self._is_walked(target.path):
            reason = "is a link to a folder that is listed where it lies"
            self._reject(path, reason, _REMOVE, is_picture=False)
        else:
            self.links.folders.append((path, target.path))
        return False

    def _is_class(self, folder: bytes) -> bool:
        """Whether a folder with pictures in ``folder`` is a class."""
        return self.is_labelled and (not folder or self.params.nested == "join")

    def _is_walked(self, path: bytes) -> bool:
        """Whether a resolved folder is met on the walk without following a link."""
        root = os.path.realpath(self.root)
        inside = path[len(root) :].split(b"/")
        return is_below(path, root) and not any(map(is_system_name, inside))

    def _add_behind(self, path: bytes, target: LinkTarget, files: FileColumns, label: int) -> bool:
        """Add the file that a link leads to; return whether it is lost for not being followed."""
        name = os.path.basename(path)  # noqa: PTH119 - pathlib cannot hold bytes
        if is_document_name(name):
            self.documents[suffix_of(name)] += 1
        elif target.found is None and b"/" not in path and promised_format(name) is None:
            self.links.broken.append((path, target.path))
        elif target.problem or target.found is None:
            is_picture = target.found is None or target.is_file
            self._reject(path, target.problem, _MEND, is_picture=is_picture)
        elif not self.params.follow_links:
            self._reject(path, _NOT_FOLLOWED, _FOLLOW)
            return True
        else:
            self._add(path, target.found, files, label)
            self.links.followed_files += 1
            self.links.followed_into[os.path.dirname(target.path)] = None  # noqa: PTH120 - bytes
        return False

    def _found(self, path: bytes, entry: os.DirEntry[bytes]) -> os.stat_result:
        try:
            return entry.stat(follow_symlinks=False)
        except OSError as problem:
            raise scan_problems.not_listed(self.place, path, problem) from problem

    def _add(self, path: bytes, found: os.stat_result, files: FileColumns, label: int) -> None:
        files.add(path, label, size=found.st_size, mtime_ns=found.st_mtime_ns)
        if len(files) % _FILES_PER_EVENT == 0:
            self.on_event(Progress("Listing files", len(files), None, "files"))

    def _reject(self, path: bytes, reason: str, hint: str, *, is_picture: bool = True) -> None:
        folder = os.path.dirname(path)  # noqa: PTH120 - pathlib cannot hold bytes
        label = file_name(folder) if folder and self.is_labelled else None
        self.rejected.append(Rejected(file_name(path), reason, hint, label, is_picture))

    def _reject_loose(self, loose: pa.Table) -> None:
        reason = "lies beside the class folders, so it has no class"
        hint = "Move it into the folder of its class."
        for path in loose.column("path"):
            self.rejected.append(Rejected(file_name(path.as_py()), reason, hint))

    def _reject_broken(self) -> None:
        """Take broken links among pictures without classes for lost pictures, not for folders."""
        if self.is_labelled and len(self.files):
            for path, _ in self.links.broken:
                self._reject(path, look_behind(_joined(self.root, path)).problem, _MEND)
            self.links.broken.clear()

    def _entries(self, folder: bytes) -> Iterator[os.DirEntry[bytes]]:
        try:
            with os.scandir(_joined(self.root, folder)) as entries:
                yield from entries
        except OSError as problem:
            raise scan_problems.not_listed(self.place, folder, problem) from problem

    def listing(self, root: Path, place: Path) -> Listing:
        """Return what was found."""
        self.links.refuse_losses(place)
        if self.empty and self.params.empty_classes == "refuse":
            raise scan_problems.empty_classes(place, sorted(map(file_name, self.empty)))
        if not len(self.files) and not self.rejected:
            raise scan_problems.no_pictures(place, self.documents)
        names = [file_name(folder) for folder in self.classes]
        on_names = check_new_class_names(names)
        classes, positions = in_string_order(names)
        files = sorted_by_path(self.files.table())
        if classes:
            files = relabelled(files, positions.astype(np.int32))
        return Listing(
            root=root,
            named=place,
            classes=classes,
            files=files,
            rejected=tuple(sorted(self.rejected, key=lambda one: one.file)),
            notices=(*self._notices(), *on_names),
        )

    def _notices(self) -> Iterator[str]:
        yield from self.links.notices()
        if self.system_files:
            files = count(
                self.system_files,
                "system file or hidden file or folder was",
                "system files and hidden files or folders were",
            )
            yield f"{files} ignored, such as .DS_Store, Thumbs.db or __MACOSX."
        if self.documents:
            yield f"Not looked at: {documents_text(self.documents)}."
        if self.empty:
            names = quoted(map(file_name, sorted(self.empty)))
            folders = count(
                len(names),
                "class folder without pictures was",
                "class folders without pictures were",
            )
            yield f"{folders} dropped: {some(names)}."


def _joined(root: bytes, path: bytes) -> bytes:
    return os.path.join(root, path)  # noqa: PTH118 - pathlib cannot hold bytes


def _odd_kind(entry: os.DirEntry[bytes]) -> str:
    mode = entry.stat(follow_symlinks=False).st_mode
    kinds = (
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISCHR, "a device"),
    )
    kind = next((name for test, name in kinds if test(mode)), "no plain file")
    return f"is {kind}, not a file"
