"""Which pictures of each step one process reads, and what they weigh in the step's gradient."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imageloom.data.loading.sampler import least_images, pieces_of_rank, step_bounds
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
    """

    positions: tuple[int, ...]
    share: float


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
        order: Of the epoch: rows of the index.
        params: The run's.
        processes: How many the run was started with.
        ranks: Which process this is, of those that train now.
        weights_N: Weight of each picture's class in the loss, or None for equal weights.

    Returns:
        One list per optimizer step, none empty.
    """
    steps = step_bounds(len(order), params.pictures_per_batch, params.accumulation_steps, processes)
    return [_own_pieces(step, order, params, processes, ranks, weights_N) for step in steps]


def _own_pieces(
    step: Sequence[tuple[int, int]],
    order: npt.NDArray[np.int64],
    params: TrainParams,
    processes: int,
    ranks: Ranks,
    weights_N: npt.NDArray[np.float64] | None,
) -> list[Piece]:
    total = sum(_amount(order[start:stop], weights_N) for start, stop in step)
    own = [
        Piece(tuple(rows.tolist()), _amount(rows, weights_N) / total)
        for batch in step
        for start, stop in pieces_of_rank(
            batch,
            num_pieces=processes,
            least=least_images(params.pictures_per_batch),
            rank=ranks.rank,
            world_size=ranks.world_size,
        )
        for rows in [order[start:stop]]
    ]
    if own:
        return own
    # Gradients are shared by all processes or none: this one repeats pictures that count nothing.
    start, stop = step[0]
    repeated = order[start : min(stop, start + params.pictures_per_batch)]
    return [Piece(tuple(repeated.tolist()), 0.0)]


def _amount(rows: npt.NDArray[np.int64], weights_N: npt.NDArray[np.float64] | None) -> float:
    return float(len(rows)) if weights_N is None else float(weights_N[rows].sum())
