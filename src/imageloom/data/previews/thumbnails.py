"""Thumbnails of pictures, each made once: found by the digest of the picture's bytes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.data.decoding.decoded_picture import UnreadablePictureError
from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import file_name
from imageloom.data.previews.cache import ThumbnailCache
from imageloom.data.previews.reach import Reach
from imageloom.data.previews.read_row import read_row
from imageloom.data.previews.shrink import shrink
from imageloom.data.previews.values import SIZES, KeptThumbnail
from imageloom.errors import InvalidDatasetError, ParameterParsingError

UNREADABLE: Final = "unreadable-picture"


@dataclass(frozen=True)
class Thumbnails:
    """Makes and finds thumbnails.

    Attributes:
        cache: Where they are kept.
        reach: Which pictures may be read.
    """

    cache: ThumbnailCache
    reach: Reach

    def of_file(self, folder: Path, name: bytes, size: int) -> KeptThumbnail:
        """Return the thumbnail of a picture in a folder.

        Raises:
            CouldNotOpenFileError: It may not be read.
            InvalidDatasetError: It cannot be decoded.
            FailedToWriteOutputsError: The cache cannot be written.
        """
        _require_size(size)
        content = self.reach.read(folder, name)
        sha256 = hashlib.sha256(content).hexdigest()
        return self.cache.find(sha256, size) or self._make(sha256, content, name, size)

    def of_row(self, images: ImageDirectory, position: int, size: int) -> KeptThumbnail:
        """Return the thumbnail of a picture that an image directory lists.

        One that is in the cache is returned although the picture may be gone meanwhile.

        Raises:
            InvalidDatasetError: The file is not any more what was converted, or as ``of_file``.
            ImageloomError: As ``of_file``.
        """
        _require_size(size)
        sha256 = images.index.column("sha256")[position].as_py().hex()
        found = self.cache.find(sha256, size)
        if found is not None:
            return found
        name = images.index.column("path")[position].as_py()
        content = read_row(self.reach, images, position)
        return self._make(sha256, content, name, size)

    def _make(self, sha256: str, content: bytes, name: bytes, size: int) -> KeptThumbnail:
        try:
            small = shrink(content, size)
        except UnreadablePictureError as problem:
            file = file_name(name)
            raise InvalidDatasetError(
                f"{file} {problem.reason}.",
                hint=problem.hint,
                reason=UNREADABLE,
                details={"file": file},
            ) from problem
        return self.cache.keep(sha256, size, small)


def _require_size(size: int) -> None:
    if size not in SIZES:
        raise ParameterParsingError(
            f"size is {size}, but must be one of {', '.join(map(str, SIZES))}.",
            details={"parameter": "size"},
        )
