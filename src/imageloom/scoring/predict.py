"""Name what is in a few pictures, one by one; for many, ``score`` writes a table.

Legend: K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from imageloom.errors import GreaterThanError, ImageloomError
from imageloom.events import CancelToken, Control, EventSink, Progress, ignore_events
from imageloom.models.model_directory import TrainedModel
from imageloom.scoring.inference import logits_of, probabilities_from
from imageloom.scoring.model_in_use import ModelInUse, model_in_use
from imageloom.scoring.params import ScoreParams
from imageloom.scoring.seen import seen_file
from imageloom.scoring.tables.label_set_table import given_labels


@dataclass(frozen=True)
class Prediction:
    """What a model says of one file, or why it can say nothing.

    Attributes:
        file: The file as it was given.
        classes: The most probable classes, most probable first; empty when there is an error.
        probabilities: Theirs, 0 to 1.
        error: What is wrong with the file; empty when nothing is.
        hint: What to do about it; may be empty.
        labels: Of a model that may give several labels, those that it gives, by its thresholds;
            None of a model that gives one class, which is the first of ``classes``.
    """

    file: str
    classes: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    error: str = ""
    hint: str = ""
    labels: tuple[str, ...] | None = None

    @property
    def is_readable(self) -> bool:
        """Whether the file could be scored."""
        return not self.error

    @property
    def named(self) -> dict[str, object]:
        """Plain JSON values of the classes with their probabilities, and of the labels given."""
        found = zip(self.classes, self.probabilities, strict=True)
        classes = [{"class": name, "probability": value} for name, value in found]
        return {"classes": classes} | ({} if self.labels is None else {"labels": list(self.labels)})

    def to_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "file": self.file,
            **self.named,
            "error": self.error or None,
            "hint": self.hint or None,
        }


def predict(
    model: TrainedModel | Path | str,
    files: Sequence[Path | str],
    k: int = 5,
    *,
    params: ScoreParams | None = None,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> list[Prediction]:
    """Return the most probable classes of each file.

    A file that cannot be read or decoded becomes a prediction with an error; the others go on.

    Args:
        model: A trained model, its directory, or the directory of a run.
        files: Pictures.
        k: How many classes to name; more than there are names all.
        params: Device and precision; by default ``ScoreParams()``. Batch size and workers play
            no part.
        on_event: Hears progress.
        cancel: Stops between two files.

    Returns:
        One prediction per file, in the order given.

    Raises:
        GreaterThanError: ``k`` is not above 0.
        InvalidModelDirectoryError: The model is none, or is damaged.
        RunInterruptedError: Somebody asked to stop.
    """
    control = Control.of(on_event, cancel)
    if k < 1:
        raise GreaterThanError(
            f"k is {k}, but must be greater than 0.", details={"parameter": "k", "value": k}
        )
    predictions = []
    with model_in_use(model, params or ScoreParams(), control.on_event) as used:
        for file in files:
            control.raise_if_cancelled()
            predictions.append(_predict(used, file, k))
            control.tell(Progress("Naming pictures", len(predictions), len(files), "images"))
    return predictions


def _predict(used: ModelInUse, file: Path | str, k: int) -> Prediction:
    try:
        image_CHW = seen_file(Path(file), used.model.preprocessing.transforms)
    except ImageloomError as error:
        return Prediction(str(file), error=error.message, hint=error.hint)
    logits_1K = logits_of(
        used.network, image_CHW[None], used.compute, used.model.preprocessing.normalisation
    )
    return ranked(str(file), logits_1K[0], used.model, k)


def ranked(file: str, logits_K: torch.Tensor, model: TrainedModel, k: int) -> Prediction:
    """Return the most probable classes by the logits of a picture.

    Args:
        file: The file as it was given.
        logits_K: On the CPU.
        model: Whose logits they are.
        k: How many classes to name; more than there are names all.
    """
    several = model.label_thresholds is not None
    (probabilities_K,) = probabilities_from(logits_K[None], has_several_labels=several)
    return most_probable(file, probabilities_K, model, k)


def most_probable(
    file: str, probabilities_K: torch.Tensor, model: TrainedModel, k: int
) -> Prediction:
    """Return the most probable classes of a picture.

    Args:
        file: As the picture was given.
        probabilities_K: float32, on the CPU.
        model: Whose probabilities they are.
        k: How many classes to name; more than there are names all.
    """
    classes, thresholds = model.classes, model.label_thresholds
    # Stable, so that equal probabilities stand in the order of the class list.
    order = probabilities_K.argsort(descending=True, stable=True)[:k].tolist()
    return Prediction(
        file,
        classes=tuple(classes[index] for index in order),
        probabilities=tuple(float(probabilities_K[index]) for index in order),
        labels=None
        if thresholds is None
        else labels_given(probabilities_K.numpy(), classes, thresholds),
    )


def labels_given(
    probabilities_K: npt.NDArray[np.float32], classes: Sequence[str], thresholds: Sequence[float]
) -> tuple[str, ...]:
    """Return the labels that a picture is given, the most probable first.

    Args:
        probabilities_K: Of the labels.
        classes: Their names.
        thresholds: From which probability each is given.
    """
    given_K = given_labels(probabilities_K[None], thresholds)[0]
    order = np.argsort(-probabilities_K, kind="stable")
    return tuple(classes[index] for index in order.tolist() if given_K[index])
