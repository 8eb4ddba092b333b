"""The composition root: registries, workspace, index, targets and executor put together."""

import contextlib
import dataclasses
import functools
import platform
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imageloom import __version__
from imageloom.components.catalogue import load_components
from imageloom.errors import (
    FailedToWriteOutputsError,
    ImageloomError,
    NoSuchRunError,
    ParameterParsingError,
    StoreError,
    named_error,
    unknown_name,
)
from imageloom.events import CancelToken, Notice
from imageloom.extensions import extensions_changed, extensions_digest
from imageloom.pipeline.checks.check import check
from imageloom.pipeline.checks.problems import Problem
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.graph.json_values import first_unsafe_value
from imageloom.pipeline.graph.resolve import resolve
from imageloom.pipeline.run.cancel import CANCEL_TIMEOUT_S, request_cancel, wait_for_end
from imageloom.pipeline.run.events import (
    NodeChanged,
    RunEvent,
    RunNotice,
    RunSink,
    ignore_run_events,
)
from imageloom.pipeline.run.execute import execute
from imageloom.pipeline.run.executor_process import start_executor
from imageloom.pipeline.run.forecast import Forecast, forecast, not_ready
from imageloom.pipeline.run.keys import LookOutside, look_outside
from imageloom.pipeline.run.notices import keeping_notices
from imageloom.pipeline.run.recover import find_truth
from imageloom.pipeline.run.request import Asked, record_of
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts, RunRecord, StateLine
from imageloom.pipeline.store.clean import CleanResult, clean
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.pipeline.workspace import Workspace
from imageloom.pipeline.workspace_place import refuse_workspace_inside_data
from imageloom.registry import Registry
from imageloom.remote.target_file import load_targets, state_of_targets
from imageloom.run_report.failure import failure_of
from imageloom.run_report.write import write_run_report
from imageloom.settings import Settings
from imageloom.spec.component import Component, Outside
from imageloom.spec.node_state import NodeState, RunState
from imageloom.spec.target import Limits, Target
from imageloom.system.wording import count
from imageloom.tracked_nodes import tracking_nodes
from imageloom.tracking.usual import usual_trackers

if TYPE_CHECKING:
    from imageloom.pipeline.index.index import RunIndex

