"""How a node run ended, from what its worker left behind."""

import time
from pathlib import Path

from imageloom.errors import (
    ImageloomError,
    LibraryError,
    ModuleOutOfMemoryError,
    WorkerLostError,
    library_text,
    named_error,
)
from imageloom.files.log_errors import with_log_position
from imageloom.files.publish import write_json
from imageloom.pipeline.run.job_folder import read_job, read_result
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.spec.job import ERROR_FILE, LOG_FILE, CacheEntry, Result
from imageloom.spec.node_state import NodeState
from imageloom.spec.target import JobStatus


def ending(
    folder: Path,
    status: JobStatus,
    *,
    before: NodeFacts,
    store: ObjectStore,
    was_stopped: bool = False,
) -> NodeFacts:
    """Return the facts of a node whose job has ended.

    A job that left neither an answer nor a result failed, and gets its ``error_info.json`` here.

    Args:
        folder: The job's folder.
        status: What the target knows of its end.
        before: The facts while it ran.
        store: Where its result is, if it was killed between that and its answer.
        was_stopped: Whether it was asked to stop, or ended.
    """
    result = read_result(folder)
    if result is not None:
        return _facts_of(result, before)
    job = read_job(folder)
    entry = store.cache_entry(job.key) if job is not None else None
    if job and entry and (entry.run_id, entry.node_id) == (job.run_id, job.node_id):
        return made(entry, before)
    if was_stopped:
        message = f"Its worker ended before it had saved: {status.reason}."
        return ended(before, NodeState.CANCELLED, message=message)
    error = _lost(folder.name, status)
    return _failed(folder, with_log_position(error, folder / LOG_FILE), before)


def failed(folder: Path, problem: Exception, *, before: NodeFacts) -> NodeFacts:
    """Return the facts of a node that ended without a worker's answer; write its error file."""
    error = named_error(problem) or LibraryError(
        f"{type(problem).__name__}: {library_text(problem)}",
        hint="This has no name yet, so it may be a fault of the component.",
        reason="unexpected",
    )
    return _failed(folder, error.to_json(), before)


def _failed(folder: Path, error: dict[str, object], before: NodeFacts) -> NodeFacts:
    write_json(folder / ERROR_FILE, error)
    result = Result.model_validate({"state": "failed", "error": error})
    return _facts_of(result, before)


def ended(before: NodeFacts, state: NodeState, *, message: str = "", cause: str = "") -> NodeFacts:
    """Return the facts of a node that ended without outputs and without an error of its own."""
    now = time.time()
    return NodeFacts(
        state=state,
        time=now,
        started=before.started,
        ended=now,
        message=message,
        cause=cause,
        key=before.key,
    )


def reused(entry: CacheEntry) -> NodeFacts:
    """Return the facts of a node whose result was there already."""
    now = time.time()
    return NodeFacts(
        state=NodeState.CACHED,
        time=now,
        ended=now,
        key=entry.key,
        outputs=entry.outputs,
        warnings=entry.warnings,
        made_by=(entry.run_id, entry.node_id),
        seconds=entry.seconds,
    )


def made(entry: CacheEntry, before: NodeFacts) -> NodeFacts:
    """Return the facts of a node that made a result but gave no answer."""
    result = Result(
        state="completed",
        outputs=entry.outputs,
        warnings=entry.warnings,
        seconds=entry.seconds,
    )
    return _facts_of(result, before.model_copy(update={"key": entry.key}))


def _facts_of(result: Result, before: NodeFacts) -> NodeFacts:
    state = NodeState(result.state)
    if state is NodeState.COMPLETED and result.warnings:
        state = NodeState.COMPLETED_WITH_WARNINGS
    now = time.time()
    return NodeFacts(
        state=state,
        time=now,
        started=before.started,
        ended=now,
        key=before.key,
        outputs=result.outputs,
        warnings=result.warnings,
        error=result.error,
        seconds=result.seconds,
    )


def _lost(node_id: str, status: JobStatus) -> ImageloomError:
    if status.out_of_memory:
        return ModuleOutOfMemoryError(
            f"The memory ran out while node '{node_id}' ran: its worker was {status.reason}, "
            "and the kernel says that it ends processes for want of memory.",
            hint="Use a smaller batch size or fewer workers, or close other programs.",
            reason="host-memory",
        )
    return WorkerLostError(
        f"The worker of node '{node_id}' gave no answer: {status.reason}.",
        hint=f"The last lines of {LOG_FILE} may say why. Run again to go on.",
        reason="worker-lost",
    )
