"""``imageloom runs compare``."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from rich.console import RenderableType

from imageloom.cli.call import Call, Outcome, call_command
from imageloom.cli.flags import value_text
from imageloom.cli.screen import Column, line, table
from imageloom.cli.workspace import open_existing_engine, workspace_option
from imageloom.run_report.words import time_text

if TYPE_CHECKING:
    from imageloom.app import RunOutcome
    from imageloom.events import Metric
    from imageloom.pipeline.run_record import NodeFacts


@dataclass(frozen=True)
class Pair:
    """One thing in two runs, as text; empty where a run does not have it."""

    name: str
    left: str
    right: str

    @property
    def differs(self) -> bool:
        """Whether it is not the same in both."""
        return self.left != self.right


@call_command(
    "compare",
    examples=("imageloom runs compare 20261123-05 last", "imageloom runs compare A B --json"),
)
@click.argument("left", metavar="A")
@click.argument("right", metavar="B")
@workspace_option
def command(call: Call) -> Outcome:
    """Show what differs between two runs.

    A and B are ids, beginnings of them, or 'last'. Side by side: parameters and versions that
    differ, what became of each node and how long it took, and the last value of each metric.
    """
    engine = open_existing_engine(call)
    runs = tuple(engine.outcome(engine.find_run(call.text(name))) for name in ("left", "right"))
    values, versions = _pairs(*map(_values, runs)), _pairs(*map(_versions, runs))
    nodes = _pairs(*map(_nodes, runs))
    metrics = tuple(map(_metrics, runs))
    changed = [one for one in (*values, *versions) if one.differs]
    heads = (runs[0].record.id, runs[1].record.id)
    screen = [
        *_table("Run", heads, _pairs(*map(_run_facts, runs))),
        *_table("Different", heads, changed),
        *_table("Node", heads, nodes),
        *_table("Metric", heads, _pairs(*map(_metric_texts, metrics))),
    ]
    if not changed:
        screen.append(line("Same", "all parameters, run settings and versions"))
    return Outcome(
        content={
            "runs": list(heads),
            "different": [vars(one) for one in changed],
            "nodes": [vars(one) for one in nodes],
            "metrics": [{name: one.value for name, one in side.items()} for side in metrics],
        },
        screen=tuple(screen),
    )


def _table(title: str, heads: tuple[str, str], pairs: list[Pair]) -> Iterator[RenderableType]:
    if pairs:
        columns: list[Column] = [(title, "left"), (heads[0], "left"), (heads[1], "left")]
        yield table(columns, [[one.name, one.left, one.right] for one in pairs])


def _pairs(left: Mapping[str, str], right: Mapping[str, str]) -> list[Pair]:
    """Return everything that either has, in the order of the left and then the right."""
    names = dict.fromkeys((*left, *right))
    return [Pair(name, left.get(name, ""), right.get(name, "")) for name in names]


def _run_facts(run: "RunOutcome") -> dict[str, str]:
    began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run.record.created))
    return {"pipeline": run.record.name, "state": run.state.value, "asked": began}


def _versions(run: "RunOutcome") -> dict[str, str]:
    return {f"{name} (version)": text for name, text in run.record.versions.items()}


def _values(run: "RunOutcome") -> dict[str, str]:
    """Return every parameter and run setting, and the version of every component."""
    values = {}
    for node in run.record.wanted:
        resolved = run.record.resolved[node]
        values[f"{node} (component)"] = f"{resolved.component} version {resolved.version}"
        for name, value in (*resolved.params.items(), *resolved.settings.items()):
            values[f"{node}.{name}"] = value_text(value)
    return values


def _nodes(run: "RunOutcome") -> dict[str, str]:
    return {node: _state(run.nodes.get(node)) for node in run.record.wanted}


def _state(facts: "NodeFacts | None") -> str:
    if facts is None:
        return "waiting"
    spent = time_text(facts)
    return f"{facts.state.value}, {spent}" if spent else facts.state.value


def _metrics(run: "RunOutcome") -> dict[str, "Metric"]:
    """Return the last value of each metric; of a cached node, those of the run that made it."""
    from imageloom.run_report.node_files import read_metrics, work_folder
    from imageloom.spec.job import EVENTS_FILE

    values = {}
    for node, facts in run.nodes.items():
        for metric in read_metrics(work_folder(run.run, node, facts) / EVENTS_FILE):
            values[f"{node}: {metric.name}"] = metric
    return values


def _metric_texts(metrics: Mapping[str, "Metric"]) -> dict[str, str]:
    return {name: f"{one.value:.5g} (epoch {one.epoch:g})" for name, one in metrics.items()}
