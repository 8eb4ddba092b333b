"""Every command ends alike: one JSON object or a neat screen, a few lines of error, a code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOY = Path(__file__).with_name("toy_command.py")


def toy(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(TOY), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | environment,
    )


def test_a_command_that_succeeds_prints_its_screen_on_stdout_and_warnings_on_stderr():
    done = toy("succeed")
    assert done.returncode == 0
    assert done.stdout == "Done     succeed\n"
    assert done.stderr == "Warning: careful\n"


def test_json_is_one_object_on_stdout_and_nothing_else():
    done = toy("succeed", "--json")
    assert json.loads(done.stdout) == {
        "done": "succeed",
        "name": "caf\udce9",
        "notices": [{"level": "warning", "message": "careful"}],
    }
    assert done.stderr == ""


def test_a_known_error_is_a_few_lines_without_a_traceback():
    done = toy("fail")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "InvalidDatasetError (0018)\n  The class 'x' is empty.\n  Add pictures.\n"
    )


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_of_several_ranks_the_first_one_prints_the_result(words):
    done = toy("succeed_as_another_rank", *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_another_rank_prints_its_own_error_and_no_other():
    done = toy("fail_as_another_rank")
    assert done.returncode == 1
    assert "Rank 1 of 2: The class 'x' is empty." in done.stderr
    for behaviour in ("fail_for_another_rank", "fail_as_the_first_rank_does"):
        done = toy(behaviour)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_a_known_error_as_json_is_error_info_on_stdout():
    done = toy("fail", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "error": {
            "id": "InvalidDatasetError",
            "code": "0018",
            "type": "InvalidDatasetError",
            "message": "The class 'x' is empty.",
            "hint": "Add pictures.",
            "reason": "empty",
            "details": {},
            "resume": None,
            "resume_command": "",
        },
        "notices": [],
    }
    assert done.stderr.startswith("InvalidDatasetError (0018)")


def test_a_failure_with_something_to_show_prints_both_and_fails():
    done = toy("show_and_fail")
    assert done.returncode == 1
    assert done.stdout == "Done     show_and_fail\n"
    assert done.stderr == "InvalidDatasetError (0018)\n  One of two failed.\nResume   go on\n"


def test_a_failure_with_something_to_show_is_one_json_object():
    done = toy("show_and_fail", "--json")
    assert done.returncode == 1
    content = json.loads(done.stdout)
    assert content["done"] == "show_and_fail"
    assert content["error"]["resume_command"] == "go on"


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_debug_shows_the_traceback(how):
    done = toy("fail", "--debug") if how == "flag" else toy("fail", IMAGELOOM_DEBUG="1")
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert "InvalidDatasetError (0018)" in done.stderr


def test_an_unknown_exception_becomes_error_1000_and_its_traceback_is_kept(tmp_path):
    done = toy("crash", IMAGELOOM_HOME=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.splitlines()[:2] == [
        "LibraryError (1000)",
        "  ZeroDivisionError: division by zero",
    ]
    assert "Traceback" not in done.stderr
    (kept,) = (tmp_path / "crashes").iterdir()
    assert str(kept) in done.stderr
    content = json.loads(kept.read_text())
    assert content["traceback"][0] == "Traceback (most recent call last):"
    assert content["command"] == ["crash"]


def test_s21_neither_the_screen_nor_the_kept_traceback_holds_the_environment(tmp_path):
    secrets = {"TOKEN": "tok-81723", "PASSWORD": "pw-55120", "AWS_SECRET_ACCESS_KEY": "aws-9917"}
    done = toy("crash", "--debug", IMAGELOOM_HOME=str(tmp_path), **secrets)
    everything = done.stdout + done.stderr
    everything += "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file())
    assert "ZeroDivisionError" in everything
    assert not [value for value in secrets.values() if value in everything]


def test_a_traceback_that_cannot_be_kept_says_so(tmp_path):
    (tmp_path / "file").touch()
    done = toy("crash", IMAGELOOM_HOME=str(tmp_path / "file"))
    assert done.returncode == 1
    assert "could not be kept" in done.stderr
    assert "--debug" in done.stderr


def test_g08_memory_that_ran_out_has_its_name():
    done = toy("exhaust")
    assert done.returncode == 1
    assert done.stderr.startswith("ModuleOutOfMemoryError (0138)\n  There is not enough memory")


def test_f19_a_library_that_cannot_be_imported_points_to_the_doctor():
    done = toy("import_what_is_broken")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "EnvironmentUnsuitableError (ENV-001)\n  torchvision cannot be impor"
    )
    assert "imageloom doctor" in done.stderr


@pytest.mark.slow
def test_i18_a_reader_that_goes_away_is_no_failure():
    command = f"{sys.executable} {TOY} print_a_lot | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "Done     print_a_lot\n0\n"
    assert done.stderr == ""


def test_i18_a_closed_stderr_does_not_stop_the_work():
    command = f"{sys.executable} {TOY} succeed 2>&-"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "Done     succeed\n")


def test_i18_a_full_disk_under_stderr_does_not_stop_the_work():
    command = f"{sys.executable} {TOY} succeed 2> /dev/full"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "Done     succeed\n")


def test_i18_a_full_disk_under_stdout_is_an_error_with_a_name():
    command = f"{sys.executable} {TOY} print_a_lot > /dev/full"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.startswith(
        "FailedToWriteOutputsError (0160)\n  The result could not be printed"
    )


def test_b01_a_name_that_the_terminal_cannot_show_is_escaped():
    done = toy("succeed", "--json", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0
    assert "caf\\udce9" in done.stdout
