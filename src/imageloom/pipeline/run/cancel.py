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
_LEFT: Final = (RunState.QUEUED, RunState.INTERRUPTED)  # nobody executes it


def request_cancel(
    run: RunFolder,
    *,
    workspace: Workspace,
    targets: Registry[Target],
    at_once: bool = False,
) -> None:
    """Ask a run to stop, without waiting until it has: what is finished stays, running nodes save.

    The process that executes the run, or has just been started to, finds the request on file. Where
    there is none, the run is cancelled from here; jobs that it left behind are asked to stop.
    Asking twice is like asking once.

    Args:
        run: The run; one that has ended stays as it is.
        workspace: Where it lies.
        targets: Where its nodes run.
        at_once: End running nodes instead of letting them save.

    Raises:
        NoSuchRunError: There is no such run.
        FailedToWriteOutputsError: The request cannot be written.
    """
    # First, whatever the state: an executor that was started may be about to begin.
    run.ask_to_cancel(at_once=at_once)
    if run.state() in _LEFT:
        _stop_without_executor(
            run, workspace=workspace, targets=targets, at_once=at_once, timeout_s=0.0
        )


def wait_for_end(
    run: RunFolder,
    *,
    workspace: Workspace,
    targets: Registry[Target],
    timeout_s: float = CANCEL_TIMEOUT_S,
) -> RunState:
    """Wait until a run has ended, whoever executes it.

    Jobs that a lost executor left behind are waited for where the run was asked to stop.

    Args:
        run: The run.
        workspace: Where it lies.
        targets: Where its nodes run.
        timeout_s: How long to wait for the process that executes it or, where that is gone, for its
            workers.

    Returns:
        Where the run is then; still ``running`` when it did not end in time, and ``interrupted``
        when workers that it left behind did not, or run on a target that there is no more.
    """
    deadline = time.monotonic() + timeout_s
    while run.state() is RunState.RUNNING and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    if run.cancel_asked() and run.state() in _LEFT:
        at_once = run.cancel_asked(at_once=True)
        _stop_without_executor(
            run, workspace=workspace, targets=targets, at_once=at_once, timeout_s=timeout_s
        )
    return run.state()


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
    timeout_s: float,
) -> None:
    """Cancel a run that nobody executes, and stop the jobs that it left behind."""
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
            _stop_jobs(jobs, states, at_once=at_once, timeout_s=timeout_s)
            for node_id, facts in truth.items():
                if facts.state is NodeState.WAITING:
                    states.set(node_id, ended(facts, NodeState.CANCELLED))
            if all(facts.state.is_ended for facts in states.facts.values()):
                run.append_run(final_state(states.facts))
    except OutputInUseError:  # somebody goes on with it at this very moment
        return


def _stop_jobs(
    jobs: dict[str, FollowedJob], states: NodeStates, *, at_once: bool, timeout_s: float
) -> None:
    """Stop jobs and write down how they ended; those of a target that is silent may not end."""
    deadline = time.monotonic() + timeout_s
    while jobs:
        for node_id, job in list(jobs.items()):
            job.stop(at_once=at_once)
            if (facts := job.poll(ignore_run_events)) is not None:
                states.set(node_id, facts)
                del jobs[node_id]
        if time.monotonic() >= deadline:
            return
        time.sleep(_POLL_S)
