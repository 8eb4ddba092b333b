"""Pipelines from Python: build one, run it, and look at what came out.

The same engine, workspace and cache as ``imageloom run``::

    build = imageloom.build_pipeline("Ants and bees")
    pictures = build.add("dataset", path="photos")
    images = build.add("convert_to_image_directory", pictures)
    parts = build.add("split_image_directory", images, fraction=0.8)
    network = build.add("resnet", model_name="resnet18", pretrained=False)
    build.add("train_pytorch_model", network, parts.first, parts.second, id="train", epochs=5)
    outcome = imageloom.run_pipeline(build)
    table = imageloom.score(outcome.output("train", "model"), "new-photos")
"""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from imageloom.app import Engine, RunOutcome
from imageloom.components.catalogue import load_components
from imageloom.events import CancelToken
from imageloom.files.home import expand_home
from imageloom.files.output_places import refuse_misplaced
from imageloom.pipeline.builder import PipelineBuilder
from imageloom.pipeline.graph import json_format
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.graph.json_format import read_pipeline
from imageloom.pipeline.run.events import RunSink, ignore_run_events
from imageloom.pipeline.run.request import Asked
from imageloom.settings import read_settings


def build_pipeline(name: str, *, description: str = "") -> PipelineBuilder:
    """Return a builder with every component that is installed."""
    return PipelineBuilder(load_components(), name, description=description)


def write_pipeline(pipeline: Pipeline | PipelineBuilder, path: Path | str) -> None:
    """Write a pipeline, or what a builder holds, as a JSON file that replaces any there.

    Raises:
        InvalidPipelineError: What was written could not be read again: it holds values that JSON
            does not have, or is too big.
        FailedToWriteOutputsError: The place lies among pictures or inside something that was
            published, or cannot be written.
    """
    place = _absolute(path)
    refuse_misplaced([place])
    json_format.write_pipeline(_built(pipeline), place)


def run_pipeline(  # noqa: PLR0913 - the public call; all but the first are keywords
    pipeline: Pipeline | PipelineBuilder | Path | str,
    *,
    workspace: Path | str | None = None,
    base: Path | str | None = None,
    changes: Sequence[str] = (),
    only: Sequence[str] = (),
    start: Sequence[str] = (),
    fresh: Sequence[str] = (),
    target: str = "",
    on_event: RunSink = ignore_run_events,
    cancel: CancelToken | None = None,
) -> RunOutcome:
    """Run a pipeline, or the part of it that is asked for; what is in the cache is not done again.

    Args:
        pipeline: A pipeline, a builder that holds one, or the file of one.
        workspace: Folder of runs and results; by default as the environment says.
        base: Folder that relative paths in parameters start from: by default that of the file, or
            the present one.
        changes: Changes to parameters, such as ``train.epochs=10``.
        only: Do these nodes and what they need, and nothing after them.
        start: Make these nodes and all that depends on them anew.
        fresh: Make these nodes anew although the cache has them.
        target: Where nodes that can choose run; as each says, when empty.
        on_event: Hears of every change of a state, and all that nodes tell.
        cancel: Asks the run to stop and save; set a second time, it ends at once.

    Returns:
        The completed run, with the place of each output.

    Raises:
        InvalidPipelineError: What is asked for cannot run; the message lists every problem.
        NodeFailedError: Nodes failed; the message names each and why. The others did what they
            could.
        RunInterruptedError: ``cancel`` was set, or somebody cancelled the run.
    """
    settings = read_settings(os.environ)
    if workspace is not None:
        settings = dataclasses.replace(settings, workspace=_absolute(workspace))
    folder = Path.cwd()
    if isinstance(pipeline, Path | str):
        folder = _absolute(pipeline).parent
        pipeline = read_pipeline(_absolute(pipeline))
    asked = Asked(
        base=folder if base is None else _absolute(base),
        changes=_several(changes),
        only=_several(only),
        start=_several(start),
        fresh=_several(fresh),
        target=target,
    )
    outcome = Engine(settings).run(_built(pipeline), asked, on_event=on_event, cancel=cancel)
    failure = outcome.failure(stopped_by=cancel.reason if cancel is not None else "")
    if failure is not None:
        raise failure
    return outcome


def _built(pipeline: Pipeline | PipelineBuilder) -> Pipeline:
    return pipeline.pipeline() if isinstance(pipeline, PipelineBuilder) else pipeline


def _several(texts: Sequence[str]) -> Sequence[str]:
    """Return the texts; a single one stands for itself, not for its letters."""
    return (texts,) if isinstance(texts, str) else texts


def _absolute(path: Path | str) -> Path:
    return expand_home(path).absolute()
