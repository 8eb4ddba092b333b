"""Pages of an image directory, as values; a server imports this, so nothing heavy here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassCount:
    """A class of an image directory.

    Attributes:
        name: Its name; None for pictures without labels.
        images: How many pictures it has.
    """

    name: str | None
    images: int


@dataclass(frozen=True)
class Histogram:
    """How many pictures have which value.

    Attributes:
        edges: Ends of the bins, one more than there are bins, rising.
        counts: Pictures in each bin; the last bin includes its upper end.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class ImagesOverview:
    """An image directory in numbers.

    Attributes:
        root: Folder of the pictures.
        images: How many there are.
        classes: All classes, in order, and last those without a label, if any.
        formats: Pictures by file format, the commonest first.
        size_bytes: Of all files together.
        left_out: How many files were left out.
        left_out_reasons: How many for each reason, the commonest first.
        notices: What a person should know.
        shorter_side: Histogram of the shorter side of the pictures, in pixels.
        shape: Histogram of width divided by height.
        transforms: The operations that the pictures carry, as JSON; None when they carry none.
    """

    root: str
    images: int
    classes: tuple[ClassCount, ...]
    formats: dict[str, int]
    size_bytes: int
    left_out: int
    left_out_reasons: dict[str, int]
    notices: tuple[str, ...]
    shorter_side: Histogram
    shape: Histogram
    transforms: list[dict[str, object]] | None


@dataclass(frozen=True)
class ListedPicture:
    """A picture that an image directory lists.

    Attributes:
        row: Its position, from 0.
        file: Its path from the root.
        label: Its class, or None.
        width: Pixels, after EXIF orientation.
        height: Pixels.
        format: Of the file.
        size_bytes: Of the file.
        sha256: Of the file, in hexadecimal.
    """

    row: int
    file: str
    label: str | None
    width: int
    height: int
    format: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class PicturePage:
    """Some pictures of an image directory.

    Attributes:
        pictures: In the order that was asked for.
        total: How many there are in all.
    """

    pictures: tuple[ListedPicture, ...]
    total: int
