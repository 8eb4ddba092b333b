"""Write the pictures of an image directory for other programs, byte for byte."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.data.exports.coco import write_coco
from imageloom.data.exports.folders import write_folders
from imageloom.data.exports.params import ImageExportParams, PictureFormat
from imageloom.data.exports.parquet import write_parquet
from imageloom.data.exports.shards import BYTES_PER_MB
from imageloom.data.exports.webdataset import write_webdataset
from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.verify import read_unchanged
from imageloom.data.sources.kind import absolute_path
from imageloom.errors import ParameterParsingError
from imageloom.events import CancelToken, Control, EventSink, Notice, Progress, ignore_events
from imageloom.files.publish import appearing_directory, refuse_existing, sync_all

_FOR_SEVERAL: Final = ("parquet", "coco")  # forms that can list labels of a picture
_PICTURES_PER_EVENT: Final = 100
_PART: Final = re.compile(r"\w[\w.-]{0,99}")


@dataclass(frozen=True)
class ExportedImages:
    """What was written.

    Attributes:
        path: The folder.
        to: The form.
        num_images: Pictures in it.
        files: Names of the files in the folder itself, such as shards, in order.
        notices: What a person should know.
    """

    path: Path
    to: PictureFormat
    num_images: int
    files: tuple[str, ...]
    notices: tuple[str, ...]


def export_images(
    images: ImageDirectory,
    out: Path | str,
    *,
    params: ImageExportParams = ImageExportParams(),  # noqa: B008 - frozen
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> ExportedImages:
    """Write pictures and labels in a form that other programs read.

    Every file is read once and must have the SHA-256 that it had when it was converted; its bytes
    stay as they are. Transforms are not applied.

    Args:
        images: The pictures, labelled or not.
        out: The folder that shall appear; nothing may be there.
        params: The form, and how large shards become.
        on_event: Told the progress and every notice.
        cancel: Stops between two pictures; ``out`` does not appear.

    Raises:
        FailedToWriteOutputsError: ``out`` exists, lies among the pictures or inside something that
            was published, or cannot be written.
        InvalidDatasetError: There are no pictures, one was changed, a class name cannot stand in
            that form, or each picture may have several labels and the form has room for one.
        NotLabeledDatasetError: Some pictures have no label, and others have one.
        ParameterParsingError: The part can begin no file's name.
        RunInterruptedError: ``cancel`` was set.
    """
    control = Control.of(on_event, cancel)
    place = absolute_path(out)
    if not _PART.fullmatch(params.part):
        raise ParameterParsingError(
            f"part is {params.part!r}, but must begin the names of files.",
            hint="Use letters, digits, '_', '-' and '.', as in 'train'.",
            details={"parameter": "part"},
        )
    refuse_existing(place)
    images.refuse_outputs([place])
    images.require_pictures("to write")
    if params.to not in _FOR_SEVERAL:
        images.require_one_label(
            f"'imageloom data export --to {params.to}'",
            hint=f"{' and '.join(_FOR_SEVERAL)} hold several labels: use one of them with --to.",
        )
    if images.classes:
        images.require_labels("the pictures")
    with appearing_directory(place) as partial:
        notices = _write(images, partial, params, control)
        sync_all(partial)
        files = tuple(sorted(one.name for one in partial.iterdir() if one.is_file()))
    for notice in notices:
        control.tell(Notice("warning", notice))
    return ExportedImages(place, params.to, len(images), files, notices)


def _write(
    images: ImageDirectory, into: Path, params: ImageExportParams, control: Control
) -> tuple[str, ...]:
    contents = _contents(images, control)
    if params.to == "folders":
        return write_folders(images, contents, into)
    if params.to == "coco":
        return write_coco(images, contents, into, part=params.part)
    write = write_parquet if params.to == "parquet" else write_webdataset
    max_bytes = params.max_shard_mb * BYTES_PER_MB
    write(images, contents, into, part=params.part, max_bytes=max_bytes)
    return ()


def _contents(images: ImageDirectory, control: Control) -> Iterator[bytes]:
    """Yield the bytes of every picture in index order."""
    for row in range(len(images)):
        if row % _PICTURES_PER_EVENT == 0:
            control.tell(Progress("Writing pictures", row, len(images), "images"))
        control.raise_if_cancelled()
        yield read_unchanged(images, row)
    control.tell(Progress("Writing pictures", len(images), len(images), "images"))
