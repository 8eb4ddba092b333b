"""Rows that name pictures, from any kind of manifest, to a listing; problems with row numbers."""

import os
import stat
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

import numpy as np

from imageloom.data.image_directory import Rejected
from imageloom.data.index import UNLABELLED, file_name
from imageloom.data.listing import FileColumns, Listing, in_string_order, relabelled
from imageloom.data.names import promised_format
from imageloom.data.params import ConvertParams
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError
from imageloom.events import CancelToken, EventSink, Progress, ignore_events
from imageloom.preprocessing import check_class_names
from imageloom.wording import some

_ROWS_PER_EVENT: Final = 20_000
_MAX_PROBLEMS: Final = 100
_SHOWN: Final = 5


class ManifestRow(NamedTuple):
    """One row, as text.

    Attributes:
        number: Of its line in the file, or of its place in a list, from 1.
        file: The picture's path, relative to the root, or absolute below it.
        label: Its class, or None or empty.
        group: Its group, or None or empty.
    """

    number: int
    file: str
    label: str | None
    group: str | None = None


class ProblemList:
    """Collects what is wrong with rows, so that a person can mend them all at once."""

    def __init__(self, manifest: Path) -> None:
        self._manifest = manifest
        self._problems: list[str] = []

    def add(self, where: str, what: str) -> None:
        """Note one problem; after 100 the rest does not matter.

        Raises:
            InvalidDatasetError: There are 100.
        """
        self._problems.append(f"{where}: {what}")
        if len(self._problems) == _MAX_PROBLEMS:
            self.raise_if_any()

    def raise_if_any(self) -> None:
        """Raise when something was noted.

        Raises:
            InvalidDatasetError: The message shows the first 5, the details up to 100.
        """
        count = len(self._problems)
        if not count:
            return
        least = "at least " if count == _MAX_PROBLEMS else ""
        raise InvalidDatasetError(
            f"{self._manifest} has {least}{count} wrong rows. "
            f"{'; '.join(self._problems[:_SHOWN])}{'; ...' if count > _SHOWN else ''}.",
            hint="Mend the rows and convert again.",
            reason="bad-rows",
            details={"problems": list(self._problems)},
        )


def root_of_manifest(manifest: Path, params: ConvertParams) -> Path:
    """Return the folder that a manifest's file names start from.

    Raises:
        CouldNotOpenFileError: The folder asked for is not there.
    """
    root = Path(os.path.normpath(manifest.parent / (params.folder or "")))
    if not root.is_dir():
        raise CouldNotOpenFileError(
            f"There is no folder {root}, from which the file names of {manifest} should start.",
            hint="Give folder as a path from the manifest's own folder, or an absolute one.",
            reason="no-such-folder",
        )
    return root


