"""Whether a pipeline can run: every problem at once, each with its node and port."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

from imageloom.pipeline.checks.edges import edge_problems, input_problems
from imageloom.pipeline.checks.nodes import component_problems, parameter_problems
from imageloom.pipeline.checks.problems import Problem, ProblemKind, invalid_pipeline
from imageloom.pipeline.checks.settings import setting_problems
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.graph.order import cycle_text, find_cycles
from imageloom.registry import Registry
from imageloom.spec.component import Component
from imageloom.spec.target import Limits

MAX_PROBLEMS: Final = 1_000  # a person reads a few; a hostile file could have a million


def check(
    pipeline: Pipeline, components: Registry[Component], limits: Mapping[str, Limits]
) -> tuple[Problem, ...]:
    """Return everything that keeps a pipeline from running, the first ``MAX_PROBLEMS`` of it.

    A node whose component is not installed is one problem; nothing is said of its ports and
    parameters, which nobody here knows.

    Args:
        pipeline: As it was read or built.
        components: What is installed.
        limits: What each target can give, by the target's name.
    """
    problems = _problems(pipeline, components, limits)
    return tuple(itertools.islice(problems, MAX_PROBLEMS))


def require_valid(
    pipeline: Pipeline, components: Registry[Component], limits: Mapping[str, Limits]
) -> None:
    """Refuse a pipeline that cannot run.

    Raises:
        InvalidPipelineError: The message lists every problem, as far as it has room.
    """
    problems = check(pipeline, components, limits)
    if problems:
        raise invalid_pipeline(pipeline.name, problems)


def _problems(
    pipeline: Pipeline, components: Registry[Component], limits: Mapping[str, Limits]
) -> Iterator[Problem]:
    if not pipeline.nodes:
        yield Problem(ProblemKind.NO_NODES, "There are no nodes.", hint="Add a component.")
    known = {
        node.id: components.get(node.component)
        for node in pipeline.nodes
        if node.component in components
    }
    for node in pipeline.nodes:
        yield from component_problems(node, components)
        if node.id in known:
            yield from parameter_problems(node, known[node.id])
            yield from setting_problems(node, known[node.id], limits)
            yield from input_problems(pipeline, node, known[node.id])
    yield from edge_problems(pipeline, known)
    for cycle in find_cycles(pipeline):
        yield Problem(
            ProblemKind.CYCLE,
            f"The nodes {cycle_text(cycle)} form a cycle, so none of them can be the first.",
            hint="Remove one of these edges.",
            node=cycle[0],
        )
