"""The process in which a node runs: ``python -m imageloom.worker FOLDER``.

It reads the job, calls the component, moves what that published into the store, and answers with
``result.json``, which is written last: whoever finds it can rely on everything else.
"""

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from imageloom.errors import (
    FailedToWriteOutputsError,
    ImageloomError,
    LibraryError,
    RunInterruptedError,
    any_error,
    printable,
)
from imageloom.events import CancelToken, Control, Event, Notice
from imageloom.files.event_lines import EventWriter
from imageloom.files.log_errors import with_log_position
from imageloom.files.publish import write_json
from imageloom.pipeline.run.worker_lock import take_lock
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.pipeline.workspace import Workspace
from imageloom.registry import Registry
from imageloom.spec.component import Component, Task
from imageloom.spec.job import (
    ERROR_FILE,
    EVENTS_FILE,
    JOB_FILE,
    LOG_FILE,
    RESULT_FILE,
    CacheEntry,
    Job,
    Output,
    Result,
    to_json,
)
from imageloom.spec.run_settings import RunSettings
from imageloom.spec.target import TAKE_LOCK_VARIABLE
from imageloom.system.pandas_left_out import leave_pandas_out
from imageloom.system.process_entry import end, listen, log_to_stderr

logger = logging.getLogger("imageloom.worker")  # not __name__, which is __main__ in a worker

MAX_WARNINGS: Final = 100  # in an answer, which is read at every use of the result
EXIT_CODES: Final = {"completed": 0, "failed": 1, "cancelled": 128 + signal.SIGTERM}


def main(folder: Path) -> int:
    """Run the job in a folder as this process's only work; return its exit code."""
    cancel = CancelToken()
    listen(cancel.set)
    leave_pandas_out(os.environ)
    log_to_stderr()
    began = time.monotonic()
    try:
        if os.environ.get(TAKE_LOCK_VARIABLE):
            for name in (RESULT_FILE, ERROR_FILE):  # of a start that was pre-empted
                (folder / name).unlink(missing_ok=True)
            take_lock(folder, cancel)
        from imageloom.components.catalogue import load_components

        components = load_components()
    except Exception as problem:  # noqa: BLE001 - extensions are loaded here; all is reported
        return EXIT_CODES[_answer_failed(folder, problem, began).state]
    return EXIT_CODES[run_job(folder, components, cancel=cancel).state]


def run_job(
    folder: Path, components: Registry[Component], *, cancel: CancelToken | None = None
) -> Result:
    """Do what ``job.json`` asks and write the answer.

    Args:
        folder: The job's folder.
        components: Where the job's component is found.
        cancel: Stops it at the component's next safe point.

    Returns:
        The content of ``result.json``. Nothing that a component does wrong is raised.
    """
    began = time.monotonic()
    cancel = cancel or CancelToken()
    on_event = _WarningKeeper(EventWriter(folder / EVENTS_FILE))
    try:
        job = Job.model_validate_json((folder / JOB_FILE).read_bytes())
        logger.info("Node %s of run %s: %s.", job.node_id, job.run_id, job.component)
        component = components.get(job.component)
        task = _task(job, folder, component=component, control=Control(on_event, cancel))
        outputs = _make_outputs(job, component, task)
        result = Result(
            state="completed",
            outputs=outputs,
            warnings=on_event.warnings,
            seconds=time.monotonic() - began,
        )
        _make_available(job, result)
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - a worker reports whatever it was
        if isinstance(problem, RunInterruptedError) and cancel.is_set:
            logger.info("%s", problem.message)
            return _answer(folder, Result(state="cancelled", seconds=time.monotonic() - began))
        return _answer_failed(folder, problem, began, warnings=on_event.warnings)
    finally:
        on_event.close()
    return _answer(folder, result)


class _WarningKeeper:
    """An event sink that passes events on and remembers the warnings among them."""

    def __init__(self, writer: EventWriter) -> None:
        self._writer = writer
        self._first: list[str] = []
        self._count = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Notice) and event.level == "warning":
            self._count += 1
            if self._count <= MAX_WARNINGS:
                self._first.append(event.message)
        self._writer(event)

    @property
    def warnings(self) -> tuple[str, ...]:
        more = self._count - len(self._first)
        return (*self._first, *([f"{more:,} more warnings are in {EVENTS_FILE}."] if more else []))

    def close(self) -> None:
        self._writer.close()