def listing_of_rows(  # noqa: PLR0913 - the two last belong to every long job
    rows: Iterable[ManifestRow],
    *,
    manifest: Path,
    root: Path,
    unit: str = "line",
    declared: Iterable[str] = (),
    params: ConvertParams,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> Listing:
    """Check every row and list its file; rows keep their order, classes stand in string order.

    Args:
        rows: What the manifest names.
        manifest: For messages.
        root: Absolute folder that paths start from and may not leave.
        unit: What a row's number counts.
        declared: Classes that the manifest names apart from its rows.
        params: What to do with classes that have no row.
        on_event: Told how many rows were read.
        cancel: Stops between two rows.

    Raises:
        InvalidDatasetError: Rows without a file, outside the root, or repeated; some rows with
            and some without a label; a bad class name; no rows. All with their numbers.
    """
    gathering = _Gathering(manifest, root, unit)
    for number, row in enumerate(rows):
        gathering.add(row)
        if number % _ROWS_PER_EVENT == 0:
            on_event(Progress("Reading the manifest", number, None, "rows"))
            if cancel is not None:
                cancel.raise_if_set()
    return gathering.listing(tuple(declared), params)


@dataclass
class _Gathering:
    manifest: Path
    root: Path
    unit: str
    files: FileColumns = field(default_factory=FileColumns)
    labels: dict[str, int] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    first_labelled: int = 0
    unlabelled: list[int] = field(default_factory=list)  # the first few rows without a label
    num_unlabelled: int = 0
    hashes: "array[int]" = field(default_factory=lambda: array("q"))
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    folders: dict[str, bool] = field(default_factory=dict)  # whether one leads through a link
    listed_pictures: int = 0

    def __post_init__(self) -> None:
        self.problems = ProblemList(self.manifest)

    def add(self, row: ManifestRow) -> None:
        try:
            path = self._inside(row.file)
            found = (self.root / path).lstat()
        except ValueError as problem:
            self.problems.add(self._where(row.number), str(problem))
            return
        except OSError as problem:
            self.problems.add(self._where(row.number), _missing(row.file, problem))
            return
        label = self._label(row)
        name = os.fsencode(path)
        self.hashes.append(hash(name))
        self.numbers.append(row.number)
        if not stat.S_ISREG(found.st_mode) or self._is_behind_link(path):
            self._reject(path, row.label, found.st_mode)
            return
        self.listed_pictures += promised_format(name) is not None
        self.files.add(
            name, label, size=found.st_size, mtime_ns=found.st_mtime_ns, group=row.group or None
        )

    def _where(self, number: int) -> str:
        return f"{self.unit} {number:,}"

    def _inside(self, file: str) -> str:
        """Return a path relative to the root.

        Raises:
            ValueError: It is empty or leads out; the text says which.
        """
        if not file.strip() or "\0" in file:
            raise ValueError("the file name is empty" if "\0" not in file else "it holds NUL")
        path = PurePosixPath(file)
        if path.is_absolute():
            if not path.is_relative_to(self.root):
                raise ValueError(f"{file!r} lies outside {self.root}")
            path = path.relative_to(self.root)
        if ".." in path.parts:
            raise ValueError(f"{file!r} leads up with '..'")
        if not path.parts:
            raise ValueError(f"{file!r} names no file")
        return str(path)

    def _is_behind_link(self, path: str) -> bool:
        folder = os.path.dirname(path)  # noqa: PTH120 - 10 times as fast, once for each row
        if folder not in self.folders:
            is_link = bool(folder) and (self.root / folder).is_symlink()
            self.folders[folder] = is_link or (bool(folder) and self._is_behind_link(folder))
        return self.folders[folder]

    def _reject(self, path: str, label: str | None, mode: int) -> None:
        if stat.S_ISDIR(mode):
            reason, hint = "is a folder, not a file", "Name the pictures in it one by one."
        elif stat.S_ISREG(mode) or stat.S_ISLNK(mode):
            reason = "is a link or lies behind one, and links are not followed"
            hint = "Name the file that the link leads to."
        else:
            reason, hint = "is a pipe, socket or device, not a file", "Remove the row."
        self.rejected.append(Rejected(file_name(os.fsencode(path)), reason, hint, label or None))

    def _label(self, row: ManifestRow) -> int:
        if not row.label:
            self.num_unlabelled += 1
            if len(self.unlabelled) < _SHOWN:
                self.unlabelled.append(row.number)
            return UNLABELLED
        self.first_labelled = self.first_labelled or row.number
        return self.labels.setdefault(row.label, len(self.labels))

    def listing(self, declared: tuple[str, ...], params: ConvertParams) -> Listing:
        self.problems.raise_if_any()
        self._refuse_repeated()
        unlabelled = [self._where(number) for number in self.unlabelled]
        if self.first_labelled and unlabelled:
            raise InvalidDatasetError(
                f"{self.manifest} has a label in {self._where(self.first_labelled)} but none in "
                f"{some(unlabelled, total=self.num_unlabelled)}.",
                hint="Give every row a label, or none.",
                reason="partly-labelled",
                details={"rows": unlabelled},
            )
        if not len(self.files) and not self.rejected:
            raise InvalidDatasetError(
                f"{self.manifest} names no pictures.", hint="Add rows.", reason="no-pictures"
            )
        empty = [name for name in declared if name not in self.labels]
        if empty and self.labels and params.empty_classes == "refuse":
            raise InvalidDatasetError(
                f"{self.manifest} declares classes that no picture has: {some(empty)}.",
                hint="Add pictures, or leave these classes out with empty_classes 'drop'.",
                reason="empty-class",
                details={"classes": empty[:100]},
            )
        check_class_names(list(self.labels), InvalidDatasetError)
        classes, positions = in_string_order(list(self.labels))
        files = self.files.table()
        return Listing(
            root=self.root,
            classes=classes,
            files=relabelled(files, positions) if classes else files,
            rejected=tuple(self.rejected),
            notices=tuple(self._notices(empty)),
        )

    def _refuse_repeated(self) -> None:
        hashes = np.array(self.hashes, dtype=np.int64)
        order = np.argsort(hashes, kind="stable")
        repeated = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
        for at in repeated[:_MAX_PROBLEMS]:
            one, other = sorted((int(order[at]), int(order[at + 1])))
            first, second = self._where(self.numbers[one]), self._where(self.numbers[other])
            self.problems.add(second, f"names the same file as {first}")
        self.problems.raise_if_any()

    def _notices(self, dropped: list[str]) -> Iterable[str]:
        if not self.labels:
            yield f"{self.manifest.name} gives no labels, so the pictures are unlabelled."
        if dropped:
            yield f"Classes without pictures were dropped: {some([*map(repr, dropped)])}."
        others = _pictures_in(self.root, self.folders) - self.listed_pictures
        if others > 0:
            yield (
                f"{others:,} pictures lie beside the listed ones but stand in no row of "
                f"{self.manifest.name}; they were not taken."
            )


def _missing(file: str, problem: OSError) -> str:
    if "\\" in file:
        return f"there is no file {file!r}; write '/' between folders"
    return f"there is no file {file!r} ({problem.strerror})"


def _pictures_in(root: Path, folders: Iterable[str]) -> int:
    count = 0
    for folder in folders:
        try:
            with os.scandir(root / folder) as entries:
                count += sum(
                    promised_format(os.fsencode(entry.name)) is not None
                    and entry.is_file(follow_symlinks=False)
                    for entry in entries
                )
        except OSError:  # only a count for a notice; the files themselves were seen
            continue
    return count
