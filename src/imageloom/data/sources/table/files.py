"""The files that the rows of a manifest name: found below its root, or what would help."""

import errno
import os
import shlex
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from imageloom.data.sources.table.names_of_others import is_name_of_others, name_here
from imageloom.data.sources.table.other_spellings import OtherSpellings

_MAX_FOLDERS: Final = 1000  # that are looked into, to tell where files lie instead


class FoundFile(NamedTuple):
    """A file of a row.

    Attributes:
        path: From the root.
        status: What is there; a link is not followed.
        is_trimmed: Whether only its name without outer white space is there.
        is_respelt: Whether it is there only as Windows or macOS would find it by this name.
    """

    path: str
    status: os.stat_result
    is_trimmed: bool = False
    is_respelt: bool = False


class FileFinder:
    """Finds files below a root, and remembers of those that are not there what a hint needs.

    Args:
        root: Absolute folder that paths start from and may not leave.
        start: Folder that ``--folder`` starts from, or None where it names no other root.
    """

    def __init__(self, root: Path, start: Path | None) -> None:
        self.root = root
        self.folders: dict[str, bool] = {}  # whether one leads through a link
        self._start = start
        self._spellings = OtherSpellings(root)
        self._missing = ""  # the first file that is not there
        self._common = ""  # folder of all absolute paths
        self._leads_out = False
        self._has_relative = False

    def find(self, file: str) -> FoundFile:
        """Return what a row's file name leads to; a name may have white space at its ends.

        Raises:
            ValueError: It leads out of the root, or there is nothing; the text says which.
        """
        try:
            path = self._inside(file)
            return FoundFile(path, (self.root / path).lstat())
        except UnicodeEncodeError as problem:
            raise ValueError(f"{file!r} can be no file's name") from problem
        except OSError as problem:
            trimmed = file.strip()
            if trimmed != file:
                return self.find(trimmed)._replace(is_trimmed=True)
            path = self._spellings.find(self._inside(file)) or ""
            if path:
                return FoundFile(path, (self.root / path).lstat(), is_respelt=True)
            self._missing = self._missing or file
            raise ValueError(_nothing_there(file, problem)) from problem

    def is_behind_link(self, path: str) -> bool:
        """Whether one of the folders of a path from the root is a link."""
        folder = os.path.dirname(path)  # noqa: PTH120 - 10 times as fast, once for each row
        if folder not in self.folders:
            is_link = bool(folder) and (self.root / folder).is_symlink()
            self.folders[folder] = is_link or (bool(folder) and self.is_behind_link(folder))
        return self.folders[folder]

    def hint(self) -> str:
        """Return what to do about the files that were not found; empty when all were."""
        if not self._leads_out and not self._missing:
            return ""
        if self._start is None:
            return f"Correct the file names: they start from {self.root}."
        outside = self._hint_outside() if self._leads_out else ""
        missing = self._hint_missing(self._start) if self._missing else ""
        return f"{outside} {missing}".strip()

    def _inside(self, file: str) -> str:
        """Return a path relative to the root.

        Raises:
            ValueError: It is empty or leads out; the text says which.
        """
        if not file.strip() or "\0" in file:
            raise ValueError("the file name is empty" if "\0" not in file else "it holds NUL")
        if is_name_of_others(file):
            file = name_here(file, self.root)
        path = PurePosixPath(file)
        if path.is_absolute():
            folder = os.path.normpath(path.parent)
            self._common = os.path.commonpath((self._common or folder, folder))
            if not path.is_relative_to(self.root):
                self._leads_out = True
                raise ValueError(f"{file!r} lies outside {self.root}")
            path = path.relative_to(self.root)
        else:
            self._has_relative = True
        if ".." in path.parts:
            raise ValueError(f"{file!r} leads up with '..'")
        if not path.parts:
            raise ValueError(f"{file!r} names no file")
        return str(path)

    def _hint_outside(self) -> str:
        if self._has_relative:
            return f"Name all files from {self.root}, or all by absolute paths."
        if not Path(self._common).is_dir():
            return (
                f"There is no folder {self._common} on this machine: write the paths from "
                f"{self.root}, or as they are here."
            )
        return f"Use {_flag(self._common)}, which holds all these files."

    def _hint_missing(self, start: Path) -> str:
        end = self._spellings.end_of(self._missing)
        if end is not None:
            before = self._missing.removesuffix(end)
            return f"Take '{before}' away from the names: then '{end}' is found in {self.root}."
        whole = self._spellings.with_ending(self._missing)
        if whole is not None:
            return f"Add their endings to the names: {whole!r} lies in {self.root}."
        for folder in folders_around(self.root):
            # pathlib raises for a name that is too long.
            if os.path.isfile(folder / self._missing):  # noqa: PTH113
                flag = _flag(os.path.relpath(folder, start))
                return f"Use {flag}, where {self._missing!r} lies."
        return f"Correct the file names: they start from {self.root} (or use --folder)."


def _flag(folder: str) -> str:
    return f"--folder {shlex.quote(folder)}"


def folders_around(root: Path) -> Iterator[Path]:
    """Yield where files may lie whose names start elsewhere than people say.

    That is the folders in a folder, at most a thousand, the one above it, and those beside it.
    """
    yield from _folders(root)
    yield root.parent
    yield from _folders(root.parent)


def _folders(parent: Path) -> Iterator[Path]:
    try:
        with os.scandir(parent) as entries:
            found = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:  # it only makes a hint better
        return
    yield from (parent / name for name in found[:_MAX_FOLDERS])


def _nothing_there(file: str, problem: OSError) -> str:
    why = "" if problem.errno == errno.ENOENT else f" ({problem.strerror})"
    return f"there is no file {file!r}{why}"
