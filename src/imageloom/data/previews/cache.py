"""Where thumbnails are kept: whole files by the digest of their picture, renamed into place."""

import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.data.previews.values import KeptThumbnail, thumbnail_name
from imageloom.errors import write_failure
from imageloom.files.prune import prune_folder
from imageloom.system.machine import is_alive

THUMBNAILS: Final = "thumbnails"
MAX_BYTES: Final = 1024**3
"""Of all thumbnails together: 60,000 or more."""

_SCRATCH: Final = "scratch"


@dataclass(frozen=True)
class ThumbnailCache:
    """The folder of a preview process: what it keeps, and what it is at work on.

    It may be deleted at any time.

    Attributes:
        folder: Where it lies; several processes may share it.
    """

    folder: Path

    @property
    def scratch(self) -> Path:
        """What this process is at work on; whoever starts later clears it away."""
        return self.folder / _SCRATCH / f"{platform.node()}-{os.getpid()}"

    def prepare(self) -> None:
        """Make the folders, which nobody else may read, and clear away what the dead left.

        Raises:
            FailedToWriteOutputsError: They cannot be made.
        """
        try:
            (self.folder / THUMBNAILS).mkdir(mode=0o700, parents=True, exist_ok=True)
            self.clear_away(os.getpid())  # of one that had this number before
            self.scratch.mkdir(mode=0o700, parents=True)
        except OSError as problem:
            raise write_failure(self.folder, problem) from problem
        for left in (self.folder / _SCRATCH).glob(f"{platform.node()}-*"):
            pid = left.name.rpartition("-")[2]
            if pid.isdecimal() and not is_alive(int(pid)):
                shutil.rmtree(left, ignore_errors=True)

    def clear_away(self, pid: int) -> None:
        """Remove what a process of this machine that has ended was at work on."""
        left = self.folder / _SCRATCH / f"{platform.node()}-{pid}"
        shutil.rmtree(left, ignore_errors=True)

    def find(self, sha256: str, size: int) -> KeptThumbnail | None:
        """Return a thumbnail that is there already; it counts as used now."""
        name = thumbnail_name(sha256, size)
        try:
            os.utime(self.folder / THUMBNAILS / name)
        except FileNotFoundError:
            return None
        except OSError:  # a disk that may only be read tells no times, but pictures
            is_there = (self.folder / THUMBNAILS / name).is_file()
            return KeptThumbnail(sha256, name) if is_there else None
        return KeptThumbnail(sha256, name)

    def prune(self, most_bytes: int = MAX_BYTES) -> int:
        """Remove thumbnails until the rest has a limited size, and return how many went.

        Those go first whose last use is longest ago. One that goes while a page is about to show
        it is missing there, and is made anew when its pictures are looked at again.

        Args:
            most_bytes: What the rest may have together.
        """
        return prune_folder(self.folder / THUMBNAILS, most_bytes)

    def keep(self, sha256: str, size: int, content: bytes) -> KeptThumbnail:
        """Write a thumbnail, whole or not at all.

        Raises:
            FailedToWriteOutputsError: The disk is full, or the like.
        """
        name = thumbnail_name(sha256, size)
        place = self.folder / THUMBNAILS / name
        try:
            place.parent.mkdir(mode=0o700, exist_ok=True)
            self.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, partial = tempfile.mkstemp(dir=self.scratch)
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            Path(partial).replace(place)
        except OSError as problem:
            raise write_failure(place, problem) from problem
        return KeptThumbnail(sha256, name)
