"""Jobs on a real Slurm: submitted, followed, stopped, and put back into the queue."""

import dataclasses
import json
import os
import shutil
import stat
import sys
import time

import pytest

from imageloom.errors import (
    EnvironmentUnsuitableError,
    FailedToWriteOutputsError,
    LessThanOrEqualToError,
)
from imageloom.files.locks import holder, is_locked, release, try_lock
from imageloom.pipeline.run.job_folder import read_job, read_result
from imageloom.pipeline.run.jobs import work_of
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.job import LOG_FILE
from imageloom.spec.scale import Scale
from imageloom.spec.target import Work
from imageloom.targets.slurm.options import SlurmOptions
from imageloom.targets.slurm.submission import read_submission
from imageloom.targets.slurm.target import SlurmTarget

from .test_local import wait_for_end, wait_until

# Notes each start, waits for the file 'go', and saves when it is asked to stop.
TOY = """
import os, signal, sys
def save(*_):
    print("saved", flush=True)
    os._exit(143)
signal.signal(signal.SIGTERM, save)
print("start", os.environ["SLURMD_NODENAME"], flush=True)
while not os.path.exists("go"):
    signal.sigtimedwait([], 0.02)
print("done", flush=True)
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "a job, 100% odd"
    folder.mkdir()
    return folder


@pytest.fixture
def start(slurm, folder):
    """Return a function that submits a job; all have ended when the test is over."""
    jobs = []

    def start(*program, where=folder, environment=os.environ, nodes=(1, 1), processes=1, **options):
        known = {"python": sys.executable, "max_nodes": 2, "processing_units_per_node": 4}
        target = SlurmTarget("lab", SlurmOptions.parse(known | options), environment)
        jobs.append((target, where))
        work = Work(program or ("-c", TOY), scale=Scale(*nodes, processes))
        target.start(where, work)
        return target

    yield start
    for target, where in jobs:
        target.stop(where, at_once=True)
    for target, where in jobs:
        wait_for_end(target, where)


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Return a function that puts a command before Slurm's own; $real in its text is Slurm's."""
    commands = tmp_path / "commands"
    commands.mkdir()
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{path}")

    def toy(name, text):
        file = commands / name
        file.write_text(f"#!/bin/sh\nreal={shutil.which(name, path=path)}\n{text}\n", "utf-8")
        file.chmod(0o755)

    return toy


def job_id(folder):
    return read_submission(folder).id


def said(folder):
    log = folder / LOG_FILE
    return log.read_text(encoding="utf-8").split("\n") if log.exists() else []


def wait_for_start(folder, times=1):
    wait_until(lambda: sum(line.startswith("start") for line in said(folder)) == times)


def outer_log(folder):
    return (folder / "logs" / "70_mpi_log.txt").read_text(encoding="utf-8")


def test_the_script_and_the_logs_stay_with_the_job(start, folder):
    target = start()
    wait_for_start(folder)
    assert target.status(folder).state == "running"
    (folder / "go").touch()
    assert wait_for_end(target, folder).reason == "ended with exit code 0"
    assert said(folder) == ["start n1", "done", ""]
    assert f"job {job_id(folder)} on n1, start 1" in outer_log(folder)
    assert "ended with exit code 0" in outer_log(folder)
    script = (folder / "job.sbatch").read_text(encoding="utf-8")
    assert "# Written by Imageloom." in script


def test_preemption_and_the_time_limit_put_it_back_into_the_queue_once_it_has_saved(
    slurm, start, folder, tmp_path
):
    jobs = {"TERM": folder, "USR1": tmp_path / "other"}
    jobs["USR1"].mkdir()
    # As if it had run for long; and with what a person may set in the files of their shell.
    setup = ["SECONDS=1000", "export SQUEUE_NAMES=others"]
    target = start(where=folder, setup=setup)
    start(where=jobs["USR1"], setup=setup)
    numbers = {signal: job_id(where) for signal, where in jobs.items()}
    for signal, where in jobs.items():
        wait_for_start(where)
        slurm.ask("scancel", "--batch", f"--signal={signal}", numbers[signal])
    for signal, where in jobs.items():
        wait_until(lambda: f"Job {numbers[signal]} waits" in target.status(where).note)  # noqa: B023
        assert said(where)[1:] == ["saved", ""]
    for signal, where in jobs.items():
        wait_for_start(where, 2)
        (where / "go").touch()
        assert wait_for_end(target, where).reason == "ended with exit code 0"
        assert job_id(where) == numbers[signal]
        assert "back into the queue" in outer_log(where)
    assert "the time limit is near" in outer_log(jobs["USR1"])


