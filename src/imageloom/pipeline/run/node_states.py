"""The states of the nodes of a run that is being executed."""

from collections.abc import Mapping

from imageloom.pipeline.run.events import NodeChanged, RunSink
from imageloom.pipeline.run.job_folder import link_outputs
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.store.objects import ObjectStore


class NodeStates:
    """What is known of each node; every change is written down first, and then told.

    Args:
        run: Where it is written down; the caller holds the run's lock.
        facts: What is known so far, by node id.
        store: Where outputs lie, to which a node's folder gets links.
        on_event: Who is told.

    Attributes:
        facts: What is known of each node now.
        outputs: The outputs that are there, by node id and port.
    """

    def __init__(
        self,
        run: RunFolder,
        facts: Mapping[str, NodeFacts],
        *,
        store: ObjectStore,
        on_event: RunSink,
    ) -> None:
        self._run = run
        self._store = store
        self._on_event = on_event
        self.facts = dict(facts)
        self.outputs = {node_id: one.outputs for node_id, one in facts.items()}

    def set(self, node_id: str, facts: NodeFacts) -> None:
        """Change what is known of a node."""
        link_outputs(self._run.node_folder(node_id), facts.outputs, self._store)
        self._run.append_node(node_id, facts)
        self.facts[node_id] = facts
        self.outputs[node_id] = facts.outputs
        self._on_event(NodeChanged(node_id, facts))
