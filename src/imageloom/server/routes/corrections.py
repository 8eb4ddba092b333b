"""Corrections of the pictures of a run, put into a drawn pipeline."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from imageloom.data.corrections import Correction
from imageloom.pipeline.drafts import Draft
from imageloom.server.corrections import with_corrections
from imageloom.server.image_directories import image_directory
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.studio import StudioNow
from imageloom.system.wording import count

router = APIRouter(prefix="/runs/{run_id}/nodes/{node}/images/{port}", tags=["pictures"])
_MOST = 10_000


class CorrectionInfo(BaseModel):
    """What shall be different about one picture.

    Attributes:
        file: Its path from the root.
        sha256: Of the picture that was looked at.
        label: Its new class; null to leave it out.
    """

    file: str = Field(min_length=1)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    label: str | None


class Corrections(BaseModel):
    """Corrections, and where they go.

    Attributes:
        corrections: One for each picture.
        draft: The drawn pipeline whose next version gets them; empty for a new one, a copy of what
            ran.
    """

    corrections: list[CorrectionInfo] = Field(min_length=1, max_length=_MOST)
    draft: str = ""


@router.post("/corrections", status_code=201)
@needs(Role.EDITOR, "correct pictures")
def correct(studio: StudioNow, run_id: str, node: str, port: str, what: Corrections) -> Draft:
    """Put corrections behind the pictures, in a new version of a drawn pipeline."""
    image_directory(studio, run_id, node, port)
    wanted = [Correction(one.file, one.label, one.sha256) for one in what.corrections]
    label = f"Corrected {count(len(wanted), 'picture')}"
    end = f"{node}.{port}"
    if not what.draft:
        pipeline = with_corrections(studio.run(run_id).record().pipeline, end, wanted)
        return studio.create_draft(pipeline, label=label)
    studio.require_draft(what.draft, to_change=True)
    newest = studio.drafts.read(what.draft)
    return studio.drafts.save(
        newest.id,
        with_corrections(newest.pipeline, end, wanted),
        base=newest.version,
        saved_by=studio.user,
        commands=[label],
    )
