"""Divide pictures that may have several labels each, every label in the same proportion.

Legend: N pictures, K labels, P parts.
"""

import numpy as np
import numpy.typing as npt

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import rows_and_labels


def parts_by_label_sets(
    images: ImageDirectory,
    wanted_KP: npt.NDArray[np.int64],
    wanted_P: npt.NDArray[np.int64],
    order_N: npt.NDArray[np.int64],
) -> npt.NDArray[np.int8]:
    """Return the part of each picture, int8 [N].

    The label with the fewest pictures left comes first, and each of its pictures goes where that
    label is wanted most; of equal parts, where pictures are wanted most. Pictures without a label
    fill up at the end.

    Args:
        images: Those with several labels per picture.
        wanted_KP: int64, pictures of each label that each part shall get.
        wanted_P: int64, pictures that each part shall get.
        order_N: The order in which pictures of one label are dealt out.

    Source:
        Sechidis, Tsoumakas and Vlahavas 2011, On the Stratification of Multi-Label Data, algorithm
        1; but what is wanted are whole numbers, and equal parts are taken in order.
    """
    missing_KP, missing_P = wanted_KP.copy(), wanted_P.copy()
    rows, labels = rows_and_labels(images.index)
    ends = np.cumsum(np.bincount(rows, minlength=len(images)))
    sets = np.split(labels, ends[:-1])
    place_N = np.argsort(order_N)
    part_N = np.full(len(images), -1, dtype=np.int8)
    left_K = np.bincount(labels, minlength=len(images.classes))
    while left_K.any():
        label = int(np.argmin(np.where(left_K > 0, left_K, len(images) + 1)))
        mine = rows[labels == label]
        mine = mine[part_N[mine] < 0]
        for row in mine[np.argsort(place_N[mine])].tolist():
            part = _neediest(missing_KP[label], missing_P)
            part_N[row] = part
            missing_KP[sets[row], part] -= 1
            missing_P[part] -= 1
            left_K[sets[row]] -= 1
    for row in order_N[part_N[order_N] < 0].tolist():
        part = int(np.argmax(missing_P))
        part_N[row] = part
        missing_P[part] -= 1
    return part_N


def _neediest(missing_of_label_P: npt.NDArray[np.int64], missing_P: npt.NDArray[np.int64]) -> int:
    most_P = missing_of_label_P == missing_of_label_P.max()
    return int(np.argmax(np.where(most_P, missing_P, missing_P.min() - 1)))
