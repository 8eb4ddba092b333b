"""Features of all pictures of an image directory, made once for each model and kept in a file.

Legend: N pictures, F features, B pictures of a batch.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.loading.loader import make_loader, sequential_batches
from imageloom.errors import InvalidModelDirectoryError
from imageloom.files.prune import prune_folder
from imageloom.files.publish import writing_file
from imageloom.scoring.explain.features import features_of
from imageloom.scoring.model_in_use import ModelInUse
from imageloom.scoring.reading import reading_by

MOST_BYTES: Final = 4 * 1024**3
"""Of all files of features together; those not used for longest go first."""

_BATCH_SIZE: Final = 16  # few, so that a server can do something else in between

Features = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FeatureFiles:
    """A folder with files of features; it may be deleted at any time.

    Attributes:
        folder: Where it lies; several processes may share it.
    """

    folder: Path

    def find(self, used: ModelInUse, images: ImageDirectory) -> Features | None:
        """Return the features, float32 [N, F] with rows of length 1, mapped; None if not made."""
        path = self._path(used, images)
        try:
            os.utime(path)  # it is used now
            size = path.stat().st_size
        except OSError:
            return None
        if size == 0 or size % (4 * len(images)) != 0:
            return None
        shape = (len(images), size // (4 * len(images)))
        return np.memmap(path, dtype=np.float32, mode="r", shape=shape)

    def make(self, used: ModelInUse, images: ImageDirectory) -> Iterator[int]:
        """Make them, yielding after each batch how many pictures are done.

        The file appears when all are. Whoever stops early leaves nothing behind.

        Raises:
            FailedToWriteOutputsError: It cannot be written.
            InvalidDatasetError: A picture cannot be read.
            InvalidModelDirectoryError: The network has no features, or was never saved.
        """
        path = self._path(used, images)
        loader = make_loader(
            images,
            used.model.preprocessing.transforms,
            sequential_batches(len(images), _BATCH_SIZE),
            reading_by(0, used.compute),
        )
        prune_folder(self.folder, MOST_BYTES)
        with writing_file(path) as partial, partial.open("wb") as file:
            done = 0
            for batch in loader:
                file.write(features_of(used, batch.images_BCHW).numpy().tobytes())
                done += len(batch.positions_B)
                yield done

    def _path(self, used: ModelInUse, images: ImageDirectory) -> Path:
        if not used.model.digest:
            raise InvalidModelDirectoryError(
                "The model was never saved, so it has no digest to keep features under.",
                hint="Save it first, and give its directory.",
                reason="not-saved",
            )
        return self.folder / f"{used.model.digest[:32]}-{images.digest[:32]}.f32"
