"""What answers with pictures and files share: sizes, addresses, and what browsers may do."""

from pathlib import Path
from typing import Annotated, Final, cast

from fastapi import Depends, Query
from fastapi.responses import FileResponse
from pydantic import BeforeValidator

from imageloom.data.previews.values import SIZES, KeptThumbnail, Size
from imageloom.errors import InvalidRequestError

SANDBOX: Final = {"content-security-policy": "sandbox; default-src 'none'"}
"""Of a file to save: opened in a browser after all, it can do nothing."""

_FOR_EVER: Final = {"cache-control": "private, max-age=31536000, immutable"}
_FOR_A_WHILE: Final = {"cache-control": "private, max-age=600"}


def _size(
    size: Annotated[int, Query(description="Longest side: 96, 240, 480 or 1024 pixels.")] = 240,
) -> Size:
    if size not in SIZES:
        raise InvalidRequestError(f"size is {size}, but must be one of {SIZES}.")
    return cast(Size, size)


def _address(thumbnail: KeptThumbnail | None) -> str | None:
    return None if thumbnail is None else f"/api/thumbnails/{thumbnail.name}"


ThumbnailSize = Annotated[Size, Depends(_size)]
ThumbnailAddress = Annotated[str | None, BeforeValidator(_address)]


def picture_by_place(place: Path) -> FileResponse:
    """Return a small copy of what now lies at an address."""
    return FileResponse(place, media_type="image/jpeg", headers=_FOR_A_WHILE)


def picture_by_content(place: Path, media_type: str = "image/jpeg") -> FileResponse:
    """Return a picture whose address is made of digests, so that it never changes."""
    return FileResponse(place, media_type=media_type, headers=_FOR_EVER)


def to_save(name: str) -> dict[str, str]:
    """Return the headers of a file that a browser saves under a name, of our own making."""
    return {"content-disposition": f'attachment; filename="{name}"', **SANDBOX}
