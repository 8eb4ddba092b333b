"""The whole path on real pictures, in two minutes: the handwritten digits of scikit-learn.

The 1,797 digits (Alpaydin and Kaynak 1998, UCI Machine Learning Repository) come as 8 x 8 grey
values. They are written as PNG files of 32 x 32 pixels, one folder for each digit, and from then on
nothing here knows that they are digits.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.events import CancelToken, EventSink, Notice, Progress, ignore_events
from imageloom.publish import refuse_existing

PICTURE_SIZE: Final = 32  # pixels; the least that every network takes
_GREY_LEVELS: Final = 16  # the digits' values run from 0 to 16


@dataclass(frozen=True)
class DemoResult:
    """What the demo made.

    Attributes:
        folder: Everything it wrote.
        run: The run directory.
        evaluation: Folder with the report on the pictures that training never saw.
        top1: Fraction of those pictures that were named rightly.
        images: Number of those pictures.
        seconds: Time it took.
    """

    folder: Path
    run: Path
    evaluation: Path
    top1: float
    images: int
    seconds: float


def run_demo(
    out: Path, *, on_event: EventSink = ignore_events, cancel: CancelToken | None = None
) -> DemoResult:
    """Write the digits as pictures, then convert, split, train, score and evaluate.

    Args:
        out: Folder for everything; it must not exist.
        on_event: Hears of each stage.
        cancel: Stops at the next safe point.

    Raises:
        EnvironmentUnsuitableError: scikit-learn is not installed.
        FailedToWriteOutputsError: ``out`` exists or cannot be written.
    """
    from imageloom.data.convert import convert
    from imageloom.data.params import SplitParams
    from imageloom.data.split import split
    from imageloom.models.params import ModelParams
    from imageloom.scoring.evaluate import evaluate_to
    from imageloom.scoring.evaluation import Evaluation
    from imageloom.scoring.score import score
    from imageloom.training.config import TrainParams
    from imageloom.training.train import train

    refuse_existing(out)
    began = time.monotonic()
    cancel = cancel or CancelToken()

    def step(number: int, text: str) -> None:
        on_event(Notice("info", f"{number} of 5: {text}"))

    step(1, "convert - every picture is decoded and listed")
    write_digits(out / "pictures", on_event=on_event, cancel=cancel)
    images = convert(out / "pictures", out / "images", on_event=on_event, cancel=cancel)

    step(2, "split - 70 % to train, 15 % to validate, 15 % held out")
    parts = split(images, SplitParams(fraction=0.7, third_fraction=0.15))
    for part, name in zip(parts, ("train", "validation", "test"), strict=True):
        part.save(out / name)

    step(3, "train - a ResNet-18 from random weights")
    result = train(
        "resnet18",
        out / "train",
        out / "validation",
        out / "run",
        params=TrainParams(
            epochs=6,
            batch_size=64,
            learning_rate=0.05,
            warmup_epochs=1.0,
            patience=6,
            augmentation="light",
        ),
        model_params=ModelParams(stem="small"),
        on_event=on_event,
        cancel=cancel,
    )

    step(4, "score - the held-out pictures, which training never saw")
    scores = out / "scores.parquet"
    score(result.run, out / "test", scores, on_event=on_event, cancel=cancel)

    step(5, "evaluate - figures and a report")
    evaluation = evaluate_to(scores, out / "evaluation", on_event=on_event, cancel=cancel)
    assert isinstance(evaluation, Evaluation)  # one table gives one evaluation
    return DemoResult(
        folder=out,
        run=result.run,
        evaluation=out / "evaluation",
        top1=evaluation.averages.overall_accuracy,
        images=evaluation.images,
        seconds=time.monotonic() - began,
    )


def write_digits(
    folder: Path, *, on_event: EventSink = ignore_events, cancel: CancelToken | None = None
) -> int:
    """Write the digits as PNG files in one folder per digit and return how many there are.

    Args:
        folder: Where the folders ``0`` to ``9`` are made.
        on_event: Hears how far it is.
        cancel: Stops it between two pictures.

    Raises:
        EnvironmentUnsuitableError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as problem:
        raise EnvironmentUnsuitableError(
            "The demo's pictures come with scikit-learn, which is not installed.",
            hint="Install it with: pip install 'imageloom[demo]'",
            reason="scikit-learn-missing",
        ) from problem
    import numpy as np
    from PIL import Image

    digits_NHW, labels_N = load_digits(return_X_y=True)
    grey_NHW = np.round(digits_NHW.reshape(-1, 8, 8) * (255 / _GREY_LEVELS)).astype(np.uint8)
    for number, (grey_HW, label) in enumerate(zip(grey_NHW, labels_N, strict=True)):
        place = folder / str(label)
        place.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(grey_HW).resize(
            (PICTURE_SIZE, PICTURE_SIZE), Image.Resampling.BICUBIC
        )
        picture.save(place / f"digit-{number:04}.png")
        if cancel is not None:
            cancel.raise_if_set()
        on_event(Progress("Writing the digits", number + 1, len(labels_N), "pictures"))
    return len(labels_N)
