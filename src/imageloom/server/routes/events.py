"""What changes, as it happens: server-sent events."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from imageloom.server.studio import StudioNow
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
        wanted.append(("runs", RunsWatch(studio).look))
    for run_id in list(dict.fromkeys(run or ()))[:_MOST_TOPICS]:
        watch = RunWatch(studio, studio.engine.workspace.run(run_id))
        wanted.append((f"run {run_id}", watch.look))
    known = _known(last_event_id)
    yield ServerSentEvent(comment="Imageloom", retry=_RETRY_MS)
    async for snapshot in topics.follow(wanted, known):
        known[snapshot.topic] = snapshot.mark
        yield ServerSentEvent(
            event=snapshot.topic.partition(" ")[0],
            id=json.dumps(known, separators=(",", ":")),
            data=snapshot.content,
        )


@router.get("/now")
def now(studio: StudioNow, run: str | None = None) -> Now:
    """Return once what the events tell, for programs that ask from time to time."""
    watch = None if run is None else RunWatch(studio, studio.run(run))
    return Now(runs=RunsWatch(studio).look(), run=None if watch is None else watch.look())


def _known(text: str | None) -> dict[str, str]:
    try:
        content = json.loads(text or "{}")
    except ValueError:
        return {}
    known = content if isinstance(content, dict) else {}
    return {str(key): str(value) for key, value in list(known.items())[:_MOST_TOPICS]}
