"""Rows that name pictures, from any kind of manifest, to a listing; problems with row numbers."""

import os
import stat
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from imageloom.data.images.directory import Rejected
from imageloom.data.images.index import UNLABELLED, file_name
from imageloom.data.links import FOLLOW, look_behind
from imageloom.data.names import MANIFEST_SUFFIXES, promised_format
from imageloom.data.params import ConvertParams
from imageloom.data.sources.listing import FileColumns, Listing, in_string_order, relabelled
from imageloom.data.sources.table.files import FileFinder
from imageloom.data.sources.table.parts import PartChoice
from imageloom.data.sources.table.problems import ProblemList
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError, ParameterParsingError
from imageloom.events import Control, Progress
from imageloom.preprocessing import check_new_class_names
from imageloom.preprocessing.similar_names import quoted
from imageloom.system.wording import count, some

_ROWS_PER_EVENT: Final = 20_000
_SHOWN: Final = 3
_CHARS: Final = 60  # of a value, in a message


class ManifestRow(NamedTuple):
    """One row, as text.

    Attributes:
        number: Of its line in the file, or of its place in a list, from 1; of Parquet, from 0.
        file: The picture's path, relative to the root, or absolute below it.
        label: Its class, or None or empty.
        group: Its group, or None or empty.
        part: Its part of the dataset, or None or empty.
        labels: All its classes, where the manifest lists them and each picture may have several;
            else those are cut from ``label``.
    """

    number: int
    file: str
    label: str | None
    group: str | None = None
    part: str | None = None
    labels: tuple[str, ...] | None = None


def root_of_manifest(manifest: Path, params: ConvertParams) -> Path:
    """Return the folder that a manifest's file names start from.

    Raises:
        CouldNotOpenFileError: The folder asked for is not there.
    """
    root = Path(os.path.normpath(manifest.parent / (params.folder or "")))
    if not root.is_dir():
        raise CouldNotOpenFileError(
            f"There is no folder {root}, from which the file names of {manifest} should start.",
            hint="Give --folder as a path from the manifest's own folder, or an absolute one.",
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
    control: Control,
) -> Listing:
    """Check every row and list its file; rows keep their order, classes stand in string order.

    Args:
        rows: What the manifest names.
        manifest: For messages.
        root: Absolute folder that paths start from and may not leave.
        unit: What a row's number counts.
        declared: Classes that the manifest names apart from its rows.
        params: What to do with classes that have no row.
        control: Told how many rows were read; stops between two rows.

    Raises:
        InvalidDatasetError: Rows without a file, outside the root, or repeated; some rows with
            and some without a label; a bad class name; no rows. All with their numbers.
        ParameterParsingError: Cells shall be cut at nothing.
    """
    gathering = _Gathering(manifest, root, unit, params)
    for number, row in enumerate(rows):
        gathering.add(row)
        if number % _ROWS_PER_EVENT == 0:
            control.tell(Progress("Reading the manifest", number, None, "rows"))
            control.raise_if_cancelled()
    return gathering.listing(tuple(declared))


