"""A run of one node, written down without an engine."""

from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord, RunRecord
from imageloom.spec.node_state import NodeState, RunState


def made_run(studio, run_id="20261101-120000-0001", *, params=None, is_ended=True):
    """Make the run, whose node is ``a``, completed or under way, and return its folder."""
    folder = studio.engine.workspace.run(run_id)
    params = params or {"path": "."}
    node = {"id": "a", "component": "dataset", "params": params}
    folder.create(
        RunRecord(
            id=run_id,
            name="One",
            pipeline={"format_version": 2, "kind": "pipeline", "name": "One", "nodes": [node]},
            base=str(studio.base),
            resolved={"a": ResolvedRecord(component="dataset", version=1, params=params)},
            wanted=("a",),
            created=1.0,
        )
    )
    folder.append_run(RunState.RUNNING)
    if is_ended:
        folder.append_node("a", NodeFacts(state=NodeState.COMPLETED, time=2.0))
        folder.append_run(RunState.COMPLETED)
    return folder
