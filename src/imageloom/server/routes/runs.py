"""Runs: begin, list, look at, stop, go on, delete."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, JsonValue

from imageloom.errors import StoreError
from imageloom.pipeline.graph.json_format import pipeline_from_json
from imageloom.pipeline.index.order import RunOrder
from imageloom.pipeline.index.summary import RunSummary
from imageloom.pipeline.ownership import Whose
from imageloom.pipeline.run.request import Asked
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord
from imageloom.pipeline.store.clean import run_at_rest
from imageloom.pipeline.store.recycle_bin import binned
from imageloom.server.failures import ErrorInfo
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.sharing import OwnershipInfo, Sharing
from imageloom.server.sight import require_inside_roots
from imageloom.server.studio import Studio, StudioNow
from imageloom.spec.node_state import RunState

router = APIRouter(prefix="/runs", tags=["runs"])


class RunQuestion(BaseModel):
    """Which runs of the list.

    Attributes:
        q: A text in their names or ids.
        state: Only those in this state.
        whose: All that who asks sees, or a part of it.
        sort: What comes first.
        reverse: Whether that comes last instead.
        offset: How many to pass over.
        limit: How many at most.
    """

    q: str = ""
    state: RunState | None = None
    whose: Whose = Whose.ALL
    sort: RunOrder = RunOrder.CREATED
    reverse: bool = False
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=50, ge=1, le=500)


class RunPage(BaseModel):
    """Some runs of a list.

    Attributes:
        runs: In the order that was asked for.
        more: Whether there are more behind them.
    """

    runs: list[RunSummary]
    more: bool


class RunRequest(BaseModel):
    """What to run.

    Attributes:
        pipeline: The pipeline.
        only: Stop at these nodes.
        start: Make these nodes and all that depends on them anew.
        fresh: Make these nodes anew although the cache has them.
        target: Where nodes that can choose run; as each says, when empty.
    """

    pipeline: dict[str, JsonValue]
    only: list[str] = []
    start: list[str] = []
    fresh: list[str] = []
    target: str = ""


class Stop(BaseModel):
    """How to stop.

    Attributes:
        at_once: Kill instead of letting it save.
    """

    at_once: bool = False


class NoticeRow(BaseModel):
    """A sentence that a person should see.

    Attributes:
        time: When it was told, in seconds since 1970, UTC.
        node: Of which node; empty when it is of the run.
        level: ``info`` or ``warning``.
        message: The sentence.
    """

    time: float
    node: str
    level: str
    message: str


class RunDetail(BaseModel):
    """Everything of a run.

    Attributes:
        id: Its id.
        name: Name of the pipeline.
        state: Where it is, in truth.
        created: When it was asked for, in seconds since 1970, UTC.
        asked_by: Who asked; empty where that is not known.
        is_stopping: Whether it was asked to stop, and still goes on.
        pipeline: The pipeline, as it was asked for.
        base: Folder that relative paths started from.
        only: Nodes it was to stop at.
        command: What a person typed, if it was typed.
        wanted: Nodes that it makes, in order.
        resolved: Each node with every default filled in.
        nodes: The newest facts of each node that has any.
        notices: What a person should see of it since it last began or went on.
        error: Why it is not complete, when it has stopped.
        has_report: Whether there is a report.
        versions: Of the software.
        ownership: Whose it is.
    """

    id: str
    name: str
    state: RunState
    created: float
    asked_by: str
    is_stopping: bool
    pipeline: dict[str, JsonValue]
    base: str
    only: list[str]
    command: str
    wanted: list[str]
    resolved: dict[str, ResolvedRecord]
    nodes: dict[str, NodeFacts]
    notices: list[NoticeRow]
    error: ErrorInfo | None
    has_report: bool
    versions: dict[str, str]
    ownership: OwnershipInfo


@router.get("")
@needs(Role.VIEWER)
def runs(studio: StudioNow, which: Annotated[RunQuestion, Query()]) -> RunPage:
    """Return the runs that who asks sees, newest first or in another order."""
    found = studio.engine.index.seen_from(studio.viewpoint(which.whose)).list(
        limit=which.limit + 1,
        offset=which.offset,
        state=which.state,
        text=which.q,
        order=which.sort,
        is_reversed=which.reverse,
    )
    return RunPage(runs=list(found[: which.limit]), more=len(found) > which.limit)


@router.post("", status_code=201)
@needs(Role.EDITOR, "begin run")
def begin(studio: StudioNow, new: RunRequest) -> RunDetail:
    """Begin a run in a process of its own; it waits for its slots like any other."""
    pipeline = pipeline_from_json(new.pipeline, "The pipeline")
    require_inside_roots(studio, pipeline)
    asked = Asked(
        base=studio.base,
        only=new.only,
        start=new.start,
        fresh=new.fresh,
        target=new.target,
        asked_by=studio.user,
        owner=studio.owner,
    )
    run = studio.engine.create(pipeline, asked)
    studio.deeds.on = run.id
    studio.engine.start(run)
    return _detail(studio, run)


@router.get("/{run_id}")
@needs(Role.VIEWER)
def show(studio: StudioNow, run_id: str) -> RunDetail:
    """Return everything of a run."""
    return _detail(studio, studio.run(run_id))


@router.post("/{run_id}/cancel", status_code=202)
@needs(Role.EDITOR, "stop run")
def cancel(studio: StudioNow, run_id: str, stop: Stop) -> None:
    """Ask a run to stop; it saves what it has. Asking twice is asking once."""
    studio.engine.request_cancel(studio.run(run_id, to_change=True), at_once=stop.at_once)


@router.post("/{run_id}/resume", status_code=202)
@needs(Role.EDITOR, "go on with run")
def resume(studio: StudioNow, run_id: str) -> RunDetail:
    """Go on with a run that stopped; what is finished stays."""
    run = studio.run(run_id, to_change=True)
    studio.engine.start(run)
    return _detail(studio, run)


@router.delete("/{run_id}", status_code=204)
@needs(Role.EDITOR, "delete run")
def delete(studio: StudioNow, run_id: str) -> None:
    """Move the record, logs and reports of a run that does not run to the recycle bin."""
    studio.run(run_id, to_change=True)
    with run_at_rest(studio.engine.workspace, run_id) as run:
        title, ownership = _title(run), run.ownership
        what = binned("run", run_id, title, by=studio.user, ownership=ownership)
        studio.recycle_bin.put(run.path, what)
    studio.engine.index.remove(run_id)


@router.put("/{run_id}/shared")
@needs(Role.EDITOR, "share run")
def share(studio: StudioNow, run_id: str, sharing: Sharing) -> OwnershipInfo:
    """Let all users see a run with all that belongs to it, or no longer."""
    run = studio.run(run_id, to_change=True)
    after = sharing.of(studio, run.ownership)
    run.set_ownership(after)
    return OwnershipInfo.of(studio, after)


def _title(run: RunFolder) -> str:
    try:
        return run.record().name
    except StoreError:  # a damaged record can be thrown away too
        return run.id


def _detail(studio: Studio, run: RunFolder) -> RunDetail:
    outcome = studio.engine.outcome(run)
    record = outcome.record
    has_stopped = outcome.state not in (RunState.QUEUED, RunState.RUNNING, RunState.COMPLETED)
    error = outcome.failure() if has_stopped else None
    return RunDetail(
        id=record.id,
        name=record.name,
        state=outcome.state,
        created=record.created,
        asked_by=record.asked_by,
        is_stopping=outcome.is_stopping,
        pipeline=record.pipeline,
        base=record.base,
        only=list(record.only),
        command=record.command,
        wanted=list(record.wanted),
        resolved=record.resolved,
        nodes=dict(outcome.nodes),
        notices=[
            NoticeRow(
                time=one.time,
                node=one.node or "",
                level=one.notice.level,
                message=one.notice.message,
            )
            for one in outcome.notices
            if one.notice is not None
        ],
        error=None if error is None else ErrorInfo.model_validate(error.to_json()),
        has_report=run.report.is_file(),
        versions=record.versions,
        ownership=OwnershipInfo.of(studio, run.ownership),
    )
