"""The line that a page opens a log at is the one at which the last error begins."""

import os
import sys
import traceback

import pytest

from imageloom.files.log_errors import LogPosition, last_error_position
from imageloom.files.log_parts import read_part
from imageloom.pipeline.run.job_log import shorten_log

BEGIN = "2026-11-23 08:00:00,000 INFO Node train of run 20261123-051233-4f2a: train_pytorch_model."
STAMP = "2026-11-23 08:00:01,000"


@pytest.fixture
def log(tmp_path):
    return tmp_path / "70_driver_log_0.txt"


def write(log, *lines):
    with log.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def line_at(log, position: LogPosition) -> str:
    """The line by its offset, which must be the one of its number too."""
    by_number = log.read_text(encoding="utf-8").splitlines()[position.line - 1]
    by_offset = read_part(log, position.offset, max_bytes=10_000).text.splitlines()[0]
    assert by_number == by_offset
    return by_offset


def chained_traceback():
    try:
        try:
            raise KeyError("first")
        except KeyError as problem:
            raise ValueError("second") from problem
    except ValueError:
        return traceback.format_exc().rstrip("\n")


def test_no_log_and_a_log_without_an_error_have_none(log):
    assert last_error_position(log) is None
    write(log, BEGIN, f"{STAMP} INFO é", f"{STAMP} WARNING no ERROR yet", "a Traceback (most")
    assert last_error_position(log) is None


def test_the_last_of_several_errors_counts(log):
    write(log, BEGIN, f"{STAMP} ERROR one", "é", f"{STAMP} ERROR two", f"{STAMP} INFO the end")
    assert line_at(log, last_error_position(log)) == f"{STAMP} ERROR two"


@pytest.mark.parametrize("stamp", [f"{STAMP} ERROR ", ""])
def test_tracebacks_that_follow_from_each_other_begin_with_the_first(log, stamp):
    text = chained_traceback()
    assert text.count("Traceback (most recent call last):") == 2
    write(log, BEGIN, "Traceback (most recent call last):", "  of a warning", stamp + text)
    found = last_error_position(log)
    assert found.line == 4
    assert line_at(log, found) == f"{stamp}Traceback (most recent call last):"


def test_a_crash_that_python_tells_is_an_error(log):
    write(log, BEGIN, "Fatal Python error: Segmentation fault", "", "Current thread 0x1:")
    assert line_at(log, last_error_position(log)) == "Fatal Python error: Segmentation fault"


def test_errors_of_earlier_executions_are_left_aside(log):
    write(log, BEGIN, f"{STAMP} ERROR one", BEGIN, f"{STAMP} INFO nothing was said")
    assert last_error_position(log) is None


def test_the_generation_tells_when_the_log_was_cut(log):
    write(log, BEGIN, *["x" * 999] * 200, f"{STAMP} ERROR one")
    found = last_error_position(log)
    assert found.generation == read_part(log, 0, max_bytes=4).generation
    shorten_log(log, limit_bytes=100_000)
    assert found.generation != read_part(log, 0, max_bytes=4).generation


def test_a_line_of_many_megabytes_hides_no_other(log):
    write(log, BEGIN, "y" * 5_000_000, f"{STAMP} ERROR one {'z' * 100_000}")
    found = last_error_position(log)
    assert (found.line, found.offset) == (3, len(BEGIN) + 1 + 5_000_001)


def test_bytes_that_are_no_text_are_no_trouble(log):
    log.write_bytes(
        os.urandom(3000) + b"\n" + f"{STAMP} ERROR one\n".encode(sys.getdefaultencoding())
    )
    assert last_error_position(log).offset == 3001
