"""``imageloom runs compare``."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click
from rich.console import RenderableType

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.screen import Column, line, percent, percent_range, table
from imageloom.cli.workspace import named_run, open_existing_engine, workspace_option

if TYPE_CHECKING:
    from imageloom.app import RunOutcome
    from imageloom.run_report.compare import ComparedMetric, RunComparison
    from imageloom.run_report.evaluation_figures import EvaluationFigures


@call_command(
    "compare",
    examples=(
        "imageloom runs compare 20261123-05 last",
        "imageloom runs compare A B C --json",
    ),
)
@click.argument("runs", metavar="RUN RUN...", nargs=-1, required=True)
@workspace_option
def command(call: Call) -> Outcome:
    """Show what differs between runs.

    Each RUN is an id, the beginning of one, or 'last'; two or more. Side by side: parameters and
    versions that differ, what became of each node and how long it took, the last value of each
    metric, and the figures of every evaluation with their 95 % intervals.
    """
    from imageloom.run_report.compare import compare_runs

    names = call.arguments["runs"]
    assert isinstance(names, tuple)
    if len(names) < 2:  # click counts from one
        raise click.UsageError("Name two runs or more.")
    engine = open_existing_engine(call)
    outcomes = [engine.outcome(named_run(engine, str(name))) for name in names]
    found = compare_runs([one.run for one in outcomes])
    return Outcome(content=_content(found), screen=tuple(_screen(found, outcomes)))


def _content(found: "RunComparison") -> dict[str, object]:
    return {
        "runs": list(found.runs),
        "different": [{"name": one.name, "values": list(one.values)} for one in found.different],
        "nodes": [{"name": one.name, "values": list(one.values)} for one in found.nodes],
        "metrics": [{"name": one.name, "values": list(one.values)} for one in found.metrics],
        "figures": [vars(one) for one in found.figures],
    }


def _screen(found: "RunComparison", outcomes: Sequence["RunOutcome"]) -> Iterator[RenderableType]:
    rows = [
        ("pipeline", found.names),
        ("state", [one.state.value for one in outcomes]),
        ("asked", [_time(one.record.created) for one in outcomes]),
    ]
    yield from _table("Run", found.runs, rows)
    yield from _table("Different", found.runs, ((one.name, one.values) for one in found.different))
    yield from _table("Node", found.runs, ((one.name, one.values) for one in found.nodes))
    yield from _table("Metric", found.runs, ((one.name, _texts(one)) for one in found.metrics))
    if found.figures:
        yield _figures(found.figures)
    if not found.different:
        yield line("Same", "all parameters, run settings and versions")


def _table(
    title: str, runs: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]
) -> Iterator[RenderableType]:
    listed = [[name, *values] for name, values in rows]
    if listed:
        columns: list[Column] = [(title, "left"), *((run, "left") for run in runs)]
        yield table(columns, listed)


def _figures(figures: Sequence["EvaluationFigures"]) -> RenderableType:
    several = {one.micro_f1 is not None for one in figures}
    exact: dict[tuple[bool, ...], str] = {(True,): "Exact match", (False,): "Accuracy"}
    columns: list[Column] = [
        ("Evaluation", "left"),
        ("Pictures", "right"),
        (exact.get(tuple(several), "Accuracy or exact match"), "right"),
        ("with 95 % confidence", "left"),
        ("Macro F1", "right"),
    ]
    if True in several:
        columns.append(("Mean average precision", "right"))
    rows = [
        [
            f"{one.run}, {one.node}, {one.name}",
            f"{one.images:,}",
            percent(one.accuracy),
            percent_range(one.low, one.high),
            percent(one.macro_f1),
            *([_or_nothing(one.mean_average_precision)] if True in several else []),
        ]
        for one in figures
    ]
    return table(columns, rows)


def _or_nothing(fraction: float | None) -> str:
    return "" if fraction is None else percent(fraction)


def _texts(metric: "ComparedMetric") -> list[str]:
    pairs = zip(metric.values, metric.epochs, strict=True)
    return ["" if value is None else f"{value:.5g} (epoch {epoch:g})" for value, epoch in pairs]


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
