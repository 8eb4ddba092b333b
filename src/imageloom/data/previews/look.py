"""A quick look at files that are listed but not yet decoded: which of them are no pictures."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

from imageloom.data.decoding.decode import UnreadablePictureError, look_at_header
from imageloom.data.images.directory import Rejected
from imageloom.data.images.index import UNLABELLED, file_name
from imageloom.data.previews.reach import Reach
from imageloom.data.sources.listing import Listing
from imageloom.errors import ImageloomError


@dataclass(frozen=True)
class Look:
    """What the headers of a listing's files tell.

    Attributes:
        headers_read: Of how many files.
        unusable: Files that cannot be used, by their row in the listing.
    """

    headers_read: int
    unusable: Mapping[int, Rejected]


def look_at(listing: Listing, reach: Reach, *, max_pixels: int, most_s: float) -> Look:
    """Read the headers of the files of a listing, in its order, as long as there is time.

    Args:
        listing: The files.
        reach: Which of them may be read.
        max_pixels: As for a conversion.
        most_s: For all of them.
    """
    end = time.monotonic() + most_s
    unusable: dict[int, Rejected] = {}
    headers_read = 0
    for row, name in enumerate(listing.files.column("path")):
        if time.monotonic() >= end:
            break
        # What may not be opened here, a conversion may be allowed to read: it is left as unknown.
        with contextlib.suppress(ImageloomError):
            with reach.opening(listing.root, name.as_py()) as file:
                try:
                    look_at_header(file, max_pixels=max_pixels)
                except UnreadablePictureError as problem:
                    unusable[row] = as_rejected(listing, row, problem.reason, problem.hint)
            headers_read += 1
    return Look(headers_read, unusable)


def as_rejected(listing: Listing, row: int, reason: str, hint: str) -> Rejected:
    """Return a listed file as one that is left out."""
    label = listing.files.column("label")[row].as_py()
    name = listing.files.column("path")[row].as_py()
    of_class = None if label == UNLABELLED else listing.classes[label]
    return Rejected(file_name(name), reason, hint, of_class)
