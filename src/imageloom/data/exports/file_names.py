"""Names of the files that pictures are written to: as they were, where that can be."""

import os
import unicodedata
from typing import Final

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import file_name
from imageloom.data.names import FORMAT_OF_SUFFIX, is_document_name, is_system_name

SUFFIX_OF_FORMAT: Final = {name: suffix for suffix, name in reversed(FORMAT_OF_SUFFIX.items())}
_MAX_BASE_BYTES: Final = 200  # leaves room for a number


class FileNames:
    """Chooses the last part of each path, as it was where that can be.

    Attributes:
        renamed: Pictures that were given another name so far.
    """

    def __init__(self) -> None:
        self.renamed = 0
        self._taken: set[tuple[str, str]] = set()

    def choose(self, folder: str, images: ImageDirectory, row: int) -> str:
        """Return the name of one picture, which no other in its folder has."""
        raw = images.index.column("path")[row].as_py().rpartition(b"/")[2]
        suffix = SUFFIX_OF_FORMAT[images.index.column("format")[row].as_py()]
        name = file_name(raw)
        if not _can_stay(raw, name):
            name = f"picture-{row:08}.{suffix}"
            self.renamed += 1
        chosen, number = name, 1
        while (folder, _folded(chosen)) in self._taken:
            number += 1
            base, point, end = name.rpartition(".")
            chosen = f"{base}-{number}.{end}" if point else f"{name}-{number}"
        self.renamed += number > 1
        self._taken.add((folder, _folded(chosen)))
        return chosen


def _can_stay(raw: bytes, name: str) -> bool:
    """Whether a file keeps its name: one that is passed over as no picture must not."""
    return (
        os.fsencode(name) == raw
        and len(raw) <= _MAX_BASE_BYTES
        and not is_system_name(raw)
        and not is_document_name(raw)
        and not any(map(is_odd, name))
    )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def is_odd(sign: str) -> bool:
    """Whether a sign separates folders or moves a terminal's cursor, so that no name holds it."""
    return sign in "/\\" or unicodedata.category(sign) == "Cc"
