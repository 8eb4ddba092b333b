"""When checkpoints are written, and stopping after one: agreed on by all processes of a run."""

import dataclasses
import time

from imageloom.errors import RunInterruptedError
from imageloom.training.checkpoint import save_checkpoint
from imageloom.training.generator_state import generators_of_process
from imageloom.training.job import Job
from imageloom.training.loop_state import LoopState


class Saver:
    """Writes checkpoints: at each epoch's end, every few minutes, and before stopping.

    Every process calls the same methods at the same step; the first one writes.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._saved_at = time.monotonic()

    def save(self, state: LoopState) -> None:
        """Write a checkpoint; it is there when this returns in any process."""
        job, group = self._job, self._job.group
        others = [] if group.ranks.is_alone else group.gather_bytes(generators_of_process())[1:]
        if group.ranks.is_first:
            state = dataclasses.replace(state, events_bytes=job.reporter.bytes_written())
            network, optimizer = job.stepper.network, job.stepper.optimizer
            save_checkpoint(job.run.checkpoints, state, network, optimizer, others)
        group.barrier()
        self._saved_at = time.monotonic()

    def after_step(self, state: LoopState) -> None:
        """Stop if somebody asked to; save if it is long since the last time.

        Raises:
            RunInterruptedError: Somebody asked to stop, in this process or in another one.
        """
        minutes = self._job.params.checkpoint_minutes
        due = time.monotonic() - self._saved_at >= minutes * 60
        stop, due = self._job.group.any(self._job.cancel.is_set, due)
        if stop:
            self._stop(state)
        if due:
            self.save(state)

    def stop_if_asked(self, state: LoopState) -> None:
        """Stop if somebody asked to.

        Raises:
            RunInterruptedError: Likewise.
        """
        if self._job.group.any(self._job.cancel.is_set)[0]:
            self._stop(state)

    def _stop(self, state: LoopState) -> None:
        job = self._job
        self.save(state)
        reasons = job.group.gather_bytes(job.cancel.reason.encode("utf-8"))
        reason = next(filter(None, reasons), b"").decode("utf-8")
        raise RunInterruptedError(
            f"Stopped by {reason} at step {state.step} in epoch {state.epoch + 1}; "
            "everything up to there is saved.",
            hint=f"Go on with: {job.run.resume_command}",
            reason=reason,
            details={"epoch": state.epoch + 1, "step": state.step},
        )
