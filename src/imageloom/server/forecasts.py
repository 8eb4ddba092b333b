"""What a run of a drawn pipeline would do at each node, as lights on the canvas."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from imageloom.errors import ImageloomError
from imageloom.pipeline.checks.problems import Problem
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.server.studio import Studio
from imageloom.spec.job import CacheEntry


class NodeOutlook(BaseModel):
    """What a run would do at a node.

    Attributes:
        state: ``done`` when the result is there already, ``ready`` to be made, ``incomplete`` when
            something is missing or wrong at it, ``blocked`` when that is so before it.
        why: A sentence; empty where it is ready.
        hint: What to do; may be empty.
    """

    state: Literal["done", "ready", "incomplete", "blocked"]
    why: str = ""
    hint: str = ""


def outlooks(
    studio: Studio, pipeline: Pipeline, problems: Sequence[Problem]
) -> dict[str, NodeOutlook]:
    """Return the outlook of each node by its id.

    Args:
        studio: Where results are kept.
        pipeline: It may be half drawn.
        problems: What ``check`` found in it.
    """
    found = {
        one.node: NodeOutlook(state="incomplete", why=one.message, hint=one.hint)
        for one in reversed(problems)
        if one.node
    }
    if problems:
        return found
    forecast = studio.engine.forecast(pipeline, studio.base)
    return {name: _outlook(one) for name, one in forecast.items()}


def _outlook(forecast: CacheEntry | ImageloomError | None) -> NodeOutlook:
    if forecast is None:
        return NodeOutlook(state="ready")
    if isinstance(forecast, ImageloomError):
        return NodeOutlook(state="incomplete", why=forecast.message, hint=forecast.hint)
    return NodeOutlook(state="done", why="The result is there already.")
