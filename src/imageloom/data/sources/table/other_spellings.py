r"""Files of a table under the names that another system gave them.

Windows writes ``\`` between folders. Windows and macOS take capital and small letters for the same,
and macOS two Unicode forms of a name; on this machine each may be a name of its own.
"""

import os
import re
import unicodedata
from pathlib import Path
from typing import Final

_ABSOLUTE: Final = re.compile(r"([A-Za-z]:)?[\\/]")  # on Windows, shares among them
_SHOWN: Final = 3


class OtherSpellings:
    """Finds what a name means below a folder; keeps the names in the folders that it looked into.

    Args:
        root: Absolute folder that names start from.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names: dict[str, dict[str, list[str]]] = {}  # in each folder, by their folded form

    def find(self, name: str) -> str | None:
        """Return the path from the root of the file that a name means, or None without one.

        Args:
            name: Relative, and as it stands no file here.

        Raises:
            ValueError: Several files are called so but for capital letters or the Unicode form.
        """
        parts = name.replace("\\", "/").split("/")
        if not parts[0] or ".." in parts:
            return None
        path = ""
        for part in parts:
            called = self._called(path, part)
            if len(called) > 1:
                several = " or ".join(map(repr, called[:_SHOWN]))
                raise ValueError(f"{name!r} may be {several} in {self._root / path}")
            if not called:
                return None
            path = os.path.join(path, called[0])  # noqa: PTH118 - as text, once for each row
        return os.path.normpath(path)

    def end_of(self, name: str) -> str | None:
        """Return the longest end of an absolute path of another machine that is a file here."""
        if not _ABSOLUTE.match(name):
            return None
        ends = [at + 1 for at, letter in enumerate(name) if letter in "\\/"]
        return next((name[at:] for at in ends if self._is_here(name[at:])), None)

    def with_ending(self, name: str) -> str | None:
        """Return the only file that has this name and an ending behind it, or None."""
        folder, _, stem = name.replace("\\", "/").rpartition("/")
        try:
            path = self.find(folder) if folder else ""
        except ValueError:
            return None
        if path is None or not stem:
            return None
        called = [one for names in self._folder(path).values() for one in names]
        found = [one for one in called if os.path.splitext(one)[0] == stem]  # noqa: PTH122 - text
        return os.path.join(path, found[0]) if len(found) == 1 else None  # noqa: PTH118 - text

    def _is_here(self, name: str) -> bool:
        try:
            return self.find(name) is not None
        except ValueError:
            return True

    def _called(self, folder: str, part: str) -> list[str]:
        """Return what in a folder is called so: under this very name, or under others like it."""
        if part in ("", "."):
            return [part]
        called = self._folder(folder).get(_folded(part), [])
        return [part] if part in called else called

    def _folder(self, folder: str) -> dict[str, list[str]]:
        if folder not in self._names:
            names: dict[str, list[str]] = {}
            try:
                for name in sorted(os.listdir(self._root / folder)):  # noqa: PTH208 - names alone
                    names.setdefault(_folded(name), []).append(name)
            except OSError:  # no folder, or not to be read: then nothing in it is found
                names = {}
            self._names[folder] = names
        return self._names[folder]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).lower())
