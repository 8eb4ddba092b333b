"""What a source of pictures holds, with a few of them to look at, before it is converted."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom.data.convert import list_archive, list_source
from imageloom.data.images.directory import ImageDirectory, Rejected
from imageloom.data.images.index import UNLABELLED, file_name, labels_of
from imageloom.data.params import ConvertParams
from imageloom.data.previews.opened import OpenedDirectories, first_of_each
from imageloom.data.previews.reach import Reach
from imageloom.data.previews.thumbnails import Thumbnails
from imageloom.data.previews.values import (
    DescribedClass,
    KeptThumbnail,
    LeftOut,
    Sample,
    SourceDescription,
)
from imageloom.data.sources.kind import find_source
from imageloom.data.sources.listing import Listing
from imageloom.errors import CouldNotOpenFileError, ImageloomError
from imageloom.events import Control

_CLASSES_WITH_SAMPLES: Final = 20
_LEFT_OUT_LISTED: Final = 100
_UNPACKED: Final = "unpacked"


@dataclass(frozen=True)
class Wanted:
    """How a source is described.

    Attributes:
        params: How it would be converted.
        samples: Pictures of each class to show, of the first ``_CLASSES_WITH_SAMPLES`` classes.
        size: Of their thumbnails, in pixels.
    """

    params: ConvertParams
    samples: int
    size: int


def describe(
    path: str, wanted: Wanted, thumbnails: Thumbnails, opened: OpenedDirectories
) -> SourceDescription:
    """Return what a source holds; of an archive, which is unpacked for a moment, too.

    Raises:
        CouldNotOpenFileError: There is nothing, or it may not be shown.
        InvalidDatasetError: It could not be converted, with the words of the conversion.
        FailedToWriteOutputsError: An archive does not fit on the disk of the cache.
    """
    _refuse_links(wanted.params, thumbnails)
    source = find_source(thumbnails.reach.source(path))
    if source.kind == "image directory":
        return _of_directory(source.path, wanted, thumbnails, opened)
    if source.kind == "archive":
        return _of_archive(source.path, wanted, thumbnails)
    listing = list_source(source, wanted.params, control=Control())
    return _of_listing(source.kind, source.path, listing, wanted, thumbnails)


def _of_archive(path: Path, wanted: Wanted, thumbnails: Thumbnails) -> SourceDescription:
    into = thumbnails.cache.scratch / _UNPACKED
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(mode=0o700, parents=True)
    try:
        listing = list_archive(path, into, wanted.params, control=Control())
        ours = Thumbnails(thumbnails.cache, Reach(roots=()))
        return _of_listing("archive", path, listing, wanted, ours)
    finally:
        shutil.rmtree(into, ignore_errors=True)


def _of_listing(
    kind: str, path: Path, listing: Listing, wanted: Wanted, thumbnails: Thumbnails
) -> SourceDescription:
    names = listing.files.column("path")

    def sample(row: int) -> Sample:
        name = names[row].as_py()
        make = thumbnails.of_file
        return _sample(file_name(name), lambda: make(listing.root, name, wanted.size))

    classes = _classes(listing.classes, labels_of(listing.files), wanted.samples, sample)
    return SourceDescription(
        kind=kind,
        path=str(path),
        root="" if kind == "archive" else str(listing.root),
        images=len(listing),
        is_decoded=False,
        classes=tuple(classes),
        left_out=len(listing.rejected),
        left_out_reasons=_reasons(listing.rejected),
        left_out_files=_first(listing.rejected),
        notices=listing.notices,
    )


def _of_directory(
    path: Path, wanted: Wanted, thumbnails: Thumbnails, opened: OpenedDirectories
) -> SourceDescription:
    images: ImageDirectory = opened.open(path)

    def sample(row: int) -> Sample:
        return _sample(images.file(row), lambda: thumbnails.of_row(images, row, wanted.size))

    return SourceDescription(
        kind="image directory",
        path=str(path),
        root=str(images.root),
        images=len(images),
        is_decoded=True,
        classes=tuple(_classes(images.classes, images.labels, wanted.samples, sample)),
        left_out=len(images.rejected),
        left_out_reasons=_reasons(images.rejected),
        left_out_files=_first(images.rejected),
        notices=images.notices,
    )


def _classes(
    names: Sequence[str],
    labels_N: npt.NDArray[np.int32],
    most: int,
    sample: Callable[[int], Sample],
) -> Iterator[DescribedClass]:
    firsts = first_of_each(labels_N, len(names), most=most)
    counts = np.bincount(labels_N - UNLABELLED, minlength=len(names) + 1).tolist()
    counts = [*counts[1:], counts[0]]
    for number, (name, images, rows) in enumerate(zip((*names, None), counts, firsts, strict=True)):
        if name is None and not images:
            continue
        shown = rows if number < _CLASSES_WITH_SAMPLES else []
        yield DescribedClass(name, images, tuple(map(sample, shown)))


def _sample(file: str, make: Callable[[], KeptThumbnail]) -> Sample:
    """Return a sample; a picture that cannot be shown is one with its problem."""
    try:
        return Sample(file, make(), "")
    except ImageloomError as problem:
        return Sample(file, None, problem.message.removeprefix(f"{file} ").removesuffix("."))


def _reasons(rejected: Sequence[Rejected]) -> dict[str, int]:
    return dict(Counter(one.reason for one in rejected).most_common())


def _first(rejected: Sequence[Rejected]) -> tuple[LeftOut, ...]:
    return tuple(
        LeftOut(one.file, one.reason, one.hint, one.label) for one in rejected[:_LEFT_OUT_LISTED]
    )


def _refuse_links(params: ConvertParams, thumbnails: Thumbnails) -> None:
    if params.follow_links and thumbnails.reach.roots:
        raise CouldNotOpenFileError(
            "Links are not followed here: pictures may be shown from certain folders only.",
            hint="Leave out follow_links, or put the files themselves there.",
            reason="outside-roots",
        )
