"""Whether two miniatures show the same picture: by their hashes, and by all their grey values.

Legend: N pictures, H height, W width, P pairs.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom.data.similar.miniature import NUM_BYTES, difference_hashes
from imageloom.data.similar.near_pairs import count_bits

MIN_CORRELATION: Final = 0.96
"""Of the grey values of two miniatures. A difference hash compares neighbours in a row only, so
two pictures may share it and look different. Of 99 % of 522 photos, all of five copies (encoded
anew, resized, brighter, darker, all three) correlate by 0.97 or more; the two different photos with
the nearest hashes by 0.13."""

_PAIRS_AT_ONCE: Final = 1 << 17


class Likeness:
    """Compares pictures by their miniatures.

    Args:
        miniatures_NHW: uint8 [N, 8, 9].
        distance: In how many of 64 bits two that look alike may differ.
    """

    def __init__(self, miniatures_NHW: npt.NDArray[np.uint8], distance: int) -> None:
        self._miniatures_NB = miniatures_NHW.reshape(len(miniatures_NHW), NUM_BYTES)
        self._distance = distance
        self.hashes_N = difference_hashes(miniatures_NHW)

    def distances(self, one: int, others: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Return in how many bits pictures differ from one."""
        return count_bits(self.hashes_N[others] ^ self.hashes_N[one])

    def are_alike(
        self, first_P: npt.NDArray[np.int64], second_P: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        """Return which pairs of positions look alike, bool [P]."""
        bits_P = count_bits(self.hashes_N[first_P] ^ self.hashes_N[second_P])
        return self.correlate(first_P, second_P) & (bits_P <= self._distance)

    def correlate(
        self, first_P: npt.NDArray[np.int64], second_P: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        """Return which pairs have a correlation (Pearson) of ``MIN_CORRELATION`` or more."""
        parts = [
            self._correlate(
                first_P[begin : begin + _PAIRS_AT_ONCE], second_P[begin:][:_PAIRS_AT_ONCE]
            )
            for begin in range(0, len(first_P), _PAIRS_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.bool_)

    def _correlate(
        self, first_P: npt.NDArray[np.int64], second_P: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        first_PB, second_PB = self._centred(first_P), self._centred(second_P)
        products_P = (first_PB * second_PB).sum(axis=1)
        squares_P = (first_PB**2).sum(axis=1) * (second_PB**2).sum(axis=1)
        alike_P: npt.NDArray[np.bool_] = products_P >= MIN_CORRELATION * np.sqrt(squares_P)
        return alike_P

    def _centred(self, rows_P: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        grey_PB = self._miniatures_NB[rows_P].astype(np.float32)
        centred_PB: npt.NDArray[np.float32] = grey_PB - grey_PB.mean(axis=1, keepdims=True)
        return centred_PB
