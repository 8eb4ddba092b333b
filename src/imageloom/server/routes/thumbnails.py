"""Pictures of users, made small and encoded anew: nothing else of them reaches a browser."""

import re
from typing import Annotated, Final, cast

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from imageloom.data.previews.values import SIZES, Size
from imageloom.errors import InvalidRequestError
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.results import scored_place
from imageloom.server.studio import StudioNow

router = APIRouter(tags=["pictures"])
_NAME: Final = re.compile(r"([0-9a-f]{64})-([0-9]{2,4})\.jpg")
_FOR_EVER: Final = {"cache-control": "private, max-age=31536000, immutable"}


@router.get("/thumbnails/{name}", response_class=FileResponse)
@needs(Role.VIEWER)
def thumbnail(studio: StudioNow, name: str) -> FileResponse:
    """Return a thumbnail that was made before, by its name in a description."""
    match = _NAME.fullmatch(name)
    if match is not None and int(match[2]) in SIZES:
        found = studio.pictures.find_thumbnail(match[1], cast(Size, int(match[2])))
        if found is not None:
            # Its name is the digest of the picture, so it never changes.
            return FileResponse(found, media_type="image/jpeg", headers=_FOR_EVER)
    raise InvalidRequestError(f"There is no thumbnail {name!r}.", reason="no-thumbnail")


@router.get("/runs/{run_id}/nodes/{node}/pictures/{row}/thumbnail", response_class=FileResponse)
@needs(Role.VIEWER)
def scored_picture(
    studio: StudioNow,
    run_id: str,
    node: str,
    row: int,
    size: Annotated[int, Query(description="Longest side: 96, 240, 480 or 1024 pixels.")] = 240,
) -> FileResponse:
    """Return a picture of an evaluation, by its row in the scored table."""
    if size not in SIZES:
        raise InvalidRequestError(f"size is {size}, but must be one of {SIZES}.")
    picture = scored_place(studio, run_id, node, row)
    place = studio.pictures.thumbnail(picture.folder, picture.file, cast(Size, size))
    return FileResponse(
        place, media_type="image/jpeg", headers={"cache-control": "private, max-age=600"}
    )
