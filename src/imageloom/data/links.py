"""Where a link among a user's pictures leads, and whether it may be followed on request.

A user who asks for links to be followed may lead out of the source, as link farms into a data store
do; only what the kernel shows as files (``/proc``, ``/sys``, ``/dev``) is never read. Nothing is
opened here.
"""

import errno
import os
import stat
from dataclasses import dataclass
from typing import Final

FOLLOW: Final = "--follow-links"  # the option that follows them, as hints write it
_NEVER: Final = (b"/proc", b"/sys", b"/dev")
_MEMORY: Final = b"/dev/shm"  # a file system for anybody's files, where fast machines keep pictures


@dataclass(frozen=True)
class LinkTarget:
    """What a link leads to.

    Attributes:
        path: Resolved through all links, absolute; as far as it goes when there is nothing.
        found: Of what is there, or None when there is nothing to read.
        problem: Why it cannot be followed, as the rest of a sentence; empty when it can.
    """

    path: bytes
    found: os.stat_result | None
    problem: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether it leads to a folder."""
        return self.found is not None and stat.S_ISDIR(self.found.st_mode)

    @property
    def is_file(self) -> bool:
        """Whether it leads to a plain file."""
        return self.found is not None and stat.S_ISREG(self.found.st_mode)


def look_behind(link: bytes) -> LinkTarget:
    """Return what a link leads to, through all links on the way."""
    path = os.path.realpath(link)
    try:
        found = os.stat(link)  # noqa: PTH116 - pathlib cannot hold bytes
    except OSError as problem:
        return LinkTarget(path, None, _why_nothing(problem))
    kind = stat.S_IFMT(found.st_mode)
    if kind not in (stat.S_IFREG, stat.S_IFDIR):
        return LinkTarget(path, found, "is a link to a pipe, socket or device")
    if _is_the_kernels(path):
        place = b"/".join(path.split(b"/")[:2]).decode()
        return LinkTarget(path, found, f"is a link into {place}, which is never followed")
    return LinkTarget(path, found)


def leads_back(root: bytes, folder: bytes, target: LinkTarget) -> bool:
    """Whether a link to a folder leads to one that it lies in, so that following never ends.

    Folders are told by device and inode, whatever they are called on the way.

    Args:
        root: Absolute folder where the walk began.
        folder: Relative folder that holds the link; may itself lie behind links.
        target: What the link leads to.
    """
    assert target.found is not None
    wanted = target.found.st_dev, target.found.st_ino
    return any(_identity(holder) == wanted for holder in _holders(root, folder))


def is_below(path: bytes, folder: bytes) -> bool:
    """Whether a resolved path is a folder or lies in it."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def _holders(root: bytes, folder: bytes) -> set[bytes]:
    """Return the folders that hold a folder, by the way that led there and where it really lies."""
    parts = folder.split(b"/") if folder else []
    ways = [os.path.join(root, *parts[:depth]) for depth in range(len(parts) + 1)]  # noqa: PTH118
    holders = set()
    for way in map(os.path.realpath, ways):
        place = way
        while place not in holders:
            holders.add(place)
            place = os.path.dirname(place)  # noqa: PTH120 - pathlib cannot hold bytes
    return holders


def _identity(folder: bytes) -> tuple[int, int] | None:
    try:
        found = os.stat(folder)  # noqa: PTH116 - pathlib cannot hold bytes
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_the_kernels(path: bytes) -> bool:
    return any(is_below(path, place) for place in _NEVER) and not is_below(path, _MEMORY)


def _why_nothing(problem: OSError) -> str:
    if problem.errno == errno.ELOOP:
        return "is a link that leads in a circle"
    if problem.errno in (errno.ENOENT, errno.ENOTDIR):
        return "is a link that leads nowhere"
    return f"is a link to what may not be read ({problem.strerror})"
