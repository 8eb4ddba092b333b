"""Pictures of users, made small and encoded anew: nothing else of them reaches a browser."""

import re
from typing import Final, cast

from fastapi import APIRouter
from fastapi.responses import FileResponse

from imageloom.data.previews.values import SIZES, Size
from imageloom.errors import InvalidRequestError
from imageloom.server.file_answers import ThumbnailSize, picture_by_content, picture_by_place
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.results import scored_place
from imageloom.server.studio import StudioNow

router = APIRouter(tags=["pictures"])
_NAME: Final = re.compile(r"([0-9a-f]{64})-([0-9]{2,4})\.jpg")


@router.get("/thumbnails/{name}", response_class=FileResponse)
@needs(Role.VIEWER)
def thumbnail(studio: StudioNow, name: str) -> FileResponse:
    """Return a thumbnail that was made before, by its name in a description."""
    match = _NAME.fullmatch(name)
    if match is not None and int(match[2]) in SIZES:
        found = studio.pictures.find_thumbnail(match[1], cast(Size, int(match[2])))
        if found is not None:
            return picture_by_content(found)
    raise InvalidRequestError(f"There is no thumbnail {name!r}.", reason="no-thumbnail")


@router.get("/runs/{run_id}/nodes/{node}/pictures/{row}/thumbnail", response_class=FileResponse)
@needs(Role.VIEWER)
def scored_picture(
    studio: StudioNow, run_id: str, node: str, row: int, size: ThumbnailSize
) -> FileResponse:
    """Return a picture of an evaluation, by its row in the scored table."""
    picture = scored_place(studio, run_id, node, row)
    return picture_by_place(studio.pictures.thumbnail(picture.folder, picture.file, size))
