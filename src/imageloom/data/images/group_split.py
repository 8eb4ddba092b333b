"""Divide pictures so that no group is torn, each class as near to its share as groups allow.

Legend: N pictures, K classes, P parts, G groups.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import UNLABELLED, label_pairs
from imageloom.errors import InvalidDatasetError


@dataclass(frozen=True)
class _Group:
    positions: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]  # of the table of classes that the group's pictures have
    counts: npt.NDArray[np.int64]  # pictures of each of these classes


def parts_by_group(
    images: ImageDirectory, wanted_KP: npt.NDArray[np.int64], seed: int
) -> npt.NDArray[np.int8]:
    """Return the part of each picture, int8 [N]; pictures of one group have the same.

    The largest groups are placed first, each where it lowers the squared distance to the wanted
    numbers most, counted in shares of the class. Then small groups move so that each class stands
    in as many parts as it has groups.

    Args:
        images: With groups; a picture without one is a group of its own.
        wanted_KP: int64, pictures of each class (and, last, without one) that each part shall get.
        seed: Decides between groups of equal size.

    Raises:
        InvalidDatasetError: No picture has a group, or there are fewer groups than parts.

    Source:
        The greedy rule is that of scikit-learn's StratifiedGroupKFold, with given shares.
    """
    groups = _groups(images, len(wanted_KP))
    num_parts = wanted_KP.shape[1]
    if len(groups) < num_parts:
        raise InvalidDatasetError(
            f"{len(images)} pictures of {len(groups)} groups cannot be split into {num_parts} "
            "parts without tearing a group.",
            hint="Give more groups, or split without --by-group.",
            reason="too-few-groups",
        )
    place_G = _place(groups, wanted_KP, seed)
    _spread_classes(groups, place_G, wanted_KP.shape)
    _fill_empty_parts(groups, place_G, num_parts)
    part_N = np.zeros(len(images), dtype=np.int8)
    for group, part in zip(groups, place_G, strict=True):
        part_N[group.positions] = part
    return part_N


def _groups(images: ImageDirectory, num_rows: int) -> list[_Group]:
    names = images.index.column("group")
    if not images.has_groups:
        raise InvalidDatasetError(
            f"No picture of {images.root} has a group that --by-group could keep together.",
            hint="Convert a manifest with --group-column, or split without --by-group.",
            reason="no-groups",
        )
    ids = pc.rank(names, sort_keys="ascending", tiebreaker="dense").to_numpy().astype(np.int64)
    alone = names.is_null().to_numpy()
    ids[alone] = ids.max() + 1 + np.arange(alone.sum())
    pictures, labels = label_pairs(images.index)
    rows = np.where(labels == UNLABELLED, num_rows - 1, labels)
    starts = np.searchsorted(pictures, np.arange(len(images) + 1))
    order = np.argsort(ids, kind="stable")
    borders = np.flatnonzero(np.diff(ids[order])) + 1
    groups = []
    for positions in np.split(order, borders):
        own = [rows[starts[position] : starts[position + 1]] for position in positions]
        found, counts = np.unique(np.concatenate(own), return_counts=True)
        groups.append(_Group(positions, found, counts))
    return groups


def _place(
    groups: list[_Group], wanted_KP: npt.NDArray[np.int64], seed: int
) -> npt.NDArray[np.int64]:
    """Return the part of each group, int64 [G]."""
    missing_KP = wanted_KP.astype(np.float64)
    weight_K = 1 / np.maximum(wanted_KP.sum(axis=1), 1)
    key = np.array([seed & ((1 << 64) - 1), len(groups)], dtype=np.uint64)
    lots_G = np.random.Philox(key=key).random_raw(len(groups))
    sizes_G = np.array([len(group.positions) for group in groups])
    place_G = np.zeros(len(groups), dtype=np.int64)
    for number in np.lexsort((lots_G, -sizes_G)):
        group = groups[number]
        counts = group.counts[:, None]
        gain = counts * (2 * missing_KP[group.rows] - counts) * weight_K[group.rows, None]
        part = int(np.argmax(gain.sum(axis=0)))
        missing_KP[group.rows, part] -= group.counts
        place_G[number] = part
    return place_G


def _spread_classes(
    groups: list[_Group], place_G: npt.NDArray[np.int64], shape: tuple[int, ...]
) -> None:
    """Move small groups until each class stands in as many parts as it has groups, if possible."""
    holders: list[list[int]] = [[] for _ in range(shape[0])]
    present_KP = np.zeros(shape, dtype=np.int64)  # groups of each class in each part
    for number, group in enumerate(groups):
        present_KP[group.rows, place_G[number]] += 1
        for row in group.rows:
            holders[row].append(number)
    for row, mine in enumerate(holders):
        mine.sort(key=lambda number: (len(groups[number].positions), number))
        for part in range(min(shape[1], len(mine))):
            if present_KP[row, part]:
                continue
            for number in mine:
                rows, old = groups[number].rows, place_G[number]
                if (present_KP[rows, old] > 1).all():  # no class leaves the part for good
                    place_G[number] = part
                    present_KP[rows, old] -= 1
                    present_KP[rows, part] += 1
                    break


def _fill_empty_parts(groups: list[_Group], place_G: npt.NDArray[np.int64], num_parts: int) -> None:
    """Give a part without a group, where each class has only one, the smallest there is to give."""
    sizes_G = np.array([len(group.positions) for group in groups])
    for part in range(num_parts):
        counts_P = np.bincount(place_G, minlength=num_parts)
        if counts_P[part] == 0:
            givers_G = counts_P[place_G] > 1
            place_G[np.argmin(np.where(givers_G, sizes_G, sizes_G.max() + 1))] = part
