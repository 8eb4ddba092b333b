"""The doctor reads what the system says, and tells what to do about it."""

import json
from pathlib import Path

import pytest

from imageloom import doctor
from imageloom.cli.root import run
from imageloom.doctor import (
    GIB,
    _disk,
    _memory,
    _picture_cache,
    _shared_memory,
    _writable,
    cgroup_cores,
    examine,
    no_gpu,
    nvidia_driver,
    workspace_disk,
)
from imageloom.settings import Settings, read_settings
from imageloom.system.machine import HostMemory


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "nonsense\n"}, None),
        ({}, None),
    ],
)
def test_the_cores_of_a_container(files, cores, tmp_path):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cgroup_cores(tmp_path) == cores


def test_memory_is_told_with_the_limit_of_a_container():
    left = HostMemory(limit_bytes=16 * GIB, available_bytes=8 * GIB, is_limited=False)
    assert (_memory(left).level, _memory(left).found) == ("ok", "8.0 GiB available")
    little = HostMemory(limit_bytes=2 * GIB, available_bytes=GIB, is_limited=True)
    assert _memory(little).level == "warn"
    assert _memory(little).found == ("1.0 GiB available, for a control group limits it to 2.0 GiB")
    assert _memory(None).level == "ok"


def test_a_machine_without_gpu_is_fine():
    finding = no_gpu("", "13.2", [])
    assert (finding.level, finding.found) == ("ok", "none; training uses the CPU")


def test_f19_a_driver_that_torch_cannot_use_is_a_failure_with_both_versions():
    heard = ["CUDA initialization: The NVIDIA driver on your system is too old (found 11040)."]
    finding = no_gpu("470.82.01", "13.2", heard)
    assert finding.level == "fail"
    assert "470.82.01" in finding.found
    assert "13.2" in finding.found
    assert "too old" in finding.found
    assert "Update the driver" in finding.advice


def test_f19_a_gpu_with_a_torch_for_cpus_is_a_failure():
    finding = no_gpu("550.54.15", None, [])
    assert finding.level == "fail"
    assert "built for CPU only" in finding.found
    assert "pip install" in finding.advice


def test_the_driver_version_is_read_from_the_kernel_module(tmp_path):
    file = tmp_path / "version"
    assert nvidia_driver(file) == ""
    file.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5\n")
    assert nvidia_driver(file) == "550.54.15"
    file.write_text("something new\n")
    assert nvidia_driver(file) == "of unknown version"


def test_g04_little_shared_memory_is_a_warning_that_names_the_flag(monkeypatch, tmp_path):
    import shutil

    monkeypatch.setattr(
        shutil, "disk_usage", lambda _place: shutil._ntuple_diskusage(64 << 20, 0, 64 << 20)
    )
    finding = _shared_memory(tmp_path)
    assert finding.level == "warn"
    assert "0.06 GiB" in finding.found
    assert "--shm-size" in finding.advice


@pytest.mark.parametrize(("free", "level"), [(10 * GIB, "ok"), (GIB, "warn"), (100 << 20, "fail")])
def test_i04_a_full_disk_is_found_before_a_run(free, level, monkeypatch, tmp_path):
    import shutil

    monkeypatch.setattr(
        shutil, "disk_usage", lambda _place: shutil._ntuple_diskusage(free, 0, free)
    )
    assert _disk("disk here", tmp_path / "not" / "there").level == level


def test_a_place_that_cannot_be_written_is_a_failure(monkeypatch, tmp_path):
    import tempfile

    def refuse(**_named: object) -> None:
        raise PermissionError(13, "Permission denied")

    assert _writable("cache", tmp_path / "new").level == "ok"
    assert not (tmp_path / "new").exists(), "looking leaves nothing behind"
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    finding = _writable("cache", tmp_path)
    assert finding.level == "fail"
    assert "Permission denied" in finding.found


def test_the_picture_cache_is_shown_with_its_limit_and_its_place(tmp_path):
    settings = Settings(tmp_path, tmp_path / "workspace", picture_cache_limit_gib=2.5)
    assert _picture_cache(settings).found == "0.0 of at most 2.5 GiB of scaled copies"
    copy = settings.picture_cache / "256" / "ab" / "abcd"
    copy.parent.mkdir(parents=True)
    with copy.open("wb") as file:
        file.truncate(GIB * 3 // 2)  # takes no room on the disk
    found = _picture_cache(settings).found
    assert found.startswith("1.5 of at most 2.5 GiB")
    assert f"in {settings.picture_cache}, which may be deleted" in found


def test_this_machine_is_examined_from_python_to_extras(tmp_path):
    findings = list(
        examine(Settings(home=tmp_path / "home", workspace=tmp_path / "workspace"), tmp_path)
    )
    subjects = {finding.subject for finding in findings}
    assert {
        "python",
        "packages",
        "torch",
        "CPU precision",
        "processors",
        "memory",
        "shared memory",
        "open files",
        "disk here",
        "extras",
    } <= subjects
    assert all(finding.advice for finding in findings if finding.level != "ok")
    assert list(tmp_path.iterdir()) == []


def test_missing_extras_say_how_to_get_them(monkeypatch, tmp_path):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    findings = list(examine(Settings(home=tmp_path, workspace=tmp_path), tmp_path))
    (extras,) = [one for one in findings if one.subject == "extras"]
    assert extras.level == "ok", "a person who needs none lacks nothing"
    assert "timm (more networks), demo (" in extras.found
    assert extras.advice == "pip install 'imageloom[NAME]'"


def test_s21_the_doctor_tells_no_secret(capsys, monkeypatch):
    monkeypatch.setenv("TOKEN", "tok-81723")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-9917")
    run(["doctor", "--json"])
    captured = capsys.readouterr()
    content = json.loads(captured.out)
    assert set(content) == {"ready", "findings", "notices"}
    assert "tok-81723" not in captured.out
    assert "aws-9917" not in captured.out


def test_the_exit_code_is_1_when_something_would_stop_a_run(capsys, monkeypatch):
    from imageloom import doctor

    monkeypatch.setattr(
        doctor, "examine", lambda *_: iter([doctor.Finding("disk", "fail", "full", "free some")])
    )
    assert run(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "fail disk" in out
    assert "-> free some" in out
    assert "1 of 1 findings would stop a run" in out


def test_missing_packages_are_named(monkeypatch, tmp_path: Path):
    from importlib import metadata

    real = metadata.version

    def version(name: str) -> str:
        if name == "safetensors":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    findings = list(examine(Settings(home=tmp_path, workspace=tmp_path), tmp_path))
    failed = [one for one in findings if one.level == "fail"]
    assert [one.found for one in failed] == ["safetensors is not installed"]


def test_j04_a_workspace_on_a_network_disk_is_told_with_what_it_needs(tmp_path, monkeypatch):
    settings = read_settings({"IMAGELOOM_WORKSPACE": str(tmp_path)})
    monkeypatch.setattr(doctor, "network_disk", lambda _folder: "")
    assert workspace_disk(settings).level == "ok"
    monkeypatch.setattr(doctor, "network_disk", lambda _folder: "nfs4")
    told = workspace_disk(settings)
    assert (told.level, "nfs4" in told.found) == ("warn", True)
    assert "IMAGELOOM_DATABASE_URL" in told.advice
    served = {"IMAGELOOM_WORKSPACE": str(tmp_path), "IMAGELOOM_DATABASE_URL": "postgresql://x/y"}
    assert workspace_disk(read_settings(served)).level == "ok"
