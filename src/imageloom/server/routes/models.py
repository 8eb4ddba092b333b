"""What the model behind a node says of pictures, and why: of scored ones and of dropped ones."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from imageloom.errors import InvalidDatasetError, InvalidRequestError, NoSuchRunError
from imageloom.files.publish import read_json
from imageloom.scoring.model_process.client import PicturePlace
from imageloom.scoring.model_process.values import AlikePictures, Guess, PictureLook
from imageloom.server.bodies import MOST_BYTES_OF_FILES
from imageloom.server.file_answers import ThumbnailAddress, picture_by_content
from imageloom.server.model_behind import ModelBehind, model_behind
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.results import evaluation_folder, scored_place
from imageloom.server.studio import Studio, StudioNow

router = APIRouter(tags=["models"])
NODE: Final = "/runs/{run_id}/nodes/{node}"
MAX_PICTURE_BYTES: Final = MOST_BYTES_OF_FILES
_THRESHOLDS: Final = "thresholds.json"


class ModelInfo(BaseModel):
    """The model behind a node.

    Attributes:
        node: The node that made it.
        knows_training: Whether it is known which pictures it has learned from.
        has_learned_scored: Whether the pictures that it scored are just those.
    """

    node: str
    knows_training: bool
    has_learned_scored: bool


class PictureExplanation(BaseModel):
    """What a model says of a picture, and where it looks.

    Attributes:
        guesses: The most probable classes, the most probable first.
        num_classes: How many classes the model knows.
        explained: The class whose places the map shows.
        seen: Address of a picture of what the network sees.
        heat: Address of a picture of the same size: the map, clear where nothing speaks for it.
    """

    guesses: list[Guess]
    num_classes: int
    explained: str
    seen: str
    heat: str


class Alike(BaseModel):
    """A training picture that is like another picture to a model.

    Attributes:
        position: Its row among the training pictures.
        file: Its name.
        label: Its class, or null.
        similarity: Cosine between the features of the two, -1 to 1.
        thumbnail: Address of a small copy, or null.
    """

    position: int
    file: str
    label: str | None
    similarity: float
    thumbnail: ThumbnailAddress


class AlikePage(BaseModel):
    """The training pictures that are most alike, once the model has seen them all.

    Attributes:
        done: How many it has seen so far; ask again while it is below ``total``.
        total: How many there are.
        pictures: The nearest first.
    """

    done: int
    total: int
    pictures: list[Alike]


class DroppedPicture(BaseModel):
    """A picture that was sent, and what a model says of it.

    Attributes:
        picture: Its SHA-256, which is its name from now on.
        guesses: The most probable classes, the most probable first.
        num_classes: How many classes the model knows.
    """

    picture: str
    guesses: list[Guess]
    num_classes: int


class ClassThresholds(BaseModel):
    """The pictures that reach each threshold of a class.

    Attributes:
        label: The class.
        support: Pictures of the class.
        found: Pictures of the class that reach each threshold.
        reached: All pictures that do.
    """

    label: str
    support: int
    found: list[int]
    reached: list[int]


class Thresholds(BaseModel):
    """What thresholds on the probability of a class would do.

    Attributes:
        images: Pictures with a label.
        thresholds: Ascending, from 0 to 1.
        classes: In the order of the class list.
    """

    images: int
    thresholds: list[float]
    classes: list[ClassThresholds]


OfClass = Annotated[str | None, Query(description="The class; else the most probable one.")]


@router.get(NODE + "/model")
@needs(Role.VIEWER)
def model(studio: StudioNow, run_id: str, node: str) -> ModelInfo:
    """Return which model stands behind a node."""
    found = model_behind(studio, run_id, node)
    return ModelInfo(
        node=found.node,
        knows_training=found.training is not None,
        has_learned_scored=found.has_learned_scored,
    )


@router.get(NODE + "/thresholds")
@needs(Role.VIEWER)
def thresholds(studio: StudioNow, run_id: str, node: str) -> Thresholds:
    """Return how many pictures of an evaluation reach each threshold, class by class."""
    file = evaluation_folder(studio, run_id, node) / _THRESHOLDS
    if not file.is_file():
        raise NoSuchRunError(
            f"The evaluation of node {node} holds no thresholds.",
            hint="An older version made it. Run the node anew.",
            reason="no-thresholds",
        )
    content: dict[str, Any] = read_json(file, InvalidDatasetError)
    classes = [{**one, "label": one["class"]} for one in content["classes"]]
    return Thresholds.model_validate({**content, "classes": classes})


@router.get(NODE + "/pictures/{row}/explanation")
@needs(Role.VIEWER)
def explain_scored(
    studio: StudioNow, run_id: str, node: str, row: int, of_class: OfClass = None
) -> PictureExplanation:
    """Return what the model says of a picture of an evaluation, and where it looks."""
    picture = scored_place(studio, run_id, node, row)
    return _explained(studio, model_behind(studio, run_id, node), picture, of_class)


@router.get(NODE + "/pictures/{row}/alike")
@needs(Role.VIEWER)
def alike_scored(studio: StudioNow, run_id: str, node: str, row: int) -> AlikePage:
    """Return the training pictures that are most like a picture of an evaluation."""
    picture = scored_place(studio, run_id, node, row)
    return _alike(studio, model_behind(studio, run_id, node), picture)


@router.put(
    NODE + "/dropped",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    },
)
@needs(Role.VIEWER)
async def predict_dropped(
    request: Request, studio: StudioNow, run_id: str, node: str
) -> DroppedPicture:
    """Send a picture as it is, as ``application/octet-stream``, and hear what the model says."""
    found = await run_in_threadpool(model_behind, studio, run_id, node)
    content = await studio.dropped.receive(request, MAX_PICTURE_BYTES)
    return await run_in_threadpool(_predicted, studio, found, content)


@router.get(NODE + "/dropped/{picture}/explanation")
@needs(Role.VIEWER)
def explain_dropped(
    studio: StudioNow, run_id: str, node: str, picture: str, of_class: OfClass = None
) -> PictureExplanation:
    """Return what the model says of a picture that was sent before, and where it looks."""
    place = _dropped(studio, picture)
    return _explained(studio, model_behind(studio, run_id, node), place, of_class)


@router.get(NODE + "/dropped/{picture}/alike")
@needs(Role.VIEWER)
def alike_dropped(studio: StudioNow, run_id: str, node: str, picture: str) -> AlikePage:
    """Return the training pictures that are most like a picture that was sent before."""
    return _alike(studio, model_behind(studio, run_id, node), _dropped(studio, picture))


@router.get("/maps/{name}", response_class=FileResponse)
@needs(Role.VIEWER)
def explanation_map(studio: StudioNow, name: str) -> FileResponse:
    """Return a picture of an explanation, by its name there."""
    found = studio.models.kept.find_map(name)
    if found is None:
        raise InvalidRequestError(f"There is no map {name!r}.", reason="no-thumbnail")
    return picture_by_content(found, "image/png")


def _predicted(studio: Studio, found: ModelBehind, content: bytes) -> DroppedPicture:
    sha256 = studio.models.kept.keep_dropped(content)
    said = studio.models.predict(found.path, _dropped(studio, sha256))
    return DroppedPicture(picture=sha256, guesses=list(said.guesses), num_classes=said.num_classes)


def _explained(
    studio: Studio, found: ModelBehind, picture: PicturePlace, of_class: str | None
) -> PictureExplanation:
    look: PictureLook = studio.models.explain(found.path, picture, of_class=of_class)
    return PictureExplanation(
        guesses=list(look.guesses),
        num_classes=look.num_classes,
        explained=look.explained,
        seen=f"/api/maps/{look.seen}",
        heat=f"/api/maps/{look.heat}",
    )


def _alike(studio: Studio, found: ModelBehind, picture: PicturePlace) -> AlikePage:
    if found.training is None:
        raise NoSuchRunError(
            f"It is not known which pictures the model of node {found.node} has learned from.",
            reason="no-training-pictures",
        )
    alike: AlikePictures = studio.models.nearest(found.path, picture, found.training)
    return AlikePage(
        done=alike.done,
        total=alike.total,
        pictures=[Alike.model_validate(vars(one)) for one in alike.pictures],
    )


def _dropped(studio: Studio, sha256: str) -> PicturePlace:
    kept = studio.models.kept
    if not kept.has_dropped(sha256):
        raise NoSuchRunError(
            f"There is no picture {sha256!r}.",
            hint="Send it again; pictures that were sent are kept for a while only.",
            reason="no-dropped-picture",
        )
    return PicturePlace(kept.dropped, sha256)
