"""Drawn pipelines, with all their versions."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, JsonValue

from imageloom.errors import InvalidRequestError, NoSuchPipelineError, PipelineChangedError
from imageloom.files.publish import to_json
from imageloom.pipeline.drafts import Draft
from imageloom.pipeline.ownership import Ownership, Whose
from imageloom.pipeline.store.recycle_bin import binned
from imageloom.server.digits import make_digits
from imageloom.server.failures import FailureAnswer, failure_response
from imageloom.server.file_answers import to_save
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.sharing import OwnershipInfo, Sharing
from imageloom.server.studio import Studio, StudioNow
from imageloom.server.templates import DIGITS, Template, all_templates
from imageloom.system.wording import some

router = APIRouter(prefix="/pipelines", tags=["pipelines"])


class DraftRow(OwnershipInfo):
    """A drawn pipeline in the list, and whose it is.

    Attributes:
        id: Its id.
        name: Its name.
        version: Of the newest save.
        saved: When that was, in seconds since 1970, UTC.
        saved_by: Who saved it.
        num_nodes: How many nodes it has.
        is_newer: Whether a newer Imageloom wrote it, so that nothing can be saved on it here.
    """

    id: str
    name: str
    version: int
    saved: float
    saved_by: str
    num_nodes: int
    is_newer: bool


class VersionRow(BaseModel):
    """A version in the list of them; the attributes are those of ``Draft``."""

    version: int
    saved: float
    saved_by: str
    commands: list[str]
    label: str
    is_newer: bool


class NewDraft(BaseModel):
    """A pipeline to begin with."""

    pipeline: dict[str, JsonValue]


class TemplateInWords(BaseModel):
    """A template as somebody words it.

    Attributes:
        pipeline: To begin with in its stead, such as with names in another language.
    """

    pipeline: dict[str, JsonValue] | None = None


class Save(BaseModel):
    """What somebody drew.

    Attributes:
        pipeline: The pipeline; it may be half drawn.
        commands: What was done since the version in ``If-Match``, as a person reads it.
        label: A name for this version; empty for an autosave.
    """

    pipeline: dict[str, JsonValue]
    commands: list[str] = []
    label: str = ""


class Conflict(FailureAnswer):
    """Somebody else saved first.

    Attributes:
        theirs: The newest version.
    """

    theirs: Draft


@router.get("")
@needs(Role.VIEWER)
def drafts(studio: StudioNow, whose: Whose = Whose.ALL) -> list[DraftRow]:
    """Return the drawn pipelines that who asks sees, the newest first."""
    found = studio.drafts.newest(studio.viewpoint(whose).shows)
    rows = [_row(studio, one, studio.drafts.ownership(one.id)) for one in found]
    return sorted(rows, key=lambda row: row.saved, reverse=True)


@router.get("/templates")
@needs(Role.VIEWER)
def templates(studio: StudioNow) -> list[Template]:
    """Return pipelines to begin with."""
    return all_templates(studio.engine.components)


@router.post("/templates/{name}", status_code=201)
@needs(Role.EDITOR, "begin pipeline")
def begin_with_template(studio: StudioNow, name: str, new: TemplateInWords) -> Draft:
    """Begin a drawn pipeline that is a copy of a template; its pictures are there then."""
    known = {one.id: one for one in all_templates(studio.engine.components)}
    if name not in known:
        raise NoSuchPipelineError(
            f"There is no template {name!r}.", hint=f"There are {some(list(known), most=10)}."
        )
    if name == DIGITS:
        make_digits(studio.engine.workspace)
    pipeline = known[name].pipeline if new.pipeline is None else new.pipeline
    return studio.create_draft(pipeline)


@router.post("", status_code=201)
@needs(Role.EDITOR, "begin pipeline")
def begin(studio: StudioNow, new: NewDraft) -> Draft:
    """Begin a drawn pipeline."""
    return studio.create_draft(new.pipeline)


@router.get("/{draft_id}")
@needs(Role.VIEWER)
def read(studio: StudioNow, draft_id: str, response: Response) -> Draft:
    """Return the newest version; its number is the ``ETag``."""
    studio.require_draft(draft_id)
    draft = studio.drafts.read(draft_id)
    response.headers["etag"] = f'"{draft.version}"'
    return draft


@router.get("/{draft_id}/versions")
@needs(Role.VIEWER)
def versions(studio: StudioNow, draft_id: str) -> list[VersionRow]:
    """Return the versions that are kept and can be read, the newest first."""
    studio.require_draft(draft_id)
    found = studio.drafts.whole_versions(draft_id)
    return [VersionRow.model_validate(one, from_attributes=True) for one in found]


@router.get("/{draft_id}/versions/{version}")
@needs(Role.VIEWER)
def read_version(studio: StudioNow, draft_id: str, version: int) -> Draft:
    """Return one version."""
    studio.require_draft(draft_id)
    return studio.drafts.read(draft_id, version)


@router.get("/{draft_id}/versions/{version}/file")
@needs(Role.VIEWER)
def version_file(studio: StudioNow, draft_id: str, version: int) -> Response:
    """Return what was drawn in one version as a pipeline file to save, also a newer Imageloom's."""
    studio.require_draft(draft_id)
    draft = studio.drafts.read(draft_id, version)
    return Response(
        to_json(draft.pipeline),
        media_type="application/json",
        headers=to_save(f"pipeline-{draft_id}-{version}.json"),
    )


