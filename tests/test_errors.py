"""Errors keep their codes, survive processes, and print what strangers named without obeying it."""

import errno
import json
import multiprocessing
import os
import re

import pytest

from imageloom import errors
from imageloom.cli import failures
from imageloom.errors import (
    ImageloomError,
    InvalidDatasetError,
    RunInterruptedError,
    error_from_json,
    json_problem,
    library_text,
    named_error,
    printable,
    unknown_name,
    write_failure,
)
from imageloom.resume_command import Resume


def subclasses(kind: type[ImageloomError]) -> list[type[ImageloomError]]:
    found = []
    for one in kind.__subclasses__():
        found += [one, *subclasses(one)]
    return [one for one in found if one.__module__ == "imageloom.errors"]


ALL = subclasses(ImageloomError)
NAMED = [one for one in ALL if "code" in vars(one)]


def test_the_tree_in_the_docstring_is_the_tree_in_the_code():
    drawn = re.findall(r"(\w+Error)(?:\s+(\S+))?$", errors.__doc__ or "", flags=re.MULTILINE)
    in_code = {one.__name__: vars(one).get("code", "") for one in ALL}
    assert dict(drawn) == {"ImageloomError": ""} | in_code


def test_the_drawn_tree_has_each_class_below_its_base():
    lines = re.findall(r"^(.*?)(\w+Error)\b", errors.__doc__ or "", flags=re.MULTILINE)
    depth_of = {name: len(prefix) for prefix, name in lines}
    for one in ALL:
        base = one.__bases__[0]
        assert depth_of[base.__name__] < depth_of[one.__name__], one


def test_codes_are_unique():
    codes = [one.code for one in NAMED]
    assert len(set(codes)) == len(codes)


def test_a_librarys_colours_are_left_out_and_a_strangers_commands_are_shown():
    coloured = RuntimeError("do \x1b[1monly\x1b[0m this \x1b[38;5;1m\x1b[2K\x1b]0;title\x07")
    assert library_text(coloured) == "do only this \x1b]0;title\x07"
    assert ImageloomError(library_text(coloured)).message == r"do only this \x1b]0;title\x07"
    assert ImageloomError("\x1b[1m.jpg").message == r"\x1b[1m.jpg"  # a file's name stays whole


@pytest.mark.parametrize(
    "kind", [MemoryError, lambda text: ImportError(text, name="torch"), RuntimeError]
)
def test_errors_that_quote_a_library_have_no_colours(kind):
    problem = kind("do \x1b[1monly\x1b[0m this")
    assert "do only this" in failures.known_error(problem).message


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("0004", "GreaterThan"),
        ("0005", "GreaterThanOrEqualTo"),
        ("0007", "LessThanOrEqualTo"),
        ("0008", "NotInRangeValue"),
        ("0018", "InvalidDataset"),
        ("0024", "NotLabeledDataset"),
        ("0025", "NotScoredDataset"),
        ("0048", "CouldNotOpenFile"),
        ("0058", "NotExpectedLabelColumn"),
        ("0072", "TimeoutOccured"),
        ("0138", "ModuleOutOfMemory"),
        ("0158", "InvalidTransformationDirectory"),
        ("0159", "InvalidModelDirectory"),
        ("0160", "FailedToWriteOutputs"),
        ("0162", "FailedToDownloadFiles"),
    ],
)
def test_names_and_codes_that_users_know_are_kept(code, name):
    # FACTS.md, section 1: the codes of the old designer.
    assert {one.code: one.__name__ for one in NAMED}[code] == f"{name}Error"


def test_json_has_the_keys_of_error_info():
    error = InvalidDatasetError("what", hint="do", reason="why", details={"file": "a.png"})
    assert error.to_json() == {
        "id": "InvalidDatasetError",
        "code": "0018",
        "type": "InvalidDatasetError",
        "message": "what",
        "hint": "do",
        "reason": "why",
        "details": {"file": "a.png"},
        "resume": None,
    }


