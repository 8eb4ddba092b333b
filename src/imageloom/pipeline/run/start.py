"""What an execution begins with: what was asked, and what is there already."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from imageloom.events import Notice
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.graph.json_format import pipeline_from_json
from imageloom.pipeline.graph.resolve import ResolvedNode, resolve
from imageloom.pipeline.run.events import RunNotice, RunSink
from imageloom.pipeline.run.node_states import NodeStates
from imageloom.pipeline.run.recover import settle
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord, RunRecord
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.pipeline.workspace import Workspace
from imageloom.registry import Registry
from imageloom.spec.component import Component
from imageloom.spec.job import ERROR_FILE, RESULT_FILE
from imageloom.spec.node_state import NodeState, RunState
from imageloom.spec.run_settings import RunSettings
from imageloom.spec.target import Target


@dataclass(frozen=True)
class Prepared:
    """A run that is about to be executed.

    Attributes:
        record: What was asked.
        pipeline: The pipeline.
        resolved: All its nodes with the parameters that were resolved when the run was made.
        states: Of the wanted nodes: with outputs that are whole, ``running`` where a worker of an
            earlier execution is alive, else ``waiting``.
    """

    record: RunRecord
    pipeline: Pipeline
    resolved: Mapping[str, ResolvedNode]
    states: NodeStates


def prepare(
    run: RunFolder,
    *,
    workspace: Workspace,
    components: Registry[Component],
    targets: Registry[Target],
    on_event: RunSink,
) -> Prepared:
    """Read what was asked, and write down that the run is being executed.

    Raises:
        ImageloomError: The record is damaged, a component is no longer there, or it no longer
            takes the parameters it took when the run was made.
    """
    record = run.record()
    pipeline = pipeline_from_json(record.pipeline, f"the record of run {run.id}")
    resolved = {
        node_id: _as_recorded(node, record.resolved[node_id])
        for node_id, node in resolve(pipeline.part(record.wanted), components).items()
    }
    truth = settle(run, workspace=workspace, targets=targets)
    run.append_run(RunState.RUNNING)
    store = ObjectStore(workspace)
    states = NodeStates(run, truth, store=store, on_event=on_event)
    for node_id, facts in truth.items():
        if facts.state is NodeState.RUNNING or (
            facts.state.has_outputs and _is_whole(node_id, facts, store=store, on_event=on_event)
        ):
            continue
        for name in (RESULT_FILE, ERROR_FILE):  # else taken for those of this execution
            (run.node_folder(node_id) / name).unlink(missing_ok=True)
        states.set(node_id, NodeFacts(state=NodeState.WAITING, time=time.time()))
    return Prepared(record, pipeline, resolved, states)


def _as_recorded(node: ResolvedNode, record: ResolvedRecord) -> ResolvedNode:
    """Return a node as it was when the run was made; defaults may have changed since."""
    params = node.component.params.parse(record.params)
    return replace(node, params=params, settings=RunSettings.parse(record.settings))


def _is_whole(node_id: str, facts: NodeFacts, *, store: ObjectStore, on_event: RunSink) -> bool:
    """Whether the outputs of a node are all there; if not, that is told."""
    bad = [port for port, output in facts.outputs.items() if not store.is_whole(output.object)]
    if bad:
        text = f"Output {bad[0]!r} of node {node_id!r} is damaged or gone, so it is made again."
        on_event(RunNotice(Notice("warning", text), node_id))
    return not bad
