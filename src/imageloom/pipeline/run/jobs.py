"""One job: how it is asked, started, followed and stopped."""

import contextlib
import os
import re
import select
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from imageloom.files.event_lines import EventTail
from imageloom.files.publish import write_json
from imageloom.pipeline.run.ending import ending
from imageloom.pipeline.run.events import NodeEvent, RunSink
from imageloom.pipeline.run.job_log import shorten_log
from imageloom.pipeline.run.keys import PlannedNode
from imageloom.pipeline.run_record import NodeFacts, Wait
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.spec.job import EVENTS_FILE, JOB_FILE, LOG_FILE, STOP_ASKED_FILE, Job, to_json
from imageloom.spec.run_settings import RunSettings
from imageloom.spec.target import Target, Work

MAX_LOG_BYTES: Final = 64 * 1024 * 1024
SAVE_TIMEOUT_S: Final = 25.0  # for a job that was asked to stop, before it is ended; in the guides
_LOCK_NOTE: Final = re.compile(r"node (\S+) of run (\S+)")


class FollowedJob:
    """A job that runs, whoever started it.

    Args:
        folder: The job's folder, named after its node.
        target: Where it runs.
        facts: What is known of the node, its state ``running`` among it.
        store: Where its result goes.
        hear_from: Byte of the file of events to begin at.

    Attributes:
        note: What the target says of the job while that has not ended, as a sentence.
    """

    def __init__(
        self,
        folder: Path,
        target: Target,
        *,
        facts: NodeFacts,
        store: ObjectStore,
        hear_from: int = 0,
    ) -> None:
        self.folder = folder
        self.facts = facts
        self._target = target
        self._store = store
        self._tail = EventTail(folder / EVENTS_FILE, start=hear_from)
        self._stop_by: float | None = None
        self._was_ended = False
        self.note = ""

    def poll(self, on_event: RunSink) -> NodeFacts | None:
        """Pass on what the job told since the last call; return the facts of its end once it has.

        Whatever the job left running is gone by then.
        """
        # Asked before its events are read, so that none of an ended job is missed.
        status = self._target.status(self.folder)
        shorten_log(self.folder / LOG_FILE, limit_bytes=MAX_LOG_BYTES)
        while events := self._tail.read():
            for event in events:
                on_event(NodeEvent(self.folder.name, event))
            if status.state != "ended":
                break  # the rest can wait, other jobs cannot
        if status.state != "ended":
            self.note = status.note
            return None
        return ending(
            self.folder,
            status,
            before=self.facts,
            store=self._store,
            was_stopped=self._stop_by is not None,
        )

    def end_signal(self) -> int | None:
        """Return a descriptor as ``Target.end_signal`` does."""
        return self._target.end_signal(self.folder)

    def stop(self, *, at_once: bool) -> None:
        """Ask the job to save and stop; end it if it was asked too long ago, or at once.

        It may be called again and again, also by one process after the other: a job is asked once,
        because some end at once when they are asked twice.
        """
        if self._stop_by is None:
            self._stop_by = time.monotonic() + SAVE_TIMEOUT_S - self._ask_once()
        if not self._was_ended and (at_once or time.monotonic() > self._stop_by):
            self._was_ended = True
            self._target.stop(self.folder, at_once=True)

    def _ask_once(self) -> float:
        """Ask the job to save and stop, unless it was; return how long ago that was, in seconds."""
        asked = self.folder / STOP_ASKED_FILE
        try:
            return max(0.0, time.time() - asked.stat().st_mtime)
        except OSError:
            self._target.stop(self.folder, at_once=False)
        with contextlib.suppress(OSError):  # a full disk must not keep it from stopping
            asked.touch()
        return 0.0


def wait_for_any(jobs: Iterable[FollowedJob], *, timeout_s: float) -> None:
    """Wait for the end of a job, but not long: there is more to look at, such as cancelling."""
    ends = select.poll()
    with contextlib.ExitStack() as open_signals:
        for job in jobs:
            if (signal := job.end_signal()) is not None:
                open_signals.callback(os.close, signal)
                ends.register(signal, select.POLLIN)
        ends.poll(timeout_s * 1000)


def start_job(
    folder: Path, job: Job, *, target: Target, lock: int, slots: Mapping[Path, int]
) -> int:
    """Start a job in its folder.

    Args:
        folder: The folder, which may hold what an earlier execution of the node left.
        job: What it is to do.
        target: Where it is to run.
        lock: A descriptor that holds the lock of the job's key; the job keeps a copy.
        slots: Descriptors that hold its slots, by file; the job keeps copies.

    Returns:
        Byte of its file of events at which this execution's begin.

    Raises:
        ImageloomError: It could not be started.
    """
    (folder / STOP_ASKED_FILE).unlink(missing_ok=True)
    write_json(folder / JOB_FILE, to_json(job))
    events = folder / EVENTS_FILE
    begin = events.stat().st_size if events.exists() else 0
    target.start(folder, replace(work_of(folder, job), slots=slots), lock=lock)
    return begin


def work_of(folder: Path, job: Job) -> Work:
    """Return what a target runs for a job: the worker in its folder."""
    return Work(
        program=("-m", "imageloom.worker", str(folder)),
        demand=job.demand,
        scale=RunSettings.parse(job.settings).scale,
    )


def job_of(planned: PlannedNode, store: ObjectStore, *, run_id: str, base: str) -> Job:
    """Return what a node asks of its worker."""
    resolved = planned.resolved
    component = resolved.component
    return Job(
        run_id=run_id,
        node_id=resolved.node.id,
        component=component.name,
        params=resolved.params.model_dump(mode="json"),
        settings=resolved.settings.model_dump(mode="json"),
        inputs={port: str(store.path(output.object)) for port, output in planned.inputs.items()},
        output_ports={port.name: port.type for port in component.given_outputs(resolved.params)},
        key=planned.key,
        workspace=str(store.workspace.root),
        base=base,
        demand=component.demand,
    )


def lock_note(run_id: str, node_id: str) -> str:
    """Return what the lock of a key says about who makes its result."""
    return f"node {node_id} of run {run_id}"


def maker_of(note: str) -> Wait:
    """Return that a node waits for whoever left such a note on the lock of a key."""
    found = _LOCK_NOTE.fullmatch(note)
    return Wait(kind="result", run=found[2], node=found[1]) if found else Wait(kind="result")
