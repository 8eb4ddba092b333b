"""A run as its report sees it: plain values that were read before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.graph.json_format import pipeline_from_json
from imageloom.pipeline.graph.order import topological_order
from imageloom.pipeline.run_record import NodeFacts, RunRecord
from imageloom.run_report.node_files import NodeFiles
from imageloom.spec.node_state import NodeState, RunState

_UNREACHED = NodeFacts(state=NodeState.WAITING, time=0.0)


@dataclass(frozen=True)
class RunView:
    """Everything that the report of a run is made from.

    Attributes:
        record: What was asked.
        state: State of the run.
        nodes: Facts by node; a node without any is waiting.
        files: What lies in the folders of nodes.
        seconds: From the beginning of the run to its end, pauses included.
        workspace: The folder of runs and outputs, for commands; empty when it is not known.
    """

    record: RunRecord
    state: RunState
    nodes: Mapping[str, NodeFacts]
    files: Mapping[str, NodeFiles] = field(default_factory=dict)
    seconds: float = 0.0
    workspace: str = ""

    @cached_property
    def pipeline(self) -> Pipeline:
        """The graph."""
        return pipeline_from_json(self.record.pipeline, f"run {self.record.id}")

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """The nodes of this run, each after all that it needs."""
        wanted = set(self.record.wanted)
        return tuple(node for node in topological_order(self.pipeline) if node in wanted)

    def facts(self, node_id: str) -> NodeFacts:
        """Return what is known of a node."""
        return self.nodes.get(node_id, _UNREACHED)

    def in_state(self, *states: NodeState) -> tuple[str, ...]:
        """Return the nodes that are in one of these states."""
        return tuple(node for node in self.wanted if self.facts(node).state in states)
