"""``imageloom pipeline show``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click
from rich.console import RenderableType
from rich.text import Text

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import SectionOption
from imageloom.cli.places import PathType
from imageloom.cli.screen import line
from imageloom.cli.workspace import follow_up, open_engine, several, workspace_option
from imageloom.errors import ImageloomError, InvalidPipelineError, printable
from imageloom.params import value_text
from imageloom.system.wording import count

if TYPE_CHECKING:
    from pathlib import Path

    from imageloom.app import Engine
    from imageloom.pipeline.checks.problems import Problem
    from imageloom.pipeline.graph.graph import Node, Pipeline
    from imageloom.pipeline.run.forecast import Forecast

_CACHED: Final = "cached"
_TO_DO: Final = "to do"
_PROBLEM: Final = "problem"
_STYLES: Final = {_CACHED: "cyan", _TO_DO: "", _PROBLEM: "bold red"}
_WIDEST_NAME: Final = 26  # of our components: nodes are often called like them
_WIDEST_COMPONENT: Final = 28


@dataclass(frozen=True)
class _Row:
    """What is shown of a node."""

    node: str
    component: str
    state: str
    inputs: Mapping[str, str]
    values: Mapping[str, object]
    made_by: tuple[str, str] | None = None
    problem: str = ""


@call_command(
    "show",
    examples=(
        "imageloom pipeline show pipeline.json",
        "imageloom pipeline show pipeline.json --set train.epochs=10",
    ),
)
@click.argument("file", type=PathType())
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NODE.PARAMETER=VALUE",
    help="Show what would be done with another value; may be repeated.",
    cls=SectionOption,
    section="What to show",
)
@workspace_option
def command(call: Call) -> Outcome:
    """Show a pipeline as text, with what is done already.

    One line for each node, below all that it needs: its component, whether its result is there
    already ('cached') or would have to be made ('to do'), where its inputs come from, and the
    parameters that differ from their defaults. Nothing is run.
    """
    from imageloom.pipeline.graph.changes import apply_changes
    from imageloom.pipeline.graph.json_format import read_pipeline

    path = call.path("file")
    engine = open_engine(call)
    pipeline = apply_changes(read_pipeline(path), several(call, "changes"), engine.components)
    problems = engine.check(pipeline)
    rows = _rows(engine, pipeline, path, problems)
    return Outcome(
        content={
            "pipeline": pipeline.name,
            "description": pipeline.description,
            "valid": not problems,
            "nodes": [vars(row) for row in rows],
        },
        screen=(*_head(pipeline), *_lines(rows), *_end(call, rows, problems)),
    )


def _rows(
    engine: "Engine", pipeline: "Pipeline", path: "Path", problems: "Sequence[Problem]"
) -> list[_Row]:
    from imageloom.pipeline.graph.order import topological_order

    messages = {one.node: one.message for one in reversed(problems)}  # the first of each node
    try:
        order = topological_order(pipeline)
    except InvalidPipelineError:  # a cycle, which is among the problems
        order = tuple(node.id for node in pipeline.nodes)
    found = engine.forecast(pipeline, path.parent)
    return [
        _row(engine, pipeline, node_id, messages.get(node_id, ""), found.get(node_id))
        for node_id in order
    ]


def _row(
    engine: "Engine", pipeline: "Pipeline", node_id: str, problem: str, found: "Forecast"
) -> _Row:
    from imageloom.spec.job import CacheEntry

    node = pipeline.node(node_id)
    if isinstance(found, ImageloomError):
        problem = found.message
    cached = found if isinstance(found, CacheEntry) else None
    return _Row(
        node=node_id,
        component=node.component,
        state=_PROBLEM if problem else _CACHED if cached else _TO_DO,
        inputs={edge.to_port: edge.begin for edge in pipeline.edges_into(node_id)},
        values=_values(engine, node),
        made_by=(cached.run_id, cached.node_id) if cached else None,
        problem=problem,
    )


def _values(engine: "Engine", node: "Node") -> dict[str, object]:
    """Return the parameters and run settings that differ from their defaults."""
    from imageloom.params import describe
    from imageloom.spec.run_settings import RunSettings

    known = engine.components.get(node.component) if node.component in engine.components else None
    described = (*(describe(known.params) if known else ()), *describe(RunSettings))
    defaults = {one.name: one.default for one in described}
    given = {**node.params, **node.settings}
    return {name: value for name, value in given.items() if defaults.get(name, ...) != value}


def _head(pipeline: "Pipeline") -> Iterator[RenderableType]:
    size = f"{count(len(pipeline.nodes), 'node')}, {count(len(pipeline.edges), 'edge')}"
    yield Text.assemble((printable(pipeline.name), "bold"), f"  {size}")
    if pipeline.description:
        yield Text(printable(pipeline.description))


def _lines(rows: list[_Row]) -> Iterator[RenderableType]:
    names = min(max((len(row.node) for row in rows), default=0), _WIDEST_NAME)
    kinds = min(max((len(row.component) for row in rows), default=0), _WIDEST_COMPONENT)
    for row in rows:
        yield _text(row, names, kinds)


def _end(call: Call, rows: list[_Row], problems: "Sequence[Problem]") -> Iterator[RenderableType]:
    if problems:
        yield line("Problems", f"{len(problems):,}", style="red")
        yield line("Next", follow_up(call, "pipeline", "check", call.path("file")))
        return
    cached = sum(row.state == _CACHED for row in rows)
    yield line("Cache", f"holds {cached:,} of {count(len(rows), 'node')}")
    changes = (word for change in several(call, "changes") for word in ("--set", change))
    yield line("Next", follow_up(call, "run", call.path("file"), *changes))


def _text(row: _Row, names: int, kinds: int) -> Text:
    inputs = f"<- {', '.join(row.inputs.values())}" if row.inputs else ""
    values = " ".join(f"{name}={value_text(value)}" for name, value in row.values.items())
    text = Text.assemble(
        (f"{printable(row.node):<{names}}  ", "bold"),
        f"{printable(row.component):<{kinds}}  ",
        (f"{row.state:<7}", _STYLES[row.state]),
        *(f"  {printable(part)}" for part in (inputs, values) if part),
    )
    if row.problem:
        text.append(f"\n{'':{names}}  {printable(row.problem)}", style="red")
    return text
