"""The training loop.

As pseudocode::

    for each epoch:
        for each optimizer step of the epoch:      # order and batches: data/sampler.py
            rate = schedule(step)                  # training/schedule.py
            forward, backward, check, update       # training/step.py
            every few minutes, or asked to stop: checkpoint
        validate every picture once
        best so far? patience used up?             # training/early_stop.py
        checkpoint
"""

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imageloom.compute import Compute
from imageloom.data.image_directory import ImageDirectory
from imageloom.data.loader import Batch, BatchKey, PictureLoader, sequential_batches
from imageloom.data.sampler import epoch_order, step_bounds
from imageloom.errors import InfinityError, NaNError, RunError, RunInterruptedError
from imageloom.events import CancelToken, Progress
from imageloom.metrics import ScoreSums, score_sums
from imageloom.preprocessing import Normalisation
from imageloom.scoring.inference import predict_batches
from imageloom.training.checkpoint import LoopState, save_checkpoint
from imageloom.training.config import TrainParams
from imageloom.training.events import Reporter
from imageloom.training.figures import Figures
from imageloom.training.optimizer import set_rate
from imageloom.training.run_directory import RunDirectory
from imageloom.training.schedule import Schedule
from imageloom.training.step import MicroBatch, NonFiniteError, Stepper


