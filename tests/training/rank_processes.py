"""Starts the processes of a run as a launcher would, without one: for tests."""

import os
import socket
import time
from pathlib import Path

from warm_python import start_program

from imageloom.training.params import TrainParams

# What each process of a run does. ``extra`` is Python of a test; it may use what stands above it.
CONTINUE_RUN = """
import os, signal, sys
from pathlib import Path
from imageloom.distributed.ranks import ranks_from_environment
from imageloom.errors import ImageloomError, RunInterruptedError
from imageloom.events import CancelToken, Control
from imageloom.training.step import Stepper
from imageloom.training.train import continue_run

run, extra = sys.argv[1:]
ranks, cancel = ranks_from_environment(os.environ), CancelToken()

def at_step(rank, number, action):
    # At the number-th step of this process, after the backward pass and before the update.
    real, seen = Stepper._gradient_norm, [0]
    def norm(self):
        seen[0] += 1
        if ranks.rank == rank and seen[0] == number:
            action()
        return real(self)
    Stepper._gradient_norm = norm

exec(extra)
code = 0
try:
    continue_run(Path(run), ranks=ranks, control=Control(cancel=cancel))
except ImageloomError as problem:
    print(type(problem).__name__, problem, file=sys.stderr)
    code = 143 if isinstance(problem, RunInterruptedError) else 1
"""
PREPARE = """
import sys
from pathlib import Path
from imageloom.events import Control
from imageloom.training.params import TrainParams
from imageloom.training.train import NewRun, prepare_run

network, training, validation, out, params = sys.argv[1:]
params = TrainParams.model_validate_json(params)
new = NewRun(network, Path(training), Path(validation), Path(out), params=params)
prepare_run(new, processes=2, control=Control())
"""
# As imageloom.launch.rank ends: a thread of gloo that wants the ending interpreter would abort it.
END = """
sys.stdout.flush()
sys.stderr.flush()
os._exit(globals().get("code", 0))
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start_ranks(program, *arguments, world_size=2, timeout_s=60):
    """Start one process per rank; the program's ``code`` is its exit status."""
    port = str(free_port())
    shared = {
        **os.environ,
        "WORLD_SIZE": str(world_size),
        "LOCAL_WORLD_SIZE": str(world_size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "GLOO_SOCKET_IFNAME": "lo",
        "IMAGELOOM_RANK_TIMEOUT_S": str(timeout_s),
    }
    return [
        start_program(
            program + END,
            *map(str, arguments),
            environment={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(world_size)
    ]


def end_ranks(processes, limit_s=120):
    """Wait for all; return their exit statuses and what they said on standard error."""
    deadline = time.monotonic() + limit_s
    try:
        for process in processes:
            process.wait(max(1, deadline - time.monotonic()))
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return [process.returncode for process in processes], [process.stderr for process in processes]


def continue_on_ranks(run, *, world_size=2, extra="pass", timeout_s=60):
    """Let each rank continue the run; return exit statuses and errors."""
    return end_ranks(
        start_ranks(CONTINUE_RUN, run, extra, world_size=world_size, timeout_s=timeout_s)
    )


def train_on_ranks(network: str, pictures, out: Path, params: TrainParams) -> Path:
    """Train a network on two processes from its beginning to its end; return the run."""
    words = [network, *map(str, pictures), str(out), params.model_dump_json()]
    preparing = start_program(PREPARE, *words, environment=os.environ)
    assert preparing.wait() == 0, preparing.stderr
    statuses, errors = continue_on_ranks(out)
    assert statuses == [0, 0], errors
    return out
