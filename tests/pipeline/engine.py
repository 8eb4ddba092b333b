"""An engine for tests: toy components, a workspace, and a target that runs workers in threads."""

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from imageloom.events import CancelToken
from imageloom.pipeline.graph.graph import Edge, Node, Pipeline
from imageloom.pipeline.graph.json_format import pipeline_to_json
from imageloom.pipeline.graph.resolve import resolve
from imageloom.pipeline.graph.selection import choose
from imageloom.pipeline.run.events import NodeChanged
from imageloom.pipeline.run.execute import execute
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import ResolvedRecord, RunRecord
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.pipeline.workspace import Workspace
from imageloom.registry import Registry
from imageloom.spec.component import Component
from imageloom.spec.node_state import NodeState, RunState
from imageloom.spec.target import JobStatus, Limits, Target, Work
from imageloom.worker import run_job

from .odd_toys import odd_components
from .toys import toy_components

DEADLINE_S = 20.0


class ThreadTarget:
    """Does what a target does, with a thread where others have a process."""

    name = "local"
    title = "Threads"
    help = "Runs workers in threads of the test."
    limits = Limits(nodes=1, processing_units_per_node=1, heavy_jobs=1, light_jobs=4)

    def __init__(self, components: Registry[Component]) -> None:
        self.started: list[str] = []
        self._components = components
        self._jobs: dict[Path, _Job] = {}

    def start(self, folder: Path, work: Work, *, lock: int | None = None) -> None:
        assert lock is not None
        self.started.append(folder.name)
        self._jobs[folder] = _Job(
            partial(run_job, folder, self._components), (lock, *work.slots.values())
        )

    def status(self, folder: Path) -> JobStatus:
        if folder in self._jobs and not self._jobs[folder].has_ended.is_set():
            return JobStatus("running")
        return JobStatus("ended", reason="ended with its test")

    def end_signal(self, folder: Path) -> int | None:
        return os.dup(self._jobs[folder].signal)

    def stop(self, folder: Path, *, at_once: bool) -> None:  # noqa: ARG002 - no thread can be ended
        self._jobs[folder].cancel.set("SIGTERM")


class _Job:
    """A thread that works while it holds a lock, and then makes a descriptor readable."""

    def __init__(self, work: Callable[..., object], locks: tuple[int, ...]) -> None:
        self.cancel = CancelToken()
        self.has_ended = threading.Event()
        self.signal, self._end = os.pipe()
        self._work = work
        self._locks = tuple(map(os.dup, locks))
        weakref.finalize(self, os.close, self.signal)
        threading.Thread(target=self._run).start()

    def _run(self) -> None:
        try:
            self._work(cancel=self.cancel)
        finally:
            for lock in self._locks:
                os.close(lock)
            self.has_ended.set()
            os.close(self._end)


def all_toys() -> Registry[Component]:
    """Return a fresh registry of all toys, the odd ones among them."""
    components = toy_components()
    for odd in odd_components():
        components.declare(odd.name, odd)
    return components


class ToyEngine:
    """Runs pipelines of toys in one workspace and remembers what it heard."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root)
        self.store = ObjectStore(self.workspace)
        self.components = all_toys()
        self.targets: Registry[Target] = Registry("target")
        self.target = ThreadTarget(self.components)
        self.targets.declare("local", self.target)
        self.base = root
        root.mkdir(parents=True, exist_ok=True)
        self.events: list[object] = []

    def new_run(self, pipeline: Pipeline, **asked: tuple[str, ...]) -> RunFolder:
        selection = choose(pipeline, **asked)
        resolved = resolve(pipeline, self.components)
        run = self.workspace.run(self.workspace.new_run_id())
        run.create(
            RunRecord(
                id=run.id,
                name=pipeline.name,
                pipeline=pipeline_to_json(pipeline),
                base=str(self.base),
                fresh=tuple(selection.fresh),
                resolved={
                    name: ResolvedRecord(
                        component=one.component.name,
                        version=one.component.version,
                        params=one.params.model_dump(),
                        settings=one.settings.model_dump(mode="json"),
                    )
                    for name, one in resolved.items()
                },
                wanted=tuple(name for name in resolved if name in selection.wanted),
                created=time.time(),
            )
        )
        return run

    def execute(self, run: RunFolder, cancel: CancelToken | None = None) -> RunState:
        return execute(
            run,
            workspace=self.workspace,
            components=self.components,
            targets=self.targets,
            on_event=self.hear,
            cancel=cancel or CancelToken(),
        )

    def run(self, pipeline: Pipeline, **asked: tuple[str, ...]) -> RunFolder:
        run = self.new_run(pipeline, **asked)
        self.execute(run)
        return run

    def hear(self, event: object) -> None:
        self.events.append(event)

    def history(self, node_id: str) -> list[NodeState]:
        """Return the states that a node went through, as they were told."""
        changes = (event for event in self.events if isinstance(event, NodeChanged))
        return [event.facts.state for event in changes if event.node_id == node_id]

    @contextmanager
    def executing(self, run: RunFolder, cancel: CancelToken) -> Iterator[list[RunState]]:
        """Execute in a thread; when the body is done, wait for its end, which the list holds."""
        ends: list[RunState] = []
        thread = threading.Thread(target=lambda: ends.append(self.execute(run, cancel)))
        thread.start()
        try:
            yield ends
            thread.join(DEADLINE_S)
            assert not thread.is_alive()
        finally:
            cancel.set("the end of the test")
            cancel.set("the end of the test")
            thread.join(DEADLINE_S)


def states(run: RunFolder) -> Mapping[str, str]:
    """Return the state of each node as the file has it."""
    return {node_id: facts.state.value for node_id, facts in run.states().items()}


def value(run: RunFolder, node_id: str, port: str) -> str:
    """Return the text that a node published, through the link in its folder."""
    return (run.node_folder(node_id) / "outputs" / port / "value.txt").read_text(encoding="utf-8")


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait for a condition that must come true."""
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.005)


def pipeline(*nodes: Node, edges: tuple[str, ...] = ()) -> Pipeline:
    """Return a pipeline; an edge is written ``a.value > b.left``."""
    return Pipeline("toys", nodes=nodes, edges=tuple(map(_edge, edges)))


def forget_since(run: RunFolder, node_id: str, state: str) -> None:
    """Cut the file of states where a node came into a state, as if the executor died just then."""
    lines = run.states_file.read_bytes().splitlines(keepends=True)
    marks = (f'"node":"{node_id}"'.encode(), f'"state":"{state}"'.encode())
    at = next(i for i, line in enumerate(lines) if all(mark in line for mark in marks))
    run.states_file.write_bytes(b"".join(lines[:at]))


def _edge(text: str) -> Edge:
    begin, end = (part.split(".") for part in text.split(" > "))
    return Edge(*begin, *end)


GATED = pipeline(
    Node("one", "number"),
    Node("odd", "odd", {"how": "gate", "gate": "go"}),
    Node("words", "spell"),
    edges=("one.value > odd.after", "odd.value > words.number"),
)
