"""Files of the model process: pictures that were dropped on the page, and maps it has made."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.files.prune import prune_folder
from imageloom.files.publish import writing_file

MOST_MAP_BYTES: Final = 256 * 1024**2
MOST_DROPPED_BYTES: Final = 512 * 1024**2
_MAP_NAME: Final = re.compile(r"[0-9a-f]{32}-[0-9a-f]{32}-[0-9]{1,6}-(?:seen|heat)\.png")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class KeptFiles:
    """The folder; it may be deleted at any time.

    Attributes:
        folder: Where it lies; several processes may share it.
    """

    folder: Path

    @property
    def maps(self) -> Path:
        """Where maps lie."""
        return self.folder / "maps"

    @property
    def dropped(self) -> Path:
        """Where pictures that were dropped on the page lie, each under its SHA-256."""
        return self.folder / "dropped"

    def find_map(self, name: str) -> Path | None:
        """Return a PNG file that was made before, by its name, which may come from a stranger."""
        path = self.maps / name
        return path if _MAP_NAME.fullmatch(name) and path.is_file() else None

    def keep_map(self, name: str, content: bytes) -> None:
        """Write a PNG file, whole or not at all.

        Raises:
            FailedToWriteOutputsError: The disk is full, or the like.
        """
        assert _MAP_NAME.fullmatch(name), name
        with writing_file(self.maps / name) as partial:
            partial.write_bytes(content)

    def has_dropped(self, sha256: str) -> bool:
        """Whether a picture is there, by its digest, which may come from a stranger."""
        return bool(_DIGEST.fullmatch(sha256)) and (self.dropped / sha256).is_file()

    def keep_dropped(self, content: bytes) -> str:
        """Write a picture as it came, and return its SHA-256.

        Raises:
            FailedToWriteOutputsError: The disk is full, or the like.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        with writing_file(self.dropped / sha256) as partial:
            partial.write_bytes(content)
        return sha256

    def prune(self) -> None:
        """Remove files until the rest has a limited size; the oldest go."""
        prune_folder(self.maps, MOST_MAP_BYTES)
        prune_folder(self.dropped, MOST_DROPPED_BYTES)
