"""What is read from the operating system's own files."""

import os

import pytest

from imageloom import machine
from imageloom.machine import count_oom_kills, processing_units, signal_name, visible_gpus


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("0,1", ("0", "1")),
        ("GPU-8f3a, MIG-1/2", ("GPU-8f3a", "MIG-1/2")),
        ("", ()),
        ("-1", ()),
        ("2,-1,3", ("2",)),
    ],
)
def test_gpus_are_those_that_a_person_lets_cuda_see(text, gpus):
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": text}) == gpus


def test_without_that_gpus_are_those_of_the_driver(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "NVIDIA_GPUS", tmp_path / "none")
    assert visible_gpus({}) == ()
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / "gpus" / name).mkdir(parents=True)
    monkeypatch.setattr(machine, "NVIDIA_GPUS", tmp_path / "gpus")
    assert visible_gpus({}) == ("0", "1")


@pytest.mark.parametrize(
    ("cgroup", "file", "content", "kills"),
    [
        ("0::/user/run\n", "user/run/memory.events", "oom 3\noom_kill 2\n", 2),
        ("0::/elsewhere\n", "memory.events", "low 0\noom_kill 7\n", 7),
        ("9:cpu:/\n4:memory:/job\n", "memory/job/memory.oom_control", "oom_kill 1\n", 1),
        ("4:memory:/x\n0::/\n", "memory/memory.oom_control", "under_oom 0\noom_kill 5\n", 5),
        ("0::/\n", "memory.events", "unexpected words here\n", 0),
        ("0::/\n", "other", "", 0),
    ],
)
def test_the_kernels_count_is_read_in_both_versions(
    tmp_path, monkeypatch, cgroup, file, content, kills
):
    (tmp_path / "cgroup").write_text(cgroup, encoding="ascii")
    (tmp_path / "fs" / file).parent.mkdir(parents=True)
    (tmp_path / "fs" / file).write_text(content, encoding="ascii")
    monkeypatch.setattr(machine, "CGROUP_OF_SELF", tmp_path / "cgroup")
    monkeypatch.setattr(machine, "CGROUPS", tmp_path / "fs")
    assert count_oom_kills() == kills


def test_there_is_one_processing_unit_for_each_gpu_or_else_for_each_core():
    assert processing_units({"CUDA_VISIBLE_DEVICES": "4,6,7"}) == 3
    assert processing_units({"CUDA_VISIBLE_DEVICES": ""}) == len(os.sched_getaffinity(0))


def test_a_number_that_is_no_signal_has_no_name():
    assert signal_name(9) == "SIGKILL"
    assert signal_name(4000) == "unknown"