def test_a_time_limit_that_leaves_no_time_does_not_send_the_job_round_for_ever(
    slurm, start, folder
):
    target = start()
    wait_for_start(folder)
    slurm.ask("scancel", "--batch", "--signal=USR1", job_id(folder))
    assert wait_for_end(target, folder).reason == "killed by signal 15 (SIGTERM)"
    assert said(folder) == ["start n1", "saved", ""]
    assert "Raise time_limit or lower save_s" in outer_log(folder)


def test_a_persons_own_scancel_is_the_end(slurm, start, folder):
    target = start()
    wait_for_start(folder)
    slurm.ask("scancel", job_id(folder))
    # It may be told twice, by Slurm and by its launcher, and say so twice.
    assert "CANCELLED" in wait_for_end(target, folder).reason or "saved" in said(folder)[-2]
    wait_until(lambda: "COMPLETING" not in slurm.ask("squeue", "-h", "-o", "%T"))
    assert target.status(folder).state == "ended"
    assert "start 2" not in outer_log(folder)


def test_a_job_that_is_asked_to_stop_saves_and_stays_ended(start, folder):
    target = start()
    wait_for_start(folder)
    other = SlurmTarget("lab", SlurmOptions())
    other.stop(folder, at_once=False)
    assert wait_for_end(target, folder).reason == "killed by signal 15 (SIGTERM)"
    assert said(folder) == ["start n1", "saved", ""]


def test_a_job_that_waits_says_why_and_leaves_the_queue_when_it_is_asked_to_stop(start, folder):
    target = start(queue=("--hold",))
    wait_until(lambda: "JobHeldUser" in target.status(folder).note)
    note = f"Job {job_id(folder)} waits in the queue of target lab: JobHeldUser."
    assert target.status(folder).note == note
    target.stop(folder, at_once=False)
    assert "CANCELLED" in wait_for_end(target, folder).reason
    assert said(folder) == []


def test_a_lost_node_sends_the_job_to_another(slurm, start, folder):
    target = start(queue=("--nodelist=n2",))
    wait_for_start(folder)
    slurm.ask("scontrol", "update", f"jobid={job_id(folder)}", "reqnodelist=")
    slurm.lose_node("n2")
    try:
        wait_until(lambda: "waits" in target.status(folder).note)
        slurm.ask("scontrol", "update", f"jobid={job_id(folder)}", "reqnodelist=n1")
        wait_for_start(folder, 2)
    finally:
        slurm.start_node("n2")
    assert said(folder)[-2] == "start n1"
    (folder / "go").touch()
    assert wait_for_end(target, folder).reason == "ended with exit code 0"


def test_while_slurm_does_not_answer_nothing_is_made_up_and_wishes_are_kept(slurm, start, folder):
    target = start()
    wait_for_start(folder)
    slurm.stop_controller()
    try:
        status = target.status(folder)
        assert (status.state, status.note.partition("squeue")[0]) == ("unknown", "Target lab: ")
        wait_until(lambda: "squeue refuses: " in target.status(folder).note)
        target.stop(folder, at_once=False)
        assert said(folder) == ["start n1", ""]
    finally:
        slurm.start_controller()
    assert wait_for_end(target, folder).reason == "killed by signal 15 (SIGTERM)"
    assert said(folder) == ["start n1", "saved", ""]


