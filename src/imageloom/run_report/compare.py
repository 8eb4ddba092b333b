"""Runs side by side: what was asked differently, what became of them, and how good they are."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from imageloom.errors import InvalidDatasetError
from imageloom.files.publish import read_json
from imageloom.params import value_text
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts, RunRecord
from imageloom.run_report.node_files import read_metrics, work_folder
from imageloom.run_report.words import time_text
from imageloom.spec.job import EVENTS_FILE

EVALUATION: Final = "evaluation.json"


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
class EvaluationFigures:
    """How good a model is, with how far that can be trusted.

    Attributes:
        run: Id of the run.
        node: The node that evaluated.
        name: What the scored table is called.
        images: Pictures with a label.
        accuracy: Fraction of them that were given their class.
        low: Where its 95 % confidence interval begins.
        high: Where it ends.
        macro_f1: F1, every class counting the same.
        log_loss: In nats.
    """

    run: str
    node: str
    name: str
    images: int
    accuracy: float
    low: float
    high: float
    macro_f1: float
    log_loss: float


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
        figures=tuple(itertools.chain.from_iterable(map(_figures, runs, facts))),
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


def _figures(run: RunFolder, facts: Mapping[str, NodeFacts]) -> Iterator[EvaluationFigures]:
    for node, known in facts.items():
        for port in known.outputs:
            file = run.node_folder(node) / "outputs" / port / EVALUATION
            if file.is_file():
                yield from _figures_in(file, run.id, node)


def _figures_in(file: Path, run: str, node: str) -> Iterator[EvaluationFigures]:
    try:
        content: dict[str, Any] = read_json(file, InvalidDatasetError)
        for one in content["evaluations"]:
            low, high = one["accuracy_interval_95"]
            yield EvaluationFigures(
                run=run,
                node=node,
                name=str(one["name"]),
                images=int(one["images"]),
                accuracy=float(one["figures"]["Overall_Accuracy"]),
                low=float(low),
                high=float(high),
                macro_f1=float(one["figures"]["Macro_F1"]),
                log_loss=float(one["figures"]["Log_Loss"]),
            )
    except (KeyError, TypeError, ValueError) as problem:
        raise InvalidDatasetError(
            f"{file} does not hold the figures of an evaluation: {problem}.",
            hint="Was the file changed? Run the node anew.",
            reason="damaged",
        ) from problem
