"""Pictures of a scored table whose label is probably wrong, the most suspicious first.

Legend: N pictures with a label, K classes.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.moved import Roots
from imageloom.data.open import open_images
from imageloom.errors import GreaterThanError, NotScoredDatasetError
from imageloom.events import CancelToken, EventSink, ignore_events
from imageloom.metrics import suspicious_labels
from imageloom.scoring.tables.file import read_table
from imageloom.scoring.tables.scored_table import UNKNOWN, ScoredTable

OUT_OF_SAMPLE = (
    "This holds for pictures that the model has not learned from. From those it has learned from, "
    "it has learned their wrong labels too and does not find them."
)


@dataclass(frozen=True)
class LabelError:
    """A picture whose label is probably wrong.

    Attributes:
        row: Its position in the scored table, from 0.
        file: Its name in the table.
        label: The class it is said to be of.
        suggested_label: The class that the model counts it to, or else finds most probable.
        is_suspicious: Whether it counts it there as surely as the pictures of that class.
        label_probability: What the model gave its label, 0 to 1.
        suggested_probability: What it gave the suggested class, 0 to 1.
    """

    row: int
    file: str
    label: str
    suggested_label: str
    is_suspicious: bool
    label_probability: float
    suggested_probability: float


@dataclass(frozen=True)
class LabelErrors:
    """Pictures whose label is probably wrong.

    Attributes:
        images: Pictures with a label that were looked at.
        suspicious: How many of them the model counts to another class as surely as it does the
            pictures of that class.
        listed: Some of these, the most suspicious first, and then of those whose label is not
            their most probable class.
        learned: How many of all pictures the model has learned from; None where that is not known.
    """

    images: int
    suspicious: int
    listed: tuple[LabelError, ...]
    learned: int | None = None

    @property
    def notices(self) -> tuple[str, ...]:
        """Things a person should know before trusting the list."""
        if self.learned is None:
            return (OUT_OF_SAMPLE,)
        if self.learned == 0:
            return ()
        return (
            f"The model has learned from {self.learned:,} of the {self.images:,} pictures, and "
            f"their labels with them: wrong ones among these are mostly not found. Score them with "
            "a model that was trained on others.",
        )

    def to_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "images": self.images,
            "suspicious": self.suspicious,
            "learned": self.learned,
            "listed": [asdict(one) for one in self.listed],
            "notices": list(self.notices),
        }


def find_label_errors(
    scores: ScoredTable | Path | str,
    *,
    training: ImageDirectory | Path | str | None = None,
    root: Roots = (),
    most: int = 100,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> LabelErrors:
    """Return the pictures of a scored table whose label is probably wrong.

    Args:
        scores: A table, or the file of one, of pictures that the model has not learned from.
        training: The pictures that it has learned from, to say how many of the others are among
            them.
        root: Where they lie now, when they were moved; as ``open_images`` takes it.
        most: How many to list.
        on_event: Hears progress and notices.
        cancel: Stops the conversion of ``training``.

    Raises:
        GreaterThanError: ``most`` is not above 0.
        NotScoredDatasetError: The file holds no scored table, or the table has no rows.
        NotExpectedLabelColumnError: No picture has a label.
        ImageloomError: As ``open_images``.
    """
    if most < 1:
        raise GreaterThanError(
            f"most is {most}, but must be greater than 0.",
            details={"parameter": "most", "value": most},
        )
    table = scores if isinstance(scores, ScoredTable) else read_table(scores)
    found = label_errors_of(table, most=most)
    if training is None:
        return found
    images = open_images(training, root=root, on_event=on_event, cancel=cancel)
    return knowing_training(found, table, images)


def label_errors_of(table: ScoredTable, *, most: int) -> LabelErrors:
    """Rank the labels of a table by confident learning (``metrics.suspicious_labels``).

    Pictures without a label play no part.

    Args:
        table: Scores of pictures that the model has not learned from.
        most: How many to list.

    Raises:
        NotScoredDatasetError: The table has no rows.
        NotExpectedLabelColumnError: No picture has a label.
    """
    if len(table) == 0:
        raise NotScoredDatasetError(
            "The score table has no rows, so no label can be wrong.",
            hint="Score some pictures first, with 'imageloom score'.",
            reason="no-rows",
        )
    table.require_labels()
    rows_N = np.flatnonzero(table.labels_N != UNKNOWN)
    labels_N = table.labels_N[rows_N].astype(np.int64)
    every = len(rows_N) == len(table)
    probabilities_NK = table.probabilities_NK if every else table.probabilities_NK[rows_N]
    found = suspicious_labels(probabilities_NK, labels_N)
    listed = zip(
        found.rows_R[:most].tolist(),
        found.suggested_R[:most].tolist(),
        found.is_counted_R[:most].tolist(),
        strict=True,
    )
    return LabelErrors(
        images=len(rows_N),
        suspicious=int(found.is_counted_R.sum()),
        listed=tuple(
            LabelError(
                row=int(rows_N[place]),
                file=table.files[int(rows_N[place])].as_py(),
                label=table.classes[labels_N[place]],
                suggested_label=table.classes[suggested],
                is_suspicious=is_counted,
                label_probability=float(probabilities_NK[place, labels_N[place]]),
                suggested_probability=float(probabilities_NK[place, suggested]),
            )
            for place, suggested, is_counted in listed
        ),
    )


def knowing_training(
    errors: LabelErrors, table: ScoredTable, training: ImageDirectory
) -> LabelErrors:
    """Return the same with how many of the pictures the model has learned from.

    Args:
        errors: Those of the table.
        table: The scores; without a root, its names are taken to start where those of the training
            pictures do.
        training: The pictures that the model has learned from.
    """
    root = table.root or training.root
    labelled = np.flatnonzero(table.labels_N != UNKNOWN).tolist()
    scored = _places(root, [table.files[row].as_py() for row in labelled])
    learned = set(_places(training.root, [training.file(row) for row in range(len(training))]))
    return replace(errors, learned=sum(place in learned for place in scored))


def _places(root: Path, files: Sequence[str]) -> list[str]:
    return [os.path.normpath(f"{root}/{file}") for file in files]