def test_text_is_message_then_hint():
    assert str(InvalidDatasetError("It broke.", hint="Mend it.")) == "It broke. Mend it."
    assert str(InvalidDatasetError("It broke.")) == "It broke."


def test_text_ends_with_the_command_that_goes_on():
    error = InvalidDatasetError("It broke.", hint="Mend it.", resume=Resume("/my run\x1b"))
    command = "imageloom train --resume '/my run\\x1b'"
    assert str(error) == f"It broke. Mend it. Go on with: {command}"


def raise_in_a_worker(_number: int) -> None:
    resume = Resume("/a run", target="lab")
    raise InvalidDatasetError("bad", hint="good", reason="r", details={"row": 3}, resume=resume)


def test_an_error_comes_back_whole_from_a_worker_process():
    with (
        multiprocessing.get_context("fork").Pool(1) as pool,
        pytest.raises(InvalidDatasetError, match="bad") as caught,
    ):
        pool.map(raise_in_a_worker, [1])
    assert caught.value.to_json() == {
        "id": "InvalidDatasetError",
        "code": "0018",
        "type": "InvalidDatasetError",
        "message": "bad",
        "hint": "good",
        "reason": "r",
        "details": {"row": 3},
        "resume": {
            "run": "/a run",
            "target": "lab",
            "launch": [],
            "more": [],
            "command": "imageloom train --resume '/a run' --target lab",
        },
    }


def test_an_error_comes_back_from_its_json_also_from_that_of_an_earlier_version():
    resume = Resume("/r", launch=("--nodes", "2"), more=("--root", "NEW"))
    content = json.loads(json.dumps(InvalidDatasetError("what", resume=resume).to_json()))
    assert error_from_json(content).resume == resume
    del content["resume"]
    assert error_from_json(content).resume is None
    assert error_from_json(content).message == "what"


def test_who_asked_to_stop_is_told_by_who_was_asked_first():
    passed_on = RunInterruptedError.stopped_by(
        "SIGTERM", "at step 3; all is saved", hint="Rest.", details={"step": 3}, resume=Resume("/r")
    )
    assert passed_on.message == "Stopped by SIGTERM at step 3; all is saved."
    asked = error_from_json(passed_on.to_json()).asked_by("Ctrl+C")
    assert asked.message == "Stopped by Ctrl+C at step 3; all is saved."
    assert asked.details == {**passed_on.details, "stopped_by": "Ctrl+C"}
    assert (asked.hint, asked.reason, asked.resume) == ("Rest.", "cancelled", Resume("/r"))


def test_an_interruption_that_names_nobody_stays_as_it_was_told():
    error = RunInterruptedError("The job left the queue.")
    assert error.asked_by("Ctrl+C").message == "The job left the queue."


def test_s25_terminal_escapes_in_a_name_are_shown_not_obeyed():
    evil = "cat\x1b]0;owned\x07\r\u202egnp.exe\x9b31m"
    shown = InvalidDatasetError(f"{evil} is bad.").message
    assert shown == "cat\\x1b]0;owned\\x07\\x0d\\x202egnp.exe\\x9b31m is bad."
    assert all(c.isprintable() for c in shown)


def test_new_lines_and_other_scripts_are_left_alone():
    assert printable("Käfer\n蜂 🐝") == "Käfer\n蜂 🐝"


def test_b01_a_name_that_is_not_utf8_is_escaped():
    assert printable(b"caf\xe9".decode("utf-8", "surrogateescape")) == "caf\\xdce9"


def test_n8_a_message_is_cut_at_the_length_that_tools_expect():
    assert len(InvalidDatasetError("x" * 10_000).message) == 4096


def test_unknown_names_suggest_at_most_three():
    known = tuple(f"resnet{n}" for n in (18, 34, 50, 101))
    error = unknown_name("model", "resnet19", known)
    assert "Did you mean resnet18" in error.hint
    assert error.hint.split("?")[0].count(" or ") <= 2


