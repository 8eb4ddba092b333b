"""Jobs of toy ranks."""

import contextlib
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from imageloom.launch.local.attempts import RankJob
from imageloom.launch.local.one_machine import OneMachine
from imageloom.launch.local.watch import Patience

TOY = Path(__file__).with_name("toy_rank.py")
DEADLINE_S = 60.0


@dataclass(frozen=True)
class ToyJob:
    """Toy ranks on this machine."""

    job: RankJob
    processes: int
    max_restarts: int

    @property
    def logs(self):
        return self.job.logs

    @property
    def crew(self):
        return OneMachine(self.processes, lambda: contextlib.nullcontext({"MASTER_PORT": "0"}))


@pytest.fixture
def toy_job(tmp_path):
    """Return a function that makes a job of toy ranks: what each of them does, by number."""

    def make(processes=2, plan=None, *, max_restarts=0, **patience):
        folder = tmp_path / "toys"
        folder.mkdir(exist_ok=True)
        logs = tmp_path / "logs"
        logs.mkdir(exist_ok=True)
        job = RankJob(
            command=(sys.executable, "-u", str(TOY), str(folder), json.dumps(plan or {})),
            logs=logs,
            environment=dict(os.environ),
            patience=Patience(**{"others_s": 10.0, "hang_s": 30.0} | patience),
        )
        return ToyJob(job, processes, max_restarts)

    return make


@pytest.fixture
def toys(tmp_path):
    """The folder in which toy ranks leave their marks."""
    return tmp_path / "toys"


@pytest.fixture
def wait_until():
    """Return a function that waits for a condition, and fails when it does not come true."""

    def wait(is_so, what=""):
        deadline = time.monotonic() + DEADLINE_S
        while not is_so():
            assert time.monotonic() < deadline, what
            time.sleep(0.01)

    return wait
