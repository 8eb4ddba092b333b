"""Trained models: what a person should know of one, and the model as a file to save."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, JsonValue

from imageloom.errors import InvalidModelDirectoryError
from imageloom.models.record import DataFacts, WeightsSource
from imageloom.models.stored_facts import NAMES, read_facts
from imageloom.run_report.evaluation_figures import evaluations_of
from imageloom.server.file_answers import to_save
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.results import model_folder
from imageloom.server.studio import Studio, StudioNow
from imageloom.server.zipped import zip_blocks

router = APIRouter(prefix="/runs/{run_id}/nodes/{node}/model-card", tags=["results"])
MAX_CLASSES: Final = 1_000
"""Most classes in a card: model.json has them all."""


class MeasuredModel(BaseModel):
    """What an evaluation of the same run found of the model.

    Attributes:
        node: That evaluated it.
        name: Of the scored table.
        images: How many pictures were named.
        accuracy: Share that was named rightly.
        interval_95: Its 95 % confidence interval.
    """

    node: str
    name: str
    images: int
    accuracy: float
    interval_95: tuple[float, float]


class ModelCard(BaseModel):
    """What a person should know of a model before using it.

    Attributes:
        title: Name of its network.
        digest: What tells it from any other model.
        size_bytes: Of its directory.
        num_classes: How many there are.
        classes: Their names, in the order of the outputs; the first 1,000.
        input_size: Side of the network's input in pixels.
        preprocessing: How its input is made from a decoded picture.
        parameters: What the training was asked for.
        metrics: Figures of the published epoch; null where one is not finite.
        data: What it was trained and validated on, by role.
        initial_weights: What the training started from.
        versions: Of the libraries at that time.
        evaluations: What evaluations of the same run found of it.
    """

    title: str
    digest: str
    size_bytes: int
    num_classes: int
    classes: list[str]
    input_size: int
    preprocessing: dict[str, JsonValue]
    parameters: dict[str, JsonValue]
    metrics: dict[str, float | None]
    data: dict[str, DataFacts]
    initial_weights: WeightsSource
    versions: dict[str, str]
    evaluations: list[MeasuredModel]


@router.get("")
@needs(Role.VIEWER)
def card(studio: StudioNow, run_id: str, node: str) -> ModelCard:
    """Return the card of the model that a node trained."""
    facts = read_facts(model_folder(studio, run_id, node))
    record = facts.record
    return ModelCard(
        title=str(record.architecture.get("variant", "")),
        digest=facts.digest,
        size_bytes=sum(facts.size_bytes.values()),
        num_classes=record.num_classes,
        classes=record.classes[:MAX_CLASSES],
        input_size=record.input_size,
        preprocessing=record.preprocessing,
        parameters=record.parameters,
        metrics=record.metrics,
        data=record.data,
        initial_weights=record.initial_weights,
        versions=record.versions,
        evaluations=_evaluations(studio, run_id, facts.digest),
    )


@router.get("/file", response_class=StreamingResponse)
@needs(Role.VIEWER)
def download(studio: StudioNow, run_id: str, node: str) -> StreamingResponse:
    """Return the model's directory as a zip file to save."""
    folder = model_folder(studio, run_id, node)
    read_facts(folder)  # refused before the first byte is sent
    files = {f"model/{name}": folder / name for name in NAMES}
    return StreamingResponse(
        zip_blocks(files, InvalidModelDirectoryError),
        media_type="application/zip",
        headers=to_save(f"{run_id}-{node}-model.zip"),
    )


def _evaluations(studio: Studio, run_id: str, digest: str) -> list[MeasuredModel]:
    run = studio.run(run_id)
    states = run.states()
    facts = {node: states[node] for node in run.record().wanted if node in states}
    return [
        MeasuredModel(
            node=one.node,
            name=one.name,
            images=one.images,
            accuracy=one.accuracy,
            interval_95=(one.low, one.high),
        )
        for model_digest, one in evaluations_of(run, facts)
        if model_digest == digest
    ]
