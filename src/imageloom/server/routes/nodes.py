"""What a node made, for people to look at: reports and evaluations."""

from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field, JsonValue

from imageloom.errors import InvalidDatasetError, NoSuchRunError
from imageloom.files.publish import read_json
from imageloom.run_report.evaluation_figures import EVALUATION
from imageloom.run_report.node_files import REPORT
from imageloom.scoring.read_pictures import (
    PICTURES,
    PictureOrder,
    ScoredPicture,
    read_pictures,
)
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.results import evaluation_folder, leads_away, record_folder
from imageloom.server.studio import Studio, StudioNow

router = APIRouter(prefix="/runs/{run_id}", tags=["results"])
# A report is one file with its style, script and pictures inside; it may reach nothing else.
REPORT_POLICY: Final = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src "
    "'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


class Evaluations(BaseModel):
    """What ``evaluation.json`` of a node says (docs/guides/scores-and-reports.md).

    Attributes:
        evaluations: One for each scored table.
        has_report: Whether there is a report for people.
    """

    evaluations: list[dict[str, JsonValue]]
    has_report: bool


class PictureQuestion(BaseModel):
    """Which pictures of an evaluation; the attributes are the arguments of ``read_pictures``."""

    label: str | None = None
    scored: str | None = None
    correct: bool | None = None
    order: PictureOrder = "confidence"
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=60, ge=1, le=500)


class ScoredPicturesPage(BaseModel):
    """Some pictures of an evaluation.

    Attributes:
        pictures: In the order that was asked for.
        total: How many fit in all.
    """

    pictures: list[ScoredPicture]
    total: int


@router.get("/report", response_class=FileResponse)
@needs(Role.VIEWER)
def run_report(studio: StudioNow, run_id: str) -> FileResponse:
    """Return the report of a run, as the command line writes it."""
    return _report(studio, studio.run(run_id).report)


@router.get("/nodes/{node}/report", response_class=FileResponse)
@needs(Role.VIEWER)
def node_report(studio: StudioNow, run_id: str, node: str) -> FileResponse:
    """Return the report of a node, as the command line writes it."""
    return _report(studio, record_folder(studio, run_id, node) / REPORT)


@router.get("/nodes/{node}/evaluation")
@needs(Role.VIEWER)
def evaluation(studio: StudioNow, run_id: str, node: str) -> Evaluations:
    """Return the figures of an evaluation."""
    file = evaluation_folder(studio, run_id, node) / EVALUATION
    found = read_json(file, InvalidDatasetError)["evaluations"]
    has_report = (record_folder(studio, run_id, node) / REPORT).is_file()
    return Evaluations.model_validate({"evaluations": found, "has_report": has_report})


@router.get("/nodes/{node}/pictures")
@needs(Role.VIEWER)
def pictures(
    studio: StudioNow, run_id: str, node: str, which: Annotated[PictureQuestion, Query()]
) -> ScoredPicturesPage:
    """Return pictures of an evaluation; with ``label`` and ``scored`` those of one cell."""
    file = evaluation_folder(studio, run_id, node) / PICTURES
    found, total = read_pictures(file, **vars(which))
    return ScoredPicturesPage(pictures=found, total=total)


def _report(studio: Studio, file: Path) -> FileResponse:
    if not file.is_file() or leads_away(studio, file):
        raise NoSuchRunError("There is no report yet.", reason="no-report")
    return FileResponse(
        file,
        media_type="text/html; charset=utf-8",
        headers={"content-security-policy": REPORT_POLICY},
    )
