"""Searches for duplicates among the pictures of a run."""

from pathlib import Path

from imageloom.errors import InvalidRequestError
from imageloom.server.image_directories import digest_of, image_directory
from imageloom.server.studio import Studio


def other_images(studio: Studio, run_id: str, against: str) -> Path | None:
    """Return the other image directory of a search, or None where there is none.

    Args:
        studio: What it is asked of.
        run_id: Id of the run.
        against: The node that made it and its output, as ``node.port``; empty for none.

    Raises:
        NoSuchRunError: The run has no such image directory.
    """
    node, _, port = against.partition(".")
    return image_directory(studio, run_id, node, port) if node else None


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
