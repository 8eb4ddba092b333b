"""When checkpoints are written, and stopping after one: agreed on by all processes of a run."""

import dataclasses
import time
from collections.abc import Callable, Sequence

from imageloom.errors import RunInterruptedError
from imageloom.training.checkpoints.checkpoint import save_checkpoint
from imageloom.training.checkpoints.generator_state import generators_of_process
from imageloom.training.checkpoints.loop_state import LoopState
from imageloom.training.session import Session


class Saver:
    """Writes checkpoints: at each epoch's end, every few minutes, and before stopping.

    Every process calls the same methods at the same step; the first one writes.

    Args:
        session: The run's.
        before_saving: Writes what this process has measured so far.
    """

    def __init__(self, session: Session, *, before_saving: Callable[[], None]) -> None:
        self._session = session
        self._before_saving = before_saving
        self._saved_at = time.monotonic()

    def save(self, state: LoopState) -> None:
        """Write a checkpoint; it is there when this returns in any process."""
        session, group = self._session, self._session.group
        # The first process saves when it has heard from all: what they measured is written then.
        self._before_saving()
        others = [] if group.ranks.is_alone else group.gather_bytes(generators_of_process())[1:]
        if group.ranks.is_first:
            state = dataclasses.replace(state, events_bytes=session.reporter.bytes_written())
            network, optimizer = session.stepper.network, session.stepper.optimizer
            save_checkpoint(
                session.run.checkpoints, state, network, optimizer, others, session.average
            )
        group.barrier()
        self._saved_at = time.monotonic()

    def wishes(self) -> tuple[bool, bool]:
        """Return whether this process wants to stop, and to save, after the step under way."""
        minutes = self._session.params.checkpoint_minutes
        due = time.monotonic() - self._saved_at >= minutes * 60
        return self._session.cancel.is_set, due

    def after_step(self, state: LoopState, wished: Sequence[bool]) -> None:
        """Stop if somebody asked to; save if it is long since the last time.

        Args:
            state: After the step.
            wished: Which of its ``wishes`` any process had when they exchanged the step's figures.
                A process alone need not agree with others, so its latest count.

        Raises:
            RunInterruptedError: Somebody asked to stop, in this process or in another one.
        """
        stop, due = self.wishes() if self._session.group.ranks.is_alone else wished
        if stop:
            self._stop(state)
        if due:
            self.save(state)

    def stop_if_asked(self, state: LoopState) -> None:
        """Stop if somebody asked to.

        Raises:
            RunInterruptedError: Likewise.
        """
        if self._session.group.any(self._session.cancel.is_set)[0]:
            self._stop(state)

    def _stop(self, state: LoopState) -> None:
        session = self._session
        self.save(state)
        reasons = session.group.gather_bytes(session.cancel.reason.encode("utf-8"))
        reason = next(filter(None, reasons), b"").decode("utf-8")
        epoch, step = state.epoch + 1, state.step
        raise RunInterruptedError.stopped_by(
            reason,
            f"at step {step} in epoch {epoch}; everything up to there is saved",
            details={"epoch": epoch, "step": step},
            resume=session.run.resume,
        )
