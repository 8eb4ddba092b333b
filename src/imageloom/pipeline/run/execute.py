"""The loop that runs a pipeline: what is ready is answered from the cache or given to a worker."""

import time
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final

from imageloom.errors import ImageloomError
from imageloom.events import CancelToken, Notice
from imageloom.files.locks import holder, release, try_lock
from imageloom.pipeline.graph.order import downstream
from imageloom.pipeline.run.cached_result import cached_result
from imageloom.pipeline.run.damage import remove_damaged
from imageloom.pipeline.run.ending import ended, failed, made, reused
from imageloom.pipeline.run.events import RunNotice, RunSink
from imageloom.pipeline.run.jobs import (
    FollowedJob,
    job_of,
    lock_note,
    maker_of,
    start_job,
    wait_for_any,
)
from imageloom.pipeline.run.keys import PlannedNode, plan_node
from imageloom.pipeline.run.recover import final_state
from imageloom.pipeline.run.slots import Need, Slots
from imageloom.pipeline.run.start import Prepared, prepare
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts, Wait
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.pipeline.workspace import Workspace
from imageloom.registry import Registry
from imageloom.spec.component import Component, Outside
from imageloom.spec.job import JOB_FILE, CacheEntry
from imageloom.spec.node_state import NodeState, RunState
from imageloom.spec.target import Target

POLL_S: Final = 0.05
LOOKED_AT_S: Final = 2.0  # another process may be finding out the truth about the run


def execute(  # noqa: PLR0913 - all but the first are keywords
    run: RunFolder,
    *,
    workspace: Workspace,
    components: Registry[Component],
    targets: Registry[Target],
    on_event: RunSink,
    cancel: CancelToken,
    asked_at: float | None = None,
) -> RunState:
    """Run a pipeline, or go on with one where it was left.

    Nodes whose outputs are in the store stay as they are, workers that are alive are picked up,
    and all other nodes are done, again where they failed or were cancelled.

    Args:
        run: The run, made by ``RunFolder.create``.
        workspace: Where it lies.
        components: What its nodes are.
        targets: Where its nodes run.
        on_event: Hears of every change of a state, and all that nodes tell.
        cancel: Asks the run to stop: what is finished stays, running nodes save. Set a second
            time, it ends them at once. The run's signs to cancel ask for the same.
        asked_at: When the execution was asked for, in seconds since 1970, UTC; now by default. It
            heeds signs to cancel that are newer.

    Returns:
        How the run ended; a node that failed is no exception.

    Raises:
        OutputInUseError: Another process executes the run; the message names it.
        ImageloomError: The record cannot be read, or the run's folder cannot be written.
    """
    asked_at = time.time() if asked_at is None else asked_at
    with run.execution_lock(wait_s=LOOKED_AT_S):
        run.forget_cancel(before=asked_at)
        prepared = prepare(
            run,
            workspace=workspace,
            components=components,
            targets=targets,
            on_event=on_event,
        )
        execution = _Execution(
            run, prepared, workspace=workspace, targets=targets, on_event=on_event
        )
        state = execution.go(cancel)
        run.append_run(state)
    return state


