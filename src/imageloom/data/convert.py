"""Any source of pictures to a published image directory: list, decode every file, judge, write."""

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from imageloom.data.examine import examine_listing
from imageloom.data.images.directory import IMAGES, ImageDirectory, load_image_directory
from imageloom.data.images.findings import notices_on, refuse_losses
from imageloom.data.images.places import refuse_among_pictures
from imageloom.data.params import ConvertParams
from imageloom.data.sources.archive.unpack import unpack_archive
from imageloom.data.sources.coco import read_coco
from imageloom.data.sources.cvat import read_cvat
from imageloom.data.sources.folder.scan import scan_folder
from imageloom.data.sources.kind import Source, absolute_path, find_source
from imageloom.data.sources.label_studio import read_label_studio
from imageloom.data.sources.legacy import read_old_directory
from imageloom.data.sources.listing import Listing
from imageloom.data.sources.packed_export import (
    find_export,
    params_of_export,
    refuse_unpacked_export,
)
from imageloom.data.sources.parquet.unpack import unpack_parquet
from imageloom.data.sources.remote.address import is_address
from imageloom.data.sources.remote.fetch import fetch
from imageloom.data.sources.table.read import read_table
from imageloom.data.sources.webdataset.unpack import unpack_webdataset
from imageloom.errors import ImageloomError, InvalidDatasetError
from imageloom.events import CancelToken, Control, EventSink, Notice, ignore_events
from imageloom.files.output_places import refuse_misplaced
from imageloom.files.publish import publishing_directory, refuse_existing, sync_all
from imageloom.settings import Settings, read_settings

_UNPACKED: Final = "unpacked"
_SEVERAL_FROM: Final = ("table", "coco", "parquet", "label studio", "cvat")
_KINDS: Final = {
    "folder": "a folder per class",
    "archive": "an archive of folders",
    "webdataset": "shards of WebDataset",
    "old": "a directory of the old designer",
}


