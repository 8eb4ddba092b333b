"""Divide pictures into two or three parts, each class in the same proportion.

Legend: N pictures, K classes, P parts.
"""

import dataclasses
import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.duplicates import equal_groups, first_words
from imageloom.data.images.group_split import parts_by_group
from imageloom.data.images.index import UNLABELLED, label_pairs
from imageloom.data.images.label_set_split import parts_by_label_sets
from imageloom.data.images.shared_groups import notice_on_torn_groups
from imageloom.data.params import SplitParams
from imageloom.errors import InvalidDatasetError, NotInRangeValueError
from imageloom.events import EventSink, Notice, ignore_events
from imageloom.system.wording import count, some

_NAMES: Final = ("first", "second", "third")
_NOTED_DIFFERENCE: Final = 0.02  # of all pictures, between the share asked for and the one given
_EXAMPLES: Final = 3
_WORD: Final = (1 << 64) - 1


def split(
    images: ImageDirectory,
    params: SplitParams = SplitParams(),  # noqa: B008 - frozen
    *,
    on_event: EventSink = ignore_events,
) -> tuple[ImageDirectory, ...]:
    """Return two or three parts that together hold every picture once.

    In each class, a part gets its share to the nearest picture (largest remainder). A class of two
    or more pictures stands in both the first and the second part, whatever the share; a class with
    one picture stands in the first. Which pictures go where depends on the seed and on the
    pictures' bytes, not on their names or order. Where each picture may have several labels, each
    label is divided so as far as those beside it allow (``parts_by_label_sets``).

    Args:
        images: Labelled or not; unlabelled pictures count as one class.
        params: Shares, seed, and whether groups stay together.
        on_event: Told what could not be done as asked.

    Returns:
        Parts with the full class list, in the order of their pictures in ``images``. Each keeps the
        record of what was left out of the whole, and the notices on it and on the split.

    Raises:
        InvalidDatasetError: Fewer than two pictures, or groups are asked for and there are none.
        NotInRangeValueError: A share of these pictures comes to less than half a picture, or the
            shares leave nothing for the second part.
    """
    shares_P = _shares(images, params)
    counts_KP = allot(_class_counts(images), shares_P)
    if params.by_group:
        part_N = parts_by_group(images, counts_KP, params.seed)
    elif images.has_several_labels:
        order_N = np.argsort(first_words(images.index), kind="stable")
        order_N = order_N[_shuffle(len(images), params.seed, "")]
        wanted_P = _whole_shares(len(images), shares_P)
        part_N = parts_by_label_sets(images, counts_KP[:-1], wanted_P, order_N)
    else:
        part_N = _parts_by_picture(images, counts_KP, params.seed)
    notices = _notices(images, part_N, shares_P, params)
    for notice in notices:
        on_event(Notice("warning", notice))
    whole = dataclasses.replace(images, notices=(*images.notices, *notices))
    return tuple(whole.select(np.flatnonzero(part_N == part)) for part in range(len(shares_P)))


