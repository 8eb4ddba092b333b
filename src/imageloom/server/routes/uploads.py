"""Archives of pictures that a person sends from the page, in parts that may be sent again."""

from collections.abc import Iterator
from typing import Annotated, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from imageloom.pipeline.ownership import Ownership, read_ownership, write_ownership
from imageloom.pipeline.store.recycle_bin import binned
from imageloom.pipeline.store.unfinished_upload import (
    ARCHIVE_SUFFIXES,
    FinishedUpload,
    UnfinishedUpload,
    no_upload,
)
from imageloom.pipeline.store.unfinished_uploads import (
    begin_upload,
    unfinished_upload,
    unfinished_uploads,
)
from imageloom.pipeline.store.upload_limits import KEPT_DAYS, MAX_UPLOAD_BYTES, PART_BYTES
from imageloom.pipeline.store.uploads import (
    no_such_upload,
    upload_ownership,
    upload_place,
    uploads_of,
)
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.sharing import OwnershipInfo, Sharing
from imageloom.server.studio import Studio, StudioNow

router = APIRouter(prefix="/uploads", tags=["uploads"])


class NewUpload(BaseModel):
    """A file that is about to be sent.

    Attributes:
        name: What it shall be called.
        size_bytes: Its size.
        sha256: Of the whole in hexadecimal, where it is known; it is looked at in the end.
    """

    name: str
    size_bytes: int = Field(lt=2**63)
    sha256: str = ""


class UploadRow(BaseModel):
    """An upload in the list of those that are not finished.

    Attributes:
        id: Its id.
        name: What it shall be called.
        size_bytes: Its size when it is whole.
        there: How many of them have arrived.
        changed: When the last of them did, in seconds since 1970, UTC.
    """

    id: str
    name: str
    size_bytes: int
    there: int
    changed: float

    @classmethod
    def of(cls, upload: UnfinishedUpload) -> Self:
        """Return what the list says of an upload."""
        there = upload.bytes_there(len(upload.digests()))
        return cls(
            id=upload.id,
            name=upload.name,
            size_bytes=upload.size_bytes,
            there=there,
            changed=upload.changed,
        )


class UploadState(UploadRow):
    """What has arrived of an upload.

    Attributes:
        part_bytes: Size of every part but the last.
        parts: The SHA-256 of each part that is there, in order: who goes on can tell that it is
            the same file.
    """

    part_bytes: int
    parts: list[str]


class UploadedRow(OwnershipInfo):
    """An upload that pipelines find, and whose it is.

    Attributes:
        name: As pipelines name it.
        path: Where it lies.
    """

    name: str
    path: str


class Uploads(BaseModel):
    """All uploads, and what can become one.

    Attributes:
        unfinished: Those that can be gone on with, the newest first.
        finished: Those that pipelines find.
        max_bytes: Largest file that is taken.
        suffixes: How a name must end.
        kept_days: When one of which no more comes is removed.
    """

    unfinished: list[UploadRow]
    finished: list[UploadedRow]
    max_bytes: int
    suffixes: list[str]
    kept_days: int


class PartTaken(BaseModel):
    """The answer to a part.

    Attributes:
        there: How many bytes of the upload are there now.
    """

    there: int


@router.get("")
@needs(Role.VIEWER)
def uploads(studio: StudioNow) -> Uploads:
    """Return the uploads that who asks sees; of the unfinished ones their own."""
    workspace = studio.engine.workspace
    return Uploads(
        unfinished=[
            UploadRow.of(one) for one in unfinished_uploads(workspace) if _is_mine(studio, one)
        ],
        finished=list(_finished(studio)),
        max_bytes=MAX_UPLOAD_BYTES,
        suffixes=list(ARCHIVE_SUFFIXES),
        kept_days=KEPT_DAYS,
    )


