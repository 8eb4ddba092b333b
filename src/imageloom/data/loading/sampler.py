"""Which pictures make up which batch. Integers only: no files, no tensors.

The order of an epoch is arithmetic on seed, epoch and position. It does not depend on workers,
processes or the version of a library, so a run may be resumed anywhere.
"""

import itertools
import math
from collections.abc import Sequence
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


def times_before(order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return how often each picture of an order stands before its own place, int64, as long."""
    by_picture = np.argsort(order, kind="stable")
    ordered = order[by_picture]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    runs = np.diff(np.r_[starts, len(order)])
    times: npt.NDArray[np.int64] = np.empty(len(order), dtype=np.int64)
    times[by_picture] = np.arange(len(order)) - np.repeat(starts, runs)
    return times


def _mix(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def _mix_int(value: int) -> int:
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    return int(_mix(np.array([value], dtype=np.uint64))[0])


def batch_bounds(num_images: int, batch_size: int, processes: int = 1) -> list[tuple[int, int]]:
    """Cut an epoch into global batches; every picture is used.

    The last batch holds what is left over. If that is too little to give each process two pictures
    it joins the batch before it, because BatchNorm cannot normalise over one value: 17 pictures in
    batches of 16 make one batch of 17.

    Args:
        num_images: Pictures in the epoch.
        batch_size: Pictures per process.
        processes: How many processes the run was started with. The number that train now does not
            matter: it changes who reads a picture, not when it is read.

    Returns:
        Start and stop of each batch in the epoch's order.
    """
    starts = list(range(0, num_images, batch_size * processes))
    if len(starts) > 1 and num_images - starts[-1] < least_images(batch_size) * processes:
        starts.pop()
    return list(zip(starts, [*starts[1:], num_images], strict=True))


def least_images(batch_size: int) -> int:
    """Return how few pictures may pass the network together: 2, or 1 where 1 is asked for."""
    return min(2, batch_size)


def step_bounds(
    num_images: int, batch_size: int, accumulation_steps: int, processes: int = 1
) -> list[list[tuple[int, int]]]:
    """Group an epoch's global batches into optimizer steps of ``accumulation_steps`` batches.

    The last step of an epoch may have fewer batches.
    """
    batches = batch_bounds(num_images, batch_size, processes)
    return [
        batches[start : start + accumulation_steps]
        for start in range(0, len(batches), accumulation_steps)
    ]


def steps_per_epoch(
    num_images: int, batch_size: int, accumulation_steps: int, processes: int = 1
) -> int:
    """Return how many optimizer steps an epoch has."""
    return math.ceil(len(batch_bounds(num_images, batch_size, processes)) / accumulation_steps)


def pieces_of_rank(
    batch: tuple[int, int], *, num_pieces: int, least: int, rank: int, world_size: int
) -> list[tuple[int, int]]:
    """Return the pieces of a global batch that pass the network in one process, in order.

    A batch is cut into near-equal pieces, as many as the run was started with processes, so that
    BatchNorm sees the same pictures together on fewer processes, which then take several pieces
    each. On more processes there are more, smaller pieces, but none with fewer than ``least``
    pictures: a process may then get none. The first process always gets one.

    Args:
        batch: Start and stop in the epoch's order.
        num_pieces: Processes at the start of the run.
        least: Pictures that a piece must have.
        rank: This process, from 0.
        world_size: Processes that train now.
    """
    start, stop = batch
    images = stop - start
    wanted = max(num_pieces, min(world_size, images // least))
    cuts = [start + piece * images // wanted for piece in range(wanted + 1)]
    # Rounded up, so that where there are fewer pieces than processes rank 0 is not without.
    first, behind = (math.ceil(one * wanted / world_size) for one in (rank, rank + 1))
    return list(itertools.pairwise(cuts[first : behind + 1]))


def deal(batches: Sequence[range], *, rank: int, world_size: int) -> list[range]:
    """Return the batches that one process scores when all are dealt out like cards.

    Every process gets as many, so that all ask each other the same number of times whether to stop;
    where the last round has no batch for a process it gets an empty one.
    """
    own = list(batches[rank::world_size])
    rounds = math.ceil(len(batches) / world_size)
    return own + [range(0)] * (rounds - len(own))
