"""Logs of several processes as one."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageloom.launch.local.merged_log import LabelledLine, MergedLog, logs_of_run

TIMES = st.integers(0, 5).map(lambda second: f"2026-11-23 08:00:0{second},000")
CONTINUATIONS = st.lists(st.sampled_from(["Traceback", "  File x", "", "2026 is no time"]))
ENTRIES = st.lists(st.tuples(TIMES, CONTINUATIONS), max_size=6)
LOGS = st.dictionaries(st.sampled_from(["launcher", "rank 0", "rank 1"]), ENTRIES)


def lines_of(entries):
    """Return the lines of a log, each different."""
    lines = []
    for number, (time, continuations) in enumerate(entries):
        lines.append(f"{time} INFO {number}")
        lines += [f"{text} {number}" for text in continuations]
    return lines


def of_label(merged, label):
    return [line.text for line in merged if line.label == label]


@pytest.mark.slow
@given(LOGS)
def test_no_line_is_lost_and_each_log_keeps_its_order_whatever_its_clock_does(logs):
    lines = {label: lines_of(entries) for label, entries in logs.items()}
    merged = list(MergedLog().add(lines))
    assert {label: of_label(merged, label) for label in lines} == lines
    assert len(merged) == sum(map(len, lines.values()))


@given(LOGS)
def test_times_rise_and_what_has_none_stays_behind_its_own_line(logs):
    lines = {label: lines_of(sorted(entries)) for label, entries in logs.items()}
    merged = list(MergedLog().add(lines))
    heads = [line.text[:23] for line in merged if line.text.startswith("2026-")]
    assert heads == sorted(heads)
    for before, line in itertools.pairwise(merged):
        if not line.text.startswith("2026-"):
            assert before.label == line.label


@given(LOGS, st.lists(st.integers(0, 30)))
def test_what_comes_in_parts_is_ordered_within_each_part(logs, cuts):
    merged, log = [], MergedLog()
    lines = {label: lines_of(entries) for label, entries in logs.items()}
    bounds = [0, *sorted(cuts), 1000]
    for start, stop in itertools.pairwise(bounds):
        merged += log.add({label: texts[start:stop] for label, texts in lines.items()})
    assert {label: of_label(merged, label) for label in lines} == lines


def test_of_equal_times_the_earlier_log_comes_first_with_all_it_says():
    lines = {
        "rank 0": ["2026-11-23 08:00:01,000 a", "of a"],
        "rank 1": ["printed", "2026-11-23 08:00:01,000 b", "of b"],
    }
    assert list(MergedLog().add(lines)) == [
        LabelledLine("rank 1", "printed"),
        LabelledLine("rank 0", "2026-11-23 08:00:01,000 a"),
        LabelledLine("rank 0", "of a"),
        LabelledLine("rank 1", "2026-11-23 08:00:01,000 b"),
        LabelledLine("rank 1", "of b"),
    ]


def test_a_line_that_follows_later_stays_behind_its_own():
    log = MergedLog()
    first = {"rank 0": ["2026-11-23 08:00:05,000 a"], "rank 1": []}
    second = {"rank 0": ["of a"], "rank 1": ["2026-11-23 08:00:04,000 b"]}
    assert [line.text for line in log.add(first)] == ["2026-11-23 08:00:05,000 a"]
    assert [line.text for line in log.add(second)] == ["2026-11-23 08:00:04,000 b", "of a"]


def test_logs_are_found_by_their_names_with_ranks_in_the_order_of_numbers(tmp_path):
    for name in (
        "70_driver_log_10.txt",
        "70_driver_log_2.txt",
        "70_mpi_log.txt",
        "70_mpi_log_node7.txt",
        "70_driver_log_x.txt",
        "other.txt",
    ):
        (tmp_path / name).touch()
    logs = logs_of_run(tmp_path)
    assert list(logs) == ["launcher", "launcher node7", "rank 2", "rank 10"]
    assert logs["rank 2"] == tmp_path / "70_driver_log_2.txt"
    assert logs_of_run(tmp_path / "nowhere") == {}
