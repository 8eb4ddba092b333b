"""Pairs of hashes that differ in few of their 64 bits, found without comparing all with all.

Legend: N hashes, P pairs.
"""

import itertools
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from imageloom.errors import NotInRangeValueError
from imageloom.events import Control

MAX_DISTANCE: Final = 10
_BITS: Final = 64
_EQUAL_BANDS: Final = 3  # two short bands alone are equal by chance in too many pairs
_PAIRS_AT_ONCE: Final = 1 << 22
_PAIRS: Final = np.uint64(0x5555555555555555)
_FOURS: Final = np.uint64(0x3333333333333333)
_BYTES: Final = np.uint64(0x0F0F0F0F0F0F0F0F)
_ONES: Final = np.uint64(0x0101010101010101)


class NearPairs(NamedTuple):
    """Pairs of positions.

    Attributes:
        first_P: int64, the smaller position of each pair.
        second_P: int64, the larger one.
        distance_P: uint8, in how many bits the two differ.
    """

    first_P: npt.NDArray[np.int64]
    second_P: npt.NDArray[np.int64]
    distance_P: npt.NDArray[np.uint8]


def near_pairs(
    hashes_N: npt.NDArray[np.uint64], distance: int, *, control: Control
) -> Iterator[NearPairs]:
    """Yield every pair of hashes that differ in at most ``distance`` bits, each once.

    The 64 bits are cut into ``distance + 3`` bands. Two hashes that differ in at most ``distance``
    bits differ in at most as many bands, so three bands at least are equal. For every choice of
    three bands, hashes are sorted by these, and only those that are equal there are compared. A
    pair is taken at the first choice of its equal bands, so that it comes once.

    Args:
        hashes_N: uint64; equal ones count as pairs too, so hand over distinct ones where many may
            be equal.
        distance: 0 to ``MAX_DISTANCE`` bits.
        control: Stops between two parts of the work.

    Raises:
        NotInRangeValueError: ``distance`` is out of range.
        RunInterruptedError: Somebody asked to stop.

    Source:
        The pigeonhole principle of Norouzi, Punjani, Fleet 2012, Fast Search in Hamming Space with
        Multi-Index Hashing, with several bands in place of one, as in Manku, Jain, Das Sarma 2007,
        Detecting Near-Duplicates for Web Crawling.
    """
    require_distance(distance)
    masks = _bands(distance + _EQUAL_BANDS)
    for chosen in itertools.combinations(range(len(masks)), _EQUAL_BANDS):
        skipped = [masks[band] for band in range(chosen[-1]) if band not in chosen]
        key = masks[chosen[0]] | masks[chosen[1]] | masks[chosen[2]]
        for first_P, second_P in _equal_pairs(hashes_N & key):
            control.raise_if_cancelled()
            different_P = hashes_N[first_P] ^ hashes_N[second_P]
            distance_P = count_bits(different_P)
            fits_P = distance_P <= distance
            for mask in skipped:
                fits_P &= (different_P & mask) != 0
            found = np.flatnonzero(fits_P)
            if len(found):
                one, other = first_P[found], second_P[found]
                yield NearPairs(np.minimum(one, other), np.maximum(one, other), distance_P[found])


def require_distance(distance: int) -> None:
    """Refuse a distance that says nothing about likeness, or would take too long.

    Raises:
        NotInRangeValueError: It is below 0 or above ``MAX_DISTANCE``.
    """
    if not 0 <= distance <= MAX_DISTANCE:
        raise NotInRangeValueError(
            f"distance is {distance}, but must be 0 to {MAX_DISTANCE} bits.",
            hint="Pictures that differ in more of the 64 bits look different to people too.",
            details={"parameter": "distance", "value": distance},
        )


def count_bits(words_P: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Return how many bits of each word are set, uint8 [P], 0 to 64.

    NumPy has ``bitwise_count`` since 2.0; this runs on older ones too.

    Source:
        H. S. Warren, Hacker's Delight, section 5-1.
    """
    counts = words_P - ((words_P >> np.uint64(1)) & _PAIRS)
    counts = (counts & _FOURS) + ((counts >> np.uint64(2)) & _FOURS)
    counts = (counts + (counts >> np.uint64(4))) & _BYTES
    counts_P: npt.NDArray[np.uint8] = (counts * _ONES >> np.uint64(56)).astype(np.uint8)
    return counts_P


def _bands(number: int) -> list[np.uint64]:
    """Return masks that cut 64 bits into bands whose lengths differ by one at most."""
    ends = [_BITS * band // number for band in range(number + 1)]
    return [
        np.uint64(((1 << (end - begin)) - 1) << begin) for begin, end in itertools.pairwise(ends)
    ]


def _equal_pairs(
    keys_N: npt.NDArray[np.uint64],
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yield the positions of all pairs of equal keys, some at a time."""
    order_N = np.argsort(keys_N, kind="stable")
    sorted_N = keys_N[order_N]
    places = np.arange(len(keys_N) - 1)
    step = 0
    while len(places):
        step += 1
        places = places[places + step < len(keys_N)]
        places = places[sorted_N[places] == sorted_N[places + step]]
        for begin in range(0, len(places), _PAIRS_AT_ONCE):
            some = places[begin : begin + _PAIRS_AT_ONCE]
            yield order_N[some], order_N[some + step]
