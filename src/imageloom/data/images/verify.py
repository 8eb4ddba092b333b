"""Whether the pictures still are what was converted: the SHA-256 of every file, read again."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from imageloom.data.decoding.listed_file import ChangedFileError, UnreadableFileError
from imageloom.data.images.converted_files import (
    HOW_TO_MEND,
    ConvertedFile,
    content_of,
    turns_of_files,
)
from imageloom.data.images.directory import ImageDirectory, Rejected
from imageloom.data.images.index import file_name
from imageloom.errors import InvalidDatasetError
from imageloom.events import Control, Progress
from imageloom.system.wording import count, some

_THREADS: Final = 8  # hashing lets go of the interpreter, and disks answer several readers at once
_MOST_LISTED: Final = 100


def changed_files(images: ImageDirectory, *, control: Control) -> tuple[Rejected, ...]:
    """Read every picture and return those that are not what was converted, in index order.

    Args:
        images: A directory whose files may have changed since.
        control: Told how many were read; stops between two files.

    Raises:
        RunInterruptedError: Somebody asked to stop.
    """
    found: list[Rejected] = []
    done = 0
    with ThreadPoolExecutor(_THREADS) as threads:
        for turn in turns_of_files(images):
            control.raise_if_cancelled()
            changes = threads.map(lambda file: _change(images, file), turn)
            found += [
                Rejected(file_name(file.path), what, HOW_TO_MEND)
                for file, what in zip(turn, changes, strict=True)
                if what
            ]
            done += len(turn)
            control.tell(Progress("Checking files", done, len(images), "images"))
    return tuple(found)


def verify_pictures(images: ImageDirectory, *, control: Control) -> None:
    """Refuse pictures that are not what was converted.

    Raises:
        InvalidDatasetError: Names the first of them, and lists up to 100 in its details.
    """
    changed = changed_files(images, control=control)
    if changed:
        shown = some([f"{one.file!r} {one.reason}" for one in changed])
        differ = "differs" if len(changed) == 1 else "differ"
        raise InvalidDatasetError(
            f"{len(changed):,} of {count(len(images), 'picture')} in {images.root} {differ} from "
            f"what was converted: {shown}.",
            hint=HOW_TO_MEND,
            reason="changed-pictures",
            details={"files": [one.file for one in changed[:_MOST_LISTED]]},
        )


def read_unchanged(images: ImageDirectory, position: int) -> bytes:
    """Return the bytes of one picture, which must be those that were converted.

    Raises:
        InvalidDatasetError: They are not, or the file is gone; the message names it.
    """
    columns = (images.index.column(name) for name in ConvertedFile._fields)
    file = ConvertedFile(*(column[position].as_py() for column in columns))
    try:
        return content_of(images, file)
    except (ChangedFileError, UnreadableFileError) as problem:
        raise InvalidDatasetError(
            f"{file_name(file.path)!r} in {images.root} {problem}.",
            hint=HOW_TO_MEND,
            reason="changed-pictures",
            details={"files": [file_name(file.path)]},
        ) from problem


def _change(images: ImageDirectory, file: ConvertedFile) -> str:
    """Return what is different about one file, or nothing."""
    try:
        content_of(images, file)
    except (ChangedFileError, UnreadableFileError) as problem:
        return str(problem)
    return ""
