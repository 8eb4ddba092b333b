"""``imageloom tune``: what a person sees, what programs get, and what kill -9 leaves behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from imageloom.cli.root import run
from imageloom.pipeline.graph.graph import Pipeline

TESTS = Path(__file__).parents[1]
DEADLINE_S = 60.0
RATE = ("--vary", "hill.rate=1e-4..1:log")
LOSS = ("--metric", "Valid loss")


@pytest.fixture
def hill(toys, monkeypatch):
    """Add the hill with a planted optimum to the toys."""
    monkeypatch.syspath_prepend(str(TESTS / "tuning"))
    from tune_toys import HILL

    toys.declare(HILL.name, HILL)


@pytest.fixture
def environment(tmp_path, monkeypatch) -> dict[str, str]:
    """The variables with which commands in processes of their own find the hill."""
    monkeypatch.syspath_prepend(str(TESTS))
    from pipeline.executor_process import toy_extensions

    extensions = toy_extensions(tmp_path / "extensions")
    shutil.copy(TESTS / "tuning" / "tune_toys.py", extensions / "components")
    return os.environ | {
        "IMAGELOOM_EXTENSIONS": str(extensions),
        "IMAGELOOM_WORKSPACE": str(tmp_path / "workspace"),
    }


def of_json(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_a_line_tells_each_trial_and_the_end_what_to_use(hill, write, workspace, capsys):
    path = write(hill=("hill", {"width": 48}))
    assert run(["tune", path, *RATE, *LOSS, "--trials", "3", "--name", "hills"]) == 0
    screen = capsys.readouterr()
    lines = [one for one in screen.err.splitlines() if one.startswith("Trial ")]
    assert [one.split()[:3] for one in lines] == [["Trial", f"{n}", "hill.rate"] for n in range(3)]
    assert "the best so far" in lines[0]
    assert "Study    hills, 3 of 3 trials: 3 completed" in screen.out
    assert f"Report   {workspace}/studies/hills/report.html" in screen.out
    assert "Values   --set hill.rate=0.00" in screen.out
    assert "Best     Valid loss" in screen.out


def test_the_values_at_the_end_do_the_same_in_a_run(hill, write, workspace, capsys):
    path = write(hill=("hill", {"width": 48}))
    assert run(["tune", path, *RATE, *LOSS, "--trials", "2", "--json"]) == 0
    best = of_json(capsys)["best"]
    changes = [word for change in best["set"] for word in ("--set", change)]
    assert run(["run", path, *changes, "--json"]) == 0
    node = of_json(capsys)["nodes"]["hill"]
    assert (node["state"], node["made_by"]) == ("cached", [best["run"], "hill"])


def test_json_has_every_trial(hill, write, workspace, capsys):
    path = write(hill="hill")
    words = ["tune", path, *RATE, "--vary", "hill.width=8,16", *LOSS, "--trials", "2"]
    assert run([*words, "--seed", "5", "--set", "hill.epochs=2", "--name", "h", "--json"]) == 0
    found = of_json(capsys)
    assert (found["study"], found["direction"], found["seed"]) == ("h", "minimize", 5)
    assert [one["state"] for one in found["trials"]] == ["completed", "completed"]
    assert all(one["values"]["hill.width"] in (8, 16) for one in found["trials"])
    assert found["best"]["value"] == min(one["value"] for one in found["trials"])
    assert found["best"]["set"][0] == "hill.epochs=2"
    assert Path(found["storage"]).is_file()
    assert found["notices"] == []


def test_more_trials_are_asked_for_with_resume(hill, write, workspace, capsys):
    path = write(hill="hill")
    assert run(["tune", path, *RATE, *LOSS, "--trials", "1", "--json"]) == 0
    name = of_json(capsys)["study"]
    assert run(["tune", "--resume", "last", "--trials", "2", "--json"]) == 0
    found = of_json(capsys)
    assert (found["study"], len(found["trials"])) == (name, 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tune"], "Missing argument 'PIPELINE'"),
        (["tune", "p.json"], "Missing option --vary"),
        (["tune", "--resume", "last", "--seed", "3"], "cannot be joined with --seed"),
        (["tune", "p.json", *RATE, "--trials", "0"], "0 is not in the range"),
        (["tune", "p.json", *RATE, "--prune", "often"], "'often' is not one of"),
    ],
)
def test_a_command_line_that_cannot_be_understood_is_exit_2(words, message, workspace, capsys):
    assert run(words) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_what_is_wrong_is_told_before_anything_runs(hill, write, workspace, capsys):
    path = write(hill="hill")
    assert run(["tune", path, "--vary", "hill.width=1..500", *LOSS]) == 1
    assert "width is 500, but must be at most 100" in capsys.readouterr().err
    assert run(["tune", path, *RATE, "--metric", "height"]) == 1
    assert "--direction maximize" in capsys.readouterr().err
    assert run(["tune", "--resume", "last"]) == 1
    assert "There are no studies" in capsys.readouterr().err
    assert not (workspace / "runs").exists()


def test_without_optuna_the_extra_is_named(hill, write, workspace, capsys, monkeypatch):
    from imageloom.tuning import trials

    monkeypatch.setattr(trials, "_PACKAGE", "optuna_that_is_not_there")
    assert run(["tune", write(hill="hill"), *RATE, *LOSS]) == 1
    assert "pip install 'imageloom[tune]'" in capsys.readouterr().err
    assert not workspace.exists()


def start(path: str, environment) -> "subprocess.Popen[str]":
    words = ["tune", path, *RATE, *LOSS, "--trials", "3", "--name", "hills"]
    return subprocess.Popen(
        [sys.executable, "-m", "imageloom", *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_the_gate(process, folder: Path) -> None:
    """Wait until the first trial stands before its last epoch."""
    while not (folder / "arrived").exists():
        assert process.poll() is None, process.communicate()
    assert process.poll() is None


def resumed(environment) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "imageloom", "tune", "--resume", "hills", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("with_worker", [True, False], ids=["and its worker", "alone"])
def test_a_study_that_was_killed_goes_on_with_the_trial_that_was_running(
    write, environment, tmp_path, with_worker
):
    path = write(hill=("hill", {"epochs": 3, "gate": "open"}))
    process = start(path, environment)
    try:
        wait_for_the_gate(process, tmp_path)
        workers = psutil.Process(process.pid).children(recursive=True)
        assert workers, "a trial works in a process of its own"
    finally:
        process.kill()
        process.communicate(timeout=DEADLINE_S)
    if with_worker:
        for worker in workers:
            worker.kill()
        psutil.wait_procs(workers, timeout=DEADLINE_S)
    (tmp_path / "open").touch()
    found = resumed(environment)
    assert [one["state"] for one in found["trials"]] == ["completed"] * 3
    runs = sorted(one.name for one in (tmp_path / "workspace" / "runs").iterdir())
    assert runs == [one["run"] for one in found["trials"]], "no run was made twice"
    made = tmp_path / "workspace" / "runs" / runs[0] / "nodes" / "hill" / "outputs" / "value"
    began = "began at epoch 2" if with_worker else "began at epoch 0"
    assert (made / "value.txt").read_text() == began


@pytest.mark.slow
def test_ctrl_c_stops_the_trial_and_names_the_command_that_goes_on(write, environment, tmp_path):
    process = start(write(hill=("hill", {"epochs": 3, "gate": "open"})), environment)
    try:
        wait_for_the_gate(process, tmp_path)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Resume   imageloom tune --resume hills\n" in errors
    assert "Trial 0   hill.rate" in errors
    assert "Study    hills, 0 of 3 trials" in out
    (tmp_path / "open").touch()
    assert [one["state"] for one in resumed(environment)["trials"]] == ["completed"] * 3


def test_the_help_names_what_pictures_with_several_labels_can_be_compared_by(capsys):
    from imageloom.tuning.metric import read_objective

    assert run(["tune", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for name in ("Validation micro F1", "Mean_Average_Precision", "Micro_F1", "Exact_Match"):
        assert name in told
        assert read_objective(name, "", Pipeline("p", ())).direction == "maximize"
