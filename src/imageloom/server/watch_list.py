"""Whether the list of runs has changed; looked at all the time, so it must cost next to nothing."""

import hashlib
import time
from collections.abc import Callable
from typing import Final

from pydantic import BaseModel

from imageloom.errors import ImageloomError
from imageloom.pipeline.index.query import ENDED
from imageloom.server.studio import Studio
from imageloom.spec.node_state import RunState

_LIST: Final = 500
# For what no stamp shows: people who change files by hand, a record that is copied in late.
ANEW_S: Final = 10.0


class RunsNow(BaseModel):
    """The list of runs at this moment.

    Attributes:
        mark: Changes when a row does.
        num_running: Runs that go on.
    """

    mark: str
    num_running: int


class RunsWatch:
    """Looks at the list of runs again and again.

    Args:
        studio: Whose runs, and who looks at them.
        now: A clock, in seconds.
    """

    def __init__(self, studio: Studio, now: Callable[[], float] = time.monotonic) -> None:
        self._studio = studio
        self._now = now
        self._open_runs: tuple[str, ...] = ()
        self._stamp: str | None = None
        self._newest = RunsNow(mark="", num_running=0)
        self._asked_at = 0.0

    def look(self) -> RunsNow:
        """Return how the newest runs stand; the list is asked for only where it may be another."""
        try:
            # Before the list: what changes meanwhile is seen at the next look.
            stamp = self._studio.engine.index.stamp(self._open_runs)
            is_old = self._now() - self._asked_at > ANEW_S
            if stamp is None or stamp != self._stamp or is_old:
                self._newest = self._ask()
                self._stamp, self._asked_at = stamp, self._now()
        except ImageloomError as problem:
            self._stamp = None
            return RunsNow(mark=problem.code, num_running=0)
        return self._newest

    def _ask(self) -> RunsNow:
        index = self._studio.engine.index.seen_from(self._studio.viewpoint())
        rows = index.list(limit=_LIST)
        self._open_runs = tuple(one.id for one in rows if one.state not in ENDED)
        text = "\n".join(
            f"{one.id} {one.state} {one.num_done} {one.ended} {one.is_shared}" for one in rows
        )
        return RunsNow(
            mark=hashlib.sha256(text.encode()).hexdigest()[:16],
            num_running=sum(one.state is RunState.RUNNING for one in rows),
        )
