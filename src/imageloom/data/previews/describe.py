"""What a source of pictures holds, with a few of them to look at, before it is converted."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from imageloom.data.convert import list_packed, list_source
from imageloom.data.images.directory import ImageDirectory, Rejected
from imageloom.data.images.findings import enough_fraction, refuse_losses
from imageloom.data.images.index import UNLABELLED, file_name, label_pairs
from imageloom.data.params import ConvertParams
from imageloom.data.previews.look import as_rejected, look_at
from imageloom.data.previews.opened import OpenedDirectories, first_of_each
from imageloom.data.previews.reach import Reach
from imageloom.data.previews.thumbnails import UNREADABLE, Thumbnails
from imageloom.data.previews.values import (
    DescribedClass,
    LeftOut,
    Losses,
    Sample,
    SourceDescription,
)
from imageloom.data.sources.kind import PACKED, Source, find_source
from imageloom.data.sources.listing import Listing
from imageloom.errors import CouldNotOpenFileError, ImageloomError, InvalidDatasetError
from imageloom.events import Control

_CLASSES_WITH_SAMPLES: Final = 20
_LEFT_OUT_KEPT: Final = 100_000
_UNPACKED: Final = "unpacked"


@dataclass(frozen=True)
class Wanted:
    """How a source is described.

    Attributes:
        params: How it would be converted.
        samples: Pictures of each class to show, of the first ``_CLASSES_WITH_SAMPLES`` classes.
        size: Of their thumbnails, in pixels.
        look_s: Longest time for reading headers.
    """

    params: ConvertParams
    samples: int
    size: int
    look_s: float = 20.0


@dataclass(frozen=True)
class Described:
    """A source's description, and what would be too much to say in it.

    Attributes:
        description: What is shown at once.
        left_out_files: All files that are left out, by name; at most ``_LEFT_OUT_KEPT``.
    """

    description: SourceDescription
    left_out_files: tuple[LeftOut, ...]


def describe(
    path: str, wanted: Wanted, thumbnails: Thumbnails, opened: OpenedDirectories
) -> Described:
    """Return what a source holds; of an archive, which is unpacked for a moment, too.

    The headers of its files are read as long as there is time, and the few pictures that are shown
    are decoded; what these tell to be unusable counts as left out.

    Raises:
        CouldNotOpenFileError: There is nothing, or it may not be shown.
        InvalidDatasetError: It could not be converted, with the words of the conversion.
        FailedToWriteOutputsError: An archive does not fit on the disk of the cache.
    """
    _refuse_links(wanted.params, thumbnails)
    source = find_source(thumbnails.reach.source(path))
    if source.kind == "image directory":
        return _of_directory(source.path, wanted, thumbnails, opened)
    if source.is_packed:
        return _of_packed(source, wanted, thumbnails)
    listing = list_source(source, wanted.params, control=Control())
    return _of_listing(source.kind, source.path, listing, wanted, thumbnails)


def _of_packed(source: Source, wanted: Wanted, thumbnails: Thumbnails) -> Described:
    into = thumbnails.cache.scratch / _UNPACKED
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(mode=0o700, parents=True)
    try:
        listing = list_packed(source, into, wanted.params, control=Control())
        ours = Thumbnails(thumbnails.cache, Reach(roots=()))
        return _of_listing(source.kind, source.path, listing, wanted, ours)
    finally:
        shutil.rmtree(into, ignore_errors=True)


def _of_listing(
    kind: str, path: Path, listing: Listing, wanted: Wanted, thumbnails: Thumbnails
) -> Described:
    names = listing.files.column("path")
    max_pixels = wanted.params.max_pixels
    look = look_at(listing, thumbnails.reach, max_pixels=max_pixels, most_s=wanted.look_s)
    unusable = dict(look.unusable)
    usable_rows_N = np.delete(np.arange(len(listing)), list(unusable))

    def sample(position: int) -> Sample:
        row = int(usable_rows_N[position])
        name = names[row].as_py()
        try:
            return Sample(file_name(name), thumbnails.of_file(listing.root, name, wanted.size), "")
        except ImageloomError as problem:
            what = _what_is_wrong(file_name(name), problem)
            if problem.reason == UNREADABLE:
                unusable[row] = as_rejected(listing, row, what, problem.hint)
            return Sample(file_name(name), None, what)

    usable = listing.files.take(pa.array(usable_rows_N))
    shown = tuple(_classes(listing.classes, usable, wanted.samples, sample))
    classes = _without(shown, listing, [row for row in unusable if row not in look.unusable])
    rejected = (*listing.rejected, *(unusable[row] for row in sorted(unusable)))
    description = SourceDescription(
        kind=kind,
        path=str(path),
        root="" if kind in PACKED else str(listing.root),
        images=len(listing) - len(unusable),
        files=len(listing),
        headers_read=look.headers_read,
        is_decoded=False,
        classes=classes,
        left_out=len(rejected),
        left_out_reasons=_reasons(rejected),
        losses=_losses(
            classes,
            rejected,
            wanted.params.max_rejected_fraction,
            listing.place,
            len(listing) - len(unusable),
        ),
        notices=listing.notices,
    )
    return Described(description, left_out_files(rejected))


def _without(
    classes: Sequence[DescribedClass], listing: Listing, rows: Sequence[int]
) -> tuple[DescribedClass, ...]:
    """Return classes less the pictures that only showed to be unusable when they were decoded."""
    _, labels = label_pairs(listing.files.take(pa.array(rows, pa.int64())))
    lost = Counter(
        None if label == UNLABELLED else listing.classes[label] for label in labels.tolist()
    )
    return tuple(replace(one, images=one.images - lost[one.name]) for one in classes)


def _of_directory(
    path: Path, wanted: Wanted, thumbnails: Thumbnails, opened: OpenedDirectories
) -> Described:
    images: ImageDirectory = opened.open(path)

    def sample(row: int) -> Sample:
        try:
            return Sample(images.file(row), thumbnails.of_row(images, row, wanted.size), "")
        except ImageloomError as problem:
            return Sample(images.file(row), None, _what_is_wrong(images.file(row), problem))

    classes = tuple(_classes(images.classes, images.index, wanted.samples, sample))
    description = SourceDescription(
        kind="image directory",
        path=str(path),
        root=str(images.root),
        images=len(images),
        files=len(images),
        headers_read=len(images),
        is_decoded=True,
        classes=classes,
        left_out=len(images.rejected),
        left_out_reasons=_reasons(images.rejected),
        # It was converted already, by whatever share was allowed then.
        losses=_losses(classes, images.rejected, 1.0, path, len(images)),
        notices=images.notices,
    )
    return Described(description, left_out_files(images.rejected))


def _losses(
    classes: Sequence[DescribedClass],
    rejected: Sequence[Rejected],
    most_fraction: float,
    place: Path,
    num_images: int,
) -> Losses:
    counts = {one.name: one.images for one in classes if one.name is not None}
    lost = sum(one.is_picture for one in rejected)
    is_refused = False
    try:
        refuse_losses(counts, rejected, most_fraction, num_images=num_images, place=place)
    except InvalidDatasetError:
        is_refused = True
    emptied = tuple(name for name, images in counts.items() if images == 0)
    can_be_allowed = num_images > 0 and not emptied
    return Losses(
        lost=lost,
        pictures=num_images + lost,
        most_fraction=most_fraction,
        enough_fraction=enough_fraction(lost, num_images + lost) if can_be_allowed else 0.0,
        emptied=emptied,
        is_refused=is_refused,
    )


def _classes(
    names: Sequence[str],
    table: pa.Table,
    most: int,
    sample: Callable[[int], Sample],
) -> Iterator[DescribedClass]:
    """Yield each class, and the pictures without one; a picture of several counts in each."""
    pictures, labels = label_pairs(table)
    firsts = first_of_each(labels, len(names), most=most)
    counts = np.bincount(labels - UNLABELLED, minlength=len(names) + 1).tolist()
    counts = [*counts[1:], counts[0]]
    for number, (name, images, rows) in enumerate(zip((*names, None), counts, firsts, strict=True)):
        if name is None and not images:
            continue
        shown = pictures[rows].tolist() if number < _CLASSES_WITH_SAMPLES else []
        yield DescribedClass(name, images, tuple(map(sample, shown)))


def _what_is_wrong(file: str, problem: ImageloomError) -> str:
    """Return the rest of a sentence that begins with the file's name."""
    return problem.message.removeprefix(f"{file} ").removesuffix(".")


def _reasons(rejected: Sequence[Rejected]) -> dict[str, int]:
    return dict(Counter(one.reason for one in rejected).most_common())


def left_out_files(rejected: Sequence[Rejected]) -> tuple[LeftOut, ...]:
    """Return files that were left out, by name; the first 100,000 of them."""
    by_name = sorted(rejected, key=lambda one: one.file)[:_LEFT_OUT_KEPT]
    return tuple(LeftOut(one.file, one.reason, one.hint, one.label) for one in by_name)


def _refuse_links(params: ConvertParams, thumbnails: Thumbnails) -> None:
    if params.follow_links and thumbnails.reach.roots:
        raise CouldNotOpenFileError(
            "Links are not followed here: pictures may be shown from certain folders only.",
            hint="Leave out follow_links, or put the files themselves there.",
            reason="outside-roots",
        )
