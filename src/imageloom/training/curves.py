"""What every step and every epoch measured, as curves in the run's folder.

Nothing here makes a GPU wait: the loss of a step is on the host already, where it is looked at for
NaN before the network is changed, and times are those of the host.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import torch

from imageloom.errors import CannotResumeError
from imageloom.files.series.names import SeriesName, ranks_in
from imageloom.files.series.writer import SeriesWriter, cut_series
from imageloom.system.machine import memory_in_use_bytes
from imageloom.training.checkpoints.loop_state import LoopState
from imageloom.training.figures import EPOCH_UNITS, LABEL_SET_EPOCH_UNITS
from imageloom.training.session import Session

LOSS: Final = SeriesName("Train loss", "nats", "step")
RATE: Final = SeriesName("learning rate", "", "step")
SPEED: Final = SeriesName("Train images per second", "images/s", "step")
STEP_TIME: Final = SeriesName("Step time", "s", "step")
WAITING: Final = SeriesName("Waiting for data fraction", "", "step")
WAITING_FOR_OTHERS: Final = SeriesName("Waiting for other processes fraction", "", "step")
MEMORY: Final = SeriesName("Memory in use", "bytes", "step")
GPU_MEMORY: Final = SeriesName("GPU memory in use", "bytes", "step")
GPU_MOST: Final = SeriesName("GPU memory in use at most", "bytes", "step")
OF_EPOCHS: Final = {
    name: SeriesName(name, unit, "epoch")
    for name, unit in (EPOCH_UNITS | LABEL_SET_EPOCH_UNITS).items()
}
_MEMORY_S: Final = 1.0  # between two looks at the memory, which takes longer than all the rest


@dataclass(frozen=True)
class MeasuredStep:
    """What one process measured in a step.

    Attributes:
        rate: Learning rate.
        loss: Mean over the step's pictures of all processes.
        images: Pictures that this process trained on.
        seconds: That the step took.
        waiting_seconds: Of those, spent waiting for pictures.
    """

    rate: float
    loss: float
    images: int
    seconds: float
    waiting_seconds: float


class StepCurves:
    """Writes the curves of this process; of what all share, only the first one does."""

    def __init__(self, session: Session, writer: SeriesWriter) -> None:
        self._writer = writer
        self._is_first = session.group.ranks.is_first
        self._steps_per_epoch = session.steps_per_epoch
        self._device = session.compute.device if session.compute.is_gpu else None
        self._exchange = session.stepper.exchange
        self._waited_for_others = self._exchange.seconds if self._exchange else 0.0
        self._memory_at = 0.0

    def after_step(self, state: LoopState, step: MeasuredStep) -> None:
        """Append what was measured in a step.

        Args:
            state: After the step.
            step: The measures.

        Raises:
            FailedToWriteOutputsError: The disk is full, or the like.
        """
        seconds = max(1e-9, step.seconds)
        values = {
            SPEED: step.images / seconds,
            STEP_TIME: step.seconds,
            WAITING: step.waiting_seconds / seconds,
        }
        if self._is_first:
            values |= {LOSS: step.loss, RATE: step.rate}
        if self._exchange is not None:
            before, self._waited_for_others = self._waited_for_others, self._exchange.seconds
            values[WAITING_FOR_OTHERS] = (self._waited_for_others - before) / seconds
        if time.monotonic() >= self._memory_at:
            values |= self._memory()
            self._memory_at = time.monotonic() + _MEMORY_S
        epoch = state.step / self._steps_per_epoch
        self._writer.append(values, step=state.step, epoch=epoch)

    def after_epoch(self, state: LoopState, figures: Mapping[str, float]) -> None:
        """Append the figures of an epoch, also those that are not finite.

        Args:
            state: After the last step of the epoch.
            figures: As ``figures.epoch_figures``.

        Raises:
            FailedToWriteOutputsError: As ``after_step``.
        """
        if self._is_first:
            values = {OF_EPOCHS[name]: value for name, value in figures.items()}
            self._writer.append(values, step=state.step, epoch=state.epoch + 1)

    def flush(self) -> None:
        """Let readers see all that was appended: before a checkpoint, and before a long pause.

        Raises:
            FailedToWriteOutputsError: As ``after_step``.
        """
        self._writer.flush()

    def _memory(self) -> dict[SeriesName, float]:
        values: dict[SeriesName, float] = {MEMORY: memory_in_use_bytes()}
        if self._device is not None:
            values[GPU_MEMORY] = torch.cuda.memory_allocated(self._device)
            values[GPU_MOST] = torch.cuda.max_memory_allocated(self._device)
        return values


@contextlib.contextmanager
def opened_curves(session: Session, state: LoopState) -> Iterator[StepCurves]:
    """Yield the curves of a run, without the rows that go beyond the state it goes on from.

    Raises:
        CannotResumeError: A ``names.json`` among them was changed.
        FailedToWriteOutputsError: They cannot be written.
    """
    folder, ranks = session.run.series, session.group.ranks
    for rank in ranks_in(folder):
        is_absent = rank >= ranks.world_size  # the run goes on with fewer processes
        if rank == ranks.rank or (is_absent and ranks.is_first):
            cut_series(
                folder, rank=rank, step=state.step, epochs=state.epoch, error=CannotResumeError
            )
    names = [SPEED, STEP_TIME, WAITING, MEMORY]
    if ranks.is_first:
        several = session.training.has_several_labels
        of_epochs = LABEL_SET_EPOCH_UNITS if several else EPOCH_UNITS
        names = [LOSS, RATE, *names, *(OF_EPOCHS[name] for name in of_epochs)]
    if session.stepper.exchange is not None:
        names.append(WAITING_FOR_OTHERS)
    if session.compute.is_gpu:
        names += [GPU_MEMORY, GPU_MOST]
    with SeriesWriter(folder, names, rank=ranks.rank, error=CannotResumeError) as writer:
        yield StepCurves(session, writer)
