"""What is in an image directory, what was left out, and what may make results look too good."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imageloom.data.images.directory import ImageDirectory, Rejected
from imageloom.data.images.duplicates import equal_groups
from imageloom.data.images.findings import contradictions
from imageloom.data.images.shared_groups import shared_groups
from imageloom.data.images.verify import changed_files
from imageloom.events import CancelToken, Control, EventSink, ignore_events


@dataclass(frozen=True)
class Spread:
    """Smallest, middle and largest of some numbers; all 0 when there are none."""

    smallest: int
    median: int
    largest: int


@dataclass(frozen=True)
class SharedPictures:
    """An image directory beside another one.

    Attributes:
        root: The other's pictures.
        leaks: Pictures with equal bytes in both: here and there, in pairs of file names.
        missing_classes: Classes of this one that the other lacks.
        extra_classes: Classes of the other that this one lacks.
        groups: Groups with pictures in both, as they come in the other.
    """

    root: Path
    leaks: tuple[tuple[str, str], ...]
    missing_classes: tuple[str, ...]
    extra_classes: tuple[str, ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataReport:
    """What ``check`` found.

    Attributes:
        root: Folder of the pictures.
        images: Usable pictures.
        images_per_class: By class name, in class order; empty when unlabelled.
        is_labelled: Whether every picture has a label.
        formats: Pictures by file format.
        turned: Pictures with an EXIF orientation other than 1.
        width: Pixels.
        height: Pixels.
        size_bytes: Bytes of all files.
        rejected: Files that were left out at conversion, with reasons.
        changed: Files that are not any more what was converted.
        duplicates: Sets of files with equal bytes.
        contradictions: Those of them that stand under different labels.
        notices: Sentences that were noted at conversion.
        comparison: Beside another image directory, or None.
        has_several_labels: Whether each picture may have several labels.
    """

    root: Path
    images: int
    images_per_class: dict[str, int]
    is_labelled: bool
    formats: dict[str, int]
    turned: int
    width: Spread
    height: Spread
    size_bytes: int
    rejected: tuple[Rejected, ...]
    changed: tuple[Rejected, ...]
    duplicates: tuple[tuple[str, ...], ...]
    contradictions: tuple[tuple[str, ...], ...]
    notices: tuple[str, ...]
    comparison: SharedPictures | None = None
    has_several_labels: bool = False

    def to_json(self) -> dict[str, object]:
        """Return plain JSON values: every file by name, and how many of each kind there are."""
        other = self.comparison
        return {
            "root": str(self.root),
            "images": self.images,
            "images_per_class": self.images_per_class,
            "labelled": self.is_labelled,
            **({"several_labels": True} if self.has_several_labels else {}),
            "formats": self.formats,
            "turned": self.turned,
            "width": vars(self.width),
            "height": vars(self.height),
            "size_bytes": self.size_bytes,
            "rejected": [vars(one) for one in self.rejected],
            "changed": [vars(one) for one in self.changed],
            "duplicates": [list(files) for files in self.duplicates],
            "contradictions": [list(files) for files in self.contradictions],
            "counts": {
                "rejected": len(self.rejected),
                "changed": len(self.changed),
                "duplicates": len(self.duplicates),
                "files_in_duplicates": sum(map(len, self.duplicates)),
                "contradictions": len(self.contradictions),
                "leaks": len(other.leaks) if other else None,
            },
            "notices": list(self.notices),
            "comparison": other
            and {
                "root": str(other.root),
                "leaks": [list(pair) for pair in other.leaks],
                "shared_groups": list(other.groups),
                "missing_classes": list(other.missing_classes),
                "extra_classes": list(other.extra_classes),
            },
        }


def check(
    images: ImageDirectory,
    against: ImageDirectory | None = None,
    *,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> DataReport:
    """Look at the pictures of an image directory; every file is read again.

    Args:
        images: What to look at.
        against: Another one, such as the validation pictures, to find pictures that are in both.
        on_event: Told how many files were read.
        cancel: Stops between two files.

    Raises:
        RunInterruptedError: ``cancel`` was set.
    """
    control = Control.of(on_event, cancel)
    index = images.index
    formats = Counter(index.column("format").to_pylist())
    return DataReport(
        root=images.root,
        images=len(images),
        images_per_class=images.counts,
        is_labelled=images.is_labelled,
        formats=dict(formats.most_common()),
        turned=int(pc.sum(pc.not_equal(index.column("orientation"), 1)).as_py() or 0),
        width=_spread(index.column("width")),
        height=_spread(index.column("height")),
        size_bytes=int(pc.sum(index.column("size_bytes")).as_py() or 0),
        rejected=images.rejected,
        changed=changed_files(images, control=control),
        duplicates=tuple(tuple(map(images.file, rows)) for rows in equal_groups(index)),
        contradictions=tuple(tuple(map(images.file, rows)) for rows in contradictions(images)),
        notices=images.notices,
        comparison=None if against is None else compare(images, against),
        has_several_labels=images.has_several_labels,
    )


def compare(images: ImageDirectory, other: ImageDirectory) -> SharedPictures:
    """Return which pictures stand in both, byte for byte, and how the class lists differ.

    A picture that was encoded anew or is only similar is not found.
    """
    both = pa.concat_tables([images.index.select(["sha256"]), other.index.select(["sha256"])])
    leaks = []
    for rows in equal_groups(both):
        here = [row for row in rows if row < len(images)]
        there = [row - len(images) for row in rows if row >= len(images)]
        if here and there:
            leaks += [(images.file(row), other.file(there[0])) for row in here]
    return SharedPictures(
        root=other.root,
        leaks=tuple(leaks),
        groups=tuple(shared_groups(images, other)),
        missing_classes=tuple(name for name in images.classes if name not in other.classes),
        extra_classes=tuple(name for name in other.classes if name not in images.classes),
    )


def _spread(column: pa.ChunkedArray) -> Spread:
    if not len(column):
        return Spread(0, 0, 0)
    values = column.to_numpy()
    return Spread(int(values.min()), int(np.median(values)), int(values.max()))
