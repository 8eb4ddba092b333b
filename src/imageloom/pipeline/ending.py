"""How a node run ended, from what its worker left behind."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from imageloom.errors import (
    ImageloomError,
    LibraryError,
    ModuleOutOfMemoryError,
    WorkerLostError,
    named_error,
)
from imageloom.pipeline.object_store import ObjectStore
from imageloom.pipeline.run_record import NodeFacts
from imageloom.publish import write_json
from imageloom.spec.job import ERROR_FILE, LOG_FILE, RESULT_FILE, CacheEntry, Output, Result
from imageloom.spec.node_state import NodeState
from imageloom.spec.target import JobStatus


def ending(folder: Path, status: JobStatus, *, before: NodeFacts, was_stopped: bool) -> NodeFacts:
    """Return the facts of a node whose job has ended.

    A job that ended without an answer failed, and gets its ``error_info.json`` here.

    Args:
        folder: The job's folder.
        status: What the target knows of its end.
        before: The facts while it ran.
        was_stopped: Whether this execution asked the job to stop or ended it.
    """
    result = read_result(folder)
    if result is not None:
        return _facts_of(result, before)
    if was_stopped:
        message = f"Its worker ended before it had saved: {status.reason}."
        return ended(before, NodeState.CANCELLED, message=message)
    return failed(folder, _lost(folder.name, status), before=before)


def failed(folder: Path, problem: Exception, *, before: NodeFacts) -> NodeFacts:
    """Return the facts of a node that ended without a worker's answer; write its error file."""
    error = named_error(problem) or LibraryError(
        f"{type(problem).__name__}: {problem}",
        hint="This has no name yet, so it may be a fault of the component.",
        reason="unexpected",
    )
    write_json(folder / ERROR_FILE, error.to_json())
    result = Result.model_validate({"state": "failed", "error": error.to_json()})
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
    """Return the facts of a node that made a result, while nobody was there to hear of it."""
    result = Result(
        state="completed",
        outputs=entry.outputs,
        warnings=entry.warnings,
        seconds=entry.seconds,
    )
    return _facts_of(result, before.model_copy(update={"key": entry.key}))


def read_result(folder: Path) -> Result | None:
    """Return a job's answer, or None when it gave none."""
    try:
        return Result.model_validate_json((folder / RESULT_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def link_outputs(folder: Path, outputs: Mapping[str, Output], store: ObjectStore) -> None:
    """Show a node's outputs in its folder, as links that stay right when the workspace moves."""
    links = folder / "outputs"
    links.mkdir(parents=True, exist_ok=True)
    for port, output in outputs.items():
        link = links / port
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(store.path(output.object), links))


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
