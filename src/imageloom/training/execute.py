"""From a run's newest checkpoint to its end, in one of the processes that train."""

import contextlib
import functools
import logging
from collections.abc import Iterator
from typing import Final

from imageloom.distributed.group import joined_group
from imageloom.distributed.ranks import Ranks
from imageloom.distributed.store import Meet
from imageloom.errors import ImageloomError, InfinityError, NaNError, RunInterruptedError
from imageloom.events import CancelToken, Notice
from imageloom.models.record import library_versions
from imageloom.system.allocator import kept_for_the_next
from imageloom.system.wording import count
from imageloom.training.assemble import agreed_compute, assembled_session, compute_of
from imageloom.training.checkpoints.checkpoint import (
    newest_checkpoint,
    read_state,
    restore_checkpoint,
)
from imageloom.training.checkpoints.loop_state import LoopState
from imageloom.training.few_steps import tell_few_steps
from imageloom.training.finish import finish, publish_best
from imageloom.training.fit import fit
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.events import RunReporter
from imageloom.training.run.lost import mark_of_process
from imageloom.training.sampling import epoch_text
from imageloom.training.session import Session

logger = logging.getLogger(__name__)

# Errors that the processes of a run raise all at the same step, or none.
_AGREED: Final = (RunInterruptedError, NaNError, InfinityError)


def execute(
    run: RunDirectory, reporter: RunReporter, cancel: CancelToken, ranks: Ranks, meet: Meet
) -> None:
    """Train from the newest checkpoint; the first process then publishes model and report.

    Args:
        run: Where the checkpoints lie.
        reporter: Hears what there is to tell.
        cancel: Stops all processes at the same step.
        ranks: Which of them this is.
        meet: Where they meet; called when this one is ready to.

    Raises:
        CannotResumeError: There is no whole checkpoint.
        TimeoutOccuredError: Another process does not answer.
        WorkerLostError: Another process, or one that reads pictures, has ended.
        ImageloomError: As ``train``.
    """
    if ranks.is_first:
        run.error.unlink(missing_ok=True)
        run.update(state="running", ended=None, process=mark_of_process())
        _notice_other_versions(run, reporter)
    compute = compute_of(run.read().params, ranks)
    with contextlib.ExitStack() as together:
        together.enter_context(compute.as_current())
        if not compute.is_gpu:
            together.enter_context(kept_for_the_next())
        group = together.enter_context(joined_group(ranks, compute.device, meet()))
        compute = agreed_compute(compute, group)
        with assembled_session(run, reporter, cancel, compute, group) as session:
            state = _restore(session)
            if ranks.is_first:
                tell_few_steps(session)
                if text := epoch_text(session.training, session.params):
                    reporter.notice(Notice("info", text))
            logger.info("Starting at step %s of epoch %s", state.steps_in_epoch, state.epoch + 1)
            with _best_published_whatever_happens(session):
                state = fit(session, state)
            together.close()  # the others need not wait for what one process does
            if ranks.is_first:
                finish(session, state)


def _restore(session: Session) -> LoopState:
    """Put the values of the newest checkpoint, which the first process chooses, in their place."""
    ranks, name = session.group.ranks, b""
    restore = functools.partial(
        restore_checkpoint,
        network=session.stepper.network,
        optimizer=session.stepper.optimizer,
        average=session.average,
        ranks=ranks,
        seed=session.params.seed,
    )
    if ranks.is_first:
        checkpoint, _, passed_over = newest_checkpoint(session.run.checkpoints, restore)
        for sentence in passed_over:
            session.reporter.notice(Notice("warning", sentence))
        name = checkpoint.name.encode("ascii")
        _notice_processes(session)
    checkpoint = session.run.checkpoints / session.group.gather_bytes(name)[0].decode("ascii")
    if not ranks.is_first:
        restore(checkpoint)
    state = read_state(checkpoint)
    session.reporter.cut_back(state.events_bytes)
    return state


def _notice_processes(session: Session) -> None:
    """Say what several processes do to the numbers that were asked for."""
    asked, world_size = session.processes, session.group.ranks.world_size
    if (asked, world_size) == (1, 1):
        return
    rate, batch_size = session.params.learning_rate, session.params.pictures_per_batch
    text = (
        f"{count(world_size, 'process', 'processes')} on {session.compute.device.type}. "
        f"Pictures per batch: {batch_size} x {asked} = {batch_size * asked}. "
        f"Learning rate: {session.schedule.peak:g}"
    )
    if session.params.scale_learning_rate:
        text += f" = {rate:g} x {asked}"
    if asked != world_size:
        text += f". The run began with {count(asked, 'process', 'processes')}, which stays so"
    session.reporter.notice(Notice("info", text + "."))


@contextlib.contextmanager
def _best_published_whatever_happens(session: Session) -> Iterator[None]:
    """Publish the best epoch's model also when the run is stopped or fails."""
    try:
        yield
    except ImageloomError as problem:
        if session.group.ranks.is_first:
            _, state, _ = newest_checkpoint(session.run.checkpoints)
            if state.best_checkpoint:
                publish_best(session, state)
        if isinstance(problem, _AGREED):
            # What started the processes may end all as soon as one has failed.
            session.group.barrier()
        raise


def _notice_other_versions(run: RunDirectory, reporter: RunReporter) -> None:
    """Say what differs from where the run began: equal bits are then not promised."""
    before = run.read().versions
    for name, version in library_versions().items():
        if before.get(name) != version:
            text = f"The run began with {name} {before.get(name)}; this is {version}."
            reporter.notice(Notice("warning", text))