def test_a_wish_to_stop_that_scancel_did_not_take_is_told_and_kept(start, folder, toy, tmp_path):
    toy("scancel", f"[ -e {tmp_path}/whole ] && exec $real \"$@\"; echo 'no: broken' >&2; exit 1")
    target = start()
    wait_for_start(folder)
    target.stop(folder, at_once=False)
    assert target.status(folder).note == "Target lab: scancel refuses: no: broken"
    (tmp_path / "whole").touch()
    assert wait_for_end(target, folder).reason == "killed by signal 15 (SIGTERM)"
    assert said(folder) == ["start n1", "saved", ""]


def test_a_wish_to_stop_that_cannot_be_written_down_is_told_and_kept(start, folder):
    target = start()
    wait_for_start(folder)
    (folder / "job.stop").symlink_to("job.stop")  # stands for a full disk
    target.stop(folder, at_once=False)
    status = target.status(folder)
    assert (status.state, "job.stop: " in status.note) == ("running", True)
    (folder / "job.stop").unlink()
    assert wait_for_end(target, folder).reason == "killed by signal 15 (SIGTERM)"


def test_a_job_is_ended_at_once_where_nothing_can_be_written(start, folder):
    target = start()
    wait_for_start(folder)
    (folder / "job.stop").symlink_to("job.stop")
    target.stop(folder, at_once=True)
    wait_for_end(target, folder)
    assert "back into the queue" not in outer_log(folder)


def test_what_is_known_of_a_job_may_be_unreadable_for_a_while(start, folder):
    target = start()
    wait_for_start(folder)
    record = (folder / "slurm.json").rename(folder / "kept")
    (folder / "slurm.json").symlink_to("slurm.json")  # stands for EIO or ESTALE
    status = target.status(folder)
    assert (status.state, "slurm.json: " in status.note) == ("unknown", True)
    record.rename(folder / "slurm.json")
    assert target.status(folder).state == "running"


def test_a_shells_variables_for_slurm_change_nothing(start, folder, monkeypatch):
    theirs = {
        "SBATCH_EXPORT": "ALL", "SHELL_SECRET": "x", "SBATCH_NO_REQUEUE": "1",
        "SBATCH_OUTPUT": "elsewhere", "SBATCH_ARRAY_INX": "1-3", "SLURM_MEM_PER_CPU": "3",
        "SQUEUE_NAMES": "others", "SCANCEL_STATE": "SUSPENDED",
    }  # fmt: skip
    for name, text in theirs.items():
        monkeypatch.setenv(name, text)
    target = start("-c", f"import os; print(sorted(os.environ), flush=True)\n{TOY}")
    wait_for_start(folder)
    assert target.status(folder).state == "running"
    target.stop(folder, at_once=False)
    assert wait_for_end(target, folder).reason == "killed by signal 15 (SIGTERM)"
    assert not [name for name in theirs if f"'{name}'" in said(folder)[0]]
    assert "ended with exit code 143" in outer_log(folder)


def test_a_folder_may_hold_what_slurm_reads_as_a_pattern_and_need_not_be_utf_8(start, tmp_path):
    folder = tmp_path / os.fsdecode(b"100%j caf\xe9")
    folder.mkdir()
    (folder / "go").touch()
    target = start(where=folder)
    assert wait_for_end(target, folder).reason == "ended with exit code 0"
    assert "ended with exit code 0" in outer_log(folder)


@pytest.mark.parametrize(
    ("text", "has_number"),
    [('echo "Welcome; 12 users"; exec $real "$@"', True), ('$real "$@" && echo thanks', False)],
)
def test_what_a_site_has_sbatch_say_does_not_hide_the_job(start, folder, toy, text, has_number):
    toy("sbatch", text)
    target = start()
    assert job_id(folder).isdecimal() is has_number
    wait_for_start(folder)
    assert target.status(folder).state == "running"
    (folder / "go").touch()
    assert wait_for_end(target, folder).reason == "ended with exit code 0"


