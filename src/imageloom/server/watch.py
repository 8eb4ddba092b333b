"""What has changed: how far the files of a run, and the list of runs, have grown.

A snapshot holds no content, only positions and what is on its way; a page that sees another one
than it had asks for what is new. So nothing is lost between two snapshots, and a server that is
started anew has nothing to remember.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from imageloom.errors import ImageloomError, StoreError
from imageloom.events import Progress
from imageloom.files.event_lines import EventTail
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts
from imageloom.run_report.node_files import process_logs
from imageloom.server.studio import Studio
from imageloom.spec.job import EVENTS_FILE
from imageloom.spec.node_state import NodeState, RunState

_LIST: Final = 500
_TAIL_BYTES: Final = 64 * 1024


class ProgressInfo(BaseModel):
    """How far a node has come; the attributes are those of ``events.Progress``."""

    stage: str
    done: int
    total: int | None
    unit: str
    text: str
    time_left_s: float | None


class NodeNow(BaseModel):
    """A node at this moment.

    Attributes:
        state: Where it is.
        message: One sentence for people: what it waits for, or how it ended.
        progress: How far it has come, while it runs.
        logs: Bytes of each log.
    """

    state: NodeState
    message: str = ""
    progress: ProgressInfo | None = None
    logs: dict[str, int] = {}


class RunNow(BaseModel):
    """A run at this moment.

    Attributes:
        run: Its id.
        state: Where it is; null when it is gone.
        position: Bytes of the file of its states.
        nodes: Each node of which something is known.
    """

    run: str
    state: RunState | None
    position: int
    nodes: dict[str, NodeNow]


class RunsNow(BaseModel):
    """The list of runs at this moment.

    Attributes:
        mark: Changes when a row does.
        num_running: Runs that go on.
    """

    mark: str
    num_running: int


class RunWatch:
    """Looks at a run again and again.

    Args:
        studio: Where it is.
        run: The run.
    """

    def __init__(self, studio: Studio, run: RunFolder) -> None:
        self._studio = studio
        self._run = run
        self._read_at: tuple[int, int] | None = None
        self._facts: Mapping[str, NodeFacts] = {}
        self._tails: dict[Path, EventTail] = {}
        self._progress: dict[Path, ProgressInfo] = {}

    def look(self) -> RunNow:
        """Return how it stands; of what has ended before, nothing is read again."""
        run = self._run
        if not run.exists():
            return RunNow(run=run.id, state=None, position=0, nodes={})
        try:
            position = self._read_states()
            state = run.state()
        except StoreError:
            return RunNow(run=run.id, state=RunState.INTERRUPTED, position=0, nodes={})
        nodes = {name: self._node(name, facts) for name, facts in self._facts.items()}
        return RunNow(run=run.id, state=state, position=position, nodes=nodes)

    def _read_states(self) -> int:
        try:
            found = self._run.states_file.stat()
        except OSError:
            return 0
        stamp = (found.st_size, found.st_mtime_ns)
        if stamp != self._read_at:
            self._facts = self._run.states()
            self._read_at = stamp
        return found.st_size

    def _node(self, name: str, facts: NodeFacts) -> NodeNow:
        if facts.state is not NodeState.RUNNING:
            return NodeNow(state=facts.state, message=facts.message)
        logs = process_logs(self._studio.engine.workspace, self._run, name, facts)
        return NodeNow(
            state=facts.state,
            message=facts.message,
            progress=self._last_progress(self._run.node_folder(name) / EVENTS_FILE),
            logs={label: _size(log) for label, log in logs.items()},
        )

    def _last_progress(self, file: Path) -> ProgressInfo | None:
        if file not in self._tails:
            self._tails[file] = EventTail(file, start=max(_size(file) - _TAIL_BYTES, 0))
        while events := self._tails[file].read():
            for event in events:
                if isinstance(event, Progress):
                    self._progress[file] = ProgressInfo(**vars(event))
        return self._progress.get(file)


class RunsWatch:
    """Looks at the list of runs again and again.

    Args:
        studio: Whose runs.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def look(self) -> RunsNow:
        """Return how the newest runs stand."""
        try:
            rows = self._studio.engine.index.list(limit=_LIST)
        except ImageloomError as problem:
            return RunsNow(mark=problem.code, num_running=0)
        text = "\n".join(f"{one.id} {one.state} {one.num_done} {one.ended}" for one in rows)
        return RunsNow(
            mark=hashlib.sha256(text.encode()).hexdigest()[:16],
            num_running=sum(one.state is RunState.RUNNING for one in rows),
        )


def mark_of(snapshot: BaseModel) -> str:
    """Return a short text that differs whenever two snapshots do."""
    text = json.dumps(snapshot.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _size(file: Path) -> int:
    try:
        return os.stat(file).st_size  # noqa: PTH116 - five times a second for each log
    except OSError:
        return 0
