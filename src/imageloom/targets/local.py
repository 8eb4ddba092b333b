"""The local target: jobs are processes of this machine, one process for each."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import psutil
from pydantic import BaseModel, ConfigDict

from imageloom.errors import EnvironmentUnsuitableError, ImageloomError, named_error
from imageloom.files.publish import open_log, write_json
from imageloom.settings import read_settings
from imageloom.spec.job import LOG_FILE
from imageloom.spec.target import TARGETS, JobStatus, Limits, Work
from imageloom.spec.worker_environment import worker_environment
from imageloom.system.machine import (
    GPUS_VARIABLE,
    available_cores,
    count_oom_kills,
    processing_units,
    signal_name,
    visible_gpus,
)
from imageloom.system.processes import end_but_resource_trackers

WORKER_FILE: Final = "worker.json"
TOKEN_VARIABLE: Final = "IMAGELOOM_JOB_TOKEN"
_KILL_TIMEOUT_S: Final = 5.0  # for the kernel to end processes that wait for a disk, say
_CLOCK_TOLERANCE_S: Final = 2.0  # start times move with the clock of the machine when it is set


class Worker(BaseModel):
    """What must outlive the process that started a job, so that another can find and end it.

    Attributes:
        token: Stands in the environment of the worker and of all that it starts.
        pid: Number of the worker's process and of its process group; None until it is known.
        created: When that process began, as the machine tells, in seconds since 1970.
        gpu: The GPUs it was given, as CUDA names them, with commas; empty when none was.
        oom_kills: How many processes beside us had been ended for want of memory by then.
    """

    model_config = ConfigDict(frozen=True)

    token: str
    pid: int | None = None
    created: float | None = None
    gpu: str = ""
    oom_kills: int = 0


class LocalTarget:
    """Starts a Python process for each job.

    Args:
        environment: Variables to choose the workers' environment and GPUs from; by default those
            of this process.
    """

    name = "local"
    title = "This machine"
    help = "A process of its own on this machine; a job that needs a whole GPU gets one for itself."

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._children: dict[Path, subprocess.Popen[bytes]] = {}
        self._gpus_in_use: dict[Path, str] = {}
        self._ended: dict[str, JobStatus] = {}  # by token: another may start the same job again

    @property
    def limits(self) -> Limits:
        """One machine; as many processes, and jobs side by side, as it has GPUs and cores."""
        cores = available_cores()
        return Limits(
            nodes=1,
            processing_units_per_node=processing_units(self._environment),
            heavy_jobs=max(1, len(visible_gpus(self._environment))),
            light_jobs=cores,
            slots={
                "heavy": tuple(self._slots_of_gpus()) or (self._slot("heavy-0"),),
                "light": tuple(self._slot(f"light-{n}") for n in range(cores)),
            },
        )

    def require_reachable(self) -> None:
        """Return: this machine is here."""

    def start(self, folder: Path, work: Work, *, lock: int | None = None) -> None:
        """Start the process of a job.

        Raises:
            EnvironmentUnsuitableError: The machine starts no more processes.
            FailedToWriteOutputsError: The job's folder cannot be written.
        """
        gpu = self._free_gpus(work)
        worker = Worker(token=secrets.token_hex(16), gpu=gpu, oom_kills=count_oom_kills())
        # Before there is a process, so that it can be found by its token whatever becomes of us.
        _write(folder, worker)
        environment = {
            **worker_environment(self._environment),
            **work.environment,
            TOKEN_VARIABLE: worker.token,
        }
        if gpu:
            environment[GPUS_VARIABLE] = gpu
        child = _start_process(folder, work, lock, environment)
        created = psutil.Process(child.pid).create_time()
        try:
            _write(folder, worker.model_copy(update={"pid": child.pid, "created": created}))
        except ImageloomError:
            _end_all(worker, child)  # a caller who hears of an error must not have a job
            child.wait()
            raise
        self._children[folder] = child
        self._gpus_in_use[folder] = gpu

    def status(self, folder: Path) -> JobStatus:
        """Say whether a job runs and how it ended; what its worker left running is ended."""
        child = self._children.get(folder)
        if child is not None and not _has_ended(child):
            return JobStatus("running")
        worker = _read(folder)
        token = "" if worker is None else worker.token
        if token in self._ended:
            return self._ended[token]
        if child is None and worker is not None and _find(worker) is not None:
            self._gpus_in_use[folder] = worker.gpu
            return JobStatus("running")
        _end_all(worker, child)
        code = None if child is None else child.wait()
        self._children.pop(folder, None)
        self._gpus_in_use.pop(folder, None)
        self._ended[token] = _how_it_ended(code, worker)
        return self._ended[token]

    def end_signal(self, folder: Path) -> int | None:
        """Return a descriptor of the worker's process, where the system has such (Linux)."""
        child = self._children.get(folder)
        if child is None or not hasattr(os, "pidfd_open"):
            return None
        try:
            return os.pidfd_open(child.pid)  # nobody waited for it yet, so the number is its own
        except OSError:  # no descriptors left, or a kernel before 5.3
            return None

    def stop(self, folder: Path, *, at_once: bool) -> None:
        """Send SIGTERM to a job's worker, or SIGKILL to it and to all that it started."""
        worker = _read(folder)
        if at_once:
            _end_all(worker, self._children.get(folder))
        elif worker is not None and (process := _find(worker)) is not None:
            # The worker alone: it still needs its children while it saves.
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()

    def _free_gpus(self, work: Work) -> str:
        """Return the GPUs for a job, as many as it has processes; those without a job first."""
        if work.demand == "light":
            return ""
        if work.slots:
            gpu_of = self._slots_of_gpus()
            return ",".join(gpu_of[slot] for slot in work.slots if slot in gpu_of)
        gpus = visible_gpus(self._environment)
        used = [gpu for names in self._gpus_in_use.values() for gpu in names.split(",")]
        in_order = sorted(gpus, key=used.count)
        return ",".join(in_order[: work.scale.processes_per_node])

    def _slots_of_gpus(self) -> dict[Path, str]:
        gpus = visible_gpus(self._environment)
        return {self._slot(f"gpu-{urllib.parse.quote(gpu, safe='')}"): gpu for gpu in gpus}

    def _slot(self, name: str) -> Path:
        return read_settings(self._environment).slots / f"{name}.lock"


