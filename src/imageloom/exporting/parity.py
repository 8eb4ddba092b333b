"""Whether an exported model says of pictures what the model itself says.

Legend: N pictures, B batch, K classes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.loading.loader import BatchKey, PictureLoader
from imageloom.errors import ExportError
from imageloom.events import Control, Progress
from imageloom.exporting.export_format import ExportFormat
from imageloom.scoring.inference import predict_batches
from imageloom.scoring.model_in_use import ModelInUse
from imageloom.scoring.reading import reading_by
from imageloom.scoring.score import labels_by_model, probabilities_of
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
        changed: How many pictures are given another class.
        changed_files: The first of them.
        labelled: Pictures whose class is known.
        right_before: How many of those the model names rightly.
        right_after: How many the exported model does.
    """

    images: int
    largest_difference: float
    at: str
    changed: int
    changed_files: tuple[str, ...]
    labelled: int
    right_before: int
    right_after: int

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
    labels_N = labels_by_model(images, used.model.classes)
    differences_N = np.zeros(len(images), dtype=np.float64)
    before_N = np.zeros(len(images), dtype=np.int32)
    after_N = np.zeros(len(images), dtype=np.int32)
    loader = PictureLoader(
        images, preprocessing.transforms, seed=0, reading=reading_by(0, used.compute)
    )
    try:
        batches = loader.batches(list(_keys(len(images))))
        for batch, logits_BK in predict_batches(
            used.network, batches, used.compute, preprocessing.normalisation
        ):
            positions_B = batch.positions_B.numpy()
            own_BK = probabilities_of(logits_BK, images, positions_B)
            exported_BK = runtime(batch.images_BCHW).numpy()
            # A number that is none is as far from any other as can be.
            apart_B = np.abs(own_BK - exported_BK).max(axis=1)
            differences_N[positions_B] = np.nan_to_num(apart_B, nan=np.inf)
            before_N[positions_B] = own_BK.argmax(axis=1)
            after_N[positions_B] = exported_BK.argmax(axis=1)
            done = int(positions_B[-1]) + 1
            control.tell(Progress("Comparing the exported model", done, len(images), "images"))
            control.raise_if_cancelled()
    finally:
        loader.close()
    changed = np.flatnonzero(before_N != after_N)
    worst = int(differences_N.argmax())
    known_N = labels_N >= 0
    return Parity(
        images=len(images),
        largest_difference=float(differences_N[worst]),
        at=images.file(worst),
        changed=len(changed),
        changed_files=tuple(images.file(int(one)) for one in changed[:_NAMED]),
        labelled=int(known_N.sum()),
        right_before=int((before_N == labels_N)[known_N].sum()),
        right_after=int((after_N == labels_N)[known_N].sum()),
    )


def require_equal(parity: Parity, bound: float, kind: ExportFormat) -> None:
    """Refuse an exported model that says something else.

    Raises:
        ExportError: A probability differs by more than ``bound``.
    """
    if parity.largest_difference <= bound:
        return
    sides = (
        f"{count(parity.changed, 'picture is', 'pictures are')} given another class, and "
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
