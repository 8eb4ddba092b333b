"""Searches for duplicates among the pictures of a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from imageloom.errors import InvalidRequestError
from imageloom.server.image_directories import digest_of, image_directory
from imageloom.server.studio import Studio


@dataclass(frozen=True)
class Against:
    """The other image directory of a search, or none.

    Attributes:
        node: Id of the node that made it; empty for none.
        port: Name of its output.
    """

    node: str
    port: str

    @classmethod
    def of(cls, text: str) -> Self:
        """Return what ``node.port`` names, or none for an empty text."""
        node, _, port = text.partition(".")
        return cls(node, port)

    def folder(self, studio: Studio, run_id: str) -> Path | None:
        """Return where it lies.

        Raises:
            NoSuchRunError: The run has no such image directory.
        """
        return image_directory(studio, run_id, self.node, self.port) if self.node else None


def key_of(studio: Studio, images: Path, other: Path | None) -> str:
    """Return the name of a search in two image directories, or in one."""
    against = "" if other is None else digest_of(other)
    return studio.pictures.searches.key(digest_of(images), against)


def found_file(studio: Studio, images: Path, other: Path | None) -> Path:
    """Return the file of what a search found.

    Raises:
        InvalidRequestError: Nobody has searched there yet.
    """
    found = studio.pictures.searches.result(key_of(studio, images, other))
    if found is None:
        raise InvalidRequestError(
            "Nobody has searched for duplicates among these pictures yet.",
            hint="Search first: POST to 'duplicates'.",
            reason="no-search",
        )
    return found
