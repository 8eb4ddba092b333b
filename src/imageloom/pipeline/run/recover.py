"""What is true of a run whose executor is gone: which of its jobs still run, how others ended.

The file of states says what the executor last knew; targets know whether workers are alive; what
these left, answers and cache entries, says what they did when nobody watched.
"""

import time
from collections.abc import Mapping
from typing import Final

from imageloom.errors import FailedToWriteOutputsError, OutputInUseError
from imageloom.pipeline.run.ending import ending
from imageloom.pipeline.run.job_folder import link_outputs, read_job, read_result
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts, RunRecord
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.pipeline.workspace import Workspace
from imageloom.registry import Registry
from imageloom.spec.job import JOB_FILE
from imageloom.spec.node_state import NodeState, RunState
from imageloom.spec.target import Target

_NOT_BEGUN: Final = NodeFacts(state=NodeState.WAITING, time=0.0)


def find_truth(run: RunFolder, *, workspace: Workspace, targets: Registry[Target]) -> None:
    """Write down what became of the jobs of a run whose executor is gone.

    Jobs whose workers are alive stay ``running``; the next execution picks them up. A run that
    somebody executes is left to them, and one that cannot be written stays as it is, so that it
    can be looked at on a full or read-only disk.
    """
    try:
        with run.execution_lock():
            settle(run, workspace=workspace, targets=targets)
    except (OutputInUseError, FailedToWriteOutputsError):
        return


def settle(
    run: RunFolder, *, workspace: Workspace, targets: Registry[Target]
) -> dict[str, NodeFacts]:
    """Do what ``find_truth`` says, for a caller who holds the run's lock.

    Returns:
        What is true of each wanted node.
    """
    record = run.record()
    states = run.states()
    truth = {node_id: states.get(node_id, _NOT_BEGUN) for node_id in record.wanted}
    for node_id, before in truth.items():
        name = target_name(record, node_id)
        if before.state.is_ended or name not in targets:
            continue
        facts = _truth_of(run, node_id, before, workspace=workspace, target=targets.get(name))
        if facts != before:
            truth[node_id] = facts
            run.append_node(node_id, facts)
    return truth


def final_state(facts: Mapping[str, NodeFacts]) -> RunState:
    """Return the state of a run whose wanted nodes have all ended."""
    states = {one.state for one in facts.values()}
    if NodeState.CANCELLED in states:
        return RunState.CANCELLED
    if states & {NodeState.FAILED, NodeState.NOT_RUN}:
        return RunState.FAILED
    return RunState.COMPLETED


def target_name(record: RunRecord, node_id: str) -> str:
    """Return the name of the target on which a node runs."""
    return str(record.resolved[node_id].settings.get("target", "local"))


def _truth_of(
    run: RunFolder, node_id: str, before: NodeFacts, *, workspace: Workspace, target: Target
) -> NodeFacts:
    """Return what is true of a node that the executor last knew to wait or to run."""
    folder = run.node_folder(node_id)
    job = read_job(folder)
    key = before.key or (job.key if job else "")
    if not key:
        return _waiting(before)
    status = target.status(folder)
    # A target that cannot say may have the job in its queue, where it holds no lock.
    if status.state != "ended":
        if before.started is not None:
            return _with_note(before, status.note)
        started = (folder / JOB_FILE).stat().st_mtime  # the executor was lost before it could say
        return NodeFacts(state=NodeState.RUNNING, time=time.time(), started=started, key=key)
    if before.started is None and read_result(folder) is None:
        return _waiting(before)
    store = ObjectStore(workspace)
    facts = ending(folder, status, before=before.model_copy(update={"key": key}), store=store)
    link_outputs(folder, facts.outputs, store)
    return facts


def _with_note(before: NodeFacts, note: str) -> NodeFacts:
    """Return the facts of a node that waited for its target, with what that says now."""
    if before.wait is None or note == before.message:
        return before
    wait = before.wait if note else None
    return before.model_copy(update={"time": time.time(), "message": note, "wait": wait})


def _waiting(before: NodeFacts) -> NodeFacts:
    """Return the facts of a node that has not begun; it may have waited for another run."""
    if before.state is NodeState.WAITING and not before.message:
        return before
    return _NOT_BEGUN.model_copy(update={"time": time.time()})
