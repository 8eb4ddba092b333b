"""Pictures that stand twice or nearly twice, in one image directory or in two.

Legend: N pictures.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imageloom.data.images.directory import ImageDirectory, Rejected
from imageloom.data.images.duplicates import equal_groups
from imageloom.data.similar.likeness import Likeness
from imageloom.data.similar.looks import Looks, look_at_pictures
from imageloom.data.similar.miniature import are_flat, brightness_of
from imageloom.data.similar.near_pairs import require_distance
from imageloom.data.similar.near_sets import near_sets
from imageloom.events import CancelToken, Control, EventSink, Notice, ignore_events
from imageloom.settings import read_settings
from imageloom.system.wording import count

DEFAULT_DISTANCE: Final = 6
"""Bits of 64. docs/guides/pictures.md has what it finds and misses on photos."""

_NOT_ALIKE: Final = 65
Rows = Sequence[int] | npt.NDArray[np.int64]


@dataclass(frozen=True)
class PictureSet:
    """A set of pictures that stand more than once, or look alike.

    Attributes:
        rows: Their positions in the image directory, in rising order.
        distances: In how many of 64 bits each differs from the first; all 0 for equal bytes.
        is_contradiction: Whether they stand under different labels.
    """

    rows: tuple[int, ...]
    distances: tuple[int, ...]
    is_contradiction: bool


@dataclass(frozen=True)
class Leak:
    """A picture that another image directory has too.

    Attributes:
        here: Its position.
        there: The position of the nearest one in the other.
        distance: In how many of 64 bits they differ.
        is_equal: Whether their bytes are equal.
    """

    here: int
    there: int
    distance: int
    is_equal: bool


@dataclass(frozen=True)
class Duplicates:
    """What ``find_duplicates`` found.

    Attributes:
        images: Where it looked.
        against: The other image directory, or None.
        distance: In how many of 64 bits two pictures that look alike may differ.
        equal: Sets of pictures with equal bytes.
        similar: Sets of pictures that look alike although not all have equal bytes.
        leaks: Pictures that stand in both image directories, equal or alike; in index order.
        num_flat: How many pictures, of both, show nothing that could be compared, such as a plain
            colour: of these, only equal bytes are found.
        unread: Files that could not be read or have changed, of both.
        brightness_N: float32 [N], mean grey value of each picture, 0 to 255; NaN where unread.
    """

    images: ImageDirectory
    against: ImageDirectory | None
    distance: int
    equal: tuple[PictureSet, ...]
    similar: tuple[PictureSet, ...]
    leaks: tuple[Leak, ...]
    num_flat: int
    unread: tuple[Rejected, ...]
    brightness_N: npt.NDArray[np.float32] = field(repr=False, compare=False)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found, and every file could be read."""
        return not (self.equal or self.similar or self.leaks or self.unread)

    @property
    def brightness(self) -> tuple[float, float, float] | None:
        """The darkest, the middle and the brightest mean grey value; None where none is known."""
        known_N = self.brightness_N[~np.isnan(self.brightness_N)]
        if not len(known_N):
            return None
        low, middle, high = np.quantile(known_N, (0, 0.5, 1)).tolist()
        return (low, middle, high)

    def to_json(self) -> dict[str, object]:
        """Return plain JSON values: every file by name, and how many of each kind there are."""
        there = self.against
        return {
            "root": str(self.images.root),
            "against": None if there is None else str(there.root),
            "images": len(self.images),
            "distance": self.distance,
            "equal": [self._set_to_json(one) for one in self.equal],
            "similar": [self._set_to_json(one) for one in self.similar],
            "leaks": [
                {
                    "here": self.images.file(one.here),
                    "there": there.file(one.there),
                    "distance": one.distance,
                    "is_equal": one.is_equal,
                }
                for one in self.leaks
                if there is not None
            ],
            "counts": {
                "equal": len(self.equal),
                "similar": len(self.similar),
                "leaks": len(self.leaks),
                "flat": self.num_flat,
                "unread": len(self.unread),
            },
            "unread": [vars(one) for one in self.unread],
            "brightness": dict(
                zip(("smallest", "median", "largest"), self.brightness or (), strict=False)
            ),
        }

    def _set_to_json(self, one: PictureSet) -> dict[str, object]:
        return {
            "files": [self.images.file(row) for row in one.rows],
            "labels": [label_of(self.images, row) for row in one.rows],
            "distances": list(one.distances),
            "is_contradiction": one.is_contradiction,
        }


