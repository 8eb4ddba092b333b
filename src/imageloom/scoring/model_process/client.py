"""Predictions and explanations for a server that must not load torch: asked of a process.

Only the standard library and light modules of ours are imported here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.data.previews.cache import ThumbnailCache
from imageloom.data.previews.values import answer_as
from imageloom.scoring.model_process.kept import KeptFiles
from imageloom.scoring.model_process.values import AlikePictures, Guesses, PictureLook
from imageloom.system.helper_pool import HelperPool
from imageloom.system.helper_process import HelperKind

TIMEOUT_S: Final = 60.0
"""Loading a large model takes ten seconds, and naming a picture a fraction of one."""

MODELS: Final = HelperKind(
    module="imageloom.scoring.model_process.worker",
    name="model process",
    reason="model",
    slow_hint="Is the machine busy with a training? Try again in a moment.",
    lost_hint="The picture or the model may be hostile, or memory short. Others still work.",
    environment={"CUDA_VISIBLE_DEVICES": ""},  # GPUs are for trainings
    passed_on=("IMAGELOOM_EXTENSIONS", "OMP_NUM_THREADS", "OMP_WAIT_POLICY"),
)


@dataclass(frozen=True)
class PicturePlace:
    """Where a picture lies.

    Attributes:
        folder: Absolute; one of the roots or below it.
        file: Name from there, from a stranger; no part of it may be a link.
    """

    folder: Path
    file: str


class ModelHelper:
    """A model process, started when first needed; any thread may call.

    Args:
        cache: Folder for maps, thumbnails and dropped pictures, which may be deleted at any time.
        features: Folder for what models see in training pictures; likewise.
        roots: Absolute folders from which pictures may be read; empty for all that this user may
            read.
        kind: What is started; tests take another.

    Attributes:
        kept: What is in ``cache`` beside thumbnails.
        pool: The process.
    """

    def __init__(
        self,
        cache: Path,
        *,
        features: Path,
        roots: Sequence[Path] = (),
        kind: HelperKind = MODELS,
    ) -> None:
        self.kept = KeptFiles(cache)
        readable = [*roots, self.kept.dropped] if roots else []
        setup = {
            "cache": str(cache),
            "features": str(features),
            "roots": [str(root) for root in readable],
        }
        self.pool = HelperPool(kind, setup, on_end=ThumbnailCache(cache).clear_away)

    def predict(
        self, model: Path, picture: PicturePlace, *, k: int = 5, timeout_s: float = TIMEOUT_S
    ) -> Guesses:
        """Return the most probable classes of a picture.

        Args:
            model: A trained model directory.
            picture: Where it lies.
            k: How many classes to name.
            timeout_s: Longest time, the wait for the process included, its start not.

        Raises:
            CouldNotOpenFileError: The picture is not there, lies elsewhere, or is a link or no
                file.
            InvalidDatasetError: It is damaged, too large or no picture.
            InvalidModelDirectoryError: The model is none, or is damaged.
            TimeoutOccuredError: It took too long, or the process is busy.
            WorkerLostError: The process ended at it.
        """
        what = {"model": str(model), **_arguments(picture), "k": k}
        return answer_as(Guesses, self.pool.ask("predict", what, timeout_s))

    def explain(
        self,
        model: Path,
        picture: PicturePlace,
        *,
        of_class: str | None = None,
        k: int = 5,
        timeout_s: float = TIMEOUT_S,
    ) -> PictureLook:
        """Return what a model says of a picture, and where it finds a class.

        Args:
            model: A trained model directory.
            picture: Where it lies.
            of_class: The class; by default the most probable one.
            k: How many classes to name.
            timeout_s: As for ``predict``.

        Raises:
            UnknownNameError: The model has no such class.
            InvalidModelDirectoryError: Its network keeps no places of a picture apart.
            FailedToWriteOutputsError: The cache cannot be written.
            ImageloomError: As ``predict``.
        """
        what = {"model": str(model), **_arguments(picture), "k": k, "of_class": of_class}
        return answer_as(PictureLook, self.pool.ask("explain", what, timeout_s))

    def nearest(
        self,
        model: Path,
        picture: PicturePlace,
        training: Path,
        *,
        k: int = 8,
        timeout_s: float = TIMEOUT_S,
    ) -> AlikePictures:
        """Return the training pictures that are most alike to a model.

        It must have seen them all once, which is done a moment at a time: ask again while ``done``
        is below ``total``.

        Args:
            model: A trained model directory.
            picture: Where the picture lies.
            training: The image directory of the training pictures.
            k: How many to name.
            timeout_s: As for ``predict``.

        Raises:
            InvalidDatasetError: A training picture cannot be read, or there are none.
            FailedToWriteOutputsError: What it sees cannot be kept.
            ImageloomError: As ``predict``.
        """
        what = {"model": str(model), **_arguments(picture), "k": k, "training": str(training)}
        return answer_as(AlikePictures, self.pool.ask("nearest", what, timeout_s))

    def close(self) -> None:
        """End the process; calls that wait for it get an error."""
        self.pool.close()


def _arguments(picture: PicturePlace) -> dict[str, object]:
    return {"folder": str(picture.folder), "file": picture.file}