def test_a_job_that_cannot_be_written_down_is_taken_back(folder, toy, tmp_path):
    # Toys: in place of the file there is a folder when sbatch, which tells no number, is done.
    toy("sbatch", "rm slurm.json && mkdir -p slurm.json/x && echo thanks")
    toy("scancel", f'echo "$@" >{tmp_path}/asked')
    with pytest.raises(FailedToWriteOutputsError, match=r"slurm\.json could not be written"):
        SlurmTarget("lab", SlurmOptions()).start(folder, Work(("-c", "")))
    name = (tmp_path / "asked").read_text(encoding="utf-8").split("--name=")[1].strip()
    assert f"--job-name={name}\n" in (folder / "job.sbatch").read_text(encoding="utf-8")


def test_a_job_on_another_cluster_is_followed_and_stopped_there(folder, toy, tmp_path):
    # Toys, for Slurm needs its database to know of other clusters.
    name = "$(sed -n 's/.*job-name=//p' job.sbatch)"
    toy("sbatch", f'echo "{name}" >{tmp_path}/name; echo "7;big"')
    toy("squeue", f'echo "$@" >>{tmp_path}/asked; echo "7|RUNNING|None|$(cat {tmp_path}/name)"')
    toy("scancel", f'echo "$@" >>{tmp_path}/asked')
    SlurmTarget("lab", SlurmOptions()).start(folder, Work(("-c", "")))
    other = SlurmTarget("lab", SlurmOptions())
    assert other.status(folder).state == "running"
    other.stop(folder, at_once=False)
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert len(asked) == 3
    assert all("--clusters=big" in line for line in asked)


def test_a_job_that_the_queue_forgot_ended_as_its_files_say(start, folder, monkeypatch):
    (folder / "go").touch()
    target = start()
    wait_for_end(target, folder)
    record = read_submission(folder).model_copy(update={"id": "999999"})
    (folder / "slurm.json").write_text(record.model_dump_json(), encoding="utf-8")
    assert target.status(folder).reason == "ended with exit code 0"
    (folder / "job.exit").unlink()
    assert target.status(folder).state == "running", "its files may take time to be seen here"
    # Who did not see it alive would else hold it for alive anew, in every new process.
    other = SlurmTarget("lab", SlurmOptions())
    assert other.status(folder).reason == "its job is no longer in Slurm's queue"
    monkeypatch.setattr("imageloom.targets.slurm.target._EXIT_FILE_S", 0.0)
    assert target.status(folder).reason == "its job is no longer in Slurm's queue"


def test_a_job_whose_submitter_died_before_it_noted_the_number_is_found_by_its_name(start, folder):
    start()
    wait_for_start(folder)
    record = read_submission(folder).model_copy(update={"id": ""})
    (folder / "slurm.json").write_text(record.model_dump_json(), encoding="utf-8")
    other = SlurmTarget("lab", SlurmOptions())
    assert other.status(folder).state == "running"
    other.stop(folder, at_once=False)
    wait_for_end(other, folder)
    assert said(folder) == ["start n1", "saved", ""]


def test_two_nodes_get_the_command_that_starts_the_other(start, folder):
    show = (
        "import os; print(os.environ['SLURM_JOB_NUM_NODES'], os.environ['IMAGELOOM_AGENT_COMMAND'])"
    )
    target = start("-c", show, nodes=(1, 2), processes=3, container=("env", "IT'S=1"))
    wait_for_end(target, folder)
    nodes, _, command = said(folder)[0].partition(" ")
    assert nodes == "2"
    words = json.loads(command)
    assert words[:5] == ["srun", "--nodes=1", "--ntasks=1", "--ntasks-per-node=1", "--exclude=n1"]
    assert "--cpus-per-task=3" in words
    assert words[-8:] == ["IT'S=1", sys.executable, "-u", "-P", "-m", "imageloom", "agent", "work"]


def test_that_command_starts_a_process_on_the_other_node(start, folder):
    program = (
        "import json, os, subprocess; words = json.loads(os.environ['IMAGELOOM_AGENT_COMMAND']);"
        "at = words.index('-u'); subprocess.run([*words[:at], '-c', "
        "\"import os; print('helper on', os.environ['SLURMD_NODENAME'], os.environ['SHOWN'])\"])"
    )
    target = start(
        "-c",
        program,
        nodes=(2, 2),
        environment=dict(os.environ) | {"SHOWN": "no"},
        setup=("export SHOWN='by set-up'",),
    )
    wait_for_end(target, folder)
    assert "helper on n2 by set-up" in said(folder)


