"""What the preview process answers, as values; both sides import this, so nothing heavy here."""

from dataclasses import dataclass
from typing import Any, Final, Literal

SIZES: Final = (96, 240, 480, 1024)
"""Longest sides of thumbnails in pixels: few, so that the cache holds few of each picture."""

Size = Literal[96, 240, 480, 1024]


def thumbnail_name(sha256: str, size: int) -> str:
    """Return the name of a thumbnail in the cache: it can be looked for before it is asked for."""
    return f"{sha256}-{size}.jpg"


@dataclass(frozen=True)
class KeptThumbnail:
    """A small copy of a picture, in the cache.

    Attributes:
        sha256: Of the picture itself, in hexadecimal.
        name: Of the file in the folder of thumbnails.
    """

    sha256: str
    name: str


@dataclass(frozen=True)
class LeftOut:
    """A file that is not among the pictures, and why."""

    file: str
    reason: str
    hint: str
    label: str | None


@dataclass(frozen=True)
class Sample:
    """One of the first pictures of a class.

    Attributes:
        file: Its name below the root, escaped where it is not UTF-8.
        thumbnail: A small copy, or None.
        problem: Why there is none, as the rest of a sentence that begins with the file's name.
    """

    file: str
    thumbnail: KeptThumbnail | None
    problem: str


@dataclass(frozen=True)
class DescribedClass:
    """A class of a source.

    Attributes:
        name: Its name; None for pictures without labels.
        images: How many there are.
        samples: The first of them, in the order of their names; none beyond the first classes.
    """

    name: str | None
    images: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class SourceDescription:
    """What a folder, an archive, a manifest or an image directory holds.

    Attributes:
        kind: ``folder``, ``archive``, ``table``, ``coco``, ``old`` or ``image directory``.
        path: What was described, absolute.
        root: Folder that the names of files start from; empty for an archive.
        images: Pictures; of anything but an image directory, files that are tried as pictures.
        is_decoded: Whether every file was decoded, as in an image directory; else those that are
            damaged only show when the source is converted.
        classes: All classes, in order.
        left_out: How many files are left out.
        left_out_reasons: How many for each reason, the commonest first.
        left_out_files: The first of them.
        notices: What a person should know.
    """

    kind: str
    path: str
    root: str
    images: int
    is_decoded: bool
    classes: tuple[DescribedClass, ...]
    left_out: int
    left_out_reasons: dict[str, int]
    left_out_files: tuple[LeftOut, ...]
    notices: tuple[str, ...]


def description_from(content: dict[str, Any]) -> SourceDescription:
    """Return a description from the JSON that the other side made of it."""
    classes = tuple(
        DescribedClass(one["name"], one["images"], tuple(map(_sample_from, one["samples"])))
        for one in content["classes"]
    )
    left_out = tuple(LeftOut(**one) for one in content["left_out_files"])
    lists = {"classes": classes, "left_out_files": left_out, "notices": tuple(content["notices"])}
    return SourceDescription(**{**content, **lists})


def _sample_from(content: dict[str, Any]) -> Sample:
    made = content["thumbnail"]
    return Sample(content["file"], KeptThumbnail(**made) if made else None, content["problem"])
