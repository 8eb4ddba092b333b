"""Random numbers of one picture, from a generator of its own.

``Draw`` objects are passed to the operations, so that threads can draw at the same time and torch's
global generator, which drops out neurons, is left alone.
"""

import functools
import hashlib
import struct
import threading
from typing import Final

import numpy as np

_FIRST: Final = 16  # numbers of a picture; more are made where a draw needs them
_FLOAT32: Final = struct.Struct("<f")
_FRACTION_BITS: Final = 24  # of a float32, with the one that is not stored


class Draw:
    """Draws the same numbers in the same order for the same seed.

    They are those of torch's generator on a CPU with that seed, one by one (in the last bit of a
    uniform number torch differs on processors that round twice there): a Mersenne Twister
    (Matsumoto and Nishimura 1998) begun with the seed's lower 32 bits, and torch's way from its
    integers to numbers of float32. Torch itself is not asked: between two pictures, when the
    decoder has emptied the processor's caches, a part and a flip take 0.16 ms by torch and 0.08 so
    (benchmarks/results/pieces_amd_cpu2_202611.md). Nor do pixels depend on its version.

    Args:
        seed: Start of the numbers, 0 to 2**63 - 1.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._numbers: list[int] = []
        self._drawn = 0

    def uniform(self, low: float, high: float) -> float:
        """Return a number of float32 from [low, high)."""
        first = float32(low)
        # One rounding, as processors do that multiply and add at once.
        return float32(self._share() * float32(float32(high) - first) + first)

    def integer(self, low: int, high: int) -> int:
        """Return an integer from ``low`` to ``high`` - 1; they may be 2**28 apart."""
        return low + self._number() % (high - low)

    def happens(self, probability: float) -> bool:
        """Return true as often as ``probability`` says, compared in float32."""
        return self._share() < float32(probability)

    def order(self, count: int) -> list[int]:
        """Return the integers from 0 to ``count`` - 1 in random order."""
        order = list(range(count))
        for place in range(count - 1):
            other = self.integer(place, count)
            order[place], order[other] = order[other], order[place]
        return order

    def _share(self) -> float:
        """Return a multiple of 2**-24 from [0, 1)."""
        return (self._number() % 2**_FRACTION_BITS) / 2**_FRACTION_BITS

    def _number(self) -> int:
        """Return the next integer of 32 bits."""
        if self._drawn == len(self._numbers):
            # From the start, because other pictures may have been drawn for meanwhile.
            self._numbers = _own.twister.numbers(self._seed, max(_FIRST, 2 * self._drawn))
        self._drawn += 1
        return self._numbers[self._drawn - 1]


def float32(number: float) -> float:
    """Return the number of float32 that is nearest."""
    nearest: float = _FLOAT32.unpack(_FLOAT32.pack(number))[0]
    return nearest


def seed_of_sample(seed: int, epoch: int, position: int, time: int = 0) -> int:
    """Return the start of one picture's random numbers in one epoch, 0 to 2**63 - 1.

    A cryptographic hash keeps neighbouring epochs and positions unrelated.

    Args:
        seed: Of the run, any 64-bit integer.
        epoch: From 0.
        position: Of the picture.
        time: How often the epoch has read it before.
    """
    key = struct.pack("<QQQ", seed & (2**64 - 1), epoch, position)
    if time:
        key += struct.pack("<Q", time)
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") >> 1


class _Twister:
    """NumPy's Mersenne Twister, which is slow to make and quick to begin again."""

    def __init__(self) -> None:
        self._bits = np.random.MT19937()
        # Its legacy seeding is the one of 1998, which NumPy promises to keep (NEP 19).
        self._seeding = np.random.RandomState(self._bits)

    def numbers(self, seed: int, count: int) -> list[int]:
        """Return the first integers of 32 bits for a seed, of which the lower 32 bits count."""
        self._seeding.seed(seed % 2**32)
        numbers: list[int] = self._bits.random_raw(count).tolist()
        return numbers


class _OfThisThread(threading.local):
    @functools.cached_property
    def twister(self) -> _Twister:
        return _Twister()


_own: Final = _OfThisThread()
