"""Processes of this machine: what they inherit, how they end, and that no stranger is touched."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from imageloom.errors import EnvironmentUnsuitableError, FailedToWriteOutputsError
from imageloom.files.locks import release, try_lock
from imageloom.files.publish import write_json
from imageloom.pipeline.run.job_folder import read_job, read_result
from imageloom.pipeline.run.jobs import work_of
from imageloom.pipeline.run.slots import Need, Slots
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.pipeline.workspace import Workspace
from imageloom.registry import Registry
from imageloom.spec.job import LOG_FILE
from imageloom.spec.target import Work
from imageloom.targets import local
from imageloom.targets.local import (
    TOKEN_VARIABLE,
    WORKER_FILE,
    LocalTarget,
    Worker,
)

DEADLINE_S = 60.0


@pytest.fixture
def target(odd_extensions):
    return LocalTarget(dict(os.environ) | {"IMAGELOOM_EXTENSIONS": str(odd_extensions)})


@pytest.fixture
def start(target, make_odd_job, tmp_path):
    """Return a function that starts a job, on any target; all are ended afterwards."""
    jobs = []

    def start(*words, on=target, slots=None, **changes):
        folder = make_odd_job(*words, **changes)
        lock = try_lock(tmp_path / f"lock-{folder.name}", "the test")
        try:
            work = work_of(folder, read_job(folder))
            on.start(folder, dataclasses.replace(work, slots=slots or {}), lock=lock)
        finally:
            release(lock)
        jobs.append((on, folder))
        return folder

    yield start
    for on, folder in jobs:
        on.stop(folder, at_once=True)
        wait_for_end(on, folder)


def wait_until(is_so):
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)


def wait_for_end(target, folder):
    wait_until(lambda: target.status(folder).state == "ended")
    return target.status(folder)


def worker_of(folder):
    return Worker.model_validate_json((folder / WORKER_FILE).read_bytes())


def is_alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def has_begun(folder):
    events = folder / "events.jsonl"
    return events.exists() and b"waiting" in events.read_bytes()


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("killed", "killed by signal 9 (SIGKILL)"),
        ("crash", "killed by signal 11 (SIGSEGV)"),
        ("leave_hard", "ended with exit code 0"),
    ],
)
def test_a_job_without_an_answer_has_a_reason(target, start, how, reason):
    folder = start(how)
    status = wait_for_end(target, folder)
    assert (status.reason, status.out_of_memory) == (reason, False)
    assert read_result(folder) is None


def test_a_caller_that_ignores_the_ends_of_its_children_gets_the_answers_too(target, start):
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        folder = start("well")
        wait_for_end(target, folder)
        assert read_result(folder).state == "completed"
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_a_crash_in_native_code_leaves_its_place_in_the_log(target, start):
    folder = start("crash")
    wait_for_end(target, folder)
    log = (folder / LOG_FILE).read_text(encoding="utf-8")
    assert "Segmentation fault" in log
    assert "odd_toys.py" in log


def test_what_a_component_left_running_is_ended_with_its_job(target, start, tmp_path):
    folder = start("orphan", "pids")
    wait_until((tmp_path / "pids").exists)
    wait_for_end(target, folder)
    pids = [int(word) for word in (tmp_path / "pids").read_text(encoding="utf-8").split()]
    assert len(pids) == 2
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_out_of_memory_is_told_from_other_kills_by_the_kernels_count(target, start, monkeypatch):
    monkeypatch.setattr(local, "count_oom_kills", lambda: 4)
    folder = start("killed")
    monkeypatch.setattr(local, "count_oom_kills", lambda: 5)
    assert wait_for_end(target, folder).out_of_memory


def test_a_failure_beside_an_out_of_memory_kill_is_not_taken_for_one(target, start, monkeypatch):
    monkeypatch.setattr(local, "count_oom_kills", lambda: 4)
    folder = start("crash")
    monkeypatch.setattr(local, "count_oom_kills", lambda: 5)
    assert not wait_for_end(target, folder).out_of_memory


def test_another_process_finds_and_stops_a_job(target, start):
    folder = start("gate", "never")
    wait_until(lambda: has_begun(folder))
    other = LocalTarget()
    assert other.status(folder).state == "running"
    other.stop(folder, at_once=False)
    wait_until(lambda: read_result(folder) is not None)
    assert read_result(folder).state == "cancelled"
    assert wait_for_end(other, folder).reason == "ended while nobody watched it"


def test_a_job_that_another_process_started_again_is_not_taken_for_its_earlier_life(
    target, start, tmp_path, odd_extensions
):
    (tmp_path / "go").touch()
    folder = start("gate", "go")
    wait_for_end(target, folder)
    (tmp_path / "go").unlink()
    other = LocalTarget(dict(os.environ) | {"IMAGELOOM_EXTENSIONS": str(odd_extensions)})
    start("gate", "go", on=other)
    assert target.status(folder).state == "running"


def test_a_job_whose_number_cannot_be_written_down_is_ended_again(target, start, monkeypatch):
    written = []

    def write_once(path, content):
        if written:
            raise FailedToWriteOutputsError("No space left.")
        write_json(path, content)
        written.append(content["token"])

    monkeypatch.setattr(local, "write_json", write_once)
    with pytest.raises(FailedToWriteOutputsError, match="No space left"):
        start("gate", "never")
    tokens = [TOKEN_VARIABLE + "=" + token for token in written]
    wait_until(lambda: not any(word in environments() for word in tokens))


def environments():
    """Return the environments of all processes as one text."""
    texts = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            texts += [f"{name}={value}" for name, value in process.environ().items()]
    return "\n".join(texts)


def test_a_worker_whose_starter_was_killed_before_it_noted_its_number_is_found(target, start):
    folder = start("gate", "never")
    pid = worker_of(folder).pid
    unknown = worker_of(folder).model_copy(update={"pid": None, "created": None})
    (folder / WORKER_FILE).write_text(unknown.model_dump_json(), encoding="utf-8")
    other = LocalTarget()
    assert other.status(folder).state == "running"
    other.stop(folder, at_once=True)
    wait_until(lambda: not is_alive(pid))


@pytest.mark.parametrize("changes", [{"token": "another"}, {"created": 1.0}])
def test_s28_a_stranger_with_the_same_number_is_not_touched(target, make_odd_job, changes):
    environment = dict(os.environ) | {TOKEN_VARIABLE: "mine"}
    command = [sys.executable, "-c", "import time; time.sleep(1000)"]
    with subprocess.Popen(command, env=environment, start_new_session=True) as stranger:
        try:
            created = psutil.Process(stranger.pid).create_time()
            worker = Worker(token="mine", pid=stranger.pid, created=created)
            folder = make_odd_job("well")
            wrong = worker.model_copy(update=changes | {"token": "another"})
            (folder / WORKER_FILE).write_text(wrong.model_dump_json(), encoding="utf-8")
            assert target.status(folder).state == "ended"
            target.stop(folder, at_once=False)
            target.stop(folder, at_once=True)
            time.sleep(0.1)
            assert stranger.poll() is None
            (folder / WORKER_FILE).write_text(worker.model_dump_json(), encoding="utf-8")
            LocalTarget().stop(folder, at_once=False)
            assert stranger.wait(DEADLINE_S) == -signal.SIGTERM, "with the right facts it is ours"
        finally:
            stranger.kill()


def test_s21_secrets_and_what_is_not_needed_do_not_reach_a_worker(odd_extensions, start):
    secrets = {
        name: f"secret-{number}"
        for number, name in enumerate(
            ("AWS_SECRET_ACCESS_KEY", "TOKEN", "PASSWORD", "HF_TOKEN", "IMAGELOOM_DATABASE_URL")
        )
    }
    target = LocalTarget(
        dict(os.environ)
        | {"IMAGELOOM_EXTENSIONS": str(odd_extensions), "EDITOR": "vi", "OMP_NUM_THREADS": "3"}
        | secrets
    )
    folder = start("environment", on=target)
    wait_for_end(target, folder)
    (output,) = read_result(folder).outputs.values()
    store = ObjectStore(Workspace(folder.parents[3]))
    text = (store.path(output.object) / "value.txt").read_text(encoding="utf-8")
    seen = json.loads(text)
    assert seen["OMP_NUM_THREADS"] == "3"
    assert not {*secrets, "EDITOR"} & set(seen)
    written = [path.read_bytes() for path in folder.parents[3].rglob("*") if path.is_file()]
    assert not any(b"secret-" in content for content in written)


def test_there_is_a_heavy_job_for_each_gpu_and_a_process_as_well(monkeypatch):
    limits = LocalTarget({"CUDA_VISIBLE_DEVICES": "5,7"}).limits
    assert (limits.heavy_jobs, limits.processing_units_per_node) == (2, 2)
    limits = LocalTarget({"CUDA_VISIBLE_DEVICES": ""}).limits
    cores = len(os.sched_getaffinity(0))
    assert (limits.heavy_jobs, limits.processing_units_per_node) == (1, cores)


def test_a_job_of_several_processes_gets_as_many_gpus(start, target, odd_extensions):
    extensions = {"IMAGELOOM_EXTENSIONS": str(odd_extensions)}
    on = LocalTarget(dict(os.environ) | extensions | {"CUDA_VISIBLE_DEVICES": "3,5,7"})
    one = start("gate", "never", on=on, node_id="one", demand="heavy")
    two = {"processes_per_node": 2}
    both = start("gate", "never", on=on, node_id="both", demand="heavy", settings=two)
    assert [worker_of(job).gpu for job in (one, both)] == ["3", "5,7"]


def test_each_heavy_job_gets_a_gpu_of_its_own_and_gives_it_back(odd_extensions, start, tmp_path):
    extensions = {"IMAGELOOM_EXTENSIONS": str(odd_extensions)}
    target = LocalTarget(dict(os.environ) | extensions | {"CUDA_VISIBLE_DEVICES": "5,7"})
    first = start("gate", "a", on=target, node_id="first", demand="heavy")
    second = start("gate", "b", on=target, node_id="second", demand="heavy")
    light = start("well", on=target, node_id="light")
    assert [worker_of(one).gpu for one in (first, second, light)] == ["5", "7", ""]
    (tmp_path / "b").touch()
    wait_for_end(target, second)
    third = start("environment", on=target, node_id="third", demand="heavy")
    assert worker_of(third).gpu == "7"
    wait_for_end(target, third)
    (output,) = read_result(third).outputs.values()
    store = ObjectStore(Workspace(third.parents[3]))
    text = (store.path(output.object) / "value.txt").read_text(encoding="utf-8")
    assert json.loads(text)["CUDA_VISIBLE_DEVICES"] == "7"


def test_two_runs_do_not_choose_the_same_gpu(start, odd_extensions):
    gpus = {"CUDA_VISIBLE_DEVICES": "5,MIG-1/2"}
    need = Need("local", "heavy", 1)

    def start_in_a_slot(name):
        target = LocalTarget(
            dict(os.environ) | {"IMAGELOOM_EXTENSIONS": str(odd_extensions)} | gpus
        )
        targets = Registry("target")
        targets.declare("local", target)
        with Slots(targets, run_id=name).held(need, "train") as slots:
            words = {"on": target, "slots": slots, "node_id": name, "demand": "heavy"}
            return targets, start("gate", name, **words)

    (targets, first), (_, second) = map(start_in_a_slot, ("first", "second"))
    assert [worker_of(folder).gpu for folder in (first, second)] == ["5", "MIG-1/2"]
    other = Slots(targets, run_id="third")
    assert not other.is_free(need)
    assert other.waits_for(need).message.startswith(
        "waiting for run first (node 'train'), which uses one"
    )
    targets.get("local").stop(first, at_once=True)
    wait_until(lambda: other.is_free(need))


def test_a_machine_that_starts_no_process_is_a_named_error(start, monkeypatch):
    monkeypatch.setattr(local.sys, "executable", "/nowhere/python")
    with pytest.raises(EnvironmentUnsuitableError, match="No worker process could be started"):
        start("well")


def test_a_log_that_cannot_be_written_is_named(target, tmp_path):
    (tmp_path / "job" / LOG_FILE).mkdir(parents=True)  # which not even the superuser writes to
    with pytest.raises(FailedToWriteOutputsError, match=rf"{LOG_FILE} could not be written: Is a"):
        target.start(tmp_path / "job", Work(("-c", "pass"), demand="light"))


def test_a_file_beside_the_person_does_not_replace_a_module_of_ours(
    target, start, tmp_path, monkeypatch
):
    (tmp_path / "json.py").write_text("raise SystemExit(9)", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    folder = start("well")
    wait_for_end(target, folder)
    assert read_result(folder).state == "completed"
