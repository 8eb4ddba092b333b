"""Slurm's commands as toys: which variables they get, and what their refusals become."""

import os
import sys

import pytest

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.targets.slurm.commands import ask_slurm, cancel, commands_environment, submit


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Return a function that puts a command before all others of its name."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def toy(name, text):
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        file.chmod(0o755)

    return toy


def test_variables_that_change_what_commands_do_are_left_out():
    ours = {"PATH": "/bin", "SLURM_CONF": "/etc/slurm.conf", "SLURM_JWT": "to be let in"}
    theirs = {"SBATCH_PARTITION": "gpu", "SBATCH_ACCOUNT": "me", "SLURM_CLUSTERS": "big"}
    harmful = dict.fromkeys(
        [
            *("SBATCH_EXPORT", "SBATCH_NO_REQUEUE", "SBATCH_ARRAY_INX", "SBATCH_WAIT"),
            *("SBATCH_TIMELIMIT", "SQUEUE_PARTITION", "SCANCEL_STATE", "SLURM_MEM_PER_CPU"),
        ],
        "1",
    )
    assert commands_environment(ours | theirs | harmful) == ours | theirs


@pytest.mark.parametrize("option", ["--partition=gpu", "-p gpu", "-pgpu"])
def test_a_targets_option_goes_before_the_default_of_a_site(option):
    site = {"SBATCH_PARTITION": "debug", "SBATCH_QOS": "normal"}
    assert commands_environment(site, queue=["--mem=4G", option]) == {"SBATCH_QOS": "normal"}
    assert commands_environment({"SLURM_CLUSTERS": "big"}, queue=["--clusters=small"]) == {}


def test_commands_are_run_without_those_variables(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("SQUEUE_PARTITION", "elsewhere")
    monkeypatch.setenv("SBATCH_EXPORT", "ALL")
    monkeypatch.setenv("SBATCH_QOS", "long")
    for name in ("squeue", "sbatch"):
        toy(name, "env")
    assert "SQUEUE_PARTITION" not in ask_slurm("squeue")
    seen = submit(tmp_path, queue=["--mem=4G"])
    assert "SBATCH_EXPORT" not in seen
    assert "SBATCH_QOS=long" in seen


@pytest.mark.parametrize(
    "words",
    [
        "",
        "scancel: error: Kill job error on job id 7: Job/step already completing or completed",
        "scancel: error: Kill job error on job id 7: Invalid job id specified",
    ],
)
def test_a_job_that_needs_no_stop_is_no_error(toy, words):
    toy("scancel", f"echo '{words}' >&2; exit 1")
    cancel("7")


@pytest.mark.parametrize(
    "words", ["Unable to contact slurm controller (connect failure)", "Access/permission denied"]
)
def test_what_keeps_a_job_from_being_stopped_is_an_error(toy, words):
    toy("scancel", f"echo 'scancel: error: Kill job error on job id 7: {words}' >&2; exit 8")
    with pytest.raises(EnvironmentUnsuitableError, match=r"scancel refuses: .*(Unable|denied)"):
        cancel("7")


def test_only_a_refused_submission_points_to_the_targets_options(toy, tmp_path):
    for name in ("sbatch", "scontrol"):
        toy(name, "echo no >&2; exit 1")
    with pytest.raises(EnvironmentUnsuitableError, match="sbatch refuses: no") as refused:
        submit(tmp_path)
    assert "'queue' above all" in refused.value.hint
    with pytest.raises(EnvironmentUnsuitableError, match="scontrol refuses: no") as refused:
        ask_slurm("scontrol", "ping")
    assert "'scontrol ping' says so" in refused.value.hint


def test_what_is_not_utf_8_goes_through_as_it_is(toy, tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    toy("sbatch", f"exec {sys.executable} -c 'import os; print(ascii(os.getcwd()))'")
    assert "caf\\udce9" in submit(folder)
