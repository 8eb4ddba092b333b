"""How good the models of a run are, as its evaluations say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from imageloom.errors import InvalidDatasetError
from imageloom.files.publish import read_json
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts

EVALUATION: Final = "evaluation.json"
_ONE: Final = ("Overall_Accuracy", "accuracy_interval_95")
_SEVERAL: Final = ("Exact_Match", "exact_match_interval_95")


@dataclass(frozen=True)
class EvaluationFigures:
    """How good a model is, with how far that can be trusted.

    Attributes:
        run: Id of the run.
        node: The node that evaluated.
        name: What the scored table is called.
        images: Pictures with a label.
        accuracy: Fraction of them that were given their class; where pictures may have several
            labels, all of theirs and no other.
        low: Where its 95 % confidence interval begins.
        high: Where it ends.
        macro_f1: F1, every class counting the same.
        log_loss: In nats.
        mean_average_precision: Where pictures may have several labels; None otherwise, and where
            no picture has any.
        micro_f1: Likewise.
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
    mean_average_precision: float | None = None
    micro_f1: float | None = None


class EvaluatedModel(NamedTuple):
    """What an evaluation found, and of which model.

    Attributes:
        model_digest: Of the model that scored the pictures.
        figures: How good it is.
    """

    model_digest: str
    figures: EvaluationFigures


def evaluations_of(run: RunFolder, facts: Mapping[str, NodeFacts]) -> Iterator[EvaluatedModel]:
    """Yield what every evaluation of a run found.

    Args:
        run: The run.
        facts: Its states, by node.

    Raises:
        InvalidDatasetError: An evaluation does not hold its figures.
    """
    for node, known in facts.items():
        for port in known.outputs:
            file = run.node_folder(node) / "outputs" / port / EVALUATION
            if file.is_file():
                yield from _evaluations_in(file, run.id, node)


def _evaluations_in(file: Path, run: str, node: str) -> Iterator[EvaluatedModel]:
    try:
        content: dict[str, Any] = read_json(file, InvalidDatasetError)
        for one in content["evaluations"]:
            several = one.get("several_labels") is True
            accuracy, interval = _SEVERAL if several else _ONE
            low, high = one[interval]
            mean = one["figures"].get("Mean_Average_Precision") if several else None
            figures = EvaluationFigures(
                run=run,
                node=node,
                name=str(one["name"]),
                images=int(one["images"]),
                accuracy=float(one["figures"][accuracy]),
                low=float(low),
                high=float(high),
                macro_f1=float(one["figures"]["Macro_F1"]),
                log_loss=float(one["figures"]["Log_Loss"]),
                mean_average_precision=None if mean is None else float(mean),
                micro_f1=float(one["figures"]["Micro_F1"]) if several else None,
            )
            yield EvaluatedModel(str(one.get("model_digest", "")), figures)
    except (KeyError, TypeError, ValueError) as problem:
        raise InvalidDatasetError(
            f"{file} does not hold the figures of an evaluation: {problem}.",
            hint="Was the file changed? Run the node anew.",
            reason="damaged",
        ) from problem