class _Execution:
    """What is going on in a run that is being executed.

    A node that is handed out by the graph, because all it needs has ended, is either ended then,
    or ``planned`` until it may start, and then has a job until that ends.
    """

    def __init__(
        self,
        run: RunFolder,
        prepared: Prepared,
        *,
        workspace: Workspace,
        targets: Registry[Target],
        on_event: RunSink,
    ) -> None:
        self._run = run
        self._record = prepared.record
        self._pipeline = prepared.pipeline
        self._resolved = prepared.resolved
        self._states = prepared.states
        self._workspace = workspace
        self._store = ObjectStore(workspace)
        self._targets = targets
        self._on_event = on_event
        self._slots = Slots(targets, run_id=run.id, person=self._record.asked_by)
        self._outside = Outside(base=Path(self._record.base), uploads=workspace.uploads)
        self._planned: dict[str, PlannedNode] = {}
        self._jobs: dict[str, FollowedJob] = {}
        self._graph = TopologicalSorter(
            {
                node_id: [source for source, _ in self._resolved[node_id].inputs.values()]
                for node_id in self._record.wanted
            }
        )
        self._graph.prepare()

    def go(self, cancel: CancelToken) -> RunState:
        """Run until every node has ended; return how the run did."""
        while self._graph.is_active():
            if cancel.is_set or self._run.cancel_asked():
                self._stop(at_once=cancel.asked > 1 or self._run.cancel_asked(at_once=True))
            for node_id in self._ready():
                self._take_up(node_id)
            for node_id, planned in list(self._planned.items()):
                self._start_if_possible(node_id, planned)
            for node_id, job in list(self._jobs.items()):
                if (facts := job.poll(self._on_event)) is not None:
                    self._end(node_id, facts)
                    self._doubt_inputs(node_id, facts)
                else:
                    self._tell_what_target_says(node_id, job.note)
            if not self._planned:
                self._slots.stop_waiting()
            if self._planned or self._jobs:
                wait_for_any(self._jobs.values(), timeout_s=POLL_S)
        return final_state(self._states.facts)

    def _ready(self) -> Iterator[str]:
        """Yield nodes whose needs have ended, also those for which that happens meanwhile."""
        while ready := self._graph.get_ready():
            yield from ready

    def _take_up(self, node_id: str) -> None:
        """Decide what a node needs: nothing more, its living worker, the cache, or a new worker."""
        facts = self._states.facts[node_id]
        if facts.state.is_ended:
            self._graph.done(node_id)
        elif facts.state is NodeState.RUNNING:
            message = "picked up again, for it ran on without the process that had started it"
            now = time.time()
            facts = facts.model_copy(update={"time": now, "message": message, "wait": None})
            self._follow(node_id, facts)
            self._states.set(node_id, facts)
        else:
            self._plan(node_id, facts)

    def _plan(self, node_id: str, facts: NodeFacts) -> None:
        try:
            resolved = self._resolved[node_id]
            planned = plan_node(resolved, self._states.outputs, self._outside)
            self._target(node_id)
            entry = cached_result(self._store, self._record, self._run.id, node_id, planned.key)
        except Exception as problem:  # noqa: BLE001 - a fingerprint is a component's own code
            self._end(node_id, failed(self._run.node_folder(node_id), problem, before=facts))
            return
        if entry is not None:
            self._end(node_id, self._answered(node_id, entry))
        else:
            self._planned[node_id] = planned

    def _start_if_possible(self, node_id: str, planned: PlannedNode) -> None:
        """Start a worker if there is a slot and nobody makes the same result just now."""
        facts = self._states.facts[node_id]
        has_slot = self._slots.is_free(self._need(node_id))
        if not has_slot and facts.state is NodeState.WAITING:
            self._tell_who_has_the_slot(node_id)
            return
        place = self._workspace.work_lock(planned.key)
        lock = try_lock(place, lock_note(self._run.id, node_id))
        if lock is None:
            self._tell_who_makes_it(node_id, holder(place))
            return
        try:
            # Asked again under the lock: who held it before may have made the result.
            entry = cached_result(self._store, self._record, self._run.id, node_id, planned.key)
            if entry is not None:
                self._end(node_id, self._answered(node_id, entry))
            elif not (has_slot and self._start(node_id, planned, lock)):
                self._tell_who_has_the_slot(node_id)
        except ImageloomError as problem:
            self._end(node_id, failed(self._run.node_folder(node_id), problem, before=facts))
        finally:
            release(lock)  # our copy; the worker holds its own

    def _start(self, node_id: str, planned: PlannedNode, lock: int) -> bool:
        """Start a worker, unless another run took the slot meanwhile."""
        with self._slots.held(self._need(node_id), node_id) as slots:
            if slots is None:
                return False
            self._start_with(slots, node_id, planned, lock)
        return True

    def _start_with(
        self, slots: Mapping[Path, int], node_id: str, planned: PlannedNode, lock: int
    ) -> None:
        folder = self._run.node_folder(node_id)
        if node_id in self._record.fresh and not (folder / JOB_FILE).exists():
            self._workspace.throw_away(self._workspace.work_scratch(planned.key))
        now = time.time()
        facts = NodeFacts(state=NodeState.RUNNING, time=now, started=now, key=planned.key)
        job = job_of(planned, self._store, run_id=self._run.id, base=self._record.base)
        target = self._target(node_id)
        events_begin = start_job(folder, job, target=target, lock=lock, slots=slots)
        self._follow(node_id, facts, hear_from=events_begin)
        self._states.set(node_id, facts)

    def _follow(self, node_id: str, facts: NodeFacts, *, hear_from: int = 0) -> None:
        self._planned.pop(node_id, None)
        self._jobs[node_id] = FollowedJob(
            self._run.node_folder(node_id),
            self._target(node_id),
            facts=facts,
            store=self._store,
            hear_from=hear_from,
        )
        self._slots.take(self._need(node_id))

    def _tell_who_has_the_slot(self, node_id: str) -> None:
        who = self._slots.waits_for(self._need(node_id))
        facts = self._states.facts[node_id]
        # The state changes where another run was at it, made nothing, and the slot is gone as well.
        if facts.state is not NodeState.WAITING or (who and who.message != facts.message):
            facts = NodeFacts(
                state=NodeState.WAITING,
                time=time.time(),
                message=who.message if who else "",
                wait=who.wait if who else None,
            )
            self._states.set(node_id, facts)

    def _tell_who_makes_it(self, node_id: str, who: str) -> None:
        message = f"waiting for {who}, which makes the same"
        if who and self._states.facts[node_id].message != message:
            now = time.time()
            facts = NodeFacts(
                state=NodeState.RUNNING, time=now, message=message, wait=maker_of(who)
            )
            self._states.set(node_id, facts)

    def _tell_what_target_says(self, node_id: str, note: str) -> None:
        """Write down why a job that was handed over has to wait, and when it no longer has."""
        facts = self._states.facts[node_id]
        if note == (facts.message if facts.wait else ""):
            return
        wait = Wait(kind="target") if note else None
        update = {"time": time.time(), "message": note, "wait": wait}
        self._states.set(node_id, facts.model_copy(update=update))

    def _end(self, node_id: str, facts: NodeFacts) -> None:
        """Record how a node ended, and what that means for those which need it."""
        self._planned.pop(node_id, None)
        if self._jobs.pop(node_id, None) is not None:
            self._slots.give_back(self._need(node_id))
        self._states.set(node_id, facts)
        self._graph.done(node_id)
        if facts.state.has_outputs:
            return
        is_failed = facts.state is NodeState.FAILED
        state, cause = (NodeState.NOT_RUN, node_id) if is_failed else (NodeState.CANCELLED, "")
        hit = downstream(self._pipeline, [node_id])
        for later in self._record.wanted:  # in the order in which they would have run
            before = self._states.facts[later]
            if later in hit and before.state is NodeState.WAITING:
                self._states.set(later, ended(before, state, cause=cause))

    def _doubt_inputs(self, node_id: str, facts: NodeFacts) -> None:
        """See to it that what a failed node could not read is made again when the run goes on."""
        needs = self._resolved[node_id].inputs.items()
        inputs = {port: self._states.outputs[source][name] for port, (source, name) in needs}
        for port in remove_damaged(facts, inputs, self._store):
            text = (
                f"Input {port!r} of node {node_id!r} had been damaged on disk. "
                "It is made again when the run goes on."
            )
            self._on_event(RunNotice(Notice("warning", text), node_id))

    def _stop(self, *, at_once: bool) -> None:
        """Begin nothing more, and have the jobs save and stop."""
        for node_id in self._record.wanted:
            facts = self._states.facts[node_id]
            if node_id in self._planned:
                self._end(node_id, ended(facts, NodeState.CANCELLED))
            elif facts.state is NodeState.WAITING:
                self._states.set(node_id, ended(facts, NodeState.CANCELLED))
        for job in self._jobs.values():
            job.stop(at_once=at_once)

    def _answered(self, node_id: str, entry: CacheEntry) -> NodeFacts:
        """Return the facts of a node that an entry answers, which may be of its own making."""
        if (entry.run_id, entry.node_id) == (self._run.id, node_id):
            return made(entry, self._states.facts[node_id])
        return reused(entry)

    def _target(self, node_id: str) -> Target:
        return self._targets.get(self._resolved[node_id].settings.target)

    def _need(self, node_id: str) -> Need:
        node = self._resolved[node_id]
        processes = node.settings.scale.processes_per_node
        return Need(node.settings.target, node.component.demand, processes)
