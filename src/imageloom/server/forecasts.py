"""What a run of a drawn pipeline would do at each node, as lights on the canvas."""

from typing import Literal

from pydantic import BaseModel

from imageloom.errors import ImageloomError
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.run.forecast import Forecast, NotReady
from imageloom.server.sight import SeenOutside
from imageloom.server.studio import Studio


class ProblemName(BaseModel):
    """What kind of problem something is, for those who say it in words of their own.

    Attributes:
        kind: One of ``ProblemKind``, or the type of an error.
        port: The port where it shows, or empty.
        parameter: The parameter or run setting, or empty.
    """

    kind: str
    port: str = ""
    parameter: str = ""


class NodeOutlook(BaseModel):
    """What a run would do at a node.

    Attributes:
        state: ``done`` when the result is there already, ``ready`` to be made, ``incomplete`` when
            something is missing or wrong at it, ``blocked`` when that is so before it.
        why: A sentence; empty where it is ready.
        hint: What to do; may be empty.
        problem: What kind of problem it is where it is incomplete.
    """

    state: Literal["done", "ready", "incomplete", "blocked"]
    why: str = ""
    hint: str = ""
    problem: ProblemName | None = None


def outlooks(studio: Studio, pipeline: Pipeline) -> dict[str, NodeOutlook]:
    """Return the outlook of each node by its id; what it reads outside may be seconds old.

    Args:
        studio: Where results are kept.
        pipeline: It may be half drawn.
    """
    look = SeenOutside(studio).look
    found = studio.engine.forecast(pipeline, studio.base, look=look)
    return {name: _outlook(name, one) for name, one in found.items()}


def _outlook(node: str, forecast: Forecast) -> NodeOutlook:
    if forecast is None:
        return NodeOutlook(state="ready")
    if isinstance(forecast, NotReady):
        problem = forecast.problem
        if forecast.node == node:
            name = ProblemName(kind=problem.kind, port=problem.port, parameter=problem.parameter)
            return NodeOutlook(
                state="incomplete", why=problem.message, hint=problem.hint, problem=name
            )
        return NodeOutlook(state="blocked", why=f"It needs {forecast.node or 'other nodes'}.")
    if isinstance(forecast, ImageloomError):
        return NodeOutlook(
            state="incomplete",
            why=forecast.message,
            hint=forecast.hint,
            problem=ProblemName(kind=type(forecast).__name__),
        )
    return NodeOutlook(state="done", why="The result is there already.")
