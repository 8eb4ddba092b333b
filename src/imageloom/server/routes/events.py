"""What changes, as it happens: server-sent events."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from imageloom.errors import NoSuchRunError
from imageloom.pipeline.run_folder import RunFolder
from imageloom.server.access import Visitor
from imageloom.server.needs import needs
from imageloom.server.people.roles import Role
from imageloom.server.studio import Studio, StudioNow
from imageloom.server.topics import Topics
from imageloom.server.watch import RunNow, RunWatch
from imageloom.server.watch_list import RunsNow, RunsWatch

router = APIRouter(prefix="/events", tags=["events"])
_MOST_TOPICS: Final = 50
_RETRY_MS: Final = 1_000


class Now(BaseModel):
    """How things stand at this moment.

    Attributes:
        runs: The list of runs.
        run: The run that was asked for, if one was.
    """

    runs: RunsNow
    run: RunNow | None


@router.get("", response_class=EventSourceResponse)
@needs(Role.VIEWER)
async def events(
    request: Request,
    studio: StudioNow,
    run: Annotated[list[str] | None, Query(description="Runs to watch.")] = None,
    runs: Annotated[bool, Query(description="Whether to watch the list of runs.")] = True,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Send how each topic stands whenever that changes: events ``runs`` and ``run``.

    The data are ``RunsNow`` and ``RunNow``. The id of an event says which snapshots the page has,
    so one that comes back is sent what it has not, also by another server.
    """
    topics = request.app.state.topics
    assert isinstance(topics, Topics)
    wanted: list[tuple[str, Callable[[], BaseModel]]] = []
    if runs:
        # Each sees runs of their own: pages of one person share a look, as all do without users.
        name = f"runs {studio.role} {studio.owner}" if studio.people is not None else "runs"
        wanted.append((name, RunsWatch(studio).look))
    for run_id in list(dict.fromkeys(run or ()))[:_MOST_TOPICS]:
        watched = await run_in_threadpool(_seen_run, studio, run_id)
        look = _gone(run_id) if watched is None else RunWatch(studio, watched).look
        wanted.append((f"{'gone' if watched is None else 'run'} {run_id}", look))
    known = _known(last_event_id)
    may_follow = None if studio.people is None else _permission(studio, request.state.visitor)
    yield ServerSentEvent(comment="Imageloom", retry=_RETRY_MS)
    async for snapshot in topics.follow(wanted, known, may_follow=may_follow):
        known[snapshot.topic] = snapshot.mark
        yield ServerSentEvent(
            event="runs" if snapshot.topic.startswith("runs") else "run",
            id=json.dumps(known, separators=(",", ":")),
            raw_data=snapshot.text,
        )


@router.get("/now")
@needs(Role.VIEWER)
def now(studio: StudioNow, run: str | None = None) -> Now:
    """Return once what the events tell, for programs that ask from time to time."""
    watch = None if run is None else RunWatch(studio, studio.run(run))
    return Now(runs=RunsWatch(studio).look(), run=None if watch is None else watch.look())


def _seen_run(studio: Studio, run_id: str) -> RunFolder | None:
    """Return a run to watch, or None where somebody else's is not shown.

    Raises:
        NoSuchRunError: No run can have this id.
    """
    if studio.people is None:
        return studio.engine.workspace.run(run_id)
    try:
        return studio.run(run_id)
    except NoSuchRunError:
        studio.engine.workspace.run(run_id)
        return None


def _gone(run_id: str) -> Callable[[], BaseModel]:
    return lambda: RunNow(run=run_id, state=None, position=0, nodes={})


def _permission(studio: Studio, visitor: Visitor) -> Callable[[Sequence[str]], bool]:
    """Return what tells whether a page may go on to follow its topics.

    It ends when its person is signed out, or may no longer see a run; it then asks anew.
    """

    def may_see(topic: str) -> bool:
        kind, _, run_id = topic.partition(" ")
        try:
            return kind != "run" or studio.run(run_id) is not None
        except NoSuchRunError:  # one that was deleted is told as such
            return not studio.engine.workspace.run(run_id).exists()

    def may_follow(topics: Sequence[str]) -> bool:
        people = studio.people
        if people is None or people.sessions.person(visitor.secret, is_use=False) is None:
            return False
        return all(map(may_see, topics))

    return may_follow


def _known(text: str | None) -> dict[str, str]:
    try:
        content = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    known = content if isinstance(content, dict) else {}
    return {str(key): str(value) for key, value in list(known.items())[:_MOST_TOPICS]}
