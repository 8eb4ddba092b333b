"""Explain what a model says of a few pictures, with the training pictures that are alike.

Legend: N training pictures, C channels, H height, W width, F features.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.moved import Roots
from imageloom.data.open import open_images
from imageloom.errors import GreaterThanError, InvalidDatasetError, unknown_name
from imageloom.events import CancelToken, Control, EventSink, Notice, Progress, ignore_events
from imageloom.files.output_places import refuse_misplaced
from imageloom.files.publish import publishing_directory, refuse_existing
from imageloom.models.model_directory import TrainedModel
from imageloom.scoring.explain.feature_files import FeatureFiles, Features
from imageloom.scoring.explain.features import features_of
from imageloom.scoring.explain.heat_map import overlay_png
from imageloom.scoring.explain.look import look_at
from imageloom.scoring.explain.nearest import Neighbour, most_similar, neighbours_in
from imageloom.scoring.model_in_use import ModelInUse, model_in_use
from imageloom.scoring.params import ScoreParams
from imageloom.scoring.predict import Prediction
from imageloom.scoring.seen import seen_file
from imageloom.settings import read_settings

NEAREST: Final = 8


@dataclass(frozen=True, eq=False)
class TrainingPictures:
    """The pictures that a model learned from, and what it sees in them.

    Attributes:
        images: The pictures.
        features_NF: A row of length 1 for each.
        k: How many to name for a picture.
    """

    images: ImageDirectory
    features_NF: Features
    k: int


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a model names what it names in a file, or why it can say nothing.

    Attributes:
        prediction: The most probable classes, or the error of the file.
        explained: The class whose places the heat map shows; empty when there is an error.
        heat_map: Name of the PNG file with the map over the picture; empty when none was written.
        nearest: The training pictures that are most alike, the nearest first.
    """

    prediction: Prediction
    explained: str = ""
    heat_map: str = ""
    nearest: tuple[Neighbour, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            **self.prediction.to_json(),
            "explained": self.explained or None,
            "heat_map": self.heat_map or None,
            "nearest": [one.to_json() for one in self.nearest],
        }


def explain(  # noqa: PLR0913 - the public call; all but the first three are keywords
    model: TrainedModel | Path | str,
    files: Sequence[Path | str],
    out: Path | str | None = None,
    *,
    of_class: str | None = None,
    training: ImageDirectory | Path | str | None = None,
    root: Roots = (),
    nearest: int = NEAREST,
    k: int = 5,
    params: ScoreParams | None = None,
    on_event: EventSink = ignore_events,
    cancel: CancelToken | None = None,
) -> list[Explanation]:
    """Return the most probable classes of each file, and why.

    Args:
        model: A trained model, its directory, or the directory of a run.
        files: Pictures. One that cannot be read becomes an explanation with an error.
        out: Folder to make, with a PNG file for each picture: where the model finds the class.
        of_class: The class to look for; by default the most probable one of each picture.
        training: The pictures that the model learned from, to name those that are most alike. What
            the model sees in them is kept, so that the second time is quick.
        root: Where they lie now, when they were moved; as ``open_images`` takes it.
        nearest: How many of them to name.
        k: How many classes to name.
        params: Device and precision; by default ``ScoreParams()``.
        on_event: Hears progress and notices.
        cancel: Stops between two files; nothing is published then.

    Returns:
        One explanation per file, in the order given.

    Raises:
        UnknownNameError: The model has no such class.
        GreaterThanError: ``k`` or ``nearest`` is not above 0.
        InvalidModelDirectoryError: The model is none or is damaged, or its network keeps no places
            apart; or it was never saved and ``training`` is given.
        InvalidDatasetError: A training picture cannot be read.
        FailedToWriteOutputsError: ``out`` exists, or cannot be written.
        RunInterruptedError: Somebody asked to stop.
    """
    control = Control.of(on_event, cancel)
    _require_positive({"k": k, "nearest": nearest})
    outputs = [] if out is None else [Path(out)]
    for output in outputs:
        refuse_existing(output)
    refuse_misplaced(outputs)
    with contextlib.ExitStack() as stack:
        used = stack.enter_context(model_in_use(model, params or ScoreParams(), control.on_event))
        if of_class is not None and of_class not in used.model.classes:
            raise unknown_name("class", of_class, used.model.classes)
        known = None
        if training is not None:
            images = open_images(
                training, root=root, on_event=control.on_event, cancel=control.cancel
            )
            known = TrainingPictures(images, training_features(used, images, control), nearest)
        folder = stack.enter_context(publishing_directory(outputs[0])) if outputs else None
        found = []
        for file, name in zip(files, _names(files), strict=True):
            control.raise_if_cancelled()
            place = None if folder is None else folder / name
            found.append(_explain(used, Path(file), of_class, k, known, place))
            control.tell(Progress("Explaining pictures", len(found), len(files), "images"))
    return found


