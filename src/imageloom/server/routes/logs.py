"""What the processes of a node wrote, in parts."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from imageloom.errors import NoSuchRunError
from imageloom.files.log_parts import FoundLine, log_bytes, read_part, search_log, tail_start
from imageloom.run_report.node_files import process_logs
from imageloom.server.file_answers import SANDBOX
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.results import leads_away
from imageloom.server.studio import Studio, StudioNow
from imageloom.system.wording import some

router = APIRouter(prefix="/runs/{run_id}/nodes/{node}/logs", tags=["logs"])


class LogRow(BaseModel):
    """A log of a node.

    Attributes:
        label: Who wrote it: ``worker``, or ``70_driver_log_0`` of rank 0.
        bytes: Its size.
    """

    label: str
    bytes: int


class LogText(BaseModel):
    """Whole lines of a log; the attributes are those of ``files.log_parts.LogPart``.

    Attributes:
        size: Of the whole log, in bytes.
    """

    text: str
    start: int
    next: int
    rest: str
    generation: str
    size: int


class LogQuestion(BaseModel):
    """Which part of a log.

    Attributes:
        start: Where to begin, in bytes; by default so that the last lines come.
        lines: How many of those.
        limit: Bytes at most.
    """

    start: int | None = Field(default=None, ge=0)
    lines: int = Field(default=500, ge=1, le=10_000)
    limit: int = Field(default=256 * 1024, ge=4, le=1_000_000)


class LogFinds(BaseModel):
    """Lines in which something was found.

    Attributes:
        found: In the order of the log.
        more: Whether there are more.
    """

    found: list[FoundLine]
    more: bool


@router.get("")
@needs(Role.VIEWER)
def logs(studio: StudioNow, run_id: str, node: str) -> list[LogRow]:
    """Return the logs of a node."""
    found = _logs(studio, run_id, node)
    return [LogRow(label=label, bytes=log_bytes(log)) for label, log in found.items()]


@router.get("/{label}")
@needs(Role.VIEWER)
def read(
    studio: StudioNow,
    run_id: str,
    node: str,
    label: str,
    part: Annotated[LogQuestion, Query()],
) -> LogText:
    """Return the lines of a log from a position on, or the last ones."""
    log = _log(studio, run_id, node, label)
    begin = part.start
    if begin is None:
        begin = tail_start(log, part.lines, max_bytes=part.limit)
    found = read_part(log, begin, max_bytes=part.limit)
    return LogText(**vars(found), size=log_bytes(log))


@router.get("/{label}/search")
@needs(Role.VIEWER)
def search(
    studio: StudioNow,
    run_id: str,
    node: str,
    label: str,
    text: Annotated[str, Query(min_length=1, max_length=500)],
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> LogFinds:
    """Return the lines of a log that contain a text, whatever the case."""
    log = _log(studio, run_id, node, label)
    found = list(search_log(log, text, limit=limit + 1))
    return LogFinds(found=found[:limit], more=len(found) > limit)


@router.get("/{label}/file", response_class=FileResponse)
@needs(Role.VIEWER)
def download(studio: StudioNow, run_id: str, node: str, label: str) -> FileResponse:
    """Return the whole log as a file to save."""
    log = _log(studio, run_id, node, label)
    if not log.is_file():
        raise NoSuchRunError(f"{node} wrote no log {label}.", reason="no-log")
    return FileResponse(
        log,
        media_type="text/plain; charset=utf-8",
        filename=f"{run_id}-{node}-{label}.txt",
        headers=SANDBOX,
    )


def _log(studio: Studio, run_id: str, node: str, label: str) -> Path:
    found = _logs(studio, run_id, node)
    if label not in found:
        raise NoSuchRunError(
            f"Node {node} of run {run_id} has no log {label!r}.",
            hint=f"It has: {some(list(found), most=10)}.",
            reason="no-log",
        )
    return found[label]


def _logs(studio: Studio, run_id: str, node: str) -> dict[str, Path]:
    run, facts = studio.node(run_id, node)
    found = process_logs(studio.engine.workspace, run, node, facts)
    return {label: log for label, log in found.items() if not leads_away(studio, log)}