def find_duplicates(
    images: ImageDirectory,
    *,
    against: ImageDirectory | None = None,
    distance: int = DEFAULT_DISTANCE,
    looks: Path | None = None,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> Duplicates:
    """Find pictures with equal bytes, those that look alike, and those that two directories share.

    Two pictures look alike when their difference hashes differ in few bits and their miniatures
    correlate: one may have been encoded anew, resized or made brighter. Every pair for which both
    hold is found. Parts of a picture, mirrored and turned ones are not.

    Args:
        images: Where to look.
        against: Another one, such as the validation pictures, to find pictures that are in both.
        distance: In how many of 64 bits two may differ, 0 to 10.
        looks: File in which looks are kept; by default one below ``IMAGELOOM_HOME``.
        on_event: Told how many pictures were looked at.
        cancel: Stops it; what was looked at until then is kept for the next time.

    Raises:
        NotInRangeValueError: ``distance`` is out of range.
        FailedToWriteOutputsError: Looks cannot be kept.
        RunInterruptedError: ``cancel`` was set.
    """
    control = Control.of(on_event, cancel)
    require_distance(distance)
    kept = looks or read_settings(os.environ).picture_looks
    sides = [images] if against is None else [images, against]
    seen = _joined([look_at_pictures(side, kept, control=control) for side in sides])
    num_here = len(images)
    index = pa.concat_tables([side.index.select(["sha256"]) for side in sides])
    groups = list(equal_groups(index))
    is_flat_N = seen.is_known_N & are_flat(seen.miniatures_NHW)
    if is_flat_N.any():
        control.tell(Notice("info", _on_flat(int(is_flat_N.sum()))))
    compared = np.flatnonzero(seen.is_known_N & ~is_flat_N)
    likeness = Likeness(seen.miniatures_NHW, distance)
    near = [
        compared[rows]
        for rows in near_sets(seen.miniatures_NHW[compared], distance, control=control)
    ]
    set_of_bytes = _numbers_of(groups, len(index))
    near_here = [rows[rows < num_here] for rows in near]
    unlike = [rows for rows in near_here if len(np.unique(set_of_bytes[rows])) > 1]
    brightness_N = brightness_of(seen.miniatures_NHW[:num_here])
    return Duplicates(
        images=images,
        against=against,
        distance=distance,
        equal=tuple(_alike(images, groups, likeness, is_equal=True)),
        similar=tuple(_alike(images, unlike, likeness)),
        leaks=tuple(_leaks([*groups, *near], likeness, set_of_bytes, num_here)),
        num_flat=int(is_flat_N.sum()),
        unread=seen.unread,
        brightness_N=np.where(seen.is_known_N[:num_here], brightness_N, np.float32("nan")),
    )


def label_of(images: ImageDirectory, row: int) -> str | None:
    """Return the class of a picture, or None; of several, all of them as one text."""
    return ", ".join(images.label_names(row)) or None


def _on_flat(num_flat: int) -> str:
    return (
        f"{count(num_flat, 'picture shows', 'pictures show')} next to nothing, such as a plain "
        "colour: of these, only copies with equal bytes are found."
    )


def _joined(looks: Sequence[Looks]) -> Looks:
    return Looks(
        np.concatenate([one.miniatures_NHW for one in looks]),
        np.concatenate([one.is_known_N for one in looks]),
        tuple(unread for one in looks for unread in one.unread),
    )


def _numbers_of(groups: Sequence[Sequence[int]], num_rows: int) -> npt.NDArray[np.int64]:
    """Return for each row the number of its set of equal bytes; unique where it is alone."""
    numbers = -np.arange(num_rows, dtype=np.int64) - 1
    for number, rows in enumerate(groups):
        numbers[rows] = number
    return numbers


def _alike(
    images: ImageDirectory, sets: Sequence[Rows], likeness: Likeness, *, is_equal: bool = False
) -> Iterator[PictureSet]:
    """Yield what lies in ``images`` itself of each set, where that is more than one picture."""
    for one in sets:
        rows = np.asarray(one, dtype=np.int64)
        rows = rows[rows < len(images)]
        if len(rows) < 2:
            continue
        distances = likeness.distances(int(rows[0]), rows)
        yield PictureSet(
            rows=tuple(rows.tolist()),
            distances=(0,) * len(rows) if is_equal else tuple(distances.tolist()),
            is_contradiction=len({images.label_names(row) for row in rows.tolist()}) > 1,
        )


def _leaks(
    sets: Sequence[Rows],
    likeness: Likeness,
    set_of_bytes: npt.NDArray[np.int64],
    num_here: int,
) -> list[Leak]:
    """Return for each picture here that has one there the nearest, in index order."""
    found: dict[int, Leak] = {}
    for one in sets:
        rows = np.asarray(one, dtype=np.int64)
        there = rows[rows >= num_here]
        for here in rows[rows < num_here].tolist() if len(there) else ():
            is_equal = set_of_bytes[there] == set_of_bytes[here]
            bits = np.where(is_equal, -1, likeness.distances(here, there).astype(np.int64))
            bits[~is_equal & ~likeness.are_alike(np.full_like(there, here), there)] = _NOT_ALIKE
            nearest = int(np.argmin(bits))
            if here in found or bits[nearest] == _NOT_ALIKE:
                continue
            distance, place = max(0, int(bits[nearest])), int(there[nearest]) - num_here
            found[here] = Leak(here, place, distance, bool(is_equal[nearest]))
    return [found[here] for here in sorted(found)]
