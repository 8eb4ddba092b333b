"""Where outputs may appear: beside what is there, never inside it, and never inside each other.

One rule for every output of every command, asked before anything is written or computed. A place
is refused inside

1. another output of the same call;
2. a folder that the call reads, such as one of pictures;
3. a run or anything else that was published, which is whole as it is;
4. a folder of pictures that has nothing to do with the call. For one is taken a folder that holds
   nothing but folders of pictures, or nothing but pictures, and many. A folder in which other
   things lie too is somebody's place of work.

Links are followed to where they lead. Which folders the pictures of an image directory lie in is
for ``imageloom.data.images.places`` to say.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from imageloom.errors import FailedToWriteOutputsError, ImageloomError
from imageloom.files.publish import MANIFEST, read_json

PICTURE_SUFFIXES: Final = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".ppm", ".pgm", ".pbm"),
        *(".pnm", ".tif", ".tiff", ".webp"),
    )
)
# Names of parts of a dataset, which are no classes: a run beside them is taken for none.
PART_NAMES: Final = frozenset(
    ("train", "training", "val", "valid", "validation", "dev", "eval", "test", "testing")
)
MANY: Final = 10  # pictures; with fewer, a folder may be one where somebody tries a few
_MOST_ENTRIES: Final = 1000  # looked at in a folder that may hold a million
_MOST_FOLDERS: Final = 20
_SYSTEM_FILES: Final = ("thumbs.db", "desktop.ini")  # beside the hidden ones
_NOTES: Final = ("readme", "license", "licence", "copying")  # what published pictures come with
_PUBLISHED: Final = {
    "image_directory.json": "an image directory",
    "model.json": "a model directory",
    "evaluation.json": "an evaluation",
}


def refuse_misplaced(outputs: Sequence[Path], *, read: Sequence[Path] = ()) -> None:
    """Refuse outputs that would lie inside something.

    Args:
        outputs: Every place that will be written.
        read: Folders that are only read; what is none, such as a name of a network, does not count.

    Raises:
        FailedToWriteOutputsError: The message names the output and what it would lie in.
    """
    _refuse_each_other(outputs)
    for out in outputs:
        place = _real(out)
        for folder in read:
            if _is_folder(folder) and place.is_relative_to(_real(folder)):
                raise misplaced(out, folder, "which is only read", reason="inside-source")
        for parent in place.parents:
            what = _published_kind(parent)
            if what:
                raise misplaced(out, parent, what, reason="inside-published")
        pictures = _folder_of_pictures(place)
        if pictures is not None:
            raise misplaced(out, pictures, "a folder of pictures", reason="inside-pictures")


def refuse_kept_inside(kept: Path, read: Path, *, hint: str) -> None:
    """Refuse a folder of our own, such as the cache, inside pictures that are only read.

    Below a hidden folder it is let be: pictures are never looked for there, and the home folder
    has such ones of everybody.

    Args:
        kept: Where Imageloom keeps things for itself.
        read: What is only read.
        hint: How another place is chosen.

    Raises:
        FailedToWriteOutputsError: It lies inside.
    """
    if not _is_folder(read):
        return
    place, folder = _real(kept), _real(read)
    if not place.is_relative_to(folder):
        return
    if not any(part.startswith(".") for part in place.relative_to(folder).parts):
        raise FailedToWriteOutputsError(
            f"{kept}, where Imageloom keeps things for itself, lies inside {read}, which is only "
            "read.",
            hint=hint,
            reason="inside-source",
            details={"output": str(kept), "inside": str(read)},
        )


def misplaced(out: Path, folder: Path, what: str, *, reason: str) -> FailedToWriteOutputsError:
    """Return the error for an output that would lie in a folder.

    Args:
        out: The output.
        folder: What it would lie in.
        what: What that is, as it stands behind its name and a comma.
        reason: For programs.
    """
    beside = folder.absolute().parent / out.name
    return FailedToWriteOutputsError(
        f"{out} lies inside {folder}, {what}.",
        hint="Choose a place beside it" + ("." if os.path.lexists(beside) else f": {beside}"),
        reason=reason,
        details={"output": str(out), "inside": str(folder)},
    )


def _refuse_each_other(outputs: Sequence[Path]) -> None:
    places = [_real(out) for out in outputs]
    for number, (out, place) in enumerate(zip(outputs, places, strict=True)):
        for other, taken in zip(outputs[:number], places[:number], strict=True):
            if place == taken:
                raise FailedToWriteOutputsError(
                    f"{out} is the place of two outputs.",
                    hint="Give each its own.",
                    reason="inside-output",
                    details={"output": str(out), "inside": str(other)},
                )
            if place.is_relative_to(taken):
                raise misplaced(out, other, "which is an output too", reason="inside-output")
            if taken.is_relative_to(place):
                raise misplaced(other, out, "which is an output too", reason="inside-output")


def _real(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path))
    except ValueError as problem:  # a NUL in it
        raise FailedToWriteOutputsError(
            f"{str(path)!r} cannot be written: no file can have this name.",
            hint="Choose another place.",
            reason="no-name",
        ) from problem


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path's version raises where one may not look


def _published_kind(folder: Path) -> str:
    """Return what a folder is that was published, or nothing."""
    if _has_key(folder / "run.json", ("kind", "pipeline")):
        return "a run"
    if not _has_key(folder / MANIFEST, ("sha256",)):
        return ""
    return next(
        (what for name, what in _PUBLISHED.items() if (folder / name).is_file()),
        "which was published as it is",
    )


def _has_key(file: Path, keys: tuple[str, ...]) -> bool:
    """Whether a file is there and one of ours, not somebody's of the same name."""
    if not os.path.isfile(file):  # noqa: PTH113 - as above
        return False
    try:
        return any(key in read_json(file, ImageloomError) for key in keys)
    except ImageloomError:
        return False


def _folder_of_pictures(place: Path) -> Path | None:
    """Return the folder of pictures that a place would lie in, the outermost one, or None."""
    nearest = next(parent for parent in place.parents if _is_folder(parent))
    for folder in (nearest.parent, nearest):
        if _holds_only_classes(folder):
            return folder
    content = _look_into(nearest)
    return nearest if content.are_pictures and content.pictures >= MANY else None


class _Content(NamedTuple):
    """What the first entries of a folder are."""

    pictures: int
    folders: tuple[Path, ...]
    others: int

    @property
    def are_pictures(self) -> bool:
        return self.pictures > 0 and not self.folders and not self.others


def _holds_only_classes(folder: Path) -> bool:
    content = _look_into(folder)
    if content.pictures or content.others or len(content.folders) < 2:
        return False
    if all(one.name.lower() in PART_NAMES for one in content.folders):
        return False
    return all(_look_into(one).are_pictures for one in content.folders[:_MOST_FOLDERS])


def _look_into(folder: Path) -> _Content:
    pictures, others, folders = 0, 0, []
    for entry in _entries(folder):
        stem, suffix = os.path.splitext(entry.name.lower())  # noqa: PTH122
        if stem.startswith(".") or entry.name.lower() in _SYSTEM_FILES or stem in _NOTES:
            continue
        if entry.is_dir(follow_symlinks=False):
            folders.append(Path(entry.path))
        elif suffix in PICTURE_SUFFIXES:
            pictures += 1
        else:
            others += 1
    return _Content(pictures, tuple(folders), others)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(_MOST_ENTRIES), entries, strict=False):
                yield entry
    except OSError:  # may not be listed, so nothing is known of it
        return
