"""The whole path on real pictures, in two minutes: the handwritten digits of scikit-learn.

The 1,797 digits (Alpaydin and Kaynak 1998, UCI Machine Learning Repository) come as 8 x 8 grey
values. They are written as PNG files of 32 x 32 pixels, one folder for each digit, and from then on
a pipeline does the rest, which does not know that they are digits.
"""

import dataclasses
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageloom.app import Engine, RunOutcome
from imageloom.errors import EnvironmentUnsuitableError, ImageloomError
from imageloom.events import CancelToken, Control, Progress
from imageloom.files.output_places import refuse_misplaced
from imageloom.files.publish import appearing_directory, refuse_existing
from imageloom.params import Value
from imageloom.pipeline.builder import NodeHandle, PipelineBuilder
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.graph.json_format import write_pipeline
from imageloom.pipeline.run.events import NodeEvent, RunSink, ignore_run_events
from imageloom.pipeline.run.request import Asked
from imageloom.registry import Registry
from imageloom.settings import read_settings
from imageloom.spec.component import Component
from imageloom.spec.node_state import RunState

PICTURE_SIZE: Final = 32  # pixels; the least that every network takes
PICTURES: Final = "pictures"
_GREY_LEVELS: Final = 16  # the digits' values run from 0 to 16


@dataclass(frozen=True)
class DemoResult:
    """What the demo made.

    Attributes:
        folder: Everything it wrote: the pictures, the pipeline and its workspace, and links to
            ``model``, ``evaluation`` and ``run`` once they are there.
        outcome: How the run ended.
        top1: Fraction of the held-out pictures that were named rightly; None unless it completed.
        images: Number of those pictures.
        seconds: Time it took.
    """

    folder: Path
    outcome: RunOutcome
    top1: float | None
    images: int
    seconds: float


def run_demo(
    out: Path, *, on_event: RunSink = ignore_run_events, cancel: CancelToken | None = None
) -> DemoResult:
    """Write the digits as pictures, and run a pipeline on them.

    Args:
        out: Folder for everything; it must not exist.
        on_event: Hears of the pictures, and of the run.
        cancel: Stops at the next safe point.

    Raises:
        EnvironmentUnsuitableError: scikit-learn is not installed.
        FailedToWriteOutputsError: ``out`` exists, lies among pictures or inside something that was
            published, or cannot be written.
        RunInterruptedError: It was stopped before the run began.
    """
    refuse_existing(out)
    refuse_misplaced([out])
    began = time.monotonic()
    control = Control.of(lambda event: on_event(NodeEvent(PICTURES, event)), cancel)
    write_digits(out / PICTURES, control=control)
    settings = read_settings(os.environ)
    own = dataclasses.replace(settings, workspace=out / "workspace", database_url=None)
    engine = Engine(own)
    pipeline = digits_pipeline(engine.components)
    write_pipeline(pipeline, out / "pipeline.json")
    outcome = engine.run(pipeline, Asked(base=out), on_event=on_event, cancel=cancel)
    if outcome.state is not RunState.COMPLETED:
        return DemoResult(out, outcome, None, 0, time.monotonic() - began)
    _link(out / "run", outcome.run.path)
    _link(out / "model", outcome.run.node_folder("train") / "outputs" / "model")
    _link(out / "evaluation", outcome.run.node_folder("evaluate") / "outputs" / "evaluation")
    content = json.loads((out / "evaluation" / "evaluation.json").read_text(encoding="utf-8"))
    evaluation = content["evaluations"][0]
    top1, images = evaluation["figures"]["Overall_Accuracy"], evaluation["images"]
    return DemoResult(out, outcome, top1, images, time.monotonic() - began)


def digits_pipeline(components: Registry[Component], *, upload: str = "") -> Pipeline:
    """Return the pipeline: 70 % to train, 15 % to validate, 15 % held out until the end.

    Args:
        components: What is installed.
        upload: Name of the upload that holds the digits; by default they lie beside the pipeline.
    """
    build = PipelineBuilder(
        components, "Handwritten digits", description="From pictures to a trained, scored network."
    )
    if upload:
        pictures = build.add("dataset", id=PICTURES, upload=upload)
    else:
        pictures = build.add("dataset", id=PICTURES, path=PICTURES)
    add_training(
        build,
        pictures,
        network={"stem": "small"},
        training={"epochs": 6, "batch_size": 64, "learning_rate": 0.05, "patience": 6},
    )
    return build.pipeline()


def add_training(
    build: PipelineBuilder,
    pictures: NodeHandle,
    *,
    training: Mapping[str, Value],
    network: Mapping[str, Value] | None = None,
) -> None:
    """Add all that comes after the pictures: a ResNet-18 is trained on 70 % of them and evaluated.

    ``network`` and ``training`` are the parameters in which such pipelines differ.
    """
    images = build.add("convert_to_image_directory", pictures, id="convert")
    parts = build.add(
        "split_image_directory", images, id="split", fraction=0.7, third_fraction=0.15
    )
    untrained = build.add(
        "resnet", id="resnet", model_name="resnet18", pretrained=False, params=network
    )
    model = build.add(
        "train_pytorch_model",
        untrained,
        parts.first,
        parts.second,
        id="train",
        warmup_epochs=1.0,
        augmentation="light",
        params=training,
    )
    scores = build.add("score_image_model", model, parts.third, id="score")
    build.add("evaluate_model", scores, id="evaluate")


def main(words: Sequence[str]) -> int:
    """Write the digits to the folder that is named, whole or not at all, for another process.

    A failure is one JSON object on stderr.
    """
    try:
        with appearing_directory(Path(words[0])) as partial:
            write_digits(partial, control=Control())
    except ImageloomError as problem:
        sys.stderr.write(json.dumps(problem.to_json()))
        return 1
    return 0


def _link(link: Path, place: Path) -> None:
    """Make a short way to a place, which stays right when the folder moves."""
    link.symlink_to(os.path.relpath(place, link.parent))


def write_digits(folder: Path, *, control: Control) -> int:
    """Write the digits as PNG files in one folder per digit and return how many there are.

    Args:
        folder: Where the folders ``0`` to ``9`` are made.
        control: Hears how far it is; stops it between two pictures.

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
        control.raise_if_cancelled()
        control.tell(Progress("Writing the digits", number + 1, len(labels_N), "pictures"))
    return len(labels_N)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
