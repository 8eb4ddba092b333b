"""Sets of pictures that look alike: what pairs of them join.

Legend: N pictures, M distinct miniatures, H height, W width, P pairs.
"""

import numpy as np
import numpy.typing as npt

from imageloom.data.similar.likeness import Likeness
from imageloom.data.similar.miniature import NUM_BYTES
from imageloom.data.similar.near_pairs import near_pairs
from imageloom.events import Control


def near_sets(
    miniatures_NHW: npt.NDArray[np.uint8], distance: int, *, control: Control
) -> list[npt.NDArray[np.int64]]:
    """Return the positions of each set of two or more pictures that alike pairs join.

    Two of a set may differ more than a pair may where others stand between them, as in frames of a
    film.

    Args:
        miniatures_NHW: uint8 [N, 8, 9].
        distance: In how many bits the hashes of a pair may differ.
        control: Stops the search.

    Returns:
        Sets in the order of their first positions, each in rising order.

    Raises:
        NotInRangeValueError: As ``near_pairs``.
        RunInterruptedError: Somebody asked to stop.
    """
    rows_NB = np.ascontiguousarray(miniatures_NHW.reshape(len(miniatures_NHW), NUM_BYTES))
    as_one_N = rows_NB.view(np.dtype((np.void, rows_NB.shape[1]))).ravel()
    _, first_M, place_N = np.unique(as_one_N, return_index=True, return_inverse=True)
    likeness = Likeness(miniatures_NHW[first_M], distance)
    heads_M = np.arange(len(first_M))
    for pairs in near_pairs(likeness.hashes_N, distance, control=control):
        alike = np.flatnonzero(likeness.correlate(pairs.first_P, pairs.second_P))
        heads_M = _joined(heads_M, pairs.first_P[alike], pairs.second_P[alike])
    head_N = heads_M[place_N]
    order_N = np.argsort(head_N, kind="stable")
    begins = np.flatnonzero(np.diff(head_N[order_N], prepend=-1))
    sets = [one for one in np.split(order_N, begins[1:]) if len(one) > 1]
    return sorted(sets, key=lambda one: int(one[0]))


def _joined(
    heads_M: npt.NDArray[np.int64],
    first_P: npt.NDArray[np.int64],
    second_P: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Return the head of each set after pairs were joined: the lowest place in it."""
    heads_M = heads_M.copy()
    while True:
        one_P, other_P = heads_M[first_P], heads_M[second_P]
        apart = one_P != other_P
        if not apart.any():
            return heads_M
        first_P, second_P = first_P[apart], second_P[apart]
        low_P = np.minimum(one_P[apart], other_P[apart])
        np.minimum.at(heads_M, np.maximum(one_P[apart], other_P[apart]), low_P)
        while True:  # every place points to its head at once
            nearer_M = heads_M[heads_M]
            if (nearer_M == heads_M).all():
                break
            heads_M = nearer_M