def training_features(used: ModelInUse, images: ImageDirectory, control: Control) -> Features:
    """Return what a model sees in its training pictures, made now or before.

    Args:
        used: The model.
        images: The pictures.
        control: Hears progress, and a warning when the model learned from other pictures; stops it.

    Raises:
        ImageloomError: As ``FeatureFiles.make``.
    """
    images.require_pictures("to compare with")
    learned = used.model.data.get("training")
    if learned is not None and learned.digest != images.digest:
        control.tell(
            Notice(
                "warning",
                f"The model did not learn from just these pictures: it learned from "
                f"{learned.images:,}, and here are {len(images):,}.",
            )
        )
    files = FeatureFiles(read_settings(os.environ).features)
    found = files.find(used, images)
    if found is not None:
        return found
    for done in files.make(used, images):
        control.raise_if_cancelled()
        control.tell(Progress("Looking at training pictures", done, len(images), "images"))
    made = files.find(used, images)
    assert made is not None, "it was published a moment ago"
    return made


def nearest_of(
    used: ModelInUse, image_CHW: torch.Tensor, known: TrainingPictures
) -> tuple[Neighbour, ...]:
    """Return the training pictures that are most alike, the nearest first.

    Args:
        used: The model.
        image_CHW: uint8, 0 to 255, on the CPU, after the model's transforms.
        known: The training pictures.
    """
    wanted_F = features_of(used, image_CHW[None])[0].numpy()
    return neighbours_in(known.images, most_similar(known.features_NF, wanted_F, known.k))


def _explain(
    used: ModelInUse,
    file: Path,
    of_class: str | None,
    k: int,
    known: TrainingPictures | None,
    place: Path | None,
) -> Explanation:
    try:
        image_CHW = seen_file(file, used.model.preprocessing.transforms)
    except InvalidDatasetError as error:
        return Explanation(Prediction(str(file), error=error.message, hint=error.hint))
    look = look_at(used, image_CHW, str(file), of_class=of_class, k=k)
    if place is not None:
        place.write_bytes(overlay_png(look.picture_HW3, look.map_HW))
    return Explanation(
        look.prediction,
        explained=look.explained,
        heat_map="" if place is None else place.name,
        nearest=() if known is None else nearest_of(used, image_CHW, known),
    )


def _names(files: Sequence[Path | str]) -> Iterator[str]:
    """Yield a name for the heat map of each file; those of equal names are numbered."""
    taken: set[str] = set()
    for file in files:
        stem, number = Path(file).stem, 1
        while (name := f"{stem}.png" if number == 1 else f"{stem}-{number}.png") in taken:
            number += 1
        taken.add(name)
        yield name


def _require_positive(values: Mapping[str, int]) -> None:
    for name, value in values.items():
        if value < 1:
            raise GreaterThanError(
                f"{name} is {value}, but must be greater than 0.",
                details={"parameter": name, "value": value},
            )
