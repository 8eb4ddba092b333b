"""Which pictures make up which batch. Integers only: no files, no tensors.

The order of an epoch is arithmetic on seed, epoch and position. It does not depend on workers,
processes or the version of a library, so a run may be resumed anywhere.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

_MASK: Final = 2**64 - 1


def epoch_order(num_images: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """Return the order in which an epoch reads the pictures.

    Each position gets a pseudo-random 64-bit key and the positions are sorted by key.

    Args:
        num_images: Pictures in the epoch.
        seed: Start of the random numbers, any 64-bit integer.
        epoch: From 0.

    Returns:
        int64, shape [num_images], a permutation of ``range(num_images)``.

    Source:
        SplitMix64: Steele, Lea, Flood 2014, Fast Splittable Pseudorandom Number Generators,
        figure 17 (constants of the mix64 variant 13).
    """
    start = _mix_int(_mix_int(seed & _MASK) ^ epoch)
    step = np.uint64(0x9E3779B97F4A7C15)
    keys = np.uint64(start) + np.arange(num_images, dtype=np.uint64) * step
    return np.argsort(_mix(keys), kind="stable").astype(np.int64)


def _mix(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def _mix_int(value: int) -> int:
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    return int(_mix(np.array([value], dtype=np.uint64))[0])


def batch_bounds(num_images: int, batch_size: int) -> list[tuple[int, int]]:
    """Cut an epoch into batches; every picture is used.

    The last batch holds what is left over. If that is a single picture it joins the batch before
    it, because BatchNorm cannot normalise over one value: 17 pictures in batches of 16 make one
    batch of 17.

    Returns:
        Start and stop of each batch in the epoch's order.
    """
    starts = list(range(0, num_images, batch_size))
    if batch_size > 1 and len(starts) > 1 and num_images - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], num_images], strict=True))


def step_bounds(
    num_images: int, batch_size: int, accumulation_steps: int
) -> list[list[tuple[int, int]]]:
    """Group an epoch's batches into optimizer steps of ``accumulation_steps`` batches.

    The last step of an epoch may have fewer batches.
    """
    batches = batch_bounds(num_images, batch_size)
    return [
        batches[start : start + accumulation_steps]
        for start in range(0, len(batches), accumulation_steps)
    ]


def steps_per_epoch(num_images: int, batch_size: int, accumulation_steps: int) -> int:
    """Return how many optimizer steps an epoch has."""
    return math.ceil(len(batch_bounds(num_images, batch_size)) / accumulation_steps)
