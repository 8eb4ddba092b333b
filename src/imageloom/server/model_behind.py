"""Which model stands behind what a node made, and which pictures it has learned from."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imageloom.errors import NoSuchRunError
from imageloom.pipeline.graph.graph import Edge, Pipeline
from imageloom.pipeline.graph.json_format import pipeline_from_json
from imageloom.pipeline.run_folder import RunFolder
from imageloom.server.studio import Studio
from imageloom.spec.port_types import IMAGE_DIRECTORY, MODEL_DIRECTORY


@dataclass(frozen=True)
class ModelBehind:
    """A trained model of a run.

    Attributes:
        node: The node that made it.
        path: Where it lies.
        training: The image directory that it has learned from, or None where that is not known.
        has_learned_scored: Whether the pictures that it scored are just those it has learned from.
    """

    node: str
    path: Path
    training: Path | None
    has_learned_scored: bool


def model_behind(studio: Studio, run_id: str, node: str) -> ModelBehind:
    """Return the model that a node made, or else the nearest one before it.

    Raises:
        NoSuchRunError: There is no such run or node, or no model is there.
    """
    run, _ = studio.node(run_id, node)
    graph = _RunGraph(run, pipeline_from_json(run.record().pipeline, "The pipeline"), studio)
    waiting, seen = deque([(node, "")]), {node}
    while waiting:
        here, after = waiting.popleft()
        model = graph.output(here, MODEL_DIRECTORY)
        if model is not None:
            learned, scored = graph.images_into(here), graph.images_into(after)
            return ModelBehind(
                node=here,
                path=model,
                training=None if learned is None else learned[0],
                has_learned_scored=bool(learned and scored and learned[1] == scored[1]),
            )
        for edge in graph.edges_into(here):
            if edge.from_node not in seen:
                seen.add(edge.from_node)
                waiting.append((edge.from_node, here))
    raise NoSuchRunError(
        f"No trained model is behind node {node} of run {run_id}.",
        hint="Choose a node that trains, scores or evaluates, and that has completed.",
        reason="no-model",
    )


class _RunGraph:
    """The pipeline of a run with what its nodes made.

    Args:
        run: The run.
        pipeline: As it was asked for.
        studio: Knows the components.
    """

    def __init__(self, run: RunFolder, pipeline: Pipeline, studio: Studio) -> None:
        self._run = run
        self._pipeline = pipeline
        self._components = studio.engine.components
        self._facts = run.states()

    def output(self, node: str, kind: str) -> Path | None:
        """Return where an output of a kind lies that a node made, or None."""
        facts = self._facts.get(node)
        for port, output in facts.outputs.items() if facts is not None else ():
            if output.type == kind:
                return self._place(node, port)
        return None

    def images_into(self, node: str) -> tuple[Path, str] | None:
        """Return place and digest of the first image directory that goes into a node."""
        for edge in self.edges_into(node):
            facts = self._facts.get(edge.from_node)
            output = None if facts is None else facts.outputs.get(edge.from_port)
            if output is not None and output.type == IMAGE_DIRECTORY:
                return self._place(edge.from_node, edge.from_port), output.digest
        return None

    def edges_into(self, node: str) -> Iterator[Edge]:
        """Yield the edges that end at a node, in the order of its inputs."""
        edges = {edge.to_port: edge for edge in self._pipeline.edges_into(node)}
        if node in self._pipeline:
            component = self._pipeline.node(node).component
            if component in self._components:
                for port in self._components.get(component).inputs:
                    if port.name in edges:
                        yield edges.pop(port.name)
        yield from edges.values()

    def _place(self, node: str, port: str) -> Path:
        return self._run.node_folder(node) / "outputs" / port
