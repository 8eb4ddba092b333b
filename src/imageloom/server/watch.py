"""What has changed: how far the files of a run have grown.

A snapshot holds no content, only positions and what is on its way; a page that sees another one
than it had asks for what is new. So nothing is lost between two snapshots, and a server that is
started anew has nothing to remember.
"""

from pathlib import Path
from typing import Final

from pydantic import BaseModel

from imageloom.errors import NoSuchRunError, StoreError
from imageloom.events import Progress
from imageloom.files.event_lines import EventTail
from imageloom.files.log_parts import log_bytes
from imageloom.files.series.read import list_series
from imageloom.pipeline.run.changes import read_changes
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts
from imageloom.run_report.node_files import process_logs, series_folder
from imageloom.server.studio import Studio
from imageloom.spec.job import EVENTS_FILE
from imageloom.spec.node_state import NodeState, RunState

_TAIL_BYTES: Final = 64 * 1024


class NodeNow(BaseModel):
    """A node at this moment.

    Attributes:
        state: Where it is.
        message: One sentence for people: what it waits for, or how it ended.
        progress: How far it has come, while it runs.
        logs: Bytes of each log.
        rows: Rows of all its curves.
    """

    state: NodeState
    message: str = ""
    progress: Progress | None = None
    logs: dict[str, int] = {}
    rows: int = 0


class RunNow(BaseModel):
    """A run at this moment.

    Attributes:
        run: Its id.
        state: Where it is; null when it is gone.
        is_stopping: Whether it was asked to stop, and still goes on.
        position: Bytes of the file of its states.
        nodes: Each node of which something is known.
    """

    run: str
    state: RunState | None
    is_stopping: bool = False
    position: int
    nodes: dict[str, NodeNow]


class RunWatch:
    """Looks at a run again and again."""

    def __init__(self, studio: Studio, run: RunFolder) -> None:
        self._studio = studio
        self._run = run
        self._position, self._generation = 0, ""
        self._is_executed: bool | None = None
        self._state = RunState.QUEUED
        self._facts: dict[str, NodeFacts] = {}
        self._tails: dict[Path, EventTail] = {}
        self._progress: dict[Path, Progress] = {}

    def look(self) -> RunNow:
        """Return how it stands; what was read before is not read again."""
        run = self._run
        try:
            self._catch_up()
        except NoSuchRunError:
            return RunNow(run=run.id, state=None, position=0, nodes={})
        except StoreError:
            return RunNow(run=run.id, state=RunState.INTERRUPTED, position=0, nodes={})
        return RunNow(
            run=run.id,
            state=self._state,
            is_stopping=self._state is RunState.RUNNING and run.cancel_asked(),
            position=self._position,
            nodes={name: self._node(name, facts) for name, facts in self._facts.items()},
        )

    def _catch_up(self) -> None:
        has_more = True
        while has_more:
            found = read_changes(self._run, self._position, generation=self._generation)
            is_new = found.changes or found.is_cut or found.is_executed != self._is_executed
            if found.is_cut:
                self._facts.clear()
            for change in found.changes:
                if change.line.node is not None and change.line.facts is not None:
                    self._facts[change.line.node] = change.line.facts
            if is_new:
                self._state = self._run.state()
            # Last, so that what could not be read now is read at the next look.
            self._is_executed = found.is_executed
            self._position, self._generation = found.position, found.generation
            has_more = found.has_more

    def _node(self, name: str, facts: NodeFacts) -> NodeNow:
        if facts.state is not NodeState.RUNNING:
            return NodeNow(state=facts.state, message=facts.message)
        logs = process_logs(self._studio.engine.workspace, self._run, name, facts)
        return NodeNow(
            state=facts.state,
            message=facts.message,
            progress=self._last_progress(self._run.node_folder(name) / EVENTS_FILE),
            logs={label: log_bytes(log) for label, log in logs.items()},
            rows=self._num_rows(name, facts),
        )

    def _num_rows(self, name: str, facts: NodeFacts) -> int:
        folder = series_folder(self._studio.engine.workspace, self._run, name, facts)
        try:
            return sum(one.num_rows for one in list_series(folder))
        except StoreError:
            return 0

    def _last_progress(self, file: Path) -> Progress | None:
        if file not in self._tails:
            self._tails[file] = EventTail(file, start=max(log_bytes(file) - _TAIL_BYTES, 0))
        while events := self._tails[file].read():
            for event in events:
                if isinstance(event, Progress):
                    self._progress[file] = event
        return self._progress.get(file)
