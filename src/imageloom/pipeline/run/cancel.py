"""Stopping a run from another process."""

import time
from collections.abc import Iterator, Mapping
from typing import Final

from imageloom.errors import OutputInUseError
from imageloom.pipeline.run.ending import ended
from imageloom.pipeline.run.events import ignore_run_events
from imageloom.pipeline.run.jobs import FollowedJob
from imageloom.pipeline.run.node_states import NodeStates
from imageloom.pipeline.run.recover import final_state, settle, target_name
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.store.objects import ObjectStore
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
        timeout_s: How long to wait for the process that executes it or, where that is gone, for its
            workers.

    Returns:
        Where the run is then; still ``running`` when it did not stop in time, and ``interrupted``
        when workers that it left behind did not, or run on a target that there is no more.
    """
    is_repeated = run.cancel_asked()
    if run.state() is RunState.RUNNING:
        run.ask_to_cancel()
        if is_repeated:
            _end_jobs(run, targets)
    deadline = time.monotonic() + timeout_s
    while run.state() is RunState.RUNNING and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    if run.state() in (RunState.QUEUED, RunState.INTERRUPTED):
        deadline = time.monotonic() + timeout_s
        _stop_without_executor(
            run, workspace=workspace, targets=targets, at_once=is_repeated, deadline=deadline
        )
    return run.state()


def _end_jobs(run: RunFolder, targets: Registry[Target]) -> None:
    states = run.states()
    for node_id, target in _running(run, states, targets):
        if states[node_id].started is not None:
            target.stop(run.node_folder(node_id), at_once=True)


def _running(
    run: RunFolder, states: Mapping[str, NodeFacts], targets: Registry[Target]
) -> Iterator[tuple[str, Target]]:
    """Yield the nodes that run, with their targets; those of targets that are gone are left out."""
    record = run.record()
    for node_id, facts in states.items():
        name = target_name(record, node_id)
        if facts.state is NodeState.RUNNING and name in targets:
            yield node_id, targets.get(name)


def _stop_without_executor(
    run: RunFolder,
    *,
    workspace: Workspace,
    targets: Registry[Target],
    at_once: bool,
    deadline: float,
) -> None:
    try:
        with run.execution_lock():
            truth = settle(run, workspace=workspace, targets=targets)
            store = ObjectStore(workspace)
            states = NodeStates(run, truth, store=store, on_event=ignore_run_events)
            jobs = {
                node_id: FollowedJob(
                    run.node_folder(node_id), target, facts=truth[node_id], store=store
                )
                for node_id, target in _running(run, truth, targets)
            }
            _stop_jobs(jobs, states, at_once=at_once, deadline=deadline)
            for node_id, facts in truth.items():
                if facts.state is NodeState.WAITING:
                    states.set(node_id, ended(facts, NodeState.CANCELLED))
            if all(facts.state.is_ended for facts in states.facts.values()):
                run.append_run(final_state(states.facts))
    except OutputInUseError:  # somebody goes on with it at this very moment
        return


def _stop_jobs(
    jobs: dict[str, FollowedJob], states: NodeStates, *, at_once: bool, deadline: float
) -> None:
    """Stop jobs and write down how they ended; those of a target that is silent may not end."""
    while jobs and time.monotonic() < deadline:
        for node_id, job in list(jobs.items()):
            job.stop(at_once=at_once)
            if (facts := job.poll(ignore_run_events)) is not None:
                states.set(node_id, facts)
                del jobs[node_id]
        time.sleep(_POLL_S)
