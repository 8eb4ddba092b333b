"""Random numbers of one picture, from a generator of its own.

``draw`` objects are passed to the operations, so that threads can draw at the same time and torch's
global generator, which drops out neurons, is left alone.
"""

import functools
import hashlib
import struct

import torch


class Draw:
    """Draws the same numbers in the same order for the same seed.

    Args:
        seed: Start of the numbers, 0 to 2**63 - 1.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    @functools.cached_property
    def _generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(self._seed)

    def uniform(self, low: float, high: float) -> float:
        """Return a number of float32 from [low, high)."""
        number: float = torch.empty(1).uniform_(low, high, generator=self._generator).item()
        return number

    def integer(self, low: int, high: int) -> int:
        """Return an integer from ``low`` to ``high`` - 1."""
        return int(torch.randint(low, high, (1,), generator=self._generator).item())

    def happens(self, probability: float) -> bool:
        """Return true as often as ``probability`` says, compared in float32."""
        return bool(torch.rand(1, generator=self._generator) < probability)

    def order(self, count: int) -> list[int]:
        """Return the integers from 0 to ``count`` - 1 in random order."""
        order: list[int] = torch.randperm(count, generator=self._generator).tolist()
        return order


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
