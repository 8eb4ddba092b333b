"""The bytes of a picture that an image directory lists, as they were when it was converted."""

import os

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.previews.reach import Reach, unchanged


def read_row(reach: Reach, images: ImageDirectory, row: int) -> bytes:
    """Return the content of a picture's file.

    Args:
        reach: Which pictures may be read.
        images: Lists it.
        row: Its position.

    Raises:
        CouldNotOpenFileError: It may not be read.
        InvalidDatasetError: It is not any more what was converted.
    """
    name = images.index.column("path")[row].as_py()
    sha256 = images.index.column("sha256")[row].as_py().hex()
    if not images.follows_links:
        return unchanged(reach.read(images.root, name), sha256, name)
    # They were followed at conversion: what matters is where they lead now.
    real = reach.source(os.path.realpath(os.fsdecode(images.path(row))))
    return unchanged(reach.read(real.parent, os.fsencode(real.name)), sha256, name)
