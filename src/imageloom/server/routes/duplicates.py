"""Duplicates among the pictures of a run: searched in the background, and shown set by set."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from imageloom.data.previews.found_duplicates import (
    AboutSearch,
    DuplicateSet,
    SetKind,
    about_search,
    read_sets,
)
from imageloom.server.image_directories import ImagesNow
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.searches import found_file, key_of, other_images
from imageloom.server.studio import StudioNow

router = APIRouter(prefix="/runs/{run_id}/nodes/{node}/images/{port}/duplicates", tags=["pictures"])
_Against = Annotated[str, Query(description="The other image directory, as node.port.")]


class SearchRequest(BaseModel):
    """Where to search.

    Attributes:
        against: Another image directory of the run, as ``node.port``; empty for none.
    """

    against: str = ""


class SearchState(BaseModel):
    """Where a search is.

    Attributes:
        state: ``none`` before anybody asked, ``working``, or ``done``.
        num_done: Pictures that were looked at.
        num_total: How many there are; 0 while that is not known.
        found: What it found, when it is done.
    """

    state: Literal["none", "working", "done"]
    num_done: int = 0
    num_total: int = 0
    found: AboutSearch | None = None


class SetQuestion(BaseModel):
    """Which sets.

    Attributes:
        kind: Of which kind.
        against: As in the search.
        offset: How many to pass over.
        limit: How many at most.
    """

    kind: SetKind
    against: str = ""
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=50, ge=1, le=500)


class SetsPage(BaseModel):
    """Some sets.

    Attributes:
        sets: Those under different labels first.
        total: How many there are of the kind.
    """

    sets: list[DuplicateSet]
    total: int


@router.get("")
@needs(Role.VIEWER)
def state(studio: StudioNow, run_id: str, folder: ImagesNow, against: _Against = "") -> SearchState:
    """Return where a search is."""
    key = key_of(studio, folder, other_images(studio, run_id, against))
    progress = studio.pictures.searches.progress(key)
    if progress is not None:
        return SearchState(state="working", num_done=progress.done, num_total=progress.total)
    file = studio.pictures.searches.result(key)
    if file is None:
        return SearchState(state="none")
    return SearchState(state="done", found=about_search(file))


@router.post("", status_code=202)
@needs(Role.EDITOR, "look for duplicates")
def begin(studio: StudioNow, run_id: str, folder: ImagesNow, request: SearchRequest) -> SearchState:
    """Search in the background, unless it is done or at work; another search ends."""
    other = other_images(studio, run_id, request.against)
    key = key_of(studio, folder, other)
    if studio.pictures.searches.result(key) is None:
        studio.pictures.searches.begin(key, folder, other)
    return state(studio, run_id, folder, request.against)


@router.delete("", status_code=204)
@needs(Role.EDITOR, "stop looking for duplicates")
def stop(studio: StudioNow, run_id: str, folder: ImagesNow, against: _Against = "") -> None:
    """Stop a search; what it looked at is kept for the next."""
    key = key_of(studio, folder, other_images(studio, run_id, against))
    studio.pictures.searches.stop(key)


@router.get("/sets")
@needs(Role.VIEWER)
def sets(
    studio: StudioNow,
    run_id: str,
    folder: ImagesNow,
    which: Annotated[SetQuestion, Query()],
) -> SetsPage:
    """Return sets of pictures that stand more than once, or look alike."""
    other = other_images(studio, run_id, which.against)
    file = found_file(studio, folder, other)
    found, total = read_sets(file, which.kind, offset=which.offset, limit=which.limit)
    return SetsPage(sets=list(found), total=total)
