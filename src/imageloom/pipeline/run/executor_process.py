"""The process that executes a run on its own, whatever becomes of the one that started it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from imageloom.errors import (
    ERROR_FILE_VARIABLE,
    EnvironmentUnsuitableError,
    ImageloomError,
    StoreCorruptError,
    WorkerLostError,
    error_from_json,
    named_error,
)
from imageloom.events import CancelToken
from imageloom.files.publish import open_log, read_json
from imageloom.pipeline.run_folder import RunFolder

_POLL_S: Final = 0.02
_ASKED_AT_VARIABLE: Final = "IMAGELOOM_ASKED_AT"


def take_asked_at(environment: MutableMapping[str, str]) -> float | None:
    """Return when somebody asked for this process by ``start_executor``, or None if nobody did.

    The variable is taken out of the environment: it is not for processes that this one starts.
    """
    try:
        return float(environment.pop(_ASKED_AT_VARIABLE))
    except (KeyError, ValueError):
        return None


def start_executor(run: RunFolder, workspace: Path, *, cancel: CancelToken) -> None:
    """Begin or go on with a run in a session of its own, and return once that executes it.

    The process outlives this one and its terminal, and heeds who asks to cancel the run from now
    on. Where this one lives on, it takes note of the other's end, so that no zombie is left.

    Args:
        run: The run.
        workspace: Where it lies.
        cancel: Asks to stop; set before the run is executed, it ends the process that was started.

    Raises:
        ImageloomError: The process ended before it executed the run; the error is its own.
        WorkerLostError: It was killed before it could say why.
        EnvironmentUnsuitableError: The machine starts no more processes.
        RunInterruptedError: Somebody asked to stop.
    """
    run.require()
    asked_at = time.time()
    run.executor_error.unlink(missing_ok=True)
    before = run.history().changed
    executor = _start(run, workspace, asked_at)
    threading.Thread(target=executor.wait, daemon=True).start()  # reaps it
    while not run.is_executed_by(executor.pid):
        if executor.returncode is not None:
            if run.history().changed == before:
                raise _why_it_ended(run, executor.returncode)
            return  # it was quick
        if cancel.is_set:
            executor.terminate()
            cancel.raise_if_set()
        time.sleep(_POLL_S)


def _start(run: RunFolder, workspace: Path, asked_at: float) -> "subprocess.Popen[bytes]":
    # -P: a folder that a person stands in cannot replace a module of ours by a file of that name.
    program = [sys.executable, "-u", "-P", "-m", "imageloom"]
    words = ["run", "--resume", run.id, "--workspace", str(workspace)]
    variables = {
        ERROR_FILE_VARIABLE: str(run.executor_error.absolute()),
        _ASKED_AT_VARIABLE: repr(asked_at),
    }
    with open_log(run.executor_log) as stream:
        try:
            return subprocess.Popen(
                [*program, *words],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env={**os.environ, **variables},
                start_new_session=True,
            )
        except OSError as problem:
            raise named_error(problem) or EnvironmentUnsuitableError(
                f"No process could be started for run {run.id}: {problem.strerror or problem}.",
                hint="Is the machine out of memory or of processes? Close other programs, or wait.",
                reason="no-process",
            ) from problem


def _why_it_ended(run: RunFolder, code: int) -> ImageloomError:
    try:
        return error_from_json(read_json(run.executor_error, StoreCorruptError))
    except (OSError, ImageloomError):
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return WorkerLostError(
            f"The process for run {run.id} {how} before the run began.",
            hint=f"What it wrote is in {run.executor_log}.",
            reason="executor-lost",
        )
