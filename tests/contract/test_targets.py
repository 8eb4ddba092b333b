"""What holds for one target holds for all: a new file in targets/ is tested here."""

import select
import sys
import time

import pytest

import imageloom.targets
from imageloom.files.locks import is_locked, release, try_lock
from imageloom.pipeline.run.job_folder import read_job, read_result
from imageloom.pipeline.run.jobs import work_of
from imageloom.registry import import_submodules
from imageloom.spec.job import LOG_FILE
from imageloom.spec.target import TARGETS
from imageloom.spec.target_kind import TARGET_KINDS

import_submodules(imageloom.targets)

DEADLINE_S = 60.0


SLOW = {"slurm": pytest.mark.slow}


@pytest.fixture(
    params=[
        pytest.param(name, marks=SLOW.get(name, ()))
        for name in dict.fromkeys([*TARGETS.names(), *TARGET_KINDS.names()])
    ]
)
def target(request, monkeypatch, odd_extensions):
    """Each target that is built in, and one of each kind, as a person's file would make it."""
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(odd_extensions))
    if request.param in TARGETS:
        return TARGETS.get(request.param)
    if request.param == "slurm":
        request.getfixturevalue("slurm")
    kind = TARGET_KINDS.get(request.param)
    options = {"python": sys.executable} if "python" in kind.options.model_fields else {}
    return kind.make(request.param, kind.options.parse(options))


@pytest.fixture
def start(target, make_odd_job, tmp_path):
    """Return a function that starts a job and gives its lock away; all are ended afterwards."""
    folders = []

    def start(*words):
        folder = make_odd_job(*words)
        lock = try_lock(tmp_path / "lock", "the test")
        target.start(folder, work_of(folder, read_job(folder)), lock=lock)
        release(lock)
        folders.append(folder)
        return folder

    yield start
    for folder in folders:
        target.stop(folder, at_once=True)
        wait_until(lambda folder=folder: target.status(folder).state == "ended")


def wait_until(is_so):
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)


def wait_for_end(target, folder):
    wait_until(lambda: target.status(folder).state != "running")
    return target.status(folder)


def has_begun(folder):
    return (folder / "events.jsonl").exists() and b"waiting" in (
        folder / "events.jsonl"
    ).read_bytes()


def test_it_says_who_it_is_and_what_it_can_give(target):
    assert target.title
    assert target.help.endswith(".")
    limits = target.limits
    assert min(limits.nodes, limits.processing_units_per_node) >= 1
    assert min(limits.heavy_jobs, limits.light_jobs) >= 1


def test_a_job_runs_and_answers_and_its_output_is_in_the_log(target, start):
    folder = start("chatter")
    assert wait_for_end(target, folder).state == "ended"
    assert read_result(folder).state == "completed"
    assert b"no terminal obeys this" in (folder / LOG_FILE).read_bytes()


def test_a_job_holds_its_lock_until_it_has_ended(target, start, tmp_path):
    folder = start("gate", "go")
    assert is_locked(tmp_path / "lock")
    assert target.status(folder).state == "running"
    (tmp_path / "go").touch()
    wait_for_end(target, folder)
    wait_until(lambda: not is_locked(tmp_path / "lock"))


def test_a_job_that_is_killed_frees_its_lock_and_the_target_says_so(target, start, tmp_path):
    folder = start("killed")
    status = wait_for_end(target, folder)
    assert "signal 9" in status.reason
    wait_until(lambda: not is_locked(tmp_path / "lock"))
    assert read_result(folder) is None


def test_a_job_that_is_asked_to_stop_saves_and_says_that_it_was_cancelled(target, start):
    folder = start("gate", "never")
    wait_until(lambda: has_begun(folder))
    target.stop(folder, at_once=False)
    assert wait_for_end(target, folder).state == "ended"
    assert read_result(folder).state == "cancelled"


def test_a_job_that_does_not_heed_is_ended_at_once(target, start):
    folder = start("deaf", "never")
    wait_until(lambda: has_begun(folder))
    target.stop(folder, at_once=False)
    assert target.status(folder).state == "running"
    target.stop(folder, at_once=True)
    assert wait_for_end(target, folder).state == "ended"
    assert read_result(folder) is None


def test_the_end_of_a_job_can_be_waited_for_where_the_target_can_signal_it(target, start, tmp_path):
    folder = start("gate", "go")
    signal = target.end_signal(folder)
    if signal is None:
        pytest.skip("the target has no signals")
    with open(signal, "rb", buffering=0):  # noqa: PTH123 - a descriptor, which is closed here
        assert select.select([signal], [], [], 0) == ([], [], [])
        (tmp_path / "go").touch()
        assert select.select([signal], [], [], DEADLINE_S)[0] == [signal]
        assert target.status(folder).state == "ended"


def test_stopping_what_has_ended_or_never_began_does_nothing(target, start, make_odd_job):
    folder = start("well")
    wait_for_end(target, folder)
    never = make_odd_job("well", node_id="never")
    for at_once in (False, True):
        target.stop(folder, at_once=at_once)
        target.stop(never, at_once=at_once)
    assert target.end_signal(never) is None
    assert read_result(folder).state == "completed"
    assert target.status(never).state == "ended"
