"""The largest batch that fits into memory: what ``--batch-size auto`` stands for."""

import contextlib
import gc
from collections.abc import Callable, Iterator
from typing import Final

import torch

from imageloom.errors import ParameterParsingError
from imageloom.events import EventSink, Notice
from imageloom.models.architecture import build_network
from imageloom.models.compute import Compute, choose_compute, is_out_of_memory
from imageloom.system.machine import host_memory, memory_in_use_bytes
from imageloom.training.criterion import make_criterion
from imageloom.training.freeze import freeze, training_mode_setter
from imageloom.training.memory import training_of
from imageloom.training.micro_batch import MicroBatch
from imageloom.training.optimizer import make_optimizer, set_rate
from imageloom.training.possible_batch_sizes import MOST, possible_batch_sizes
from imageloom.training.run.record import TrainingRecord
from imageloom.training.step import Stepper

_MOST_ON_CPU: Final = 32  # what memory allows says little there: the cores are busy long before
_STAYS_FREE: Final = 0.1  # of the memory that is there
_TRIED_STEPS: Final = 2  # the optimizer's numbers are there from the second on

Fits = Callable[[int], bool]


def find_batch_size(record: TrainingRecord, *, processes_here: int, on_event: EventSink) -> int:
    """Return the largest batch that surely fits, and tell it.

    Args:
        record: Of the run, with the least of the sizes that are possible.
        processes_here: How many of its processes train on this machine.
        on_event: Hears which it is.

    Raises:
        ParameterParsingError: Another machine trains.
        ImageloomError: As ``choose_compute``.
    """
    if processes_here == 0:
        raise ParameterParsingError(
            "batch_size is auto, but the machines that train are others than this one, whose "
            "memory would be tried.",
            hint="Give a number, such as --batch-size 32.",
            details={"parameter": "batch_size", "value": "auto"},
        )
    compute = choose_compute(record.params.device, record.params.precision)
    images = record.data.training.images
    sizes = possible_batch_sizes(
        images, record.processes, most=MOST if compute.is_gpu else _MOST_ON_CPU
    )
    if compute.is_gpu:
        chosen, how = largest_by_trial(record, compute, sizes), "by trial"
    else:
        chosen, how = largest_that_fits(sizes, _estimate(record, processes_here)), "by estimate"
    on_event(
        Notice(
            "info",
            f"Batch size: {chosen}, found {how} among {sizes[-1]} to {sizes[0]} for "
            f"{images:,} training pictures on {compute.device}.",
        )
    )
    return chosen


def largest_that_fits(sizes: list[int], fits: Fits) -> int:
    """Return the first that fits, or the last, which training then cuts into parts."""
    return next((size for size in sizes[:-1] if fits(size)), sizes[-1])


def _estimate(record: TrainingRecord, processes_here: int) -> Fits:
    training, held = training_of(record, processes_here), memory_in_use_bytes()

    def fits(size: int) -> bool:
        memory = host_memory()
        if memory is None:
            return True
        more = training.with_batch_size(size).more_bytes(held)
        return more <= (1 - _STAYS_FREE) * memory.available_bytes

    return fits


def largest_by_trial(record: TrainingRecord, compute: Compute, sizes: list[int]) -> int:
    """Return the largest batch with which steps can be taken; all memory is given back.

    Args:
        record: Of the run.
        compute: Where it trains.
        sizes: The largest first.
    """
    with _less_memory(compute):
        chosen = largest_that_fits(sizes, _trial(record, compute))
    gc.collect()
    _give_back(compute)
    return chosen


def _trial(record: TrainingRecord, compute: Compute) -> Fits:
    """Return a function that takes steps as training does, on black pictures and at rate 0."""
    params, side = record.params, record.resolved.image_size
    network = compute.place(build_network(record.architecture, len(record.data.training.classes)))
    freeze(network, record.architecture, params)
    training_mode_setter(network, record.architecture, params)()
    optimizer = make_optimizer(network, params, record.architecture)
    set_rate(optimizer, 0.0)
    stepper = Stepper(network, make_criterion(None, params, compute), optimizer, compute)

    def fits(size: int) -> bool:
        try:
            black_BCHW = torch.zeros(size, 3, side, side, dtype=torch.uint8)
            labels_B = torch.zeros(size, dtype=torch.int64).to(compute.device)
            inputs_BCHW = compute.inputs(black_BCHW, record.model.normalisation)
            for _ in range(_TRIED_STEPS):
                stepper.take([MicroBatch(inputs_BCHW, labels_B, 1.0)])
        except RuntimeError as problem:
            if not is_out_of_memory(problem):
                raise
            did_fit = False
        else:
            did_fit = True
        optimizer.zero_grad(set_to_none=True)
        _give_back(compute)
        return did_fit

    return fits


def _give_back(compute: Compute) -> None:
    if compute.is_gpu:
        torch.cuda.empty_cache()


@contextlib.contextmanager
def _less_memory(compute: Compute) -> Iterator[None]:
    """Let a GPU's memory run out before it is full."""
    if not compute.is_gpu:
        yield
        return
    free, total = torch.cuda.mem_get_info(compute.device)
    own = torch.cuda.memory_reserved(compute.device)
    fraction = ((1 - _STAYS_FREE) * free + own) / total
    torch.cuda.set_per_process_memory_fraction(min(1.0, fraction), compute.device)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, compute.device)
