"""Which nodes of a pipeline a run is to do, and which of them anew."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imageloom.errors import InvalidPipelineError
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.graph.order import downstream, upstream
from imageloom.system.wording import some


@dataclass(frozen=True)
class Selection:
    """Part of a pipeline.

    Attributes:
        wanted: Nodes whose outputs the run must have, from the cache where it holds them.
        fresh: Those of them that are made anew, whatever the cache holds.
    """

    wanted: frozenset[str]
    fresh: frozenset[str]


def choose(
    pipeline: Pipeline,
    *,
    only: Sequence[str] = (),
    start: Sequence[str] = (),
    fresh: Sequence[str] = (),
) -> Selection:
    """Return what a run is asked to do; with nothing asked, all of the pipeline.

    Args:
        pipeline: Without cycles.
        only: Do these nodes and what they need, and nothing after them.
        start: Make these nodes and all that depends on them anew. What these need besides is
            taken from the cache; nothing else is done.
        fresh: Make these nodes anew, and others only where that changes their inputs.

    Raises:
        UnknownNameError: There is no such node.
        InvalidPipelineError: A node to make anew is not among those that are wanted.
    """
    for node_id in (*only, *start, *fresh):
        pipeline.node(node_id)
    dependent = downstream(pipeline, start)
    wanted = frozenset(node.id for node in pipeline.nodes)
    if start:
        wanted &= upstream(pipeline, dependent)
    if only:
        wanted &= upstream(pipeline, only)
    for node_id in (*start, *fresh):
        _refuse_unwanted(node_id, wanted, only or start)
    return Selection(wanted, (dependent | frozenset(fresh)) & wanted)


def _refuse_unwanted(node_id: str, wanted: frozenset[str], asked: Iterable[str]) -> None:
    if node_id not in wanted:
        raise InvalidPipelineError(
            f"{node_id!r} is to be made anew, but only what "
            f"{some([*map(repr, asked)])} needs is to be done, and it is not part of that.",
            hint="Leave out one of the two.",
            reason="not-wanted",
            details={"node": node_id},
        )
