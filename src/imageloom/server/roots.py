"""The folders of this machine in which a person may look for pictures, and nothing beside them."""

import os
from dataclasses import dataclass
from pathlib import Path

from imageloom.errors import CouldNotOpenFileError
from imageloom.system.wording import some


@dataclass(frozen=True)
class Roots:
    """Folders that the page shows, with all that lies in them.

    Attributes:
        paths: Absolute folders, without links.
    """

    paths: tuple[Path, ...]

    @classmethod
    def of(cls, folders: tuple[Path, ...]) -> "Roots":
        """Return the roots that these folders are; one inside another is left out."""
        real = sorted({Path(os.path.realpath(one)) for one in folders})
        outer = [one for one in real if not any(one.is_relative_to(up) for up in real if up != one)]
        return cls(tuple(outer))

    def require(self, path: Path | str) -> Path:
        """Return where a path leads, all links followed, if that lies in a root.

        Raises:
            CouldNotOpenFileError: It does not. Whether anything is there is not told.
        """
        try:
            place = Path(os.path.realpath(path))
        except ValueError:  # a NUL
            place = None
        if place is None or not any(place.is_relative_to(root) for root in self.paths):
            raise CouldNotOpenFileError(
                f"{path} lies outside the folders that this page may show.",
                hint=f"It shows {some([str(one) for one in self.paths], most=5)}. Start "
                "'imageloom studio' with --root FOLDER to add one.",
                reason="outside-roots",
            )
        return place
