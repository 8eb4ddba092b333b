"""Drawn pipelines, with all their versions."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, JsonValue

from imageloom.errors import InvalidRequestError, NoSuchPipelineError, PipelineChangedError
from imageloom.pipeline.drafts import Draft
from imageloom.server.digits import make_digits
from imageloom.server.failures import FailureAnswer, failure_response
from imageloom.server.studio import StudioNow
from imageloom.server.templates import DIGITS, Template, all_templates
from imageloom.system.wording import some

router = APIRouter(prefix="/pipelines", tags=["pipelines"])


class DraftRow(BaseModel):
    """A drawn pipeline in the list.

    Attributes:
        id: Its id.
        name: Its name.
        version: Of the newest save.
        saved: When that was, in seconds since 1970, UTC.
        saved_by: Who saved it.
        num_nodes: How many nodes it has.
    """

    id: str
    name: str
    version: int
    saved: float
    saved_by: str
    num_nodes: int


class VersionRow(BaseModel):
    """A version in the list of them; the attributes are those of ``Draft``."""

    version: int
    saved: float
    saved_by: str
    commands: list[str]
    label: str


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
def drafts(studio: StudioNow) -> list[DraftRow]:
    """Return all drawn pipelines, the newest first."""
    rows = [_row(one) for one in studio.drafts.newest()]
    return sorted(rows, key=lambda row: row.saved, reverse=True)


@router.get("/templates")
def templates(studio: StudioNow) -> list[Template]:
    """Return pipelines to begin with."""
    return all_templates(studio.engine.components)


@router.post("/templates/{name}", status_code=201)
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
    return studio.drafts.create(pipeline, saved_by=studio.user)


@router.post("", status_code=201)
def begin(studio: StudioNow, new: NewDraft) -> Draft:
    """Begin a drawn pipeline."""
    return studio.drafts.create(new.pipeline, saved_by=studio.user)


@router.get("/{draft_id}")
def read(studio: StudioNow, draft_id: str, response: Response) -> Draft:
    """Return the newest version; its number is the ``ETag``."""
    draft = studio.drafts.read(draft_id)
    response.headers["etag"] = f'"{draft.version}"'
    return draft


@router.get("/{draft_id}/versions")
def versions(studio: StudioNow, draft_id: str) -> list[VersionRow]:
    """Return the versions that are kept, the newest first."""
    studio.drafts.read(draft_id)
    found = [studio.drafts.read(draft_id, one) for one in studio.drafts.versions(draft_id)]
    return [VersionRow.model_validate(one, from_attributes=True) for one in found]


@router.get("/{draft_id}/versions/{version}")
def read_version(studio: StudioNow, draft_id: str, version: int) -> Draft:
    """Return one version."""
    return studio.drafts.read(draft_id, version)


@router.put(
    "/{draft_id}",
    responses={412: {"model": Conflict}, 428: {"model": FailureAnswer}},
    response_model=Draft,
)
def save(
    studio: StudioNow,
    draft_id: str,
    what: Save,
    if_match: Annotated[str | None, Header()] = None,
) -> Draft | JSONResponse:
    """Save the next version, if the one in ``If-Match`` is still the newest."""
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
def delete(studio: StudioNow, draft_id: str) -> None:
    """Delete a drawn pipeline; its runs stay."""
    studio.drafts.delete(draft_id)


def _version_in(tag: str) -> int:
    match = re.fullmatch(r'(?:W/)?"?([0-9]{1,9})"?', tag.strip())
    if match is None:
        raise InvalidRequestError(
            f"If-Match is {tag!r}, but must be the number of a version.", reason="no-base"
        )
    return int(match[1])


def _row(draft: Draft) -> DraftRow:
    nodes = draft.pipeline.get("nodes")
    return DraftRow(
        id=draft.id,
        name=str(draft.pipeline.get("name", "")),
        version=draft.version,
        saved=draft.saved,
        saved_by=draft.saved_by,
        num_nodes=len(nodes) if isinstance(nodes, list) else 0,
    )
