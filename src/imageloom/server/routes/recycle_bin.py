"""The recycle bin: what was deleted, until it is restored, deleted for ever, or swept."""

from fastapi import APIRouter
from pydantic import BaseModel

from imageloom.pipeline.store.recycle_bin import BIN_DAYS, Binned, no_such_entry
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.studio import Studio, StudioNow

router = APIRouter(prefix="/bin", tags=["bin"])


class BinPage(BaseModel):
    """What lies in the bin.

    Attributes:
        entries: What who asks may restore, the newest first.
        kept_days: When something is swept.
    """

    entries: list[Binned]
    kept_days: int


@router.get("")
@needs(Role.EDITOR)
def entries(studio: StudioNow) -> BinPage:
    """Return what who asks may restore: their own, and admins all."""
    found = [one for one in studio.recycle_bin.entries() if studio.may_change(one.ownership)]
    return BinPage(entries=found, kept_days=BIN_DAYS)


@router.post("/{entry}/restore", status_code=204)
@needs(Role.EDITOR, "restore")
def restore(studio: StudioNow, entry: str) -> None:
    """Put something back where it was."""
    studio.recycle_bin.restore(_mine(studio, entry))


@router.delete("/{entry}", status_code=204)
@needs(Role.EDITOR, "delete for ever")
def delete(studio: StudioNow, entry: str) -> None:
    """Delete something for ever."""
    studio.recycle_bin.delete(_mine(studio, entry))


def _mine(studio: Studio, entry: str) -> Binned:
    """Return an entry of who asks.

    Raises:
        CouldNotOpenFileError: There is none.
    """
    found = studio.recycle_bin.find(entry)
    if not studio.may_change(found.ownership):
        raise no_such_entry()
    studio.deeds.on = f"{found.kind} {found.key}"
    return found
