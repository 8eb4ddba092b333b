"""Single pictures of an image directory: read, checked, decoded and transformed.

Legend: C channels, H height, W width, N pictures of the directory.
"""

import errno
import functools
import hashlib
import os
import threading
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from imageloom.data.decoding.decode import UnreadablePictureError, decode_rgb
from imageloom.data.images.index import file_name, full_path, read_index
from imageloom.data.loading.copied_pictures import CopiedPictures
from imageloom.data.loading.picture_cache import PictureCache
from imageloom.data.loading.random_numbers import Draw, seed_of_sample
from imageloom.data.loading.random_operations import random_part, resized_part
from imageloom.data.loading.reading_times import PartClock
from imageloom.data.loading.transforms import apply_drawn, apply_transforms
from imageloom.errors import InvalidDatasetError, too_many_open_files
from imageloom.preprocessing import RandomResizedCrop, Transforms

COLUMNS: Final = ("path", "label", "width", "height", "size_bytes", "sha256")


class _Columns(NamedTuple):
    """Those of the index that are needed here."""

    path: pa.ChunkedArray
    label: npt.NDArray[np.int32]
    width: npt.NDArray[np.int32]
    height: npt.NDArray[np.int32]
    size_bytes: npt.NDArray[np.int64]
    sha256: pa.ChunkedArray


class PictureReader:
    """Reads pictures of one image directory; several threads may use one.

    A file's digest is compared when it is read for the first time, and again when its size, its
    time of modification or its place on the disk is another.

    Args:
        source: The index, at least ``COLUMNS`` of it, or its file.
        root: Folder in which the pictures lie.
        transforms: Operations on each picture.
        seed: Start of the random operations' numbers.
        hold_bytes: Memory that may be used to keep pictures as they are before the first random
            operation, so that they are decoded once; those that find no room are read each time.
        cache: Scaled copies that stand in for the pictures; then an original is opened only to make
            one, and of what changed in it no more is noticed than another size.

    Attributes:
        keep_more: Whether pictures are kept that are not yet, where there is room; not at first.
    """

    def __init__(
        self,
        source: pa.Table | Path,
        root: Path,
        transforms: Transforms,
        seed: int,
        *,
        hold_bytes: int = 0,
        cache: PictureCache | None = None,
    ) -> None:
        self._source = source
        self._root = root
        self._seed = seed
        self._same_each_time, self._drawn = _parts(transforms)
        # Where it comes first it says which pixels are needed at all.
        first = transforms[0] if transforms else None
        self._crop = first if isinstance(first, RandomResizedCrop) else None
        self._held = _HeldPictures(hold_bytes)
        self.keep_more = False
        self._cache = cache

    @property
    def notice(self) -> str:
        """What a person should know of the cache so far; empty while all is well."""
        return "" if self._copies is None else self._copies.notice

    def picture(
        self, epoch: int, position: int, clock: PartClock | None = None, *, time: int = 0
    ) -> torch.Tensor:
        """Return one picture as the network shall see it in an epoch.

        Args:
            epoch: From 0; random operations draw other numbers in each.
            position: Row of the index.
            clock: Hears when each part of the work ends.
            time: How often the epoch has read it before; random operations draw others each time.

        Returns:
            uint8 [3, H, W], 0 to 255. It must not be changed.

        Raises:
            InvalidDatasetError: The file is gone, was changed, or cannot be decoded.
        """
        draw = Draw(seed_of_sample(self._seed, epoch, position, time))
        clock = clock or PartClock()
        try:
            keeps = position in self._held or (self.keep_more and not self._held.is_full)
            if self._crop is not None and not keeps:
                part_CHW = self._cut(self._crop, position, draw, clock)
                image_CHW = apply_drawn(part_CHW, self._drawn[1:], draw)
            else:
                image_CHW = apply_drawn(self._undrawn(position, clock), self._drawn, draw)
            clock.end("operations")
            return image_CHW
        except InvalidDatasetError as error:
            if "file" in error.details:
                raise
            raise InvalidDatasetError(
                f"{file_name(self._path(position))}: {error.message}",
                hint=error.hint,
                reason=error.reason,
            ) from error

    def _undrawn(self, position: int, clock: PartClock) -> torch.Tensor:
        """Return a picture as it is before the first random operation."""
        image_CHW = self._held.get(position)
        if image_CHW is None:
            image_CHW = apply_transforms(self._pixels(position, clock), self._same_each_time, 0)
            if self.keep_more:
                image_CHW = self._held.keep(position, image_CHW)
        return image_CHW

    def _cut(
        self, crop: RandomResizedCrop, position: int, draw: Draw, clock: PartClock
    ) -> torch.Tensor:
        """Return the part that a crop takes, scaled; what lies below it is not decoded."""
        part = random_part(crop, *self._size(position), draw)
        image_CHW = self._pixels(position, clock, rows=part.top + part.height)
        return resized_part(crop, image_CHW, part)

    def _size(self, position: int) -> tuple[int, int]:
        """Return height and width of what stands for a picture."""
        if self._copies is not None:
            return self._copies.size(position)
        return int(self._columns.height[position]), int(self._columns.width[position])

    def _pixels(self, position: int, clock: PartClock, rows: int | None = None) -> torch.Tensor:
        if self._copies is None:
            return self._decoded(position, clock, rows)
        digest: bytes = self._columns.sha256[position].as_py()
        if self._copies.is_new(position):
            self._require_same_length(position)
        image_CHW = self._copies.picture(position, digest, lambda: self._decoded(position, clock))
        clock.end("files")
        return image_CHW

    def _require_same_length(self, position: int) -> None:
        path, recorded = self._path(position), int(self._columns.size_bytes[position])
        try:
            found = os.stat(full_path(self._root, path)).st_size  # noqa: PTH116 - holds bytes
        except OSError as problem:
            what = f"cannot be read: {problem.strerror}"
            raise _file_problem(self._root, path, what) from problem
        if found != recorded:
            what = f"was changed after it was converted (it has {found:,} bytes, had {recorded:,})"
            raise _file_problem(self._root, path, what)

    def labels(self, positions: tuple[int, ...]) -> torch.Tensor:
        """Return the labels of some rows, int64."""
        return torch.from_numpy(self._columns.label[list(positions)].astype(np.int64))

    @functools.cached_property
    def _columns(self) -> _Columns:
        index = read_index(self._source) if isinstance(self._source, Path) else self._source
        return _Columns(
            path=index.column("path"),
            label=index.column("label").to_numpy(),
            width=index.column("width").to_numpy(),
            height=index.column("height").to_numpy(),
            size_bytes=index.column("size_bytes").to_numpy(),
            sha256=index.column("sha256"),
        )

    @functools.cached_property
    def _stamps(self) -> npt.NDArray[np.int64]:
        """What was known of each file when its digest was right; 0 for those not yet read."""
        return np.zeros(len(self._columns.label), dtype=np.int64)

    @functools.cached_property
    def _copies(self) -> CopiedPictures | None:
        if self._cache is None:
            return None
        return CopiedPictures(self._cache, self._columns.height, self._columns.width)

    def _path(self, position: int) -> bytes:
        path: bytes = self._columns.path[position].as_py()
        return path

    def _decoded(self, position: int, clock: PartClock, rows: int | None = None) -> torch.Tensor:
        path = self._path(position)
        content, stamp = read_file(self._root, path)
        clock.end("files")
        if self._stamps[position] != stamp:
            if hashlib.sha256(content).digest() != self._columns.sha256[position].as_py():
                raise _file_problem(
                    self._root, path, "was changed after it was converted (SHA-256 differs)"
                )
            self._stamps[position] = stamp
            clock.end("digests")
        try:
            image_CHW = decode_rgb(content, rows=rows)
        except UnreadablePictureError as problem:
            raise _file_problem(self._root, path, problem.reason) from problem
        clock.end("decoding")
        return image_CHW