@router.put(
    "/{draft_id}",
    responses={412: {"model": Conflict}, 428: {"model": FailureAnswer}},
    response_model=Draft,
)
@needs(Role.EDITOR)
def save(
    studio: StudioNow,
    draft_id: str,
    what: Save,
    if_match: Annotated[str | None, Header()] = None,
) -> Draft | JSONResponse:
    """Save the next version, if the one in ``If-Match`` is still the newest."""
    studio.require_draft(draft_id, to_change=True)
    if if_match is None:
        error = InvalidRequestError(
            "The header If-Match is missing.",
            hint='Send the version that was drawn on: If-Match: "3".',
            reason="no-base",
        )
        return failure_response(428, error)
    try:
        return studio.drafts.save(
            draft_id,
            what.pipeline,
            base=_version_in(if_match),
            saved_by=studio.user,
            commands=what.commands,
            label=what.label,
        )
    except PipelineChangedError as problem:
        theirs = studio.drafts.read(draft_id)
        return failure_response(412, problem, theirs=theirs.model_dump(mode="json"))


@router.delete("/{draft_id}", status_code=204)
@needs(Role.EDITOR, "delete pipeline")
def delete(studio: StudioNow, draft_id: str) -> None:
    """Move a drawn pipeline to the recycle bin; its runs stay."""
    ownership = studio.require_draft(draft_id, to_change=True)
    # A damaged one can be thrown away too.
    newest = next(studio.drafts.whole_versions(draft_id), None)
    title = draft_id if newest is None else str(newest.pipeline.get("name", ""))
    what = binned("pipeline", draft_id, title, by=studio.user, ownership=ownership)
    studio.recycle_bin.put(studio.drafts.folder(draft_id), what)


@router.get("/{draft_id}/ownership")
@needs(Role.VIEWER)
def ownership(studio: StudioNow, draft_id: str) -> OwnershipInfo:
    """Return whose a drawn pipeline is."""
    return OwnershipInfo.of(studio, studio.require_draft(draft_id))


@router.put("/{draft_id}/shared")
@needs(Role.EDITOR, "share pipeline")
def share(studio: StudioNow, draft_id: str, sharing: Sharing) -> OwnershipInfo:
    """Let all users see a drawn pipeline, or no longer."""
    before = studio.require_draft(draft_id, to_change=True)
    after = sharing.of(studio, before)
    studio.drafts.set_ownership(draft_id, after)
    return OwnershipInfo.of(studio, after)


def _version_in(tag: str) -> int:
    match = re.fullmatch(r'(?:W/)?"?([0-9]{1,9})"?', tag.strip())
    if match is None:
        raise InvalidRequestError(
            f"If-Match is {tag!r}, but must be the number of a version.", reason="no-base"
        )
    return int(match[1])


def _row(studio: Studio, draft: Draft, ownership: Ownership) -> DraftRow:
    nodes = draft.pipeline.get("nodes")
    return DraftRow(
        id=draft.id,
        name=str(draft.pipeline.get("name", "")),
        version=draft.version,
        saved=draft.saved,
        saved_by=draft.saved_by,
        num_nodes=len(nodes) if isinstance(nodes, list) else 0,
        is_newer=draft.is_newer,
        **OwnershipInfo.of(studio, ownership).model_dump(),
    )
