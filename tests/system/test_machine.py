"""What is read from the operating system's own files."""

import mmap
import os
import subprocess
from pathlib import Path

import pytest

from imageloom.system import machine
from imageloom.system.machine import (
    HostMemory,
    count_oom_kills,
    host_memory,
    memory_in_use_bytes,
    oom_record,
    processing_units,
    signal_name,
    visible_gpus,
)

MIB = 2**20
NO_LIMIT = "9223372036854771712\n"  # what version 1 says


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


@pytest.fixture
def make_kernel(tmp_path, monkeypatch):
    """Return a function that writes the files in which a kernel tells of memory."""

    def make(cgroup, files, swap_mib=0):
        facts = {"MemTotal": 8000, "MemAvailable": 6000, "SwapTotal": swap_mib, "SwapFree": 0}
        lines = [f"{name}: {1024 * size} kB\n" for name, size in facts.items()]
        (tmp_path / "meminfo").write_text("".join(lines), encoding="ascii")
        (tmp_path / "cgroup").write_text(cgroup, encoding="ascii")
        for name, content in files.items():
            (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "fs" / name).write_text(content, encoding="ascii")
        monkeypatch.setattr(machine, "MEMORY_FACTS", tmp_path / "meminfo")
        monkeypatch.setattr(machine, "CGROUP_OF_SELF", tmp_path / "cgroup")
        monkeypatch.setattr(machine, "CGROUPS", tmp_path / "fs")

    return make


def unified(folder, limit, used, of_files=0, **more):
    stat = f"anon 5\ninactive_file {of_files}\nactive_file 0\n"
    return {
        f"{folder}memory.max": limit,
        f"{folder}memory.current": f"{used}\n",
        f"{folder}memory.stat": stat,
        **{f"{folder}memory.{name}.max": value for name, value in more.items()},
    }


@pytest.mark.parametrize(
    ("cgroup", "files", "swap_mib", "limit_mib", "available_mib"),
    [
        ("0::/\n", {}, 0, 8000, 6000),
        ("0::/\n", {}, 500, 8500, 6000),
        ("0::/job\n", unified("job/", "max\n", 0), 0, 8000, 6000),
        ("0::/job\n", unified("job/", f"{512 * MIB}\n", 200 * MIB, 50 * MIB), 0, 512, 362),
        # The limit of a group around ours holds for us too.
        (
            "0::/pod/job\n",
            unified("pod/", f"{700 * MIB}\n", 650 * MIB) | unified("pod/job/", "max\n", 9),
            0,
            700,
            50,
        ),
        # A container that cannot see its own path finds its group on top.
        ("0::/elsewhere\n", unified("", f"{512 * MIB}\n", 600 * MIB), 0, 512, 0),
        # Swap comes on top, as far as the group may have it.
        ("0::/j\n", unified("j/", f"{512 * MIB}\n", 12 * MIB), 300, 812, 800),
        ("0::/j\n", unified("j/", f"{512 * MIB}\n", 12 * MIB, swap="0\n"), 300, 512, 500),
        (
            "9:cpu:/\n4:memory:/job\n0::/\n",
            {
                "memory/memory.limit_in_bytes": NO_LIMIT,
                "memory/job/memory.limit_in_bytes": f"{512 * MIB}\n",
                "memory/job/memory.memsw.limit_in_bytes": f"{612 * MIB}\n",
                "memory/job/memory.usage_in_bytes": f"{300 * MIB}\n",
                "memory/job/memory.stat": f"total_inactive_file {MIB}\ntotal_active_file {MIB}\n",
            },
            2000,
            612,
            314,
        ),
    ],
)
def test_memory_is_what_the_machine_or_the_narrowest_control_group_allows(
    make_kernel, cgroup, files, swap_mib, limit_mib, available_mib
):
    make_kernel(cgroup, files, swap_mib)
    assert host_memory() == HostMemory(
        limit_bytes=limit_mib * MIB,
        available_bytes=available_mib * MIB,
        is_limited=limit_mib < 8000,
    )


def test_where_the_system_tells_nothing_of_memory_nothing_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "MEMORY_FACTS", tmp_path / "none")
    assert host_memory() is None


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_memory_in_use_grows_by_what_is_taken():
    before = memory_in_use_bytes()
    # Not of the allocator, which may have kept as much from earlier.
    with mmap.mmap(-1, 64 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as taken:
        taken.write(b"x" * len(taken))
        assert memory_in_use_bytes() - before >= len(taken) - MIB


def test_kills_are_counted_from_a_record_on_until_the_machine_starts_anew(
    make_kernel, tmp_path, monkeypatch
):
    make_kernel("0::/job\n", {"job/memory.events": "oom_kill 2\n"})
    before = oom_record()
    assert (before.kills, before.kills_since) == (2, 0)
    # Looked at from another group of the same machine.
    make_kernel("0::/\n", {"job/memory.events": "oom_kill 5\n"})
    assert before.kills_since == 3
    (tmp_path / "boot").write_text("another", encoding="ascii")
    monkeypatch.setattr(machine, "BOOT_ID", tmp_path / "boot")
    assert before.kills_since == 0


def test_there_is_one_processing_unit_for_each_gpu_or_else_for_each_core():
    assert processing_units({"CUDA_VISIBLE_DEVICES": "4,6,7"}) == 3
    assert processing_units({"CUDA_VISIBLE_DEVICES": ""}) == len(os.sched_getaffinity(0))


def test_a_number_that_is_no_signal_has_no_name():
    assert signal_name(9) == "SIGKILL"
    assert signal_name(4000) == "unknown"


def test_the_limit_of_open_files_is_raised_as_far_as_it_may(python):
    pytest.importorskip("resource")
    code = (
        "import resource\n"
        "from imageloom.system.machine import allow_more_open_files\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "for soft, hard in ((40, 300), (300, 300)):\n"
        "    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))\n"
        "    allow_more_open_files()\n"
        "    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (300, 300)\n"
    )
    subprocess.run([python, "-c", code], check=True)


def test_a_user_without_a_name_is_called_by_the_number(monkeypatch):
    monkeypatch.setattr(machine.os, "geteuid", lambda: 3_999_999_999)
    assert machine.login_name() == "uid 3999999999"
