"""Why a run is not complete, as one error that names every failed node."""

from collections.abc import Mapping
from typing import Final

from imageloom.errors import (
    ImageloomError,
    NodeFailedError,
    RunInterruptedError,
    error_from_json,
)
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts
from imageloom.run_report.words import error_name
from imageloom.spec.job import LOG_FILE
from imageloom.spec.node_state import NodeState, RunState
from imageloom.system.wording import count

_SHOWN: Final = 5
_KEPT: Final = "What is finished is kept, and training goes on from its last checkpoint."


def failure_of(
    run: RunFolder, state: RunState, nodes: Mapping[str, NodeFacts], *, stopped_by: str = ""
) -> ImageloomError | None:
    """Return why a run is not complete, or None when it is, goes on, or never began.

    Args:
        run: Its folder.
        state: Where it is.
        nodes: The newest facts of each node by id.
        stopped_by: What asked it to stop, where that is known: ``Ctrl+C``.
    """
    if state is RunState.FAILED:
        return _node_failed(run, nodes)
    if state is RunState.CANCELLED:
        who = stopped_by or "a request to cancel"
        return RunInterruptedError(f"Stopped by {who}. {_KEPT}", reason="cancelled")
    if state is RunState.INTERRUPTED:
        return RunInterruptedError(
            f"The process that executed the run was lost. {_KEPT}", reason="lost"
        )
    return None


def _node_failed(run: RunFolder, nodes: Mapping[str, NodeFacts]) -> NodeFailedError:
    failed = [node for node, facts in nodes.items() if facts.state is NodeState.FAILED]
    parts = [_text(run, node, nodes[node]) for node in failed[:_SHOWN]]
    if len(failed) > _SHOWN:
        parts.append(f"and {count(len(failed) - _SHOWN, 'other node')}")
    return NodeFailedError(
        "\n".join(parts) or "The run failed before a node could start.",
        hint="Resume the run once the cause is gone. After a change of the pipeline or of the "
        "files it reads, run it anew: what did not change is taken from the cache.",
        reason="node-failed",
        details={"run": run.id, "nodes": failed},
    )


def _text(run: RunFolder, node: str, facts: NodeFacts) -> str:
    parts = error_from_json(facts.error or {}).sentences
    log = run.node_folder(node) / LOG_FILE
    if log.is_file():
        parts.append(f"Log: {log}")
    return "\n".join([f"{node}: {error_name(facts)}", *parts]).replace("\n", "\n  ")
