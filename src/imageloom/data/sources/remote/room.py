"""How much room copies of what lies at addresses take, and which go first when it is too much.

Image directories refer to these copies, so none goes because another needs its room: a download
that would be too much is refused, and only ``free_copies`` removes, when a person asks for it.
"""

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.data.names import ADDRESS_OF_COPY
from imageloom.data.sources.remote.address import Address
from imageloom.errors import FailedToWriteOutputsError
from imageloom.files.found_files import found_files
from imageloom.files.locks import release, try_lock
from imageloom.system.wording import mebibytes

FILES: Final = "files"
"""The folder in that of a copy in which its files lie."""

_LOCK: Final = "lock"
_IN_USE_S: Final = 24 * 3600.0  # systems note the reading of a file once a day
_GIB: Final = 2**30


@dataclass(frozen=True)
class AddressCopy:
    """A copy of what lies at one address.

    Attributes:
        folder: Where it lies.
        address: What it is a copy of.
        size_bytes: Bytes of all its files.
        used: When a file of it was last read or came, in seconds since 1970. A disk that notes no
            times of reading (``noatime``) only tells when one came.
    """

    folder: Path
    address: str
    size_bytes: int
    used: float


@dataclass(frozen=True)
class FreedCopies:
    """What was removed, or would be.

    Attributes:
        removed: The copies, those not used for longest first.
        kept_bytes: Bytes of those that stay.
    """

    removed: tuple[AddressCopy, ...]
    kept_bytes: int


def require_room_within(
    limit_gib: float, folder: Path, needed_bytes: int, address: Address
) -> None:
    """Refuse a download with which all copies would take more than their limit.

    Args:
        limit_gib: What they may take together, in GiB.
        folder: Where this one's folder is or will be, among the others.
        needed_bytes: What this one will take as a whole.
        address: For the message.

    Raises:
        FailedToWriteOutputsError: It has all numbers.
    """
    limit = int(limit_gib * _GIB)
    others = sum(one.size_bytes for one in copies_in(folder.parent) if one.folder != folder)
    if others + needed_bytes <= limit:
        return
    beside = f", and copies of other addresses take {_size(others)} already" if others else ""
    hint = "Set IMAGELOOM_DOWNLOADS_LIMIT_GIB to more."
    left = (limit - needed_bytes) / _GIB
    if left > 0:
        hint += (
            f" Or let 'IMAGELOOM_DOWNLOADS_LIMIT_GIB={0.99 * left:.3g} imageloom store clean' "
            "remove those not used for longest; image directories made of them need them."
        )
    raise FailedToWriteOutputsError(
        f"{address} has {_size(needed_bytes)}{beside}, but copies of what lies at addresses may "
        f"take {limit_gib:,g} GiB together.",
        hint=f"{hint} They lie in {folder.parent}.",
        reason="over-limit",
        details={"needed_bytes": needed_bytes, "other_bytes": others, "limit_bytes": limit},
    )


def copies_in(kept: Path) -> Iterator[AddressCopy]:
    """Yield the copies that have any files, in no order."""
    with contextlib.suppress(OSError):  # there are none
        for folder in kept.iterdir():
            states = [state for _, state in found_files(folder / FILES)]
            if states:
                yield AddressCopy(
                    folder,
                    _address_of(folder),
                    sum(one.st_size for one in states),
                    max(max(one.st_atime, one.st_mtime) for one in states),
                )


def free_copies(kept: Path, *, limit_gib: float, dry_run: bool = False) -> FreedCopies:
    """Remove copies until the others are within a limit: first those not used for longest.

    Copies that were used within a day stay, and those that come just now. Of one that went, its
    address stays written, so that whoever looks for its files is told it.

    Args:
        kept: The folder of all copies.
        limit_gib: GiB that may stay.
        dry_run: Only say what would be removed.
    """
    copies = sorted(copies_in(kept), key=lambda one: one.used)
    kept_bytes, removed = sum(one.size_bytes for one in copies), []
    for one in copies:
        if kept_bytes <= limit_gib * _GIB or one.used > time.time() - _IN_USE_S:
            break
        if dry_run or _removed(one.folder):
            kept_bytes -= one.size_bytes
            removed.append(one)
    return FreedCopies(tuple(removed), kept_bytes)


def _removed(folder: Path) -> bool:
    lock = try_lock(folder / _LOCK, "imageloom store clean")
    if lock is None:
        return False
    try:
        for entry in folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name not in (_LOCK, ADDRESS_OF_COPY):
                entry.unlink()
    finally:
        release(lock)
    return True


def _address_of(folder: Path) -> str:
    try:
        return (folder / ADDRESS_OF_COPY).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return folder.name  # of an older version, which did not write it


def _size(num_bytes: int) -> str:
    return mebibytes(num_bytes) if num_bytes < _GIB else f"{num_bytes / _GIB:,.1f} GiB"
