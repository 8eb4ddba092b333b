"""The curves of a training, as few points of many rows."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from imageloom.errors import NoSuchRunError
from imageloom.files.series.read import StoredSeries, csv_lines, list_series, thin
from imageloom.run_report.node_files import series_folder
from imageloom.server.file_answers import to_save
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.studio import Studio, StudioNow
from imageloom.system.wording import some

router = APIRouter(prefix="/runs/{run_id}/nodes/{node}/series", tags=["series"])
_LAST_STEP: Final = 2**62


class SeriesRow(BaseModel):
    """A curve; the attributes are those of ``files.series.read.StoredSeries``."""

    name: str
    unit: str
    kind: Literal["step", "epoch"]
    rank: int
    generation: int
    num_rows: int


class PointRow(BaseModel):
    """Neighbouring rows as one point; the attributes are those of ``files.series.read.Bucket``.

    What is no finite number is null, and counted.
    """

    first_step: int
    last_step: int
    min: float | None
    max: float | None
    last: float | None
    count: int
    num_nan: int
    num_infinite: int


class CurveQuestion(BaseModel):
    """Which part of which curve.

    Attributes:
        name: As users know it.
        kind: Whether a value is that of a step or that of a whole epoch.
        rank: The process that measured it.
        begin: First step, ``from`` in the query.
        end: Last step, ``to`` in the query.
        num_points: Points at most, ``points`` in the query.
    """

    name: str = Field(max_length=200)
    kind: Literal["step", "epoch"] = "step"
    rank: int = Field(default=0, ge=0)
    begin: int = Field(default=0, alias="from", ge=0)
    end: int = Field(default=_LAST_STEP, alias="to", ge=0)
    num_points: int = Field(default=1_000, alias="points", ge=2, le=10_000)


class Curve(BaseModel):
    """A part of a curve, in which no peak is lost.

    Attributes:
        series: Which curve, and how many rows it has in all.
        points: In order.
        num_rows: How many rows the points stand for.
    """

    series: SeriesRow
    points: list[PointRow]
    num_rows: int


@router.get("")
@needs(Role.VIEWER)
def curves(studio: StudioNow, run_id: str, node: str) -> list[SeriesRow]:
    """Return the curves of a node, of all its processes."""
    return [SeriesRow.model_validate(vars(one)) for one in _all(studio, run_id, node)]


@router.get("/points")
@needs(Role.VIEWER)
def points(
    studio: StudioNow, run_id: str, node: str, which: Annotated[CurveQuestion, Query()]
) -> Curve:
    """Return a part of a curve as at most so many points."""
    found = _all(studio, run_id, node)
    wanted = (which.name, which.kind, which.rank)
    series = next((one for one in found if (one.name, one.kind, one.rank) == wanted), None)
    if series is None:
        raise NoSuchRunError(
            f"Node {node} of run {run_id} has no curve {which.name!r} per {which.kind} of rank "
            f"{which.rank}.",
            hint=f"It has: {some(sorted({one.name for one in found}), most=20) or 'none'}.",
            reason="no-series",
        )
    buckets = thin(series.path, which.begin, which.end, which.num_points)
    return Curve(
        series=SeriesRow.model_validate(vars(series)),
        points=[
            PointRow.model_validate({**vars(one), "last": _finite(one.last)}) for one in buckets
        ],
        num_rows=sum(one.count for one in buckets),
    )


@router.get("/file", response_class=StreamingResponse)
@needs(Role.VIEWER)
def table(studio: StudioNow, run_id: str, node: str) -> StreamingResponse:
    """Return all rows of all curves as a CSV file to save."""
    lines = csv_lines(_all(studio, run_id, node))
    return StreamingResponse(
        lines,
        media_type="text/csv; charset=utf-8",
        headers=to_save(f"{run_id}-{node}-series.csv"),
    )


def _all(studio: Studio, run_id: str, node: str) -> list[StoredSeries]:
    run, facts = studio.node(run_id, node)
    return list_series(series_folder(studio.engine.workspace, run, node, facts))


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
