"""What the preview process answers, as values; both sides import this, so nothing heavy here."""

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from pydantic import TypeAdapter

Answer = TypeVar("Answer")
_READERS: Final[dict[object, TypeAdapter[Any]]] = {}  # each takes a millisecond or two to make

SIZES: Final = (96, 240, 480, 1024)
"""Longest sides of thumbnails in pixels: few, so that the cache holds few of each picture."""

Size = Literal[96, 240, 480, 1024]


def answer_as(kind: type[Answer], content: object) -> Answer:
    """Return what a helper process answered as the value of which it made JSON."""
    if kind not in _READERS:
        _READERS[kind] = TypeAdapter(kind)
    answer: Answer = _READERS[kind].validate_python(content)
    return answer


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
class LeftOutPage:
    """Some of the files that are left out.

    Attributes:
        rows: The files, by name.
        total: How many there are.
    """

    rows: tuple[LeftOut, ...]
    total: int


@dataclass(frozen=True)
class Losses:
    """Whether a conversion goes on without the files that are left out.

    Attributes:
        lost: How many of them are pictures, as far as their names tell.
        pictures: How many pictures there are with these.
        most_fraction: Largest share of them that may be left out.
        enough_fraction: A round share that would let the conversion go on; 0 where none would.
        emptied: Classes that would have no picture left.
        is_refused: Whether a conversion would fail.
    """

    lost: int
    pictures: int
    most_fraction: float
    enough_fraction: float
    emptied: tuple[str, ...]
    is_refused: bool


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
        images: Pictures, without those that are known to be unusable.
        files: Files that are taken for pictures by their names, the unusable ones among them.
        headers_read: Of how many files the header was read, so that those that are no pictures
            are known; of an image directory all, and they were decoded too.
        is_decoded: Whether every file was decoded, as in an image directory; else damage behind a
            header only shows when the source is converted.
        classes: All classes, in order.
        left_out: How many files are left out.
        left_out_reasons: How many for each reason, the commonest first.
        losses: What that means for a conversion.
        notices: What a person should know.
    """

    kind: str
    path: str
    root: str
    images: int
    files: int
    headers_read: int
    is_decoded: bool
    classes: tuple[DescribedClass, ...]
    left_out: int
    left_out_reasons: dict[str, int]
    losses: Losses
    notices: tuple[str, ...]
