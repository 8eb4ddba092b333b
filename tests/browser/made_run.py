"""A run of one node that completed, written down while a studio runs or before it does."""

from imageloom.pipeline.ownership import Ownership
from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord, RunRecord
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.node_state import NodeState, RunState

RUN = "20261101-120000-0001"


def made_run(studio, name, *, owner=""):
    """Make the run, which its owner alone sees where there are users."""
    run = Workspace(studio.workspace).run(RUN)
    node = {"id": "a", "component": "dataset", "params": {"path": "."}}
    record = RunRecord(
        id=RUN,
        name=name,
        pipeline={"format_version": 2, "kind": "pipeline", "name": name, "nodes": [node]},
        base=str(studio.folder),
        resolved={"a": ResolvedRecord(component="dataset", version=1, params={"path": "."})},
        wanted=("a",),
        created=1_790_000_000.0,
        asked_by=owner,
    )
    run.create(record, ownership=Ownership(owner=owner, is_shared=False))
    run.append_run(RunState.RUNNING)
    run.append_node("a", NodeFacts(state=NodeState.COMPLETED, time=1_790_000_001.0))
    run.append_run(RunState.COMPLETED)