@dataclass(frozen=True)
class Job:
    """What the loop works with and does not change.

    Attributes:
        set_training_mode: Puts the network into training mode, frozen parts excepted.
        class_weights_K: Weight of each class in the loss, float64, or None for equal weights.
    """

    params: TrainParams
    run: RunDirectory
    stepper: Stepper
    schedule: Schedule
    training: ImageDirectory
    validation: ImageDirectory
    training_loader: PictureLoader
    validation_loader: PictureLoader
    normalisation: Normalisation
    set_training_mode: Callable[[], None]
    class_weights_K: npt.NDArray[np.float64] | None
    reporter: Reporter
    cancel: CancelToken

    @property
    def compute(self) -> Compute:
        """Where the network computes."""
        return self.stepper.compute

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of one epoch."""
        return self.schedule.total_steps // self.params.epochs


def fit(job: Job, state: LoopState) -> LoopState:
    """Train from ``state`` to the last epoch or until patience is used up.

    Raises:
        RunInterruptedError: Somebody asked to stop; a checkpoint was saved at that step.
        NaNError: A loss or gradient is not a number; the state before that step was saved.
        InfinityError: Likewise, infinite.
    """
    figures = Figures(job.reporter, job.params, job.steps_per_epoch, state.step)
    saver = _Saver(job)
    while state.epoch < job.params.epochs and not state.early_stop.is_over(job.params.patience):
        state = _train_epoch(job, state, figures, saver)
        validation = _validate(job, state, saver)
        state = _end_epoch(job, state, validation, figures)
        saver.save(state)
    return state


def _train_epoch(job: Job, state: LoopState, figures: Figures, saver: "_Saver") -> LoopState:
    order = epoch_order(len(job.training), job.params.seed, state.epoch)
    steps = step_bounds(len(order), job.params.batch_size, job.params.accumulation_steps)
    steps = steps[state.steps_in_epoch :]
    keys = [
        BatchKey(state.epoch, tuple(order[start:stop].tolist()))
        for step in steps
        for start, stop in step
    ]
    batches = job.training_loader.batches(keys)
    job.set_training_mode()
    for bounds in steps:
        began = time.monotonic()
        rate = job.schedule.rate(state.step)
        set_rate(job.stepper.optimizer, rate)
        waiting = _Waiting(batches)
        shares = _shares(job, [order[start:stop] for start, stop in bounds])
        try:
            sums = job.stepper.take(_micro_batches(job, waiting, shares))
        except NonFiniteError as problem:
            saver.save(state)
            raise _non_finite(job, state, rate, problem) from problem
        state = dataclasses.replace(
            state,
            steps_in_epoch=state.steps_in_epoch + 1,
            step=state.step + 1,
            sums=state.sums + sums,
            interval=state.interval + sums,
            epoch_seconds=state.epoch_seconds + time.monotonic() - began,
            waiting_seconds=state.waiting_seconds + waiting.seconds,
        )
        if figures.after_step(state, rate):
            state = dataclasses.replace(state, interval=ScoreSums())
        saver.after_step(state)
    return state


def _micro_batches(job: Job, waiting: "_Waiting", shares: list[float]) -> Iterator[MicroBatch]:
    for share in shares:
        batch = waiting.next()
        yield MicroBatch(
            inputs_BCHW=job.compute.inputs(batch.images_BCHW, job.normalisation),
            labels_B=batch.labels_B.to(job.compute.device, non_blocking=True),
            share=share,
        )


def _shares(job: Job, batches: list[npt.NDArray[np.int64]]) -> list[float]:
    """Return the part of each batch in its step: of pictures, or of their class weights."""
    if job.class_weights_K is None:
        amounts = [float(len(batch)) for batch in batches]
    else:
        labels = job.training.labels
        amounts = [float(job.class_weights_K[labels[batch]].sum()) for batch in batches]
    return [amount / sum(amounts) for amount in amounts]


def _validate(job: Job, state: LoopState, saver: "_Saver") -> ScoreSums:
    """Score every validation picture once."""
    batches = sequential_batches(len(job.validation), job.params.batch_size * 2)
    loaded = job.validation_loader.batches([BatchKey(0, tuple(batch)) for batch in batches])
    network, compute = job.stepper.network, job.compute
    sums = ScoreSums()
    for batch, logits_BK in predict_batches(network, loaded, compute, job.normalisation):
        sums += score_sums(logits_BK, batch.labels_B)
        stage = f"Validating epoch {state.epoch + 1}"
        job.reporter.progress(Progress(stage, sums.images, len(job.validation), "images"))
        saver.stop_if_asked(state)
    return sums


def _end_epoch(job: Job, state: LoopState, validation: ScoreSums, figures: Figures) -> LoopState:
    epoch = state.epoch + 1
    early_stop = state.early_stop.after_epoch(epoch, validation.mean_loss)
    figures.after_epoch(state, validation, is_best=early_stop.best_epoch == epoch)
    ended = dataclasses.replace(
        state,
        epoch=epoch,
        steps_in_epoch=0,
        sums=ScoreSums(),
        early_stop=early_stop,
        epoch_seconds=0.0,
        waiting_seconds=0.0,
    )
    if early_stop.best_epoch == epoch:
        ended = dataclasses.replace(ended, best_checkpoint=ended.name)
    job.run.update(epochs_done=epoch, best_epoch=early_stop.best_epoch)
    return ended


def _non_finite(job: Job, state: LoopState, rate: float, problem: NonFiniteError) -> RunError:
    kind = NaNError if problem.kind == "NaN" else InfinityError
    return kind(
        f"The {problem.what} is {problem.kind} in epoch {state.epoch + 1} at step {state.step + 1} "
        f"(learning rate {rate:.3g}). The network was not changed by that step.",
        hint="Usually the learning rate is too high: start again with --learning-rate "
        f"{job.params.learning_rate / 10:.1g}, or with --warmup-epochs 1. The state before the "
        f"step is kept in {job.run.checkpoints}.",
        reason="non-finite",
        details={"epoch": state.epoch + 1, "step": state.step + 1, "learning_rate": rate},
    )


class _Waiting:
    """Takes batches from a loader and adds up how long that took."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches
        self.seconds = 0.0

    def next(self) -> Batch:
        began = time.monotonic()
        batch = next(self._batches)
        self.seconds += time.monotonic() - began
        return batch


class _Saver:
    """Writes checkpoints: at each epoch's end, every few minutes, and before stopping."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._saved_at = time.monotonic()

    def save(self, state: LoopState) -> None:
        job = self._job
        state = dataclasses.replace(state, events_bytes=job.reporter.bytes_written())
        save_checkpoint(job.run.checkpoints, state, job.stepper.network, job.stepper.optimizer)
        self._saved_at = time.monotonic()

    def after_step(self, state: LoopState) -> None:
        self.stop_if_asked(state)
        if time.monotonic() - self._saved_at >= self._job.params.checkpoint_minutes * 60:
            self.save(state)

    def stop_if_asked(self, state: LoopState) -> None:
        job = self._job
        if not job.cancel.is_set:
            return
        self.save(state)
        raise RunInterruptedError(
            f"Stopped by {job.cancel.reason} at step {state.step} in epoch {state.epoch + 1}; "
            "everything up to there is saved.",
            hint=f"Go on with: {job.run.resume_command}",
            reason=job.cancel.reason,
            details={"epoch": state.epoch + 1, "step": state.step},
        )