def _make_outputs(job: Job, component: Component, task: Task) -> dict[str, Output]:
    """Run the component and move what it published into the store."""
    task.cancel.raise_if_set()  # one that was stopped while it waited has no lock
    workspace = Workspace(Path(job.workspace))
    workspace.throw_away(workspace.work_outputs(job.key))  # what a killed worker left there
    workspace.work_outputs(job.key).mkdir(parents=True)
    task.scratch.mkdir(parents=True, exist_ok=True)
    digests = component.run(task)
    _require_outputs(job, task.outputs, digests)
    store = ObjectStore(workspace)
    outputs = {}
    for port, port_type in job.output_ports.items():
        stored = store.publish(task.outputs[port])
        outputs[port] = Output(
            type=port_type,
            object=stored.digest,
            digest=digests.get(port) or stored.digest,
            size_bytes=stored.size_bytes,
        )
    return outputs


def _task(job: Job, folder: Path, *, component: Component, control: Control) -> Task:
    workspace = Workspace(Path(job.workspace))
    outputs = workspace.work_outputs(job.key)
    return Task(
        params=component.params.parse(job.params),
        inputs={port: Path(place) for port, place in job.inputs.items()},
        outputs={port: outputs / port for port in job.output_ports},
        scratch=workspace.work_scratch(job.key),
        record=folder,
        settings=RunSettings.parse(job.settings),
        base=Path(job.base),
        uploads=workspace.uploads,
        on_event=control.on_event,
        cancel=control.cancel,
    )


def _require_outputs(job: Job, outputs: Mapping[str, Path], digests: Mapping[str, str]) -> None:
    missing = [port for port, place in outputs.items() if not place.exists()]
    if missing:
        raise FailedToWriteOutputsError(
            f"{job.component} ended without publishing {', '.join(missing)}.",
            hint="This is a fault of the component; its author needs the log of this node.",
            reason="missing-output",
            details={"missing": missing},
        )
    unknown = sorted(set(digests) - set(outputs))
    if unknown:
        raise FailedToWriteOutputsError(
            f"{job.component} gave a digest for {', '.join(unknown)}, which it does not output.",
            hint="This is a fault of the component; its author needs the log of this node.",
            reason="unknown-output",
        )


def _make_available(job: Job, result: Result) -> None:
    """Keep a result for whoever needs it, and clear away what it was made with."""
    workspace = Workspace(Path(job.workspace))
    ObjectStore(workspace).keep(
        CacheEntry(
            key=job.key,
            component=job.component,
            run_id=job.run_id,
            node_id=job.node_id,
            outputs=result.outputs,
            warnings=result.warnings,
            seconds=result.seconds,
        )
    )
    workspace.throw_away(workspace.work_scratch(job.key))
    workspace.throw_away(workspace.work_outputs(job.key))
    workspace.empty_trash()


def _answer_failed(
    folder: Path, problem: BaseException, began: float, *, warnings: tuple[str, ...] = ()
) -> Result:
    # The traceback is for the log; the message stands in the error.
    logger.error("%s", printable("".join(traceback.format_exception(problem))))
    error = with_log_position(_error_of(problem), folder / LOG_FILE)
    write_json(folder / ERROR_FILE, error)
    seconds = time.monotonic() - began
    content = {"state": "failed", "error": error, "seconds": seconds, "warnings": warnings}
    return _answer(folder, Result.model_validate(content))


def _error_of(problem: BaseException) -> ImageloomError:
    if isinstance(problem, SystemExit):
        return LibraryError(
            f"The component called sys.exit({problem.code!r}) instead of giving an answer.",
            hint=f"This is a fault of the component; its author needs {LOG_FILE}.",
            reason="exit",
        )
    return any_error(
        problem,
        f"This has no name yet, so it may be a fault of Imageloom. The traceback is in {LOG_FILE}.",
    )


def _answer(folder: Path, result: Result) -> Result:
    write_json(folder / RESULT_FILE, to_json(result))
    return result


if __name__ == "__main__":
    end(main(Path(sys.argv[1])))