_GIB: Final = 1024**3
_MIB: Final = 1024**2
_ALL: Final = 1_000_000
_MADE: Final = (NodeState.COMPLETED, NodeState.COMPLETED_WITH_WARNINGS)
_SYNC_INTERVAL_S: Final = 1.0
_SYNC_TIMEOUT_S: Final = 2.0


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        run: Its folder.
        record: What was asked.
        state: Where it is now.
        nodes: The newest facts of each node by id, in the order in which they run.
        notices: What a person should see of it since it last began or went on, with times and, for
            some, nodes.
    """

    run: RunFolder
    record: RunRecord
    state: RunState
    nodes: Mapping[str, NodeFacts]
    notices: tuple[StateLine, ...] = ()

    @property
    def is_stopping(self) -> bool:
        """Whether it goes on though somebody asked to cancel it: its nodes may be saving."""
        return self.state is RunState.RUNNING and self.run.cancel_asked()

    def output(self, node: str, port: str) -> Path:
        """Return where an output lies.

        Raises:
            UnknownNameError: No node of the run has such an output.
        """
        there = [f"{name}.{one}" for name, facts in self.nodes.items() for one in facts.outputs]
        if f"{node}.{port}" not in there:
            raise unknown_name("output", f"{node}.{port}", tuple(there))
        return self.run.node_folder(node) / "outputs" / port

    def failure(self, *, stopped_by: str = "") -> ImageloomError | None:
        """Return why the run is not complete, or None when it is, or when it still goes on.

        Args:
            stopped_by: What asked it to stop, where that is known.
        """
        return failure_of(self.run, self.state, self.nodes, stopped_by=stopped_by)


@dataclass(frozen=True)
class Refreshed:
    """What ``Engine.refresh`` found.

    Attributes:
        targets_changed: Whether the file of targets changed; they are read anew when next needed.
        needs_restart: Whether extensions changed, which only a new process loads.
    """

    targets_changed: bool
    needs_restart: bool


class Engine:
    """Everything that runs pipelines, in one workspace.

    A process that lives long, such as a server, calls ``refresh`` and ``sweep`` from time to time.

    Args:
        settings: Where the workspace lies, and its database and limits.
        sweeps_first: Whether the first use of the index waits for ``sweep``; else what became of
            the nodes of interrupted runs is only known once somebody called it.

    Raises:
        ParameterParsingError: The workspace's name is no text, which jobs could not be told.
    """

    def __init__(self, settings: Settings, *, sweeps_first: bool = True) -> None:
        if first_unsafe_value(str(settings.workspace)):
            raise ParameterParsingError(
                f"The name of the workspace {settings.workspace} is not UTF-8.",
                hint="Name another folder with --workspace or IMAGELOOM_WORKSPACE.",
                details={"parameter": "workspace"},
            )
        self.settings = settings
        self.workspace = Workspace(settings.workspace)
        self._sweeps_first = sweeps_first
        self._state_of_targets = ""

    @functools.cached_property
    def components(self) -> Registry[Component]:
        """All components, extensions included."""
        return load_components()

    @functools.cached_property
    def targets(self) -> Registry[Target]:
        """All targets: built in, of extensions, and of the person's own file."""
        self._state_of_targets = state_of_targets(self.settings)  # first: it may change meanwhile
        return load_targets(self.settings)

    @functools.cached_property
    def limits(self) -> dict[str, Limits]:
        """What each target can give, by its name."""
        return {target.name: target.limits for target in self.targets}

    @functools.cached_property
    def index(self) -> "RunIndex":
        """The index of the runs, in step with their folders."""
        if self._sweeps_first:
            self.sweep()
        return self._rows

    @functools.cached_property
    def _rows(self) -> "RunIndex":
        """The same, for who only has a row to bring up to date, and waits for no other run."""
        from imageloom.pipeline.index.index import open_index  # SQLAlchemy takes its time

        return open_index(self.settings.database_url, self.workspace)

    @functools.cached_property
    def _impatient_rows(self) -> "RunIndex":
        """The same, for a run: where somebody holds the database, it must not wait for long."""
        from imageloom.pipeline.index.index import open_index

        url, wait_s = self.settings.database_url, _SYNC_TIMEOUT_S
        return open_index(url, self.workspace, busy_timeout_s=wait_s)

    def sweep(self) -> None:
        """Write down what became of the nodes of runs whose process was lost.

        It takes as long as the targets of these nodes take to answer, so a server calls it from a
        thread of its own.
        """
        for summary in self._rows.list(state=RunState.INTERRUPTED, limit=_ALL):
            run = self.workspace.run(summary.id)
            with contextlib.suppress(NoSuchRunError, StoreError):  # its row says why
                find_truth(run, workspace=self.workspace, targets=self.targets)
            self._rows.sync(run)

    def refresh(self) -> Refreshed:
        """Forget what is no longer as it was read: the file of targets, limits, a database in need.

        An index that is kept in memory, because its database could not be used, is opened again.
        What is in use by others stays as it was until they are done. It takes moments.

        Raises:
            EnvironmentUnsuitableError: The extensions were not loaded yet, and cannot be used.
        """
        known = vars(self)
        is_changed = "targets" in known and self._state_of_targets != state_of_targets(
            self.settings
        )
        if is_changed:
            known.pop("targets", None)
        known.pop("limits", None)
        if "_rows" in known and self._rows.is_in_memory:
            for name in ("_rows", "_impatient_rows", "index"):
                known.pop(name, None)
        return Refreshed(targets_changed=is_changed, needs_restart=extensions_changed())

    def check(self, pipeline: Pipeline) -> tuple[Problem, ...]:
        """Return everything that keeps a pipeline from running."""
        return check(pipeline, self.components, self.limits)

    def forecast(
        self, pipeline: Pipeline, base: Path, *, look: LookOutside = look_outside
    ) -> dict[str, Forecast]:
        """Return what a run would find: results that are there, and files that are not.

        Args:
            pipeline: Any, also one that is half drawn: it is told for the nodes that could run, and
                for each of the others why it could not.
            base: Absolute folder that relative paths in parameters start from.
            look: How the files outside are looked at; a page may remember them for moments.
        """
        outside = Outside(base=base, uploads=self.workspace.uploads)
        waiting = not_ready(pipeline, self.check(pipeline))
        ready = pipeline.part({node.id for node in pipeline.nodes} - waiting.keys())
        resolved = resolve(ready, self.components)
        return {**waiting, **forecast(resolved, ObjectStore(self.workspace), outside, look=look)}

    def find_run(self, text: str) -> RunFolder:
        """Return the run that a person means: an id, the beginning of one, or ``last``.

        Raises:
            NoSuchRunError: There is none; the message names the nearest.
        """
        return self.workspace.run(self.index.find(text))

    def create(self, pipeline: Pipeline, asked: Asked) -> RunFolder:
        """Write down a run of a pipeline, or of the part that is asked for; nothing is started.

        Returns:
            The run, which is queued until ``resume`` begins it.

        Raises:
            InvalidPipelineError: What is asked for cannot run; the message lists every problem.
            UnknownNameError: A change, a node or a target names what is not there.
            FailedToWriteOutputsError: The workspace lies inside pictures that the pipeline reads,
                or cannot be written.
        """
        run = self.workspace.run(self.workspace.new_run_id())
        asked = dataclasses.replace(asked, usual_trackers=usual_trackers(self.settings))
        record = record_of(
            run.id,
            pipeline,
            asked,
            components=self.components,
            targets=self.targets,
            versions=_versions(),
        )
        refuse_workspace_inside_data(record, self.workspace, self.components)
        run.create(record, ownership=asked.ownership)
        return run

    def run(
        self,
        pipeline: Pipeline,
        asked: Asked,
        *,
        on_event: RunSink,
        cancel: CancelToken | None = None,
    ) -> RunOutcome:
        """Run a pipeline, or the part of it that is asked for.

        Raises:
            InvalidPipelineError: As ``create``, like UnknownNameError. Nothing was started.
            FailedToWriteOutputsError: As ``create``, or the disk is full, or the like; once the run
                had begun, the hint ends with the command that goes on.
        """
        return self._execute(self.create(pipeline, asked), on_event, cancel, asked_at=None)

    def resume(
        self,
        run: RunFolder,
        *,
        on_event: RunSink,
        cancel: CancelToken | None = None,
        asked_at: float | None = None,
    ) -> RunOutcome:
        """Begin a run that is queued, or go on where it stopped; what is finished stays.

        Args:
            run: The run.
            on_event: Hears of every change, and all that nodes tell.
            cancel: Asks it to stop.
            asked_at: When this was asked for, in seconds since 1970, UTC; now by default. Who asked
                to cancel the run after that is heeded.

        Raises:
            NoSuchRunError: There is no such run.
            OutputInUseError: Another process executes it.
            FailedToWriteOutputsError: The disk is full, or the like; the hint ends with the
                command that goes on.
        """
        return self._execute(run, on_event, cancel, asked_at=asked_at)

    def start(self, run: RunFolder, *, cancel: CancelToken | None = None) -> RunOutcome:
        """Begin or go on with a run in a process of its own, which outlives this one.

        It has the settings of the environment, and writes to ``executor.log`` in the run's folder.

        Returns:
            How the run stands once that process executes it.

        Raises:
            ImageloomError: The process ended before; the error is its own, as of ``resume``.
            RunInterruptedError: ``cancel`` was set before.
        """
        start_executor(run, self.workspace.root, cancel=cancel or CancelToken())
        return self.outcome(run)

    def outcome(self, run: RunFolder) -> RunOutcome:
        """Return how a run stands now."""
        record, history = run.record(), run.history()
        nodes = {one: history.nodes[one] for one in record.resolved if one in history.nodes}
        return RunOutcome(run, record, run.state(), nodes, history.notices)

    def request_cancel(self, run: RunFolder, *, at_once: bool = False) -> None:
        """Ask a run to stop, whichever process executes it, and return before it has.

        Asking twice is like asking once. A run that nobody executes is cancelled when this returns,
        unless jobs that it left behind have still to stop: ``wait`` waits for them.

        Args:
            run: The run; one that has ended stays as it is.
            at_once: End running nodes instead of letting them save.

        Raises:
            NoSuchRunError: There is no such run.
            FailedToWriteOutputsError: The request cannot be written.
        """
        request_cancel(run, workspace=self.workspace, targets=self.targets, at_once=at_once)
        self._take_note(run)

    def wait(self, run: RunFolder, *, timeout_s: float = CANCEL_TIMEOUT_S) -> RunOutcome:
        """Wait until a run has ended, whoever executes it, and return how it stands then."""
        wait_for_end(run, workspace=self.workspace, targets=self.targets, timeout_s=timeout_s)
        self._take_note(run)
        return self.outcome(run)

    def cancel(self, run: RunFolder, *, at_once: bool = False) -> RunOutcome:
        """Do what ``request_cancel`` and then ``wait`` do."""
        self.request_cancel(run, at_once=at_once)
        return self.wait(run)

    def clean(self, *, limit_gib: float | None, dry_run: bool = False) -> CleanResult:
        """Remove what no run needs; above a limit also old results that can be made again."""
        limit = None if limit_gib is None else round(limit_gib * _GIB)
        return clean(self.workspace, limit_bytes=limit, dry_run=dry_run)

    def _take_note(self, run: RunFolder) -> None:
        """Bring the index up to date, and the report of a run that nobody executes."""
        self._rows.sync(run)
        if run.state() is not RunState.RUNNING:
            self._report(run, keeping_notices(run, ignore_run_events))

    def _execute(
        self,
        run: RunFolder,
        on_event: RunSink,
        cancel: CancelToken | None,
        *,
        asked_at: float | None,
    ) -> RunOutcome:
        on_event(RunNotice(Notice("info", f"Run {run.id} in {run.path}")))
        on_event = keeping_notices(run, on_event)
        mirror, cancel = _IndexMirror(self, run, on_event), cancel or CancelToken()
        tracked = tracking_nodes(run, self.workspace, on_event=mirror, cancel=cancel)
        try:
            with tracked as sink:
                execute(
                    run,
                    workspace=self.workspace,
                    components=self.components,
                    targets=self.targets,
                    on_event=sink,
                    cancel=cancel,
                    asked_at=asked_at,
                )
        except (FailedToWriteOutputsError, OSError) as problem:
            raise self._cannot_write(run, problem) from problem
        mirror.sync()
        self._report(run, on_event)
        outcome = self.outcome(run)
        if any(facts.state in _MADE for facts in outcome.nodes.values()):
            self._keep_within_limit(on_event)
        return outcome

    def _cannot_write(self, run: RunFolder, problem: Exception) -> Exception:
        """Return the error of a disk that is full, with the command that goes on; else the same."""
        known = named_error(problem)
        if not isinstance(known, FailedToWriteOutputsError):
            return problem
        words = ["imageloom", "run", "--resume", run.id, "--workspace", str(self.workspace.root)]
        return FailedToWriteOutputsError(
            known.message,
            hint=f"{known.hint} Then go on with: {shlex.join(words)}",
            reason=known.reason,
            details={**known.details, "run": run.id},
        )

    def _keep_within_limit(self, on_event: RunSink) -> None:
        """Remove old results when the store has grown above its limit, and say so."""
        limit_gib = self.settings.store_limit_gib
        # Which runs need what is a look at all of them, so it is only taken when room is needed.
        if ObjectStore(self.workspace).total_bytes() <= limit_gib * _GIB:
            return  # what no run names stays too: the next run may ask for it
        done = self.clean(limit_gib=limit_gib)
        if done.objects:
            text = (
                f"{count(len(done.objects), 'output')} that no run needs or that can be made again "
                f"went, {done.object_bytes / _MIB:,.0f} MiB, to keep the store within "
                f"{limit_gib:g} GiB."
            )
            on_event(RunNotice(Notice("info", text)))

    def _report(self, run: RunFolder, on_event: RunSink) -> None:
        """Write the report; what the run did is whole without it."""
        try:
            write_run_report(run)
        except ImageloomError as problem:
            on_event(RunNotice(Notice("warning", f"There is no report: {problem.message}")))