def allot(
    counts_K: npt.NDArray[np.int64], shares_P: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Return how many pictures of each class go to each part, int64 [K, P].

    Rows add up to ``counts_K``. Each number is within one of ``count * share``, and the parts' sums
    are the nearest whole numbers to theirs, except where the rule that a class stands in both the
    first and the second part wants otherwise.

    Args:
        counts_K: int64, pictures of each class.
        shares_P: float64, shares that add up to 1.
    """
    exact_KP = counts_K[:, None] * shares_P[None, :]
    alloted_KP = np.floor(exact_KP + 1e-9).astype(np.int64)
    left_K = counts_K - alloted_KP.sum(axis=1)
    left_P = _whole_shares(int(counts_K.sum()), shares_P) - alloted_KP.sum(axis=0)
    remainders_KP = exact_KP - alloted_KP
    for place in np.argsort(-remainders_KP, axis=None, kind="stable"):
        row, part = divmod(int(place), len(shares_P))
        if left_K[row] > 0 and left_P[part] > 0:
            alloted_KP[row, part] += 1
            left_K[row] -= 1
            left_P[part] -= 1
    for row in np.repeat(np.arange(len(left_K)), left_K).tolist():
        part = int(np.argmax(left_P))  # it wants one more, but its turn came under other classes
        alloted_KP[row, part] += 1
        left_P[part] -= 1
    for row in range(len(counts_K)):
        _give_every_part_one(alloted_KP[row])
    return alloted_KP


def _give_every_part_one(alloted_P: npt.NDArray[np.int64]) -> None:
    """Move pictures of one class so that as many parts as possible have one, in order."""
    for part in range(min(int(alloted_P.sum()), len(alloted_P))):
        if alloted_P[part] == 0:
            # Of equals the last gives, which may be one that needs none.
            giver = len(alloted_P) - 1 - int(np.argmax(alloted_P[::-1]))
            alloted_P[giver] -= 1
            alloted_P[part] += 1


def _whole_shares(total: int, shares_P: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return whole numbers that add up to ``total``, by largest remainder; ties to the earlier."""
    exact_P = total * shares_P
    whole_P = np.floor(exact_P + 1e-9).astype(np.int64)
    order = np.argsort(-(exact_P - whole_P), kind="stable")
    whole_P[order[: total - int(whole_P.sum())]] += 1
    return whole_P


def _shares(images: ImageDirectory, params: SplitParams) -> npt.NDArray[np.float64]:
    if len(images) < 2:
        raise InvalidDatasetError(
            f"{len(images)} pictures cannot be split into parts.",
            hint="A split needs at least 2 pictures.",
            reason="too-few-images",
            details={"images": len(images)},
        )
    third = params.third_fraction or 0.0
    if params.fraction + third >= 1:
        raise NotInRangeValueError(
            f"fraction is {params.fraction:g} and third_fraction is {third:g}; together they must "
            "be below 1.",
            hint="The second part gets what the two leave.",
        )
    shares = [params.fraction, 1 - params.fraction - third, *([third] if third else [])]
    for name, share in zip(_NAMES, shares, strict=False):
        if round(share * len(images)) < 1:
            raise NotInRangeValueError(
                f"The {name} part would get {share:g} of {len(images)} pictures, which is none.",
                hint=f"Give each part a share of at least {1 / len(images):.2g}.",
                details={"share": share, "images": len(images)},
            )
    return np.array(shares)


def _class_counts(images: ImageDirectory) -> npt.NDArray[np.int64]:
    """Return pictures per class and, last, those without a label, int64 [K + 1]."""
    _, labels = label_pairs(images.index)
    counts_K = np.bincount(labels[labels != UNLABELLED], minlength=len(images.classes))
    return np.append(counts_K, (labels == UNLABELLED).sum()).astype(np.int64)


def _parts_by_picture(
    images: ImageDirectory, counts_KP: npt.NDArray[np.int64], seed: int
) -> npt.NDArray[np.int8]:
    part_N = np.zeros(len(images), dtype=np.int8)
    words_N = first_words(images.index)
    for row, name in enumerate([*images.classes, ""]):
        label = row if row < len(images.classes) else UNLABELLED
        mine = np.flatnonzero(images.labels == label)
        mine = mine[np.argsort(words_N[mine], kind="stable")]
        ends = np.cumsum(counts_KP[row])
        for part, positions in enumerate(
            np.split(mine[_shuffle(len(mine), seed, name)], ends[:-1])
        ):
            part_N[positions] = part
    return part_N


def _shuffle(count: int, seed: int, name: str) -> npt.NDArray[np.int64]:
    """Return 0 to count - 1 in an order that depends on seed and class name alone.

    NumPy promises the raw numbers of a bit generator for ever, but not the order that
    ``permutation`` makes of them (NEP 19).
    """
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    key = np.array([seed & _WORD, int.from_bytes(digest[:8], "big")], dtype=np.uint64)
    return np.argsort(np.random.Philox(key=key).random_raw(count), kind="stable")


def _notices(
    images: ImageDirectory,
    part_N: npt.NDArray[np.int8],
    shares_P: npt.NDArray[np.float64],
    params: SplitParams,
) -> tuple[str, ...]:
    notices = []
    single = [name for name, count in images.counts.items() if count == 1]
    if single:
        notices.append(
            f"{count(len(single), 'class has', 'classes have')} one picture, which stands in the "
            f"first part only: {some(list(map(repr, single)))}."
        )
    one_sided = _one_sided(images, part_N)
    if one_sided:
        grouped = params.by_group or not images.has_several_labels
        why = "without tearing a group" if grouped else "because of the labels beside it"
        notices.append(
            f"{count(len(one_sided), 'class', 'classes')} could not stand in both the first and "
            f"the second part {why}: {some(list(map(repr, one_sided)))}."
        )
    given_P = np.bincount(part_N, minlength=len(shares_P)) / len(images)
    if np.abs(given_P - shares_P).max() > _NOTED_DIFFERENCE:
        asked, given = (", ".join(f"{s:.1%}" for s in shares) for shares in (shares_P, given_P))
        notices.append(f"The parts hold {given} of the pictures where {asked} were asked for.")
    if not params.by_group:
        notices.extend(notice_on_torn_groups(images, part_N))
    torn = [rows for rows in equal_groups(images.index) if len(np.unique(part_N[rows])) > 1]
    if torn:
        first = [images.file(rows[0]) for rows in torn[:_EXAMPLES]]
        notices.append(
            f"{count(len(torn), 'picture stands', 'pictures stand')} in more than one part with "
            f"equal bytes, so that results on the second part look better than they are: "
            f"{some(first, total=len(torn))}. Remove the copies."
        )
    return tuple(notices)


def _one_sided(images: ImageDirectory, part_N: npt.NDArray[np.int8]) -> list[str]:
    rows, labels = label_pairs(images.index)
    in_parts = [set(labels[part_N[rows] == part].tolist()) for part in (0, 1)]
    return [
        name
        for label, (name, count) in enumerate(images.counts.items())
        if count > 1 and not all(label in part for part in in_parts)
    ]
