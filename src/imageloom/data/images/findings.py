"""Whether the pictures that are left after decoding may be published, and what to say of them."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom.data.decoding.foreign import ACCEPTED
from imageloom.data.images.directory import ImageDirectory, Rejected
from imageloom.data.images.duplicates import equal_groups
from imageloom.data.images.shared_groups import notices_on_groups
from imageloom.data.links import FOLLOW
from imageloom.errors import InvalidDatasetError
from imageloom.preprocessing.similar_names import quoted
from imageloom.system.wording import count, some

_EXAMPLES: Final = 3
_REASONS_SHOWN: Final = 5
_DETAILS: Final = 100
_IMBALANCE: Final = 100  # above this, accuracy says little about the small class


def refuse_losses(
    counts: Mapping[str, int],
    rejected: Sequence[Rejected],
    max_rejected_fraction: float,
    *,
    num_images: int,
    place: Path,
) -> None:
    """Refuse pictures of which too many were left out.

    Args:
        counts: Pictures that are left, by class; empty for pictures without labels.
        rejected: Files that were left out.
        max_rejected_fraction: Largest share that may be left out; exactly this share may.
        num_images: Pictures that are left, with or without labels.
        place: Where a person has them.

    Raises:
        InvalidDatasetError: Nothing is left, a class has lost all its pictures, or more than the
            share were left out. The details list the first 100 files.
    """
    lost = sum(one.is_picture for one in rejected)
    total = num_images + lost
    for name, left in counts.items():
        if left == 0:
            # Of pictures with several labels it is not told which those that were left out had.
            mine = [one for one in rejected if one.label == name]
            lost_all = f"all {len(mine):,} were" if mine else "each picture that has it was"
            mine = mine or list(rejected)
            raise InvalidDatasetError(
                f"The class {quoted(name)} in {place} has no usable image: {lost_all} left out. "
                f"{_reasons(mine)}",
                hint=f"{_way_out(mine)}, or remove the class's folder.",
                reason="class-without-images",
                details={"class": name, "rejected": _listed(mine)},
            )
    if not num_images:
        raise InvalidDatasetError(
            f"{_none_of(lost)} in {place} can be used. {_reasons(rejected)}".strip(),
            hint=f"{_way_out(rejected)}.",
            reason="too-many-rejected",
            details={"rejected_count": lost, "images": 0, "rejected": _listed(rejected)},
        )
    # As text, 0.01 is one in a hundred; as a float it is a little more.
    if lost > Fraction(repr(max_rejected_fraction)) * total:
        raise InvalidDatasetError(
            f"{lost:,} of {total:,} pictures in {place} cannot be used "
            f"({100 * lost / total:.3g} %), more than the "
            f"{100 * max_rejected_fraction:g} % allowed. {_reasons(rejected)}",
            hint=f"{_way_out(rejected)}, or allow more with --max-rejected-fraction "
            f"{enough_fraction(lost, total):g}.",
            reason="too-many-rejected",
            details={
                "rejected_count": lost,
                "images": total,
                "rejected": _listed(rejected),
                "option": f"--max-rejected-fraction {enough_fraction(lost, total):g}",
            },
        )


def notices_on(images: ImageDirectory) -> tuple[str, ...]:
    """Return what a person should know before training on these pictures."""
    return (*_imbalance(images.counts), *notices_on_groups(images), *notices_on_copies(images))


def notices_on_copies(images: ImageDirectory) -> tuple[str, ...]:
    """Return what a person should know of pictures that stand several times, with equal bytes."""
    groups = list(equal_groups(images.index))
    return (*_two_labels(images, groups), *_one_label(images, groups))


def _one_label(images: ImageDirectory, groups: Sequence[Sequence[int]]) -> Iterator[str]:
    found = [rows for rows in groups if not _has_two_labels(images, rows)]
    if found:
        first = (f"{images.file(rows[0])} ({len(rows):,} times)" for rows in found[:_EXAMPLES])
        yield (
            f"{sum(map(len, found)):,} of {count(len(images), 'picture')} stand more than once, "
            f"with equal bytes: {some(list(first), total=len(found))}. Each copy counts as a "
            "picture of its own; leave one of each."
        )


def _imbalance(counts: Mapping[str, int]) -> Iterator[str]:
    if len(counts) < 2:
        return
    least, most = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    if counts[most] >= _IMBALANCE * counts[least]:
        yield (
            f"The classes are far from balanced: {quoted(most)} has {counts[most]:,} pictures "
            f"and {quoted(least)} has {counts[least]:,}. Look at the figures per class, not only "
            "at the accuracy; --class-weights balanced or --sampling balanced may help."
        )


def _two_labels(images: ImageDirectory, groups: Sequence[Sequence[int]]) -> Iterator[str]:
    found = [rows for rows in groups if _has_two_labels(images, rows)]
    if found:
        shown = "; ".join(_with_labels(images, rows) for rows in found[:_EXAMPLES])
        yield (
            f"{count(len(found), 'picture stands', 'pictures stand')} under more than one label "
            f"with equal bytes: {shown}. 'imageloom data check' says more."
        )


def _with_labels(images: ImageDirectory, rows: Sequence[int]) -> str:
    first = _labels_first(images, rows)[:_EXAMPLES]
    names = [f"{images.file(row)} as {_label_words(images, row)}" for row in first]
    return some(names, total=len(rows))


def contradictions(images: ImageDirectory) -> Iterator[list[int]]:
    """Yield the rows of each set of pictures with equal bytes and different labels.

    The first row of each label comes before the others, so that a few of them show the matter.
    """
    for rows in equal_groups(images.index):
        if _has_two_labels(images, rows):
            yield _labels_first(images, rows)


def _label_words(images: ImageDirectory, row: int) -> str:
    return some(list(map(quoted, images.label_names(row)))) or "none of the classes"


def _label_keys(images: ImageDirectory, rows: Sequence[int]) -> npt.NDArray[np.int32]:
    """Return a number for each picture, equal where the labels are."""
    if not images.has_several_labels:
        return images.labels[rows]
    numbers: dict[tuple[str, ...], int] = {}
    found = [numbers.setdefault(images.label_names(row), len(numbers)) for row in rows]
    return np.array(found, dtype=np.int32)


def _labels_first(images: ImageDirectory, rows: Sequence[int]) -> list[int]:
    _, firsts = np.unique(_label_keys(images, rows), return_index=True)
    order = np.concatenate([np.sort(firsts), np.delete(np.arange(len(rows)), firsts)])
    return [rows[int(place)] for place in order]


def _has_two_labels(images: ImageDirectory, rows: Sequence[int]) -> bool:
    return bool(images.classes) and len(np.unique(_label_keys(images, rows))) > 1


def left_out_notice(images: ImageDirectory, source: Path | str) -> str:
    """Return one sentence on the files of a source that were left out, which must be some."""
    files = [f"{one.file} {one.reason}" for one in images.rejected[:_EXAMPLES]]
    lost = len(images.rejected)
    return (
        f"{lost:,} of {count(len(images) + lost, 'file')} in {source} "
        f"{'was' if lost == 1 else 'were'} left out: {some(files, total=lost)}."
    )


def _none_of(lost: int) -> str:
    return f"None of the {lost:,} pictures" if lost > 1 else "No picture"


def _way_out(rejected: Sequence[Rejected]) -> str:
    """Return what to do about files that were left out, without a full stop."""
    if any(FOLLOW in one.hint for one in rejected):
        return f"Read what links lead to with {FOLLOW}, or put the files themselves there"
    others = sum(ACCEPTED in one.hint for one in rejected)
    if others == len(rejected) > 0:
        return f"Save them as {ACCEPTED}"
    if others:
        return f"Save those of other formats as {ACCEPTED}, and repair, replace or remove the rest"
    return "Repair, replace or remove them"


def enough_fraction(lost: int, total: int) -> float:
    """Return the next round share that lets so many of the pictures be left out."""
    return math.ceil(1000 * lost / total) / 1000


def _reasons(rejected: Sequence[Rejected]) -> str:
    counted = Counter(one.reason for one in rejected).most_common()
    parts = []
    for reason, times in counted[:_REASONS_SHOWN]:
        files = [one.file for one in rejected if one.reason == reason][:_EXAMPLES]
        parts.append(f"{times:,}: {reason} ({some(files, total=times)})")
    others = len(counted) - _REASONS_SHOWN
    rest = f"; and {count(others, 'other reason')}" if others > 0 else ""
    return f"Why: {'; '.join(parts)}{rest}." if parts else ""


def _listed(rejected: Sequence[Rejected]) -> list[str]:
    return [f"{one.file}: {one.reason}" for one in rejected[:_DETAILS]]
