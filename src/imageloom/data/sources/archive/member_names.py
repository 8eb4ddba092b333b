"""Names inside archives: refused when they lead outside, or when two of them would collide."""

import os
import re
import unicodedata
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import numpy as np

from imageloom.data.images.index import file_name
from imageloom.errors import InvalidDatasetError

MAX_NAME_BYTES: Final = 255  # of one part; what Linux and macOS file systems take
MAX_PATH_BYTES: Final = 3500  # leaves room for the place it is unpacked to, of 4096 in all
MAX_FOLDERS: Final = 500_000
_DRIVE: Final = re.compile(rb"[A-Za-z]:($|[/\\])")


def safe_member_path(raw: bytes, archive: Path, *, backslash_separates: bool) -> bytes:
    r"""Return a member's path with ``/`` between its parts, leading nowhere but down.

    Args:
        raw: The name as it stands in the archive.
        archive: For the message.
        backslash_separates: In zip files old Windows programs write ``\`` for ``/``.

    Raises:
        InvalidDatasetError: The name is absolute, leads up, holds NUL or is too long.
    """
    # Both signs are looked at for what is dangerous, whatever the system we run on.
    parts = re.split(rb"[/\\]", raw)
    if b".." in parts or raw[:1] in (b"/", b"\\") or _DRIVE.match(raw):
        raise _unsafe(raw, archive, "leads out of the folder that it is unpacked to")
    if b"\0" in raw:
        raise _unsafe(raw, archive, "holds a NUL character, behind which programs hide the rest")
    named = raw.replace(b"\\", b"/") if backslash_separates else raw
    kept = [part for part in named.split(b"/") if part not in (b"", b".")]
    path = b"/".join(kept)
    if len(path) > MAX_PATH_BYTES or any(len(part) > MAX_NAME_BYTES for part in kept):
        raise _unsafe(
            raw,
            archive,
            f"has a part of more than {MAX_NAME_BYTES} bytes or is longer "
            f"than {MAX_PATH_BYTES:,} bytes",
            reason="name-too-long",
        )
    return path


class MemberNames:
    """All names of one archive, as 8 bytes each: two million of them must fit in 300 MB."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._files = array("q")
        self._folders: dict[bytes, bytes] = {}

    def add(self, path: bytes, *, is_folder: bool) -> None:
        """Note one member.

        Raises:
            InvalidDatasetError: Too many folders, or two folders that differ only in case or in
                their Unicode form.
        """
        self._add_folder(path if is_folder else os.path.dirname(path))  # noqa: PTH120 - bytes
        if not is_folder:
            self._files.append(hash(_folded(path)))

    def _add_folder(self, folder: bytes) -> None:
        while folder:
            known = self._folders.get(_folded(folder))
            if known == folder:
                return
            if known is not None:
                raise _collision(known, folder, self._archive)
            if len(self._folders) == MAX_FOLDERS:
                raise InvalidDatasetError(
                    f"{self._archive} holds more than {MAX_FOLDERS:,} folders.",
                    hint="Unpack it yourself and convert the folder.",
                    reason="too-many-members",
                )
            self._folders[_folded(folder)] = folder
            folder = os.path.dirname(folder)  # noqa: PTH120 - bytes

    def refuse_collisions(self, again: Callable[[], Iterable[bytes]]) -> None:
        """Refuse names that are equal, or would be on some file systems.

        Args:
            again: Yields the paths of all files once more; called only when there is a suspicion.

        Raises:
            InvalidDatasetError: The message names both.
        """
        files = np.sort(np.array(self._files, dtype=np.int64))
        folders = np.array([hash(name) for name in self._folders], dtype=np.int64)
        repeated = set(files[1:][files[1:] == files[:-1]].tolist())
        repeated |= set(np.intersect1d(files, folders).tolist())
        if not repeated:
            return
        seen = dict(self._folders)
        for path in again():
            name = _folded(path)
            if hash(name) not in repeated:
                continue
            if name in seen:
                raise _collision(seen[name], path, self._archive)
            seen[name] = path


def _folded(path: bytes) -> bytes:
    text = path.decode("utf-8", "surrogateescape")
    folded = unicodedata.normalize("NFC", text).casefold()
    return folded.encode("utf-8", "surrogateescape")


def _unsafe(
    raw: bytes, archive: Path, what: str, reason: str = "unsafe-member"
) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"The member {file_name(raw)[:200]!r} of {archive} {what}. Nothing was unpacked.",
        hint="Do not unpack this archive by other means without looking at it; ask who made it.",
        reason=reason,
        details={"member": file_name(raw)[:1000]},
    )


def _collision(one: bytes, other: bytes, archive: Path) -> InvalidDatasetError:
    names = [file_name(one), file_name(other)]
    why = "twice" if one == other else "as names that some file systems take for one"
    return InvalidDatasetError(
        f"{archive} holds {names[0]!r} and {names[1]!r}: {why}. Nothing was unpacked.",
        hint="Make the archive again with different names, so that no picture replaces another.",
        reason="colliding-members",
        details={"members": names},
    )
