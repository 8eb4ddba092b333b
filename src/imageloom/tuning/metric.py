"""By which number trials are compared, and how it is read from a run."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from imageloom.errors import ParameterParsingError
from imageloom.events import Metric
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts
from imageloom.run_report.evaluation_figures import EvaluationFigures, evaluations_of
from imageloom.run_report.node_files import read_metrics, work_folder
from imageloom.spec.job import EVENTS_FILE
from imageloom.system.wording import some

Direction = Literal["maximize", "minimize"]

DEFAULT: Final = "Top-1 validation accuracy"
_DIRECTIONS: Final[Mapping[str, Direction]] = {
    "Top-1 validation accuracy": "maximize",
    "Top-5 validation accuracy": "maximize",
    "Train images per second": "maximize",
    "Valid loss": "minimize",
    "Train loss": "minimize",
    "Train error": "minimize",
    "Overall_Accuracy": "maximize",
    "Macro_F1": "maximize",
    "Log_Loss": "minimize",
    # Of pictures with several labels each.
    "Validation micro F1": "maximize",
    "Validation exact match": "maximize",
    "Mean_Average_Precision": "maximize",
    "Exact_Match": "maximize",
    "Micro_F1": "maximize",
}
_FRACTIONS: Final = (  # how their names end
    *("accuracy", "error", "_Accuracy", "_F1", "micro F1", "exact match", "_Match", "_Precision"),
)


@dataclass(frozen=True)
class Objective:
    """The number by which trials are compared.

    Attributes:
        metric: Its name: of a metric that a node tells while it works, or of a figure of an
            evaluation.
        node: The node that tells it; empty for the only one that does.
        direction: What is better.
    """

    metric: str
    node: str
    direction: Direction

    @property
    def name(self) -> str:
        """As people write it: ``train.Valid loss``, or without the node."""
        return f"{self.node}.{self.metric}" if self.node else self.metric

    @property
    def is_fraction(self) -> bool:
        """Whether it lies between 0 and 1, so that people read it as percent."""
        return self.metric.endswith(_FRACTIONS)

    def tells(self, node: str, event: object) -> bool:
        """Whether an event of a node is this metric at the end of an epoch."""
        return (
            isinstance(event, Metric)
            and event.name == self.metric
            and self.node in ("", node)
            and event.epoch == int(event.epoch)
            and math.isfinite(event.value)
        )

    def best(self, values: Iterable[float]) -> float:
        """Return the best of some values, at least one."""
        return max(values) if self.direction == "maximize" else min(values)


def read_objective(metric: str, direction: str, pipeline: Pipeline) -> Objective:
    """Return the number that a person means.

    Args:
        metric: ``METRIC`` or ``NODE.METRIC``; empty for ``Top-1 validation accuracy``.
        direction: ``maximize`` or ``minimize``; empty where the metric is one of ours.
        pipeline: Has the nodes.

    Raises:
        ParameterParsingError: Nobody knows which direction of this metric is the better one.
    """
    first, dot, rest = metric.partition(".")
    node, name = (first, rest) if dot and rest and first in pipeline else ("", metric or DEFAULT)
    known = _DIRECTIONS.get(name)
    if direction in ("maximize", "minimize"):
        return Objective(name, node, "maximize" if direction == "maximize" else "minimize")
    if known is None:
        raise ParameterParsingError(
            f"Nobody knows whether a high or a low {name!r} is better.",
            hint="Say --direction maximize or --direction minimize, or name one of these metrics: "
            f"{', '.join(_DIRECTIONS)}.",
            details={"parameter": "metric", "value": name},
        )
    return Objective(name, node, known)


def value_of(run: RunFolder, nodes: Mapping[str, NodeFacts], objective: Objective) -> float:
    """Return the number of a run: the best of all epochs, or the figure of its evaluation.

    Raises:
        ParameterParsingError: No node told it, or several did.
        InvalidDatasetError: An evaluation does not hold its figures.
    """
    found: dict[str, list[float]] = {}
    told: dict[str, None] = {}
    for node, name, value in _numbers(run, nodes):
        told[f"{node}.{name}"] = None
        if name == objective.metric and objective.node in ("", node):
            found.setdefault(node, []).append(value)
    if len(found) == 1:
        return objective.best(*found.values())
    names = ", ".join(f"{node}.{objective.metric}" for node in found)
    raise ParameterParsingError(
        f"{len(found):,} nodes of run {run.id} tell {objective.name!r}, but a trial needs one.",
        hint=f"Say which with --metric: {names or some(tuple(told), most=20) or 'none tells any'}.",
        details={"parameter": "metric", "value": objective.name, "run": run.id},
    )


def _numbers(run: RunFolder, nodes: Mapping[str, NodeFacts]) -> Iterator[tuple[str, str, float]]:
    for node, facts in nodes.items():
        for metric in read_metrics(work_folder(run, node, facts) / EVENTS_FILE):
            if metric.epoch == int(metric.epoch) and math.isfinite(metric.value):
                yield node, metric.name, metric.value
    seen: set[str] = set()
    for one in evaluations_of(run, nodes):
        figures = one.figures
        if figures.node not in seen:  # of two tables that are compared, the first is the model's
            seen.add(figures.node)
            for name, value in _figures(figures):
                yield figures.node, name, value


def _figures(figures: EvaluationFigures) -> Iterator[tuple[str, float]]:
    if figures.micro_f1 is None:
        yield "Overall_Accuracy", figures.accuracy
    else:
        yield "Exact_Match", figures.accuracy
        yield "Micro_F1", figures.micro_f1
    if figures.mean_average_precision is not None:
        yield "Mean_Average_Precision", figures.mean_average_precision
    yield "Macro_F1", figures.macro_f1
    yield "Log_Loss", figures.log_loss
