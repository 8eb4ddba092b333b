"""The training loop.

As pseudocode::

    for each epoch:
        put its pictures in order                  # training/sampling.py
        for each optimizer step of the epoch:      # batches: data/loading/sampler.py
            take this process's pieces of it       # training/shares.py
            rate = schedule(step)                  # training/schedule.py
            blend pictures where asked for         # training/mixing.py
            forward, backward, check, update       # training/step.py
            every few minutes, or asked to stop: checkpoint    # training/checkpoints/saver.py
            append what was measured           # training/curves.py
        validate every picture once
        best so far? patience used up?             # training/early_stop.py
        say what limited the speed             # training/waits.py
        checkpoint

One process and many run the same loop. Their states are equal after every step, so that all decide
alike; what they must tell each other for it is in distributed/group.py.
"""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imageloom.data.loading.loader import Batch, BatchKey, sequential_batches
from imageloom.data.loading.reading_times import ReadingTimes
from imageloom.data.loading.sampler import deal
from imageloom.errors import InfinityError, NaNError, RunError
from imageloom.events import Progress
from imageloom.metrics import ScoreSums
from imageloom.scoring.inference import predict_batches
from imageloom.training.checkpoints.loop_state import LoopState
from imageloom.training.checkpoints.saver import Saver
from imageloom.training.curves import MeasuredStep, StepCurves, opened_curves
from imageloom.training.figures import Figures, epoch_figures
from imageloom.training.label_kinds import ValidationSums, joined_numbers, labels_of, numbers_of
from imageloom.training.micro_batch import MicroBatch
from imageloom.training.mixing import mixed
from imageloom.training.optimizer import set_rate
from imageloom.training.sampling import order_of_epoch
from imageloom.training.session import Session
from imageloom.training.shares import Piece, own_steps
from imageloom.training.step import NonFiniteError
from imageloom.training.straggler import Pace
from imageloom.training.waits import EpochWaits


def fit(session: Session, state: LoopState) -> LoopState:
    """Train from ``state`` to the last epoch or until patience is used up.

    Raises:
        RunInterruptedError: Somebody asked to stop; a checkpoint was saved at that step.
        NaNError: A loss or gradient is not a number; the state before that step was saved.
        InfinityError: Likewise, infinite.
    """
    figures = Figures(
        session.reporter,
        session.params,
        session.steps_per_epoch,
        state.step,
        has_several_labels=session.training.has_several_labels,
    )
    with opened_curves(session, state) as curves:
        watchers = _Watchers(figures, curves, Pace(session), EpochWaits(session))
        saver = Saver(session, before_saving=curves.flush)
        while state.epoch < session.params.epochs and not state.early_stop.is_over(
            session.params.patience
        ):
            state = _train_epoch(session, state, watchers, saver)
            curves.flush()  # validation may take long
            began = time.monotonic()
            validation = _validate(session, state, saver)
            validation_seconds = time.monotonic() - began
            curves.after_epoch(state, epoch_figures(state, validation))
            state = _end_epoch(session, state, validation, figures)
            _judge(session, state.epoch, watchers, validation_seconds)
            saver.save(state)
    return state


@dataclass(frozen=True)
class _Watchers:
    """Who hears of every step, and says or writes something of it."""

    figures: Figures
    curves: StepCurves
    pace: Pace
    waits: EpochWaits


def _train_epoch(
    session: Session, state: LoopState, watchers: _Watchers, saver: Saver
) -> LoopState:
    steps = own_steps(
        order_of_epoch(session.training, session.params, state.epoch),
        session.params,
        processes=session.processes,
        ranks=session.group.ranks,
        weights_N=session.picture_weights,
    )[state.steps_in_epoch :]
    batches = session.training_loader.batches(
        [BatchKey(state.epoch, piece.positions, piece.times) for step in steps for piece in step]
    )
    session.set_training_mode()
    for pieces in steps:
        began = time.monotonic()
        rate = session.schedule.rate(state.step)
        set_rate(session.stepper.optimizer, rate)
        waiting = _Waiting(batches)
        try:
            batches_of_step = _micro_batches(session, waiting, pieces, state.epoch)
            sums, wished = session.stepper.take(batches_of_step, saver.wishes)
        except NonFiniteError as problem:
            saver.save(state)
            raise _non_finite(session, state, rate, problem) from problem
        if session.average is not None:
            session.average.update(state.step)
        seconds = time.monotonic() - began
        watchers.pace.after_step(sum(len(piece.positions) for piece in pieces), seconds)
        watchers.waits.after_step(seconds, waiting.seconds, waiting.reading)
        state = dataclasses.replace(
            state,
            steps_in_epoch=state.steps_in_epoch + 1,
            step=state.step + 1,
            sums=state.sums + sums,
            interval=state.interval + sums,
            epoch_seconds=state.epoch_seconds + seconds,
            waiting_seconds=state.waiting_seconds + waiting.seconds,
        )
        watchers.curves.after_step(state, _measured(pieces, rate, sums, seconds, waiting.seconds))
        if watchers.figures.after_step(state, rate, watchers.waits.words):
            state = dataclasses.replace(state, interval=ScoreSums())
        saver.after_step(state, wished)
    return state