@dataclass
class _Gathering:
    manifest: Path
    root: Path
    unit: str
    params: ConvertParams
    files: FileColumns = field(default_factory=FileColumns)
    labels: dict[str, int] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    first_labelled: int | None = None
    num_unlabelled: int = 0
    unlabelled: list[int] = field(default_factory=list)  # the first few rows without a label
    hashes: "array[int]" = field(default_factory=lambda: array("q"))
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    listed_pictures: int = 0
    trimmed: int = 0  # values that had outer white space
    first_trimmed: str = ""
    respelt: int = 0  # files that are called a little otherwise here
    first_respelt: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if self.has_several and not self.params.label_separator:
            raise ParameterParsingError(
                "label_separator is empty, so that nothing stands between the labels of a picture.",
                hint="Give the sign that does, such as --label-separator '|'.",
                details={"parameter": "label_separator", "value": ""},
            )
        self.problems = ProblemList(self.manifest)
        self.parts = PartChoice(self.manifest, self.params.part)
        is_ours = self.manifest.suffix.lower() in MANIFEST_SUFFIXES
        self.finder = FileFinder(self.root, self.manifest.parent if is_ours else None)

    def add(self, row: ManifestRow) -> None:
        if not self.parts.takes(row.part):
            return
        if self.params.labels == "none":
            row = row._replace(label=None)
        try:
            path, found = self._find(row.file)
        except ValueError as problem:
            self.problems.add(self._where(row.number), str(problem))
            return
        if what := _wrong_text(row):
            self.problems.add(self._where(row.number), what)
            return
        label = self._label_set(row) if self.has_several else self._label(row)
        if label is None:
            return
        name = os.fsencode(path)
        self.hashes.append(hash(name))
        self.numbers.append(row.number)
        if stat.S_ISLNK(found.st_mode) or self.finder.is_behind_link(path):
            target = look_behind(os.fsencode(self.root / path))
            if target.found is None or target.problem or not self.params.follow_links:
                self._reject_link(path, row.label, target.problem)
                return
            found = target.found
        if not stat.S_ISREG(found.st_mode):
            self._reject(path, row.label, found.st_mode)
            return
        self.listed_pictures += promised_format(name) is not None
        self.files.add(
            name,
            label,
            size=found.st_size,
            mtime_ns=found.st_mtime_ns,
            group=self._trim(row.group or "") or None,
        )

    def _find(self, file: str) -> tuple[str, os.stat_result]:
        """Return where a row's file lies from the root and what is there, and count odd names."""
        found = self.finder.find(file)
        if found.is_trimmed:
            self._trim(file)
        if found.is_respelt:
            self.respelt += 1
            self.first_respelt = self.first_respelt or (file, found.path)
        return found.path, found.status

    def _trim(self, text: str) -> str:
        """Return text without outer white space, of which the notices will tell."""
        trimmed = text.strip()
        if trimmed != text:
            self.trimmed += 1
            self.first_trimmed = self.first_trimmed or text
        return trimmed

    def _where(self, number: int) -> str:
        return f"{self.unit} {number:,}"

    def _reject(self, path: str, label: str | None, mode: int) -> None:
        if stat.S_ISDIR(mode):
            reason, hint = "is a folder, not a file", "Name the pictures in it one by one."
        else:
            reason, hint = "is a pipe, socket or device, not a file", "Remove the row."
        self.rejected.append(Rejected(file_name(os.fsencode(path)), reason, hint, label or None))

    def _reject_link(self, path: str, label: str | None, problem: str) -> None:
        reason = problem or "is a link or lies behind one, and links are not followed"
        hint = f"Read what links lead to with {FOLLOW}, or name the file that the link leads to."
        if problem:
            hint = "Restore what the link leads to, or remove the row."
        self.rejected.append(Rejected(file_name(os.fsencode(path)), reason, hint, label or None))

    def _label(self, row: ManifestRow) -> int:
        if not row.label:
            self.num_unlabelled += 1
            if len(self.unlabelled) < _SHOWN:
                self.unlabelled.append(row.number)
            return UNLABELLED
        if self.first_labelled is None:
            self.first_labelled = row.number
        label = self._trim(row.label) or row.label  # a blank one is refused as it stands
        return self.labels.setdefault(label, len(self.labels))

    @property
    def has_several(self) -> bool:
        return self.params.labels == "several"

    def _label_set(self, row: ManifestRow) -> list[int] | None:
        """Return the labels of a row, of which there may be several; None where they are wrong."""
        names = row.labels
        if names is None:
            names = tuple(row.label.split(self.params.label_separator)) if row.label else ()
        names = tuple(map(self._trim, names))
        twice = [name for name in names if names.count(name) > 1]
        if "" in names:
            what = f"has an empty name among its labels, {_short(row.label or '')}"
        elif twice:
            what = f"has the label {_short(twice[0])} {names.count(twice[0])} times"
        else:
            return [self.labels.setdefault(name, len(self.labels)) for name in names]
        self.problems.add(self._where(row.number), what)
        return None

    def listing(self, declared: tuple[str, ...]) -> Listing:
        self.parts.refuse()
        self.problems.raise_if_any(hint=self.finder.hint())
        self._refuse_repeated()
        unlabelled = [self._where(number) for number in self.unlabelled]
        if self.first_labelled is not None and unlabelled:
            raise InvalidDatasetError(
                f"{self.manifest} has a label in {self._where(self.first_labelled)} but none in "
                f"{some(unlabelled, total=self.num_unlabelled)}.",
                hint=f"Give every {self.unit} a label; or take all pictures without labels, with "
                "--labels none.",
                reason="partly-labelled",
                details={"rows": unlabelled},
            )
        if not len(self.files) and not self.rejected:
            raise InvalidDatasetError(
                f"{self.manifest} names no pictures.", hint="Add rows.", reason="no-pictures"
            )
        if self.has_several and not self.labels:
            raise InvalidDatasetError(
                f"No picture of {self.manifest} has a label.",
                hint="Is it the right column? Else take the pictures without labels, with --labels "
                "none.",
                reason="no-labels",
            )
        empty = [name for name in map(str.strip, declared) if name not in self.labels]
        if empty and self.labels and self.params.empty_classes == "refuse":
            raise InvalidDatasetError(
                f"{self.manifest} declares classes that no picture has: "
                f"{some([quoted(name) for name in empty])}.",
                hint="Add pictures, or leave these classes out with --empty-classes drop.",
                reason="empty-class",
                details={"classes": empty[:100], "option": "--empty-classes drop"},
            )
        on_names = check_new_class_names(list(self.labels))
        classes, positions = in_string_order(list(self.labels))
        files = self.files.table()
        return Listing(
            root=self.root,
            classes=classes,
            files=relabelled(files, positions) if classes else files,
            rejected=tuple(self.rejected),
            notices=(*self._notices(empty), *on_names),
        )

    def _refuse_repeated(self) -> None:
        hashes = np.array(self.hashes, dtype=np.int64)
        order = np.argsort(hashes, kind="stable")
        repeated = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
        pairs = (sorted((int(order[at]), int(order[at + 1]))) for at in repeated)
        for one, other in sorted(pairs, key=lambda pair: pair[1]):
            first, second = self._where(self.numbers[one]), self._where(self.numbers[other])
            self.problems.add(second, f"names the same file as {first}")
        self.problems.raise_if_any()

    def _notices(self, dropped: list[str]) -> Iterable[str]:
        on_parts = self.parts.notice()
        if on_parts is not None:
            yield on_parts
        if not self.labels and self.params.labels != "none":
            yield f"{self.manifest.name} gives no labels, so the pictures are unlabelled."
        if self.trimmed:
            yield (
                f"White space around {count(self.trimmed, 'value')} of {self.manifest.name} was "
                f"left out, as in {quoted(self.first_trimmed)}."
            )
        if self.first_respelt is not None:
            written, called = map(quoted, self.first_respelt)
            yield (
                f"{count(self.respelt, 'file is', 'files are')} spelt otherwise in "
                f"{self.manifest.name} than on this disk, as Windows and macOS allow: {written} "
                f"was taken for {called}."
            )
        if dropped:
            names = some([quoted(name) for name in dropped])
            yield f"{count(len(dropped), 'class', 'classes')} without pictures dropped: {names}."
        others = _pictures_in(self.root, self.finder.folders) - self.listed_pictures
        if others > 0 and on_parts is None:
            yield (
                f"{count(others, 'picture lies', 'pictures lie')} beside the listed ones but in no "
                f"row of {self.manifest.name}; only listed ones were taken."
            )


def _wrong_text(row: ManifestRow) -> str:
    if row.label and len(row.label.strip().splitlines()) > 1:
        return f"has a label of several lines, {_short(row.label)}; does a quote not close?"
    if row.group and any("\ud800" <= letter <= "\udfff" for letter in row.group):  # JSON has them
        return f"has a group with half a character, {_short(row.group)}"
    return ""


def _short(text: str) -> str:
    return quoted(text if len(text) <= _CHARS else f"{text[:_CHARS]}...")


def _pictures_in(root: Path, folders: Iterable[str]) -> int:
    found = 0
    for folder in folders:
        try:
            with os.scandir(root / folder) as entries:
                found += sum(
                    promised_format(os.fsencode(entry.name)) is not None
                    and entry.is_file(follow_symlinks=False)
                    for entry in entries
                )
        except OSError:  # only a count for a notice; the files themselves were seen
            continue
    return found
