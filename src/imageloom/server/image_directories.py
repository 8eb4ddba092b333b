"""Where the image directories of a run lie, and how it reads them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from pydantic import JsonValue

from imageloom.data.previews.seen import Purpose
from imageloom.errors import InvalidDatasetError, NoSuchRunError
from imageloom.files.publish import read_json
from imageloom.server.corrections import ends_into
from imageloom.server.studio import Studio, StudioNow

_TYPE = "ImageDirectory"
_RECORD = "image_directory.json"
_TRAINING = "train_pytorch_model"


@dataclass(frozen=True)
class ReadBy:
    """How a run reads pictures.

    Attributes:
        purpose: Whether they are trained on, or only measured by.
        params: Of the training.
    """

    purpose: Purpose
    params: Mapping[str, JsonValue]


def image_directory(studio: StudioNow, run_id: str, node: str, port: str) -> Path:
    """Return the image directory that a node made.

    Raises:
        NoSuchRunError: There is no such run or node, or it made none there.
    """
    run, facts = studio.node(run_id, node)
    output = None if facts is None else facts.outputs.get(port)
    if output is None or output.type != _TYPE:
        raise NoSuchRunError(
            f"Node {node} of run {run_id} has no pictures at its output {port!r}.",
            hint="Has it completed?",
            reason="no-images",
        )
    return run.node_folder(node) / "outputs" / port


ImagesNow = Annotated[Path, Depends(image_directory)]
"""The image directory that the path of a route names."""


def image_directories(studio: Studio, run_id: str) -> Iterator[tuple[str, str]]:
    """Yield node and port of every image directory of a run, in the order of its nodes."""
    run = studio.run(run_id)
    states = run.states()
    for node in run.record().wanted:
        facts = states.get(node)
        for port, output in facts.outputs.items() if facts is not None else ():
            if output.type == _TYPE:
                yield node, port


def digest_of(folder: Path) -> str:
    """Return the digest of what an image directory holds, as its record says.

    Raises:
        InvalidDatasetError: It cannot be read.
    """
    return str(read_json(folder / _RECORD, InvalidDatasetError).get("digest", ""))


def read_by(studio: Studio, run_id: str, node: str, port: str) -> ReadBy | None:
    """Return how a run trains on pictures, or measures by them; None when it trains nothing."""
    record = studio.run(run_id).record()
    trainings = {
        name: one.params for name, one in record.resolved.items() if one.component == _TRAINING
    }
    for name, input_port in ends_into(record.pipeline, f"{node}.{port}"):
        if name in trainings:
            purpose: Purpose = "training" if input_port == "training" else "inference"
            return ReadBy(purpose, trainings[name])
    first = next(iter(trainings.values()), None)
    return None if first is None else ReadBy("training", first)