def test_s21_secrets_and_what_is_of_this_machine_do_not_reach_the_job(start, folder):
    environment = dict(os.environ) | {
        "HF_TOKEN": "secret-1", "AWS_SECRET_ACCESS_KEY": "secret-2", "CUDA_VISIBLE_DEVICES": "7",
        "OMP_NUM_THREADS": "3", "IMAGELOOM_TOY": "it's $HOME",
    }  # fmt: skip
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    target = start("-c", show, environment=environment, interface="ib7")
    wait_for_end(target, folder)
    seen = json.loads(said(folder)[0])
    assert (seen["OMP_NUM_THREADS"], seen["IMAGELOOM_TOY"]) == ("3", "it's $HOME")
    assert seen["IMAGELOOM_INTERFACE"] == "ib7"
    assert not {"HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "CUDA_VISIBLE_DEVICES"} & set(seen)
    written = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert not any(b"secret-" in content for content in written)
    assert stat.S_IMODE((folder / "job.environment").stat().st_mode) == 0o600


def test_what_slurm_refuses_is_said_in_its_words(start, folder):
    with pytest.raises(EnvironmentUnsuitableError, match=r"sbatch refuses: .*nowhere") as caught:
        start(queue=("--partition=nowhere",))
    assert caught.value.reason == "slurm-refused"


def test_more_than_the_target_has_is_refused_before_submission(start, folder):
    with pytest.raises(
        LessThanOrEqualToError, match="count of 3, but target 'lab' has 2 nodes"
    ) as e:
        start(nodes=(1, 3))
    assert e.value.hint == "Use at most 2."
    with pytest.raises(LessThanOrEqualToError, match=r"8 processes per node, but .* 4 proc") as e:
        start(processes=8)
    assert e.value.hint == "Use at most 4."
    assert read_submission(folder) is None


def test_without_slurm_a_job_is_refused(folder, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    target = SlurmTarget("lab", SlurmOptions())
    with pytest.raises(EnvironmentUnsuitableError, match="no command 'sbatch'") as caught:
        target.start(folder, Work(("-c", "")))
    assert caught.value.reason == "no-slurm"
    assert target.status(folder).reason == "never started"


def test_a_worker_in_the_queue_keeps_its_lock_and_takes_it_when_its_starter_lets_go(
    slurm, make_odd_job, monkeypatch, odd_extensions, tmp_path
):
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(odd_extensions))
    folder = make_odd_job("gate", "go")
    job = read_job(folder)
    place = Workspace(tmp_path / "workspace").work_lock(job.key)
    target = SlurmTarget("lab", SlurmOptions.parse({"python": sys.executable, "queue": ["--hold"]}))
    lock = try_lock(place, "the executor")
    target.start(folder, work_of(folder, job), lock=lock)
    release(lock)
    assert holder(place) == "the executor", "while the job waits"
    slurm.ask("scontrol", "release", job_id(folder))
    wait_until(lambda: target.status(folder) and holder(place) == "node odd of run r1")
    (tmp_path / "go").touch()
    wait_for_end(target, folder)
    assert read_result(folder).state == "completed"
    wait_until(lambda: not is_locked(place))


def test_all_jobs_are_asked_for_at_once_and_not_too_often(slurm, start, folder, monkeypatch):
    from imageloom.targets.slurm import queue

    asked = []
    real = queue.ask_slurm
    monkeypatch.setattr(queue, "ask_slurm", lambda *words: asked.append(words) or real(*words))
    monkeypatch.setattr(queue, "LOOK_S", 60.0)
    target = start()
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        assert target.status(folder).state == "running"
    assert len(asked) == 1
    monkeypatch.setattr(queue, "LOOK_S", 0.2)
    assert dataclasses.replace(target.status(folder), note="").state == "running"
