"""Which pictures of each step one process reads, and what they weigh in the step's gradient."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imageloom.data.loading.sampler import (
    least_images,
    pieces_of_rank,
    step_bounds,
    times_before,
)
from imageloom.distributed.ranks import Ranks
from imageloom.training.params import TrainParams


@dataclass(frozen=True)
class Piece:
    """Pictures that pass the network together.

    Attributes:
        positions: Rows in the training pictures' index.
        share: Their part of the step's pictures over all processes (of their class weights, where
            there are any), 0..1. With 0 they only pass so that this process takes part in a step
            that is too small to have pictures for it.
        times: How often the epoch has read each of them before.
    """

    positions: tuple[int, ...]
    share: float
    times: tuple[int, ...]


def own_steps(
    order: npt.NDArray[np.int64],
    params: TrainParams,
    *,
    processes: int,
    ranks: Ranks,
    weights_N: npt.NDArray[np.float64] | None,
) -> list[list[Piece]]:
    """Return the pieces of each step of an epoch that this process takes.

    Args:
        order: Of the epoch: rows of the index, of which one may stand several times.
        params: The run's.
        processes: How many the run was started with.
        ranks: Which process this is, of those that train now.
        weights_N: Weight of each picture's class in the loss, or None for equal weights.

    Returns:
        One list per optimizer step, none empty.
    """
    steps = step_bounds(len(order), params.pictures_per_batch, params.accumulation_steps, processes)
    epoch = _Epoch(order, times_before(order), weights_N)
    return [_own_pieces(step, epoch, params, processes, ranks) for step in steps]


def _own_pieces(
    step: Sequence[tuple[int, int]],
    epoch: "_Epoch",
    params: TrainParams,
    processes: int,
    ranks: Ranks,
) -> list[Piece]:
    total = sum(epoch.amount(start, stop) for start, stop in step)
    own = [
        epoch.piece(start, stop, epoch.amount(start, stop) / total)
        for batch in step
        for start, stop in pieces_of_rank(
            batch,
            num_pieces=processes,
            least=least_images(params.pictures_per_batch),
            rank=ranks.rank,
            world_size=ranks.world_size,
        )
    ]
    if own:
        return own
    # Gradients are shared by all processes or none: this one repeats pictures that count nothing.
    start, stop = step[0]
    return [epoch.piece(start, min(stop, start + params.pictures_per_batch), 0.0)]


@dataclass(frozen=True)
class _Epoch:
    """Row, turn and class weight of the picture in each place of an epoch."""

    order: npt.NDArray[np.int64]
    times: npt.NDArray[np.int64]
    weights_N: npt.NDArray[np.float64] | None

    def amount(self, start: int, stop: int) -> float:
        if self.weights_N is None:
            return float(stop - start)
        return float(self.weights_N[self.order[start:stop]].sum())

    def piece(self, start: int, stop: int, share: float) -> Piece:
        positions, times = self.order[start:stop].tolist(), self.times[start:stop].tolist()
        return Piece(tuple(positions), share, tuple(times))
