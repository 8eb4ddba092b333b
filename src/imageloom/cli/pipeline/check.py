"""``imageloom pipeline check``."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click
from rich.console import RenderableType
from rich.text import Text

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.places import PathType
from imageloom.cli.screen import line
from imageloom.cli.workspace import follow_up, open_engine, workspace_option
from imageloom.errors import printable
from imageloom.system.wording import count

if TYPE_CHECKING:
    from imageloom.pipeline.checks.problems import Problem


@call_command(
    "check",
    examples=(
        "imageloom pipeline check pipeline.json",
        "imageloom pipeline check pipeline.json --json",
    ),
)
@click.argument("file", type=PathType())
@workspace_option
def command(call: Call) -> Outcome:
    """Name every problem of a pipeline, before anything runs.

    All problems are listed at once, each with its node and port and what to do: unknown
    components, values out of their range, edges between different types, missing inputs, cycles,
    more processes than a target has. Nothing is run. The exit code is 1 if there is a problem.
    """
    from imageloom.pipeline.graph.json_format import read_pipeline

    path = call.path("file")
    pipeline = read_pipeline(path)
    problems = open_engine(call).check(pipeline)
    size = f"{count(len(pipeline.nodes), 'node')}, {count(len(pipeline.edges), 'edge')}"
    if problems:
        end = [
            line("Verdict", f"{count(len(problems), 'problem')} ({size})"),
            line("Next", "mend them; imageloom components NAME explains a component"),
        ]
    else:
        end = [
            line("Verdict", f"it can run ({size})"),
            line("Next", follow_up(call, "run", path)),
        ]
    return Outcome(
        content={
            "pipeline": pipeline.name,
            "valid": not problems,
            "nodes": len(pipeline.nodes),
            "edges": len(pipeline.edges),
            "problems": [{**vars(one), "kind": one.kind.value} for one in problems],
        },
        screen=(*_grouped(problems), *end),
        exit_code=1 if problems else 0,
    )


def _grouped(problems: "Sequence[Problem]") -> Iterator[RenderableType]:
    """Yield the problems below the node in which they show."""
    for node in dict.fromkeys(one.node for one in problems):
        yield Text(printable(node) or "The pipeline", style="bold red")
        for one in problems:
            if one.node == node:
                yield Text(printable(f"  {one.message}").replace("\n", "\n  "))
                if one.hint:
                    yield Text(printable(f"    {one.hint}").replace("\n", "\n    "), style="dim")