def _measured(
    pieces: Sequence[Piece], rate: float, sums: ScoreSums, seconds: float, waiting_seconds: float
) -> MeasuredStep:
    return MeasuredStep(
        rate=rate,
        loss=sums.mean_loss,
        images=sum(len(piece.positions) for piece in pieces if piece.share > 0),
        seconds=seconds,
        waiting_seconds=waiting_seconds,
    )


def _micro_batches(
    session: Session, waiting: "_Waiting", pieces: Sequence[Piece], epoch: int
) -> Iterator[MicroBatch]:
    for piece in pieces:
        batch = waiting.next()
        whole = MicroBatch(
            inputs_BCHW=session.compute.inputs(batch.images_BCHW, session.normalisation),
            labels_B=labels_of(session.training, batch).to(
                session.compute.device, non_blocking=True
            ),
            share=piece.share,
            ends_step=piece is pieces[-1],
        )
        yield mixed(whole, session.params, epoch=epoch, first=piece.positions[0])


def _validate(session: Session, state: LoopState, saver: Saver) -> ValidationSums:
    """Score every validation picture once, in batches that are dealt out to the processes."""
    ranks, total = session.group.ranks, len(session.validation)
    session.group.share_buffers(session.stepper.network)
    if session.average is not None:
        session.group.share_buffers(session.average.network)
    batches = sequential_batches(total, session.params.pictures_per_batch * 2)
    own = deal(batches, rank=ranks.rank, world_size=ranks.world_size)
    keys = [BatchKey(0, tuple(batch)) for batch in own if batch]
    loaded = session.validation_loader.batches(keys)
    scored = predict_batches(
        session.validated_network, loaded, session.compute, session.normalisation
    )
    sums = joined_numbers(session.validation, [])
    for rows in own:
        if rows:
            added = numbers_of(session.validation, *next(scored))
            sums = joined_numbers(session.validation, [sums.as_numbers(), added])
        done = min(total, sums.images * ranks.world_size)
        stage = f"Validating epoch {state.epoch + 1}"
        session.reporter.progress(Progress(stage, done, total, "images"))
        saver.stop_if_asked(state)
    return joined_numbers(session.validation, session.group.gather(sums.as_numbers()))


def _end_epoch(
    session: Session, state: LoopState, validation: ValidationSums, figures: Figures
) -> LoopState:
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
    if session.group.ranks.is_first:
        session.run.update(epochs_done=epoch, best_epoch=early_stop.best_epoch)
    return ended


def _judge(session: Session, epoch: int, watchers: _Watchers, validation_seconds: float) -> None:
    """Say which process held up the others and what limited all of them."""
    speeds = watchers.pace.end_epoch(epoch)
    verdict = watchers.waits.end_epoch(epoch, validation_seconds)
    if not session.group.ranks.is_first:
        return
    if speeds:
        session.run.update(images_per_s_of_ranks=speeds)
    if verdict:
        session.run.update(speed_limit={"epoch": epoch, **dataclasses.asdict(verdict)})


def _non_finite(
    session: Session, state: LoopState, rate: float, problem: NonFiniteError
) -> RunError:
    kind = NaNError if problem.kind == "NaN" else InfinityError
    return kind(
        f"The {problem.what} is {problem.kind} in epoch {state.epoch + 1} at step {state.step + 1} "
        f"(learning rate {rate:.3g}). The network was not changed by that step.",
        hint="Usually the learning rate is too high: start again with --learning-rate "
        f"{session.params.learning_rate / 10:.1g}, or with --warmup-epochs 1. The state before the "
        f"step is kept in {session.run.checkpoints}.",
        reason="non-finite",
        details={"epoch": state.epoch + 1, "step": state.step + 1, "learning_rate": rate},
    )


class _Waiting:
    """Takes batches from a loader and adds up how long that took, and reading them."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches
        self.seconds = 0.0
        self.reading = ReadingTimes()

    def next(self) -> Batch:
        began = time.monotonic()
        batch = next(self._batches)
        self.seconds += time.monotonic() - began
        self.reading += batch.times
        return batch