@pytest.mark.parametrize(
    ("problem", "kind", "text"),
    [
        (InvalidDatasetError("No pictures."), InvalidDatasetError, "No pictures."),
        (MemoryError(), errors.ModuleOutOfMemoryError, "an allocation failed"),
        (OSError(28, "No space left", "/a"), errors.FailedToWriteOutputsError, "/a could not be"),
        (ImportError("gone", name="timm"), errors.EnvironmentUnsuitableError, "timm cannot be"),
    ],
)
def test_problems_of_python_that_have_a_name_get_it(problem, kind, text):
    error = errors.named_error(problem)
    assert type(error) is kind
    assert text in error.message


def test_other_problems_of_python_have_no_name():
    assert errors.named_error(ZeroDivisionError()) is None
    assert errors.named_error(FileNotFoundError(2, "No such file", "/a")) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1,\n "b" 2}', "expecting ':' delimiter in line 2, column 6"),
        ('{"a": "b', "unterminated string in line 1, column 7"),
        ('"a\tb"', "invalid control character in line 1, column 3"),
        (b'"\xe9"', "it is not UTF-8"),
        ("[" * 200_000, "it is nested too deep"),
    ],
)
def test_broken_json_has_one_place(text, told):
    with pytest.raises((ValueError, RecursionError)) as broken:
        json.loads(text)
    assert json_problem(broken.value) == told


def test_broken_json_on_one_line_of_a_file_has_its_column():
    with pytest.raises(ValueError, match="Expecting value") as broken:
        json.loads("[1,]")
    assert json_problem(broken.value, is_one_line=True) == "expecting value in column 4"


@pytest.mark.parametrize(
    ("number", "advised", "not_advised"),
    [
        (errno.ENOSPC, "Free space", "dmesg"),
        (errno.EDQUOT, "Free space", "dmesg"),
        (errno.EROFS, "may write to", "Free space"),
        (errno.EACCES, "may write to", "Free space"),
        (errno.EPERM, "may write to", "Free space"),
        (errno.EIO, "dmesg", "Free space"),
        (errno.ESTALE, "mounted", "Free space"),
        (errno.ENAMETOOLONG, "shorter", "Free space"),
        (errno.ENOENT, "deleted or unmounted", "Free space"),
        (errno.ENOTDIR, "is a file", "Free space"),
        (errno.EISDIR, "folder has that name", "Free space"),
        (errno.ENOTEMPTY, "empty", "Free space"),
        (errno.EFBIG, "ulimit -f", "Free space"),
        (errno.ENOTCONN, "See that the place", "Free space"),
    ],
)
def test_what_to_do_about_a_place_that_cannot_be_written_fits_the_reason(
    number, advised, not_advised
):
    problem = OSError(number, os.strerror(number))
    error = write_failure("/data/run", problem, kept="What was there before is intact.")
    assert (error.code, error.details["errno"]) == ("0160", number)
    assert error.message == f"/data/run could not be written: {os.strerror(number)}."
    assert advised in error.hint
    assert not_advised not in error.hint
    assert error.hint.endswith(". What was there before is intact.")


def test_too_many_open_files_are_named_with_the_limit_wherever_they_arise():
    resource = pytest.importorskip("resource")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    problem = OSError(errno.EMFILE, "Too many open files")
    for error in (named_error(problem), write_failure("/data/run", problem)):
        assert isinstance(error, errors.EnvironmentUnsuitableError)
        assert f"may have {limit} files open" in error.message
        assert "ulimit -n 4096" in error.hint


def test_too_many_open_files_of_all_programs_are_another_limit():
    error = named_error(OSError(errno.ENFILE, "Too many open files in system"))
    assert isinstance(error, errors.EnvironmentUnsuitableError)
    assert "fs.file-max" in error.hint