def convert(
    source: Path | str,
    out: Path | str,
    *,
    params: ConvertParams = ConvertParams(),  # noqa: B008 - frozen
    settings: Settings | None = None,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> ImageDirectory:
    """Make an image directory from a folder, an archive, a manifest or an old image directory.

    What lies at an address, such as ``s3://bucket/photos``, comes to ``settings.downloads`` first.
    Every file is decoded once. A folder's pictures stay where they are and are only named; those of
    an archive or of Parquet files are unpacked into ``out``. Nothing in the source is changed.

    Args:
        source: What to convert; see docs/guides/pictures.md.
        out: Where the image directory shall appear; nothing may be there.
        params: What may be left out, and how a manifest is read.
        settings: Where downloads are kept; by default as the environment says.
        on_event: Told the progress and every notice.
        cancel: Stops at once; ``out`` does not appear.

    Returns:
        The published image directory.

    Raises:
        InvalidDatasetError: The source or too many of its pictures cannot be used.
        CouldNotOpenFileError: There is nothing at ``source``, or it may not be read.
        FailedToDownloadFilesError: What lies at an address did not come.
        FailedToWriteOutputsError: ``out`` exists, lies inside the source, among pictures or inside
            something that was published, or cannot be written.
        RunInterruptedError: ``cancel`` was set.
    """
    control = Control.of(on_event, cancel)
    place = absolute_path(out)
    if is_address(source):
        refuse_existing(place)  # before anything is downloaded
        kept = settings or read_settings(os.environ)
        source = fetch(source, kept, control=control)
    found = find_source(source)
    _refuse_places(found, place)
    images = publish_source(found, place, params, control=control)
    tell_notices(images, control.on_event)
    return images


def publish_source(
    source: Source,
    out: Path,
    params: ConvertParams,
    *,
    listing: Listing | None = None,
    control: Control,
) -> ImageDirectory:
    """Make an image directory at ``out``, as ``convert`` does; the caller tells its notices.

    Args:
        source: Anything but an image directory.
        out: Where it shall appear.
        params: As for ``convert``.
        listing: What the source holds, where the caller has listed it already.
        control: Told the progress; stops at once.
    """
    if not source.is_packed:
        if listing is None:
            listing = list_source(source, params, control=control)
        refuse_among_pictures(
            [out],
            root=listing.root,
            files=listing.files.column("path"),
            labels_N=listing.files.column("label").to_numpy(),
            classes=listing.classes,
        )
    with publishing_directory(out) as partial:
        if listing is None:
            images = _convert_packed(source, partial, params, control)
            images.write_into(partial, root=IMAGES)
            sync_all(partial)
        else:
            images = convert_listing(listing, params, control=control)
            images.write_into(partial, root=str(images.root))
    return load_image_directory(out)


def tell_notices(images: ImageDirectory, on_event: EventSink) -> None:
    """Tell what was noted when pictures were converted."""
    for notice in images.notices:
        on_event(Notice("warning", notice))


def list_source(source: Source, params: ConvertParams, *, control: Control) -> Listing:
    """List the files of any source but a packed one, which must be unpacked first.

    Raises:
        InvalidDatasetError: The source cannot be used.
    """
    _refuse_one_label_sources(source, params)
    if source.kind == "folder":
        if params.labels != "none":
            refuse_unpacked_export(source.path)
        return scan_folder(source.path, params, control=control)
    readers = {
        "table": read_table,
        "coco": read_coco,
        "label studio": read_label_studio,
        "cvat": read_cvat,
        "old": read_old_directory,
    }
    listing = readers[source.kind](source.path, params, control=control)
    return listing.without_labels() if params.labels == "none" else listing


def convert_listing(listing: Listing, params: ConvertParams, *, control: Control) -> ImageDirectory:
    """Decode every file of a listing and return the pictures, not yet written anywhere.

    Raises:
        InvalidDatasetError: Too many pictures cannot be used, a class has lost all of its own, or
            a file changed meanwhile.
    """
    examined = examine_listing(listing, params, control=control)
    images = ImageDirectory(
        classes=listing.classes,
        index=examined.index,
        root=listing.root,
        rejected=(*listing.rejected, *examined.rejected),
        follows_links=params.follow_links,
    )
    refuse_losses(
        images.counts,
        images.rejected,
        params.max_rejected_fraction,
        num_images=len(images),
        place=listing.place,
    )
    notices = (*listing.notices, *examined.notices, *notices_on(images))
    return dataclasses.replace(images, notices=notices)


def list_packed(source: Source, into: Path, params: ConvertParams, *, control: Control) -> Listing:
    """Unpack a packed source into an empty folder and list what came out.

    Raises:
        InvalidDatasetError: The source or what is in it cannot be used.
        FailedToWriteOutputsError: It does not fit on the disk.
    """
    if source.kind == "archive":
        return _list_archive(source, into, params, control)
    _refuse_one_label_sources(source, params)
    unpack = unpack_parquet if source.kind == "parquet" else unpack_webdataset
    return unpack(source.path, into, params, control=control)


def _list_archive(source: Source, into: Path, params: ConvertParams, control: Control) -> Listing:
    archive = source.path
    noted = unpack_archive(
        archive, into, name_encoding=params.name_encoding, control=control
    ).notices
    export = find_export(into)
    if export is None:
        _refuse_one_label_sources(source, params)
        listing = scan_folder(into, params, archive=archive, control=control)
    else:
        with _naming(archive, into):
            params = params_of_export(export, archive, params)
            listing = list_source(export.labels, params, control=control)
        export.labels.path.unlink()  # our copy; among the pictures that are kept it has no use
        listing = dataclasses.replace(listing, named=archive)
    return dataclasses.replace(listing, notices=(*noted, *listing.notices))


@contextlib.contextmanager
def _naming(archive: Path, unpacked: Path) -> Iterator[None]:
    """Let errors name the archive where they would name the folder it lies in for a moment."""
    try:
        yield
    except ImageloomError as problem:
        raise type(problem)(
            problem.message.replace(str(unpacked), str(archive)),
            hint=problem.hint.replace(str(unpacked), str(archive)),
            reason=problem.reason,
            details=problem.details,
        ) from problem


def _refuse_one_label_sources(source: Source, params: ConvertParams) -> None:
    if params.labels == "several" and source.kind not in _SEVERAL_FROM:
        raise InvalidDatasetError(
            f"{source.path} cannot say of a picture that it has several labels, for it is read as "
            f"{_KINDS[source.kind]}.",
            hint="Several labels per picture come from a table (.csv, .tsv, .jsonl), a COCO file, "
            "Parquet, or an export of Label Studio or CVAT; 'imageloom data convert --labels "
            "several' reads these.",
            reason="one-label-source",
            details={"kind": source.kind},
        )


def _convert_packed(
    source: Source, partial: Path, params: ConvertParams, control: Control
) -> ImageDirectory:
    """Unpack into ``partial``, keep what is usable as ``partial/images``, and return it."""
    unpacked = partial / _UNPACKED
    unpacked.mkdir()
    listing = list_packed(source, unpacked, params, control=control)
    images = convert_listing(listing, params, control=control)
    for one in images.rejected:
        # A copy of ours; the user's is still in the source. The text of an odd name may differ
        # from its bytes, in which case the file stays, and nothing reads it.
        with contextlib.suppress(OSError):
            (images.root / one.file).unlink()
    images.root.rename(partial / IMAGES)
    shutil.rmtree(unpacked, ignore_errors=True)
    return dataclasses.replace(images, root=partial / IMAGES)


def _refuse_places(source: Source, out: Path) -> None:
    if source.kind == "image directory":
        raise InvalidDatasetError(
            f"{source.path} is an image directory already.",
            hint="Use it as it is: 'imageloom data split', 'train' and 'score' all take it.",
            reason="already-converted",
        )
    refuse_existing(out)
    refuse_misplaced([out], read=[source.path])
    try:
        str(source.path).encode("utf-8")
    except UnicodeEncodeError as problem:
        raise InvalidDatasetError(
            f"The path {str(source.path)!r} is not UTF-8, so it cannot be written down.",
            hint="Rename the folder, or reach it by another name. Names inside it may be anything.",
            reason="path-not-utf-8",
        ) from problem
