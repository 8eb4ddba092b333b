"""A member of an archive, and the ways in which archives are refused."""

from pathlib import Path
from typing import Final, NamedTuple

from imageloom.data.images.index import file_name
from imageloom.errors import InvalidDatasetError

CHUNK_BYTES: Final = 64 * 1024


class ArchiveMember(NamedTuple):
    """A file or folder in an archive.

    Attributes:
        path: Relative, ``/`` between its parts, leading only down.
        is_folder: Whether it is a folder.
        size: Bytes that its header promises.
        is_guess: Whether nothing says in which encoding its name is.
    """

    path: bytes
    is_folder: bool
    size: int
    is_guess: bool = False


def refused(archive: Path, what: str, reason: str, hint: str) -> InvalidDatasetError:
    """Return the error for an archive that cannot be used."""
    return InvalidDatasetError(f"{archive} {what}.", hint=hint, reason=reason)


def damaged(archive: Path, what: str) -> InvalidDatasetError:
    """Return the error for an archive that is not whole."""
    hint = "Download or copy it again, or make it again."
    return refused(archive, f"is damaged or cut short: {what}", "damaged-archive", hint)


def odd_member(archive: Path, raw: bytes, what: str) -> InvalidDatasetError:
    """Return the error for a member that is neither a file nor a folder."""
    return InvalidDatasetError(
        f"The member {file_name(raw)[:200]!r} of {archive} is {what}. Nothing was unpacked.",
        hint="Make the archive again with the files themselves.",
        reason="unsafe-member",
        details={"member": file_name(raw)[:1000]},
    )
