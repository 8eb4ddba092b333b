"""``imageloom runs list``."""

import functools
import textwrap
import time
from typing import TYPE_CHECKING, Final

import click

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import SectionOption
from imageloom.cli.runs.screen import RUN_STYLES
from imageloom.cli.screen import FromWidth, line, paint, table
from imageloom.cli.workspace import follow_up, open_existing_engine, workspace_option
from imageloom.pipeline.index.order import RunOrder
from imageloom.spec.node_state import RunState
from imageloom.system.wording import duration

if TYPE_CHECKING:
    from imageloom.pipeline.index.summary import RunSummary

_SHOWN: Final = 20
_PROBLEM_CHARS: Final = 120  # 'runs show' has the rest
_WIDE: Final = 76  # columns; all of a list has room from here on
_option = functools.partial(click.option, cls=SectionOption, section="Which runs")


@call_command(
    "list",
    examples=(
        "imageloom runs list",
        "imageloom runs list ants --state failed",
        "imageloom runs list --sort duration --limit 5",
    ),
)
@click.argument("text", required=False)
@_option(
    "--state",
    type=click.Choice([state.value for state in RunState]),
    help="Only runs in this state.",
)
@_option(
    "--sort",
    "order",
    type=click.Choice([order.value for order in RunOrder]),
    help="What comes first: the newest, the longest, or a before z.  [default: created]",
)
@_option(
    "--reverse",
    "is_reversed",
    is_flag=True,
    help="Turn the order round.",
)
@_option(
    "--limit",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help=f"Show at most so many.  [default: {_SHOWN}]",
)
@workspace_option
def command(call: Call) -> Outcome:
    """List runs of pipelines, newest first.

    With TEXT, only those whose id or pipeline's name contains it. A run that is 'interrupted' lost
    its process: nobody asked it to stop. One that is 'queued' never began. 'imageloom run --resume'
    goes on with either.
    """
    limit = call.arguments.get("limit", _SHOWN)
    assert isinstance(limit, int)
    state = RunState(call.text("state")) if "state" in call.arguments else None
    engine = open_existing_engine(call)
    found = engine.index.list(
        limit=limit + 1,
        state=state,
        text=str(call.arguments.get("text", "")),
        order=RunOrder(str(call.arguments.get("order", RunOrder.CREATED))),
        is_reversed="is_reversed" in call.arguments,
    )
    runs = found[:limit]
    if not runs:
        return Outcome(
            content={"runs": [], "more": False},
            screen=(
                line("Runs", f"none in {engine.workspace.root}"),
                line("Next", follow_up(call, "run", "pipeline.json")),
            ),
        )
    rows = [_row(one) for one in runs]
    columns = ("Run", "State", "Nodes", "Time", "Pipeline", "What")
    grid = table([(name, "right" if name == "Time" else "left") for name in columns], rows)
    styles = [RUN_STYLES[one.state] for one in runs]
    paint(grid, 1, styles, firm=4)
    # Without room for both, the pipeline's name and what became of it share a column.
    named = [[row[0], row[1], ": ".join(filter(None, row[4:]))] for row in rows]
    narrow = table([(name, "left") for name in ("Run", "State", "Pipeline")], named)
    paint(narrow, 1, styles, firm=2)
    more = len(found) > limit
    return Outcome(
        content={"runs": [_to_json(one) for one in runs], "more": more},
        screen=(
            FromWidth(_WIDE, grid, narrow),
            *([line("More", f"there are more runs; see --limit (now {limit:,})")] if more else []),
            line("Next", follow_up(call, "runs", "show", runs[0].id)),
        ),
    )


def _row(run: "RunSummary") -> list[str]:
    nodes = f"{run.num_done:,}/{run.num_nodes:,}"
    problem = textwrap.shorten(run.problem.partition("\n")[0], _PROBLEM_CHARS, placeholder=" ...")
    return [run.id, run.state.value, nodes, _time(run), run.name, problem]


def _time(run: "RunSummary") -> str:
    end = time.time() if run.state is RunState.RUNNING else run.ended
    return duration(end - run.began) if end is not None and run.began is not None else ""


def _to_json(run: "RunSummary") -> dict[str, object]:
    return {**vars(run), "state": run.state.value}
