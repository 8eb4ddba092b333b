"""Who did what, for admins."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from imageloom.server.needs import needs
from imageloom.server.people.activity import Deed
from imageloom.server.people.roles import Role
from imageloom.server.studio import StudioNow

router = APIRouter(prefix="/activity", tags=["people"])


class ActivityPage(BaseModel):
    """Some of what was done.

    Attributes:
        deeds: The newest first.
        more: Whether there is more behind them.
    """

    deeds: list[Deed]
    more: bool


@router.get("")
@needs(Role.ADMIN)
def activity(
    studio: StudioNow,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ActivityPage:
    """Return who did what; of a studio with one owner nothing is written down."""
    if studio.people is None:
        return ActivityPage(deeds=[], more=False)
    found = studio.people.activity.newest(offset=offset, limit=limit + 1)
    return ActivityPage(deeds=found[:limit], more=len(found) > limit)
