"""Runs side by side, and the pictures that changed sides between two evaluations."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from imageloom.errors import InvalidRequestError
from imageloom.run_report.compare import RunComparison, compare_runs
from imageloom.scoring.changed_pictures import ChangedPictures, Side, changed_pictures
from imageloom.scoring.read_pictures import PICTURES
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.results import evaluation_folder
from imageloom.server.studio import StudioNow

router = APIRouter(prefix="/comparison", tags=["comparison"])
_MOST_RUNS = 20


class ChangedQuestion(BaseModel):
    """Which two evaluations, and which of their pictures.

    Attributes:
        left: Id of the first run.
        left_node: Its node that evaluated.
        right: Id of the second run.
        right_node: Its node that evaluated.
        side: Those that only the first has right, only the second, or both kinds.
        offset: How many to pass over.
        limit: How many at most.
    """

    left: str
    left_node: str
    right: str
    right_node: str
    side: Side = "both"
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=60, ge=1, le=500)


@router.get("")
@needs(Role.VIEWER)
def compare(
    studio: StudioNow,
    run: Annotated[list[str], Query(description="Ids of two runs or more.")],
) -> RunComparison:
    """Return what differs between runs, and how good their models are."""
    if not 2 <= len(run) <= _MOST_RUNS:
        raise InvalidRequestError(
            f"{len(run)} runs were named, but 2 to {_MOST_RUNS} can be compared.",
            reason="number-of-runs",
        )
    return compare_runs([studio.run(one) for one in run])


@router.get("/pictures")
@needs(Role.VIEWER)
def pictures(studio: StudioNow, which: Annotated[ChangedQuestion, Query()]) -> ChangedPictures:
    """Return pictures that one of two evaluations has right and the other has wrong."""
    left = evaluation_folder(studio, which.left, which.left_node) / PICTURES
    right = evaluation_folder(studio, which.right, which.right_node) / PICTURES
    return changed_pictures(left, right, side=which.side, offset=which.offset, limit=which.limit)
