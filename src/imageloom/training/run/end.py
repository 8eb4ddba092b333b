"""How a run ended, written where people and programs look for it."""

import contextlib
import logging
import time
import traceback
from collections.abc import Iterator

from imageloom.distributed.ranks import Ranks
from imageloom.errors import (
    ImageloomError,
    LibraryError,
    ModuleOutOfMemoryError,
    RunInterruptedError,
    library_text,
    named_error,
)
from imageloom.models.compute import is_out_of_memory
from imageloom.training.run.directory import RunDirectory, now
from imageloom.training.run.record import State

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def recorded_end(run: RunDirectory, ranks: Ranks) -> Iterator[None]:
    """Write how the run ended into its record, its log and, for errors, ``error_info.json``.

    Only the first process writes the files.
    """
    began = time.monotonic()
    state: State = "completed"
    try:
        yield
    except RunInterruptedError as interruption:
        state = "interrupted"
        logger.warning("%s", interruption.message)
        raise
    except Exception as problem:
        state = "failed"
        gone = run.disappearance()
        error = gone or _named(problem)
        logger.error("%s %s\n%s", error.title, error, traceback.format_exc())
        if ranks.is_first and gone is None:
            run.write_error(error)
        if error is problem:
            raise
        raise error from problem
    except BaseException:
        state = "interrupted"
        raise
    finally:
        if ranks.is_first and run.disappearance() is None:
            _record_end(run, state, time.monotonic() - began)


def _record_end(run: RunDirectory, state: State, more_seconds: float) -> None:
    run.update(state=state, ended=now(), seconds=run.read().seconds + more_seconds)


def _named(problem: Exception) -> ImageloomError:
    if isinstance(problem, MemoryError) or is_out_of_memory(problem):
        return ModuleOutOfMemoryError(
            f"Memory ran out: {library_text(problem).partition(chr(10))[0] or 'no detail'}",
            hint="Start again with --batch-size auto, which finds what fits, or a smaller one; "
            "--accumulation-steps keeps the number of pictures per step. A smaller --image-size or "
            "network helps too.",
            reason="out-of-memory",
        )
    return named_error(problem) or LibraryError(
        f"{type(problem).__name__}: {library_text(problem)}",
        hint="The driver log in the run directory holds the whole traceback.",
        reason="unexpected",
    )