def read_file(root: Path, path: bytes) -> tuple[bytes, int]:
    """Return the content of a picture of an index, and a number that tells whether it changed.

    Raises:
        InvalidDatasetError: It is gone or cannot be read.
        EnvironmentUnsuitableError: Too many files are open.
    """
    try:
        with open(full_path(root, path), "rb", buffering=0) as file:  # noqa: PTH123 - holds bytes
            facts = os.fstat(file.fileno())
            content = file.read()
    except OSError as problem:
        if problem.errno in (errno.EMFILE, errno.ENFILE):
            raise too_many_open_files(problem) from problem
        raise _file_problem(root, path, f"cannot be read: {problem.strerror}") from problem
    known = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
    return content, hash(known) or 1


def _file_problem(root: Path, path: bytes, what: str) -> InvalidDatasetError:
    return InvalidDatasetError(
        f"The picture {file_name(path)} in {root} {what}.",
        hint="Restore the file, or convert the folder again with 'imageloom data convert'. Where "
        "pictures were moved, --root (in Python: root) says where they lie now.",
        reason="file-changed",
        details={"file": file_name(path)},
    )


class _HeldPictures:
    """Pictures in memory, as many as find room."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._is_full = False
        self._pictures: dict[int, torch.Tensor] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type["_HeldPictures"], tuple[int]]:
        """Take the room to another process, not the pictures."""
        return type(self), (self._room,)

    @property
    def is_full(self) -> bool:
        """Whether a picture found no room, or none ever could."""
        return self._is_full or self._room <= 0

    def __contains__(self, position: int) -> bool:
        return position in self._pictures

    def get(self, position: int) -> torch.Tensor | None:
        return self._pictures.get(position)

    def keep(self, position: int, image_CHW: torch.Tensor) -> torch.Tensor:
        """Return the picture, which is kept where there is room."""
        with self._lock:
            if self._room < image_CHW.nbytes:
                self._is_full = True
                return image_CHW
            self._room -= image_CHW.nbytes
        if image_CHW.untyped_storage().nbytes() > image_CHW.nbytes:
            image_CHW = image_CHW.clone()  # a part, which would keep the whole
        self._pictures[position] = image_CHW
        return image_CHW


def _parts(transforms: Transforms) -> tuple[Transforms, Transforms]:
    """Return the operations before the first random one, and the rest."""
    first = next(
        (place for place, operation in enumerate(transforms) if operation.is_random),
        len(transforms),
    )
    return transforms[:first], transforms[first:]
