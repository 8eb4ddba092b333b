"""How much an archive may unpack to: counted while reading and writing, never believed."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.errors import FailedToWriteOutputsError, InvalidDatasetError

MAX_MEMBERS: Final = 2_000_000
MAX_RATIO: Final = 200  # of one stream; photos hardly shrink, and drawings do by 10 to 100
MAX_TOTAL_RATIO: Final = 20
FREE_BYTES: Final = 10_000_000  # below this no ratio is looked at
MAX_DISK_FRACTION: Final = 0.9


@dataclass
class ArchiveLimits:
    """Counts what comes out of one archive.

    Attributes:
        archive: For the messages.
        archive_bytes: Its size.
        disk_bytes: Free space where it is unpacked to.
        members: Members seen.
        total_bytes: Bytes unpacked from all members.
    """

    archive: Path
    archive_bytes: int
    disk_bytes: int
    members: int = 0
    total_bytes: int = 0

    @classmethod
    def of(cls, archive: Path, archive_bytes: int, into: Path) -> "ArchiveLimits":
        """Return fresh limits for unpacking an archive into a folder."""
        return cls(archive, archive_bytes, shutil.disk_usage(into).free)

    def count_member(self) -> None:
        """Note one more member.

        Raises:
            InvalidDatasetError: There are more than ``MAX_MEMBERS``.
        """
        self.members += 1
        if self.members > MAX_MEMBERS:
            raise self._too_big(f"holds more than {MAX_MEMBERS:,} members", "too-many-members")

    def count_bytes(self, size: int) -> None:
        """Note bytes that are or will be unpacked.

        Raises:
            InvalidDatasetError: The whole would be more than ``MAX_TOTAL_RATIO`` times the archive.
            FailedToWriteOutputsError: It would fill the disk.
        """
        self.total_bytes += size
        if self.total_bytes > max(FREE_BYTES, MAX_TOTAL_RATIO * self.archive_bytes):
            raise self._too_big(
                f"of {self.archive_bytes:,} bytes unpacks to more than {MAX_TOTAL_RATIO} times as "
                "much",
                "too-big",
            )
        if self.total_bytes > MAX_DISK_FRACTION * self.disk_bytes:
            raise FailedToWriteOutputsError(
                f"{self.archive} unpacks to {self.total_bytes:,} bytes or more, but only "
                f"{self.disk_bytes:,} are free where it goes.",
                hint=f"At most {MAX_DISK_FRACTION:.0%} of the free space is used. Free some, or "
                "choose another disk for the output.",
                reason="disk-full",
            )

    def check_ratio(self, packed: int, unpacked: int) -> None:
        """Look at one compressed stream.

        Raises:
            InvalidDatasetError: It gives more than ``MAX_RATIO`` times what was read of it.
        """
        if unpacked > FREE_BYTES and unpacked > MAX_RATIO * max(packed, 1):
            raise self._too_big(
                f"holds a stream that unpacks to more than {MAX_RATIO} times its size",
                "compression-bomb",
            )

    def _too_big(self, what: str, reason: str) -> InvalidDatasetError:
        return InvalidDatasetError(
            f"{self.archive} {what}, as hostile archives do. Unpacking was stopped.",
            hint="If you trust it, unpack it yourself and convert the folder.",
            reason=reason,
        )
