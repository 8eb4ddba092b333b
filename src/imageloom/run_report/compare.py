"""Runs side by side: what was asked differently, what became of them, and how good they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from imageloom.params import value_text
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts, RunRecord
from imageloom.run_report.evaluation_figures import EvaluationFigures, evaluations_of
from imageloom.run_report.node_files import read_metrics, work_folder
from imageloom.run_report.words import time_text
from imageloom.spec.job import EVENTS_FILE


@dataclass(frozen=True)
class ComparedText:
    """One thing in all runs, as text.

    Attributes:
        name: What it is: ``train.epochs``.
        values: Of each run; empty where a run does not have it.
    """

    name: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether it is not the same in all."""
        return len(set(self.values)) > 1


@dataclass(frozen=True)
class ComparedMetric:
    """The last value of a metric in all runs.

    Attributes:
        name: Node and metric: ``train: Validation loss``.
        values: Of each run; None where a run does not have it.
        epochs: When each was measured.
    """

    name: str
    values: tuple[float | None, ...]
    epochs: tuple[float | None, ...]


@dataclass(frozen=True)
class RunComparison:
    """Several runs side by side.

    Attributes:
        runs: Their ids, in the order asked for.
        names: Names of their pipelines.
        different: Parameters, run settings and versions that are not the same in all.
        nodes: What became of each node, and how long it took.
        metrics: The last value of each metric; of a cached node, those of the run that made it.
        figures: Of every evaluation of every run.
    """

    runs: tuple[str, ...]
    names: tuple[str, ...]
    different: tuple[ComparedText, ...]
    nodes: tuple[ComparedText, ...]
    metrics: tuple[ComparedMetric, ...]
    figures: tuple[EvaluationFigures, ...]


def compare_runs(runs: Sequence[RunFolder]) -> RunComparison:
    """Return what differs between runs.

    Args:
        runs: Two or more; they need not be of one pipeline.

    Raises:
        ImageloomError: A record or an evaluation cannot be read.
    """
    records = [run.record() for run in runs]
    facts = [run.states() for run in runs]
    asked = [{**_values(record), **_versions(record)} for record in records]
    return RunComparison(
        runs=tuple(run.id for run in runs),
        names=tuple(record.name for record in records),
        different=tuple(one for one in _side_by_side(asked) if one.differs),
        nodes=tuple(_side_by_side(list(map(_nodes, records, facts)))),
        metrics=tuple(_metrics(runs, facts)),
        figures=tuple(
            one.figures
            for run, known in zip(runs, facts, strict=True)
            for one in evaluations_of(run, known)
        ),
    )


def _side_by_side(sides: Sequence[Mapping[str, str]]) -> Iterator[ComparedText]:
    """Yield everything that any has, in the order of the first, then of the others."""
    for name in dict.fromkeys(name for side in sides for name in side):
        yield ComparedText(name, tuple(side.get(name, "") for side in sides))


def _versions(record: RunRecord) -> dict[str, str]:
    return {f"{name} (version)": text for name, text in record.versions.items()}


def _values(record: RunRecord) -> dict[str, str]:
    """Return every parameter and run setting, and the version of every component."""
    values = {}
    for node in record.wanted:
        resolved = record.resolved[node]
        values[f"{node} (component)"] = f"{resolved.component} version {resolved.version}"
        for name, value in (*resolved.params.items(), *resolved.settings.items()):
            values[f"{node}.{name}"] = value_text(value)
    return values


def _nodes(record: RunRecord, facts: Mapping[str, NodeFacts]) -> dict[str, str]:
    return {node: _state(facts.get(node)) for node in record.wanted}


def _state(facts: NodeFacts | None) -> str:
    if facts is None:
        return "waiting"
    spent = time_text(facts)
    return f"{facts.state.value}, {spent}" if spent else facts.state.value


def _metrics(
    runs: Sequence[RunFolder], facts: Sequence[Mapping[str, NodeFacts]]
) -> Iterator[ComparedMetric]:
    sides = []
    for run, known in zip(runs, facts, strict=True):
        last = {}
        for node, fact in known.items():
            for metric in read_metrics(work_folder(run, node, fact) / EVENTS_FILE):
                last[f"{node}: {metric.name}"] = metric
        sides.append(last)
    for name in dict.fromkeys(name for side in sides for name in side):
        found = [side.get(name) for side in sides]
        yield ComparedMetric(
            name,
            tuple(None if one is None else one.value for one in found),
            tuple(None if one is None else one.epoch for one in found),
        )
