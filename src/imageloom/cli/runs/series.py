"""``imageloom runs series``."""

import math
import sys
from typing import TYPE_CHECKING, Final

import click

from imageloom.cli.call import Call, Outcome, call_command, outliving_the_reader
from imageloom.cli.screen import Column, line, table
from imageloom.cli.workspace import (
    follow_up,
    named_run,
    open_existing_engine,
    workspace_option,
)
from imageloom.files.series.read import StoredSeries, csv_lines, list_series, thin

if TYPE_CHECKING:
    from pathlib import Path

_LAST_STEP: Final = 2**63 - 1
_LEAST_POINTS: Final = 2
_COLUMNS: Final[tuple[Column, ...]] = (
    ("Curve", "left"),
    ("Of each", "left"),
    ("Rank", "right"),
    ("Values", "right"),
    ("Last", "right"),
    ("Lowest", "right"),
    ("Highest", "right"),
    ("Unit", "left"),
)


@call_command(
    "series",
    examples=(
        "imageloom runs series last train",
        "imageloom runs series last train --csv",
    ),
)
@click.argument("run")
@click.argument("node")
@click.option(
    "--csv", "as_csv", is_flag=True, help="Every row of every curve, as lines of a CSV file."
)
@workspace_option
def command(call: Call) -> Outcome:
    """Show the curves that a node of a run recorded.

    RUN is an id, the beginning of one, or 'last'. For each curve: how many values it has, the last
    one, the lowest and the highest. It can be asked while the node trains. The curves of a node
    that was answered from the cache are those of the run that made it.
    """
    if "as_csv" in call.arguments and "as_json" in call.arguments:
        raise click.UsageError("--csv and --json exclude each other.")
    folder = _folder(call)
    series = list_series(folder)
    if "as_csv" in call.arguments:
        with outliving_the_reader():
            sys.stdout.writelines(csv_lines(series))
        return Outcome(content={}, screen=())
    summaries = [(one, *_ends(one)) for one in series]
    rows = [_row(*summary) for summary in summaries]
    csv = follow_up(call, "runs", "series", call.text("run"), call.text("node"), "--csv")
    return Outcome(
        content={
            "folder": str(folder),
            "series": [_to_json(*summary) for summary in summaries],
        },
        screen=(
            *([table(_COLUMNS, rows)] if rows else [line("Series", "nothing was recorded")]),
            *([line("Next", csv)] if rows else []),
        ),
    )


def _folder(call: Call) -> "Path":
    from imageloom.run_report.node_files import series_folder

    engine = open_existing_engine(call)
    run, node = named_run(engine, call.text("run")), call.text("node")
    run.record().require_node(node)
    return series_folder(engine.workspace, run, node, run.states().get(node))


def _ends(series: StoredSeries) -> tuple[float | None, float | None, float | None]:
    """Return the last value, and the lowest and the highest that are finite."""
    buckets = thin(series.path, 0, _LAST_STEP, _LEAST_POINTS)
    lows = [one.min for one in buckets if one.min is not None]
    highs = [one.max for one in buckets if one.max is not None]
    last = buckets[-1].last if buckets else None
    return last, min(lows, default=None), max(highs, default=None)


def _row(
    series: StoredSeries, last: float | None, low: float | None, high: float | None
) -> list[str]:
    numbers = ["" if value is None else f"{value:.6g}" for value in (last, low, high)]
    return [
        series.name,
        series.kind,
        f"{series.rank}",
        f"{series.num_rows:,}",
        *numbers,
        series.unit,
    ]


def _to_json(
    series: StoredSeries, last: float | None, low: float | None, high: float | None
) -> dict[str, object]:
    is_number = last is not None and math.isfinite(last)  # JSON has no others
    more = {"last": last if is_number else None, "min": low, "max": high}
    return {**vars(series), "path": str(series.path), **more}