@router.post("", status_code=201)
@needs(Role.EDITOR)
def begin(studio: StudioNow, new: NewUpload) -> UploadState:
    """Announce a file; its parts are then sent one after the other."""
    made = begin_upload(
        studio.engine.workspace,
        new.name,
        new.size_bytes,
        sha256=new.sha256,
        owner=studio.owner,
    )
    return _state(made)


@router.get("/{upload_id}")
@needs(Role.EDITOR)
def state(studio: StudioNow, upload_id: str) -> UploadState:
    """Return how much of an upload is there."""
    return _state(_unfinished(studio, upload_id))


@router.put(
    "/{upload_id}/parts/{offset}",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    },
)
@needs(Role.EDITOR)
async def put_part(
    request: Request,
    studio: StudioNow,
    upload_id: str,
    offset: int,
    sha256: Annotated[str, Query(description="Of the part, in hexadecimal.")],
) -> PartTaken:
    """Send the part that begins at ``offset``, the next one, as ``application/octet-stream``."""
    upload = await run_in_threadpool(_unfinished, studio, upload_id)
    content = await studio.parts.receive(request, min(upload.part_bytes, PART_BYTES))
    return PartTaken(there=await run_in_threadpool(upload.put, offset, content, sha256))


@router.post("/{upload_id}/finish")
@needs(Role.EDITOR, "upload")
def finish(studio: StudioNow, upload_id: str) -> FinishedUpload:
    """Let a file of which all is there appear; pipelines find it then. May be asked again."""
    done = _unfinished(studio, upload_id).finish()
    studio.deeds.on = done.name
    return done


@router.delete("/{upload_id}", status_code=204)
@needs(Role.EDITOR)
def give_up(studio: StudioNow, upload_id: str) -> None:
    """Remove what has arrived of an upload."""
    _unfinished(studio, upload_id).delete()


@router.delete("/finished/{name}", status_code=204)
@needs(Role.EDITOR, "delete upload")
def delete(studio: StudioNow, name: str) -> None:
    """Move an upload that no run reads at the moment to the recycle bin."""
    ownership = _require_upload(studio, name)
    place = upload_place(studio.engine.workspace, name)
    studio.require_unread(place)
    what = binned("upload", name, name, by=studio.user, ownership=ownership)
    studio.recycle_bin.put(place, what)


@router.put("/finished/{name}/shared")
@needs(Role.EDITOR, "share upload")
def share(studio: StudioNow, name: str, sharing: Sharing) -> OwnershipInfo:
    """Let all users see an upload, or no longer."""
    after = sharing.of(studio, _require_upload(studio, name))
    write_ownership(studio.engine.workspace.owner_of_upload(name), after)
    return OwnershipInfo.of(studio, after)


def _finished(studio: Studio) -> Iterator[UploadedRow]:
    workspace = studio.engine.workspace
    for place in uploads_of(workspace):
        ownership = read_ownership(workspace.owner_of_upload(place.name))
        if studio.viewpoint().shows(ownership):
            told = OwnershipInfo.of(studio, ownership).model_dump()
            yield UploadedRow(name=place.name, path=str(place), **told)


def _require_upload(studio: Studio, name: str) -> Ownership:
    """Return whose an upload is that who asks may change."""
    found = upload_ownership(studio.engine.workspace, name)
    if not studio.viewpoint().shows(found):
        raise no_such_upload(name)
    studio.require_mine(found)
    return found


def _is_mine(studio: Studio, upload: UnfinishedUpload) -> bool:
    return studio.may_change(Ownership(owner=upload.owner, is_shared=False))


def _unfinished(studio: Studio, upload_id: str) -> UnfinishedUpload:
    found = unfinished_upload(studio.engine.workspace, upload_id)
    if not _is_mine(studio, found):
        raise no_upload(upload_id)
    return found


def _state(upload: UnfinishedUpload) -> UploadState:
    row = UploadRow.of(upload)
    return UploadState(
        **row.model_dump(), part_bytes=upload.part_bytes, parts=list(upload.digests())
    )
