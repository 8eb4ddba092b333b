"""Whether an exported model says of pictures what the model itself says.

Legend: N pictures, B batch, K classes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.loading.loader import BatchKey, PictureLoader
from imageloom.errors import ExportError
from imageloom.events import Control, Progress
from imageloom.exporting.export_format import ExportFormat
from imageloom.models.model_directory import TrainedModel
from imageloom.scoring.inference import predict_batches
from imageloom.scoring.model_in_use import ModelInUse
from imageloom.scoring.reading import reading_by
from imageloom.scoring.score import known_labels, probabilities_of
from imageloom.scoring.tables.label_set_table import given_labels
from imageloom.system.wording import count

if TYPE_CHECKING:
    from imageloom.exporting.export_format import Runtime

# A batch of each size in turn: a graph that was made for one size shows it at once.
_BATCH_SIZES: Final = (1, 3, 16, 64)
_NAMED: Final = 100  # pictures that changed sides


@dataclass(frozen=True)
class Parity:
    """How two runtimes of one model compare on the same pictures.

    Attributes:
        images: Pictures that both have scored.
        largest_difference: Of any probability of any picture.
        at: The picture where that was.
        changed: How many pictures are given another class, or other labels.
        changed_files: The first of them.
        labelled: Pictures whose class is known, or of several all labels.
        right_before: How many of those the model names rightly.
        right_after: How many the exported model does.
        has_several_labels: Whether the model may give several labels; then only a picture that is
            given all of its labels and no other is named rightly.
    """

    images: int
    largest_difference: float
    at: str
    changed: int
    changed_files: tuple[str, ...]
    labelled: int
    right_before: int
    right_after: int
    has_several_labels: bool = False

    def to_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "images": self.images,
            "largest_difference": self.largest_difference,
            "at": self.at,
            "changed": self.changed,
            "changed_files": list(self.changed_files),
            "labelled": self.labelled,
            "right_before": self.right_before,
            "right_after": self.right_after,
        }


def measure(
    used: ModelInUse, runtime: "Runtime", images: ImageDirectory, control: Control
) -> Parity:
    """Score pictures with both.

    Args:
        used: The model itself, in float32 on the CPU.
        runtime: The exported one.
        images: Pictures, at least one; labels are looked at where there are some.
        control: Hears progress; stops between two batches.

    Raises:
        InvalidDatasetError: A picture cannot be read, or has a class that the model does not know.
        RunInterruptedError: Somebody asked to stop.
    """
    preprocessing = used.model.preprocessing
    labels = known_labels(images, used.model)
    differences_N = np.zeros(len(images), dtype=np.float64)
    before, after = _Answers(used.model, len(images)), _Answers(used.model, len(images))
    loader = PictureLoader(
        images, preprocessing.transforms, seed=0, reading=reading_by(0, used.compute)
    )
    try:
        batches = loader.batches(list(_keys(len(images))))
        for batch, logits_BK in predict_batches(
            used.network, batches, used.compute, preprocessing.normalisation
        ):
            positions_B = batch.positions_B.numpy()
            own_BK = probabilities_of(
                logits_BK,
                images,
                positions_B,
                has_several_labels=used.model.label_thresholds is not None,
            )
            exported_BK = runtime(batch.images_BCHW).numpy()
            # A number that is none is as far from any other as can be.
            apart_B = np.abs(own_BK - exported_BK).max(axis=1)
            differences_N[positions_B] = np.nan_to_num(apart_B, nan=np.inf)
            before.note(positions_B, own_BK)
            after.note(positions_B, exported_BK)
            done = int(positions_B[-1]) + 1
            control.tell(Progress("Comparing the exported model", done, len(images), "images"))
            control.raise_if_cancelled()
    finally:
        loader.close()
    changed = np.flatnonzero(~before.equal(after.given))
    worst = int(differences_N.argmax())
    known_N = np.zeros(len(images), np.bool_) if labels is None else before.known(labels)
    return Parity(
        images=len(images),
        largest_difference=float(differences_N[worst]),
        at=images.file(worst),
        changed=len(changed),
        changed_files=tuple(images.file(int(one)) for one in changed[:_NAMED]),
        labelled=int(known_N.sum()),
        right_before=0 if labels is None else int(before.equal(labels)[known_N].sum()),
        right_after=0 if labels is None else int(after.equal(labels)[known_N].sum()),
        has_several_labels=used.model.label_thresholds is not None,
    )


class _Answers:
    """What pictures are given: one class each, or any labels."""

    def __init__(self, model: TrainedModel, total: int) -> None:
        self._thresholds = model.label_thresholds
        shape = total if self._thresholds is None else (total, len(model.classes))
        self.given: npt.NDArray[np.int32] = np.zeros(shape, dtype=np.int32)

    def note(self, positions_B: npt.NDArray[np.int64], said_BK: npt.NDArray[np.float32]) -> None:
        if self._thresholds is None:
            self.given[positions_B] = said_BK.argmax(axis=1)
        else:
            self.given[positions_B] = given_labels(said_BK, self._thresholds)

    def equal(self, other: npt.NDArray[np.integer | np.bool_]) -> npt.NDArray[np.bool_]:
        """Return which pictures have the same, bool [N]."""
        same = np.asarray(self.given == other)
        return same if same.ndim == 1 else np.asarray(same.all(axis=1))

    def known(self, labels: npt.NDArray[np.integer | np.bool_]) -> npt.NDArray[np.bool_]:
        """Return of which pictures the labels are known, bool [N]."""
        if labels.ndim > 1:
            return np.ones(len(labels), dtype=np.bool_)
        return np.asarray(labels >= 0)


def require_equal(parity: Parity, bound: float, kind: ExportFormat) -> None:
    """Refuse an exported model that says something else.

    Raises:
        ExportError: A probability differs by more than ``bound``.
    """
    if parity.largest_difference <= bound:
        return
    sides = (
        f"{count(parity.changed, 'picture is', 'pictures are')} named otherwise, and "
        if parity.changed
        else ""
    )
    raise ExportError(
        f"The model in {kind.title} is not the model: of {parity.images:,} pictures, {sides}a "
        f"probability of {parity.at} differs by {parity.largest_difference:.2g}, where "
        f"{bound:.2g} is allowed. Nothing was written.",
        hint="Another format may be nearer. If a larger difference does no harm, allow it with "
        "--largest-difference.",
        reason="differs",
        details={
            "images": parity.images,
            "changed": parity.changed,
            "file": parity.at,
            "difference": parity.largest_difference,
            "bound": bound,
        },
    )


def _keys(total: int) -> Iterator[BatchKey]:
    start, number = 0, 0
    while start < total:
        size = _BATCH_SIZES[number % len(_BATCH_SIZES)]
        yield BatchKey(0, tuple(range(start, min(total, start + size))))
        start, number = start + size, number + 1
