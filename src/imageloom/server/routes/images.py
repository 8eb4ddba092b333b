"""The pictures of an image directory that a run made: pages of them, and what networks see."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field, JsonValue

from imageloom.data.previews.found_duplicates import SetKind, rows_in_sets, rows_of_set
from imageloom.data.previews.image_pages import ClassCount, Histogram, ListedPicture
from imageloom.data.previews.values import LeftOutPage
from imageloom.server.corrections import has_node
from imageloom.server.file_answers import ThumbnailSize, picture_by_place
from imageloom.server.image_directories import (
    ImagesNow,
    image_directories,
    image_directory,
    read_by,
)
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.searches import found_file, other_images
from imageloom.server.studio import StudioNow

router = APIRouter(prefix="/runs/{run_id}/nodes/{node}/images/{port}", tags=["pictures"])
_MOST_ROWS = 1_000


class NodeOutput(BaseModel):
    """An output of a node.

    Attributes:
        node: Id of the node.
        port: Name of the output.
    """

    node: str
    port: str


class DrawingRow(BaseModel):
    """A drawn pipeline that has the node.

    Attributes:
        id: Its id.
        name: Its name.
        version: Of the newest save.
    """

    id: str
    name: str
    version: int


class ImagesInfo(BaseModel):
    """An image directory in numbers.

    Attributes:
        root: Folder of the pictures.
        images: How many there are.
        classes: All classes in order, and last pictures without a label.
        formats: Pictures by file format.
        size_bytes: Of all files together.
        left_out: How many files were left out.
        left_out_reasons: How many for each reason, the commonest first.
        notices: What a person should know.
        shorter_side: Histogram of the shorter side, in pixels.
        shape: Histogram of width divided by height.
        transforms: Operations that the pictures carry; null when they carry none.
        others: All image directories of the run, this one among them.
        drawings: Drawn pipelines that have the node, the one saved last first.
    """

    root: str
    images: int
    classes: list[ClassCount]
    formats: dict[str, int]
    size_bytes: int
    left_out: int
    left_out_reasons: dict[str, int]
    notices: list[str]
    shorter_side: Histogram
    shape: Histogram
    transforms: list[dict[str, JsonValue]] | None
    others: list[NodeOutput]
    drawings: list[DrawingRow]


class ImagesQuestion(BaseModel):
    """Which pictures.

    Attributes:
        label: Only those of this class.
        problem: Only those in sets of this kind, as a search for duplicates found them.
        set: Only those of this set, as that search numbers them; ``label`` does not count then.
        against: For leaks: the other image directory, as ``node.port``.
        offset: How many to pass over.
        limit: How many at most.
    """

    label: str | None = None
    problem: SetKind | None = None
    set: int | None = Field(default=None, ge=0, lt=2**63)
    against: str = ""
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=100, ge=1, le=_MOST_ROWS)


class PicturesPage(BaseModel):
    """Some pictures of an image directory.

    Attributes:
        pictures: In its order.
        total: How many fit in all.
    """

    pictures: list[ListedPicture]
    total: int


class SeenInfo(BaseModel):
    """A picture as a network sees it.

    Attributes:
        picture: Address of it, with the picture inside.
        width: Pixels.
        height: Pixels.
        operations: What was applied, in order.
        is_random: Whether another seed shows another picture.
        is_default: Whether that is what a training takes for pictures that carry none.
        purpose: ``training``, or ``inference`` without random operations.
    """

    picture: str
    width: int
    height: int
    operations: list[dict[str, JsonValue]]
    is_random: bool
    is_default: bool
    purpose: Literal["training", "inference"]


@router.get("")
@needs(Role.VIEWER)
def images(studio: StudioNow, run_id: str, node: str, folder: ImagesNow) -> ImagesInfo:
    """Return an image directory in numbers."""
    component = studio.run(run_id).record().resolved[node].component
    drawings = [
        one
        for one in studio.drafts.newest(studio.may_change)
        if not one.is_newer and has_node(one.pipeline, node, component)
    ]
    return ImagesInfo.model_validate(
        {
            **vars(studio.pictures.overview(folder)),
            "others": [
                NodeOutput(node=name, port=output)
                for name, output in image_directories(studio, run_id)
            ],
            "drawings": [
                DrawingRow(id=one.id, name=str(one.pipeline.get("name", "")), version=one.version)
                for one in sorted(drawings, key=lambda one: one.saved, reverse=True)
            ],
        }
    )


@router.get("/pictures")
@needs(Role.VIEWER)
def pictures(
    studio: StudioNow,
    run_id: str,
    folder: ImagesNow,
    which: Annotated[ImagesQuestion, Query()],
) -> PicturesPage:
    """Return pictures of an image directory."""
    if which.problem is None and which.set is None:
        found = studio.pictures.pictures(
            folder, label=which.label, offset=which.offset, limit=which.limit
        )
        return PicturesPage(pictures=list(found.pictures), total=found.total)
    other = other_images(studio, run_id, which.against)
    file = found_file(studio, folder, other)
    if which.set is not None:
        rows = rows_of_set(file, which.set)
    else:
        assert which.problem is not None
        rows = rows_in_sets(file, which.problem, which.label)
    shown = rows[which.offset : which.offset + which.limit]
    page = studio.pictures.pictures(folder, rows=shown, limit=which.limit)
    return PicturesPage(pictures=list(page.pictures), total=len(rows))


@router.get("/pictures/{row}/thumbnail", response_class=FileResponse)
@needs(Role.VIEWER)
def thumbnail(
    studio: StudioNow,
    folder: ImagesNow,
    row: int,
    size: ThumbnailSize,
) -> FileResponse:
    """Return a picture of an image directory, made small."""
    return picture_by_place(studio.pictures.picture(folder, row, size))


@router.get("/pictures/{row}/seen")
@needs(Role.VIEWER)
def seen(
    studio: StudioNow,
    run_id: str,
    node: str,
    port: str,
    row: int,
    seed: Annotated[int, Query(ge=0, lt=2**53, description="Start of the random numbers.")] = 0,
) -> SeenInfo:
    """Return a picture as the network of this run sees it, random operations drawn by the seed."""
    folder = image_directory(studio, run_id, node, port)
    how = read_by(studio, run_id, node, port)
    purpose = "training" if how is None else how.purpose
    params = {} if how is None else dict(how.params)
    found = studio.pictures.seen.see(folder, row, seed=seed, purpose=purpose, training=params)
    return SeenInfo.model_validate(
        {
            **vars(found),
            "picture": f"data:image/png;base64,{found.png}",
            "purpose": purpose,
        }
    )


@router.get("/left-out")
@needs(Role.VIEWER)
def left_out(
    studio: StudioNow,
    folder: ImagesNow,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = 100,
) -> LeftOutPage:
    """Return some of the files that were left out, by name."""
    return studio.pictures.left_out_of(folder, offset=offset, limit=limit)