class _IndexMirror:
    """Passes events on and keeps the index in step; the run does not depend on the database.

    It waits for moments only where somebody holds the database: whoever lists runs looks at their
    files as well, and the nodes would wait with it.
    """

    def __init__(self, engine: Engine, run: RunFolder, sink: RunSink) -> None:
        self._engine = engine
        self._run = run
        self._sink = sink
        self._is_in_trouble = False
        self._next_sync = 0.0

    def __call__(self, event: RunEvent) -> None:
        if isinstance(event, NodeChanged) and time.monotonic() >= self._next_sync:
            self.sync()
        self._sink(event)

    def sync(self) -> None:
        """Bring the index up to date; when that fails, say so and leave it to a later command."""
        if self._is_in_trouble:
            return
        try:
            self._engine._impatient_rows.sync(self._run)
            self._next_sync = time.monotonic() + _SYNC_INTERVAL_S
        except ImageloomError as problem:
            self._is_in_trouble = True
            text = f"{problem.message} The run goes on; the list of runs is behind."
            self._sink(RunNotice(Notice("warning", text)))


def _versions() -> dict[str, str]:
    versions = {"imageloom": __version__, "python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in ("torch", "torchvision")}
    extensions = extensions_digest()
    return versions | ({"extensions": extensions} if extensions else {})
