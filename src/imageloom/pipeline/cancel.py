"""Stopping a run from another process."""

import time
from typing import Final

from imageloom.errors import OutputInUseError
from imageloom.pipeline.ending import ended
from imageloom.pipeline.jobs import FollowedJob
from imageloom.pipeline.node_states import NodeStates
from imageloom.pipeline.object_store import ObjectStore
from imageloom.pipeline.run_events import ignore_run_events
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.truth import final_state, settle, target_name
from imageloom.pipeline.workspace import Workspace
from imageloom.registry import Registry
from imageloom.spec.node_state import NodeState, RunState
from imageloom.spec.target import Target

CANCEL_TIMEOUT_S: Final = 40.0  # running nodes have 25 s to save
_POLL_S: Final = 0.02


def cancel_run(
    run: RunFolder,
    *,
    workspace: Workspace,
    targets: Registry[Target],
    timeout_s: float = CANCEL_TIMEOUT_S,
) -> RunState:
    """Stop a run: what is finished stays, running nodes save.

    The process that executes the run is asked to; when it is gone, its workers are stopped from
    here. Asked a second time, running nodes are ended at once.

    Args:
        run: The run; one that has ended stays as it is.
        workspace: Where it lies.
        targets: Where its nodes run.
        timeout_s: How long to wait for the process that executes it.

    Returns:
        Where the run is then; still ``running`` when it did not stop in time.
    """
    is_repeated = run.cancel_asked()
    if run.state() is RunState.RUNNING:
        run.ask_to_cancel()
        if is_repeated:
            _end_jobs(run, targets)
    deadline = time.monotonic() + timeout_s
    while run.state() is RunState.RUNNING and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    if run.state() is RunState.INTERRUPTED:
        _stop_without_executor(run, workspace=workspace, targets=targets, at_once=is_repeated)
    return run.state()


def _end_jobs(run: RunFolder, targets: Registry[Target]) -> None:
    record = run.record()
    for node_id, facts in run.states().items():
        if facts.state is NodeState.RUNNING and facts.started is not None:
            target = targets.get(target_name(record, node_id))
            target.stop(run.node_folder(node_id), at_once=True)


def _stop_without_executor(
    run: RunFolder, *, workspace: Workspace, targets: Registry[Target], at_once: bool
) -> None:
    try:
        with run.execution_lock():
            truth = settle(run, workspace=workspace, targets=targets)
            store = ObjectStore(workspace)
            states = NodeStates(run, truth, store=store, on_event=ignore_run_events)
            _stop_jobs(run, states, store=store, targets=targets, at_once=at_once)
            for node_id, facts in truth.items():
                if facts.state is NodeState.WAITING:
                    states.set(node_id, ended(facts, NodeState.CANCELLED))
            run.append_run(final_state(states.facts))
    except OutputInUseError:  # somebody goes on with it at this very moment
        return


def _stop_jobs(
    run: RunFolder,
    states: NodeStates,
    *,
    store: ObjectStore,
    targets: Registry[Target],
    at_once: bool,
) -> None:
    record = run.record()
    jobs = {
        node_id: FollowedJob(
            run.node_folder(node_id),
            targets.get(target_name(record, node_id)),
            facts=facts,
            store=store,
        )
        for node_id, facts in states.facts.items()
        if facts.state is NodeState.RUNNING
    }
    while jobs:
        for node_id, job in list(jobs.items()):
            job.stop(at_once=at_once)
            if (facts := job.poll(ignore_run_events)) is not None:
                states.set(node_id, facts)
                del jobs[node_id]
        time.sleep(_POLL_S)