def _start_process(
    folder: Path, work: Work, lock: int | None, environment: dict[str, str]
) -> "subprocess.Popen[bytes]":
    # -u: what was printed before a crash is in the log. -P: a folder that a person happens to
    # stand in cannot replace a module of ours by a file of the same name.
    command = [sys.executable, "-u", "-P", *work.program]
    with open_log(folder / LOG_FILE) as stream:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=environment,
                pass_fds=(*work.slots.values(), *(() if lock is None else (lock,))),
                start_new_session=True,
            )
        except OSError as problem:
            if known := named_error(problem):
                raise known from problem
            raise EnvironmentUnsuitableError(
                f"No worker process could be started: {problem.strerror or problem}.",
                hint="Is the machine out of memory or of processes? Close other programs, or wait.",
                reason="no-process",
            ) from problem


def _write(folder: Path, worker: Worker) -> None:
    write_json(folder / WORKER_FILE, worker.model_dump())


def _read(folder: Path) -> Worker | None:
    """Return what was written down of a job's worker, or None if none was ever started."""
    try:
        return Worker.model_validate_json((folder / WORKER_FILE).read_bytes())
    except FileNotFoundError:
        return None


def _find(worker: Worker) -> psutil.Process | None:
    """Return the worker's process if it is alive and the very one that was started."""
    if worker.pid is None or worker.created is None:  # who started it was killed at that moment
        return min(_family(worker), key=psutil.Process.create_time, default=None)
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(worker.pid)
        is_same = abs(process.create_time() - worker.created) < _CLOCK_TOLERANCE_S
        if is_same and process.status() != psutil.STATUS_ZOMBIE and _has_token(process, worker):
            return process
    return None


def _family(worker: Worker) -> Iterator[psutil.Process]:
    """Yield all living processes that a worker started, and itself."""
    for process in psutil.process_iter():
        if _has_token(process, worker):
            yield process


def _has_token(process: psutil.Process, worker: Worker) -> bool:
    try:
        return process.environ().get(TOKEN_VARIABLE) == worker.token
    except (psutil.Error, OSError):  # somebody else's, or gone
        return False


def _end_all(worker: Worker | None, child: "subprocess.Popen[bytes] | None") -> None:
    """End a job's processes, also those that left its process group."""
    end_but_resource_trackers(list(_family(worker)) if worker is not None else [])
    if child is not None and child.returncode is None:
        # Our child was not waited for yet, so the number is still its group's and nobody else's.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    give_up = time.monotonic() + _KILL_TIMEOUT_S
    while worker is not None and time.monotonic() < give_up:
        left = list(_family(worker))
        if not left:
            return
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(0.005)  # not psutil.wait_procs, which would take our child's exit code away


def _has_ended(child: "subprocess.Popen[bytes]") -> bool:
    """Whether a child has ended, without taking away its number (``WNOWAIT``)."""
    try:
        return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # we were started with SIGCHLD ignored, so the kernel keeps no codes
        return True


def _how_it_ended(code: int | None, worker: Worker | None) -> JobStatus:
    if worker is None:
        reason = "never started"
    elif code is None:
        reason = "ended while nobody watched it"
    elif code < 0:
        reason = f"killed by signal {-code} ({signal_name(-code)})"
    else:
        reason = f"ended with exit code {code}"
    # The kernel ends processes by SIGKILL when memory runs out; others do so as well.
    may_be = code in (-signal.SIGKILL, None)
    return JobStatus(
        "ended",
        reason=reason,
        out_of_memory=may_be and worker is not None and count_oom_kills() > worker.oom_kills,
    )


TARGETS.declare("local", LocalTarget())
