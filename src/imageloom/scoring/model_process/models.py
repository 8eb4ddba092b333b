"""What the model process does: loads models once, names pictures, and says why.

Legend: C channels, H height, W width.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import torch

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.previews.cache import ThumbnailCache
from imageloom.data.previews.opened import OpenedDirectories
from imageloom.data.previews.reach import Reach
from imageloom.data.previews.thumbnails import Thumbnails
from imageloom.data.previews.values import KeptThumbnail
from imageloom.errors import DataError
from imageloom.models.compute import choose_compute
from imageloom.models.model_directory import load_trained
from imageloom.scoring.explain.feature_files import FeatureFiles
from imageloom.scoring.explain.features import features_of
from imageloom.scoring.explain.heat_map import heat_png, picture_png
from imageloom.scoring.explain.look import look_at
from imageloom.scoring.explain.nearest import Neighbour, most_similar, neighbours_in
from imageloom.scoring.inference import logits_of
from imageloom.scoring.model_in_use import ModelInUse
from imageloom.scoring.model_process.kept import KeptFiles
from imageloom.scoring.model_process.values import (
    AlikePicture,
    AlikePictures,
    Guess,
    Guesses,
    PictureLook,
)
from imageloom.scoring.predict import Prediction, ranked
from imageloom.scoring.seen import seen_content

_MODELS_KEPT: Final = 2
_STEP_S: Final = 1.5  # of making features; others are answered between two steps
_THUMBNAIL: Final = 240
_RECORD: Final = "model.json"


class WarmModels:
    """Answers requests; each public method is one that a parent may name.

    Args:
        kept: Where maps are kept.
        thumbnails: Makes training pictures small.
        features: Where what models see in training pictures is kept.
        reach: Which pictures may be read.
    """

    def __init__(
        self, kept: KeptFiles, thumbnails: ThumbnailCache, features: Path, reach: Reach
    ) -> None:
        self._kept = kept
        self._thumbnails = Thumbnails(thumbnails, reach)
        self._features = FeatureFiles(features)
        self._reach = reach
        self._opened = OpenedDirectories()
        self._models: dict[tuple[str, int, int], ModelInUse] = {}
        self._making: tuple[tuple[str, str], Iterator[int]] | None = None

    def predict(self, model: str, folder: str, file: str, k: int) -> Guesses:
        """Return the most probable classes of a picture."""
        used = self._used(model)
        image_CHW, _ = self._seen(used, folder, file)
        logits_1K = logits_of(
            used.network, image_CHW[None], used.compute, used.model.preprocessing.normalisation
        )
        found = ranked(file, logits_1K[0], used.model, k)
        return Guesses(_guesses(found), len(used.model.classes))

    def explain(
        self, model: str, folder: str, file: str, k: int, of_class: str | None
    ) -> PictureLook:
        """Return the same, with where the model finds a class, by default the most probable."""
        used = self._used(model)
        image_CHW, sha256 = self._seen(used, folder, file)
        look = look_at(used, image_CHW, file, of_class=of_class, k=k)
        position = used.model.classes.index(look.explained)
        name = f"{used.model.digest[:32]}-{sha256[:32]}-{position}"
        self._kept.keep_map(f"{name}-seen.png", picture_png(look.picture_HW3))
        self._kept.keep_map(f"{name}-heat.png", heat_png(look.map_HW))
        return PictureLook(
            guesses=_guesses(look.prediction),
            num_classes=len(used.model.classes),
            explained=look.explained,
            seen=f"{name}-seen.png",
            heat=f"{name}-heat.png",
        )

    def nearest(self, model: str, folder: str, file: str, k: int, training: str) -> AlikePictures:
        """Return the training pictures that are most alike, or how far looking at them is."""
        used = self._used(model)
        images = self._opened.open(Path(training))
        images.require_pictures("to compare with")
        image_CHW, _ = self._seen(used, folder, file)
        done = self._make_features(used, images)
        features_NF = self._features.find(used, images)
        if features_NF is None:
            return AlikePictures(done, len(images), ())
        wanted_F = features_of(used, image_CHW[None])[0].numpy()
        found = neighbours_in(images, most_similar(features_NF, wanted_F, k))
        pictures = tuple(
            AlikePicture(
                position=one.position,
                file=one.file,
                label=one.label,
                similarity=one.similarity,
                thumbnail=self._thumbnail(images, one),
            )
            for one in found
        )
        return AlikePictures(len(images), len(images), pictures)

    def _make_features(self, used: ModelInUse, images: ImageDirectory) -> int:
        """Go on with looking at training pictures for a moment, and return how many are done."""
        if self._features.find(used, images) is not None:
            return len(images)
        key = (used.model.digest, images.digest)
        if self._making is None or self._making[0] != key:
            self._making = (key, self._features.make(used, images))  # an earlier one is given up
        end, done = time.monotonic() + _STEP_S, 0
        try:
            for done in self._making[1]:
                # The file appears behind the last step, which therefore is never the last for now.
                if time.monotonic() > end and done < len(images):
                    return done
        except BaseException:
            self._making = None
            raise
        self._making = None
        return len(images)

    def _thumbnail(self, images: ImageDirectory, near: Neighbour) -> KeptThumbnail | None:
        try:
            return self._thumbnails.of_row(images, near.position, _THUMBNAIL)
        except DataError:  # it is gone or has changed since; its name is shown all the same
            return None

    def _used(self, path: str) -> ModelInUse:
        """Return a model, loaded now or before; one that was replaced since is loaded anew."""
        facts = (Path(path) / _RECORD).stat() if (Path(path) / _RECORD).is_file() else None
        key = (path, facts.st_ino if facts else 0, facts.st_mtime_ns if facts else 0)
        known = self._models.pop(key, None)
        if known is None:
            compute = choose_compute("cpu", "float32")  # a GPU is for trainings
            model = load_trained(Path(path))
            known = ModelInUse(model, compute.place(model.network).eval(), compute)
        self._models[key] = known
        if len(self._models) > _MODELS_KEPT:
            self._models.pop(next(iter(self._models)))
        return known

    def _seen(self, used: ModelInUse, folder: str, file: str) -> tuple[torch.Tensor, str]:
        """Return a picture as the network sees it, and the digest of its file."""
        content = self._reach.read(Path(folder), os.fsencode(file))
        image_CHW = seen_content(content, file, used.model.preprocessing.transforms)
        return image_CHW, hashlib.sha256(content).hexdigest()


def _guesses(prediction: Prediction) -> tuple[Guess, ...]:
    ranking = zip(prediction.classes, prediction.probabilities, strict=True)
    return tuple(Guess(label, probability) for label, probability in ranking)
