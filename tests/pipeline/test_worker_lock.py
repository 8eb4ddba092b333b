"""A worker on another machine takes its lock itself, once nobody else has it."""

import os
import subprocess
import threading
import time

import pytest

from imageloom.events import CancelToken
from imageloom.files.locks import holder, release, try_lock
from imageloom.pipeline.run.job_folder import read_job, read_result
from imageloom.pipeline.run.worker_lock import take_lock
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.job import LOCK_WANTED_FILE, RESULT_FILE
from imageloom.spec.target import TAKE_LOCK_VARIABLE
from imageloom.worker import run_job

from .engine import all_toys, wait_until


@pytest.fixture
def folder(make_odd_job):
    return make_odd_job("well")


@pytest.fixture
def place(folder):
    job = read_job(folder)
    return Workspace(folder.parents[3]).work_lock(job.key)


def test_it_waits_says_that_it_waits_and_then_holds_the_lock(folder, place):
    lock = try_lock(place, "the test")
    taken = []
    worker = threading.Thread(target=lambda: taken.append(take_lock(folder, CancelToken())))
    worker.start()
    wait_until((folder / LOCK_WANTED_FILE).exists)
    assert holder(place) == "the test"
    release(lock)
    worker.join(10)
    assert holder(place) == "node odd of run r1"
    release(taken[0])


def test_a_free_lock_is_not_asked_for(folder, place):
    lock = take_lock(folder, CancelToken())
    assert holder(place) == "node odd of run r1"
    assert not (folder / LOCK_WANTED_FILE).exists()
    release(lock)


def test_one_that_is_stopped_while_it_waits_touches_nothing(folder, place, tmp_path):
    lock = try_lock(place, "the test")
    theirs = Workspace(tmp_path / "workspace").work_outputs(read_job(folder).key) / "value"
    theirs.mkdir(parents=True)
    token = CancelToken()
    token.set("SIGTERM")
    assert take_lock(folder, token) is None
    assert run_job(folder, all_toys(), cancel=token).state == "cancelled"
    assert read_result(folder).state == "cancelled"
    assert theirs.is_dir()
    release(lock)


def test_a_worker_takes_its_lock_when_it_is_told_to(folder, place, odd_extensions, python):
    stale = '{"state": "cancelled"}'  # its queue started it before, and pre-empted it
    (folder / RESULT_FILE).write_text(stale, encoding="utf-8")
    lock = try_lock(place, "the test")
    environment = {"IMAGELOOM_EXTENSIONS": str(odd_extensions), TAKE_LOCK_VARIABLE: "1"}
    command = [python, "-P", "-m", "imageloom.worker", str(folder)]
    with subprocess.Popen(command, env=os.environ | environment) as worker:
        wait_until((folder / LOCK_WANTED_FILE).exists)
        time.sleep(0.2)
        assert read_result(folder) is None
        release(lock)
        assert worker.wait(60) == 0
    assert read_result(folder).state == "completed"
