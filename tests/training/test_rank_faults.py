"""Two ranks that really train and are disturbed at every point: who is named, and how it ends.

The lives are those of ``tests/faults/forked_ranks.py``, all in one process of its own.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FAULTS = Path(__file__).parents[1] / "faults"
POINTS = {"start", "step 1", "step 2", "step 3", "step 4", "step 6", "validation", "save"}
POINTS |= {"barrier"}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """What became of each life, in order."""
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            str(FAULTS / "forked_ranks.py"),
            str(tmp_path_factory.mktemp("runs")),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(FAULTS)])},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def of(rows):
    """Return a function that gives the disturbed lives of a scenario, and what followed them."""

    def of(scenario):
        found = [row for row in rows if row["scenario"] == scenario]
        return found[:-1], found[-1]

    return of


@pytest.fixture
def quiet(rows):
    """The end of a run that nothing disturbed."""
    return next(row for row in rows if row.get("network") == "tiny")


ENDS = ("weights", "Train loss", "Valid loss", "learning rate")


def ending(row):
    return {name: row[name] for name in ENDS}


def test_h01_the_rank_that_was_killed_is_named_wherever_that_was(of):
    lives, _ = of("kill")
    assert {(one["point"], one["rank"]) for one in lives} >= {
        (point, rank) for point in POINTS for rank in (0, 1)
    }
    for life in lives:
        where = (life["point"], life["rank"])
        assert life["first"] == life["rank"], where
        assert life["codes"][life["rank"]] == -signal.SIGKILL, where
        if life["point"] not in ("start", "finish"):  # no wait for a time-out, no error of its own
            assert life["reasons"][1 - life["rank"]] == "rank-lost", where
            assert life["errors"][1 - life["rank"]] == "WorkerLostError", where


def test_h01_a_run_that_was_killed_everywhere_ends_as_the_quiet_one(of, quiet):
    _, end = of("kill")
    assert end["codes"] == [0, 0]
    assert end["state"] == "completed"
    assert ending(end) == ending(quiet)
    assert end["left"] == 0


def test_h12_a_rank_0_that_dies_while_it_saves_leaves_the_checkpoint_before(of):
    lives, _ = of("kill")
    saving = [life["newest"] for life in lives if (life["point"], life["rank"]) == ("save", 0)]
    assert saving == ["step-000000000", "step-000000006-end-of-epoch"]
    assert [life["passed_over"] for life in lives] == [[]] * len(lives)
    assert (
        max(life["left"] for life in lives) == 1
    )  # a partial checkpoint; the next life removes it


def test_h14_i06_one_rank_that_is_asked_stops_both_with_a_checkpoint_wherever_that_is(of, quiet):
    lives, end = of("ask")
    assert {life["rank"] for life in lives} == {0, 1}
    steps = 0
    for life in lives:
        where = (life["point"], life["rank"])
        assert life["codes"] == [143, 143], where
        assert life["stopped_by"] == ["SIGTERM", "SIGTERM"], where
        assert life["state"] == "interrupted", where
        step = int(life["newest"].split("-")[1])
        assert step > steps, where  # it goes on from where it was stopped
        assert life["left"] == 0, where
        steps = step
    assert ending(end) == ending(quiet)


def test_h04_an_error_in_the_reader_of_one_rank_is_that_ranks_error(of):
    lives, _ = of("raise")
    for life in lives:
        rank, other = life["rank"], 1 - life["rank"]
        assert life["first"] == rank
        assert life["own"] == [rank == 0, rank == 1]
        assert life["errors"][rank] == "InvalidDatasetError"
        assert life["reasons"][other] == "rank-lost"
        assert life["state"] == "failed"


def test_i14_a_failed_run_goes_on_when_its_cause_is_gone(of, quiet):
    _, end = of("raise")
    assert end["state"] == "completed"
    assert ending(end) == ending(quiet)


def test_i11_both_ranks_pass_over_a_damaged_checkpoint_and_say_so(of, quiet):
    _, end = of("damage")
    assert "Checkpoint step-000000004 cannot be used" in end["log"]
    assert end["codes"] == [0, 0]
    assert ending(end) == ending(quiet)


def test_i10_ranks_of_a_run_that_somebody_else_writes_leave_it_alone(of):
    _, end = of("held")
    assert end["first"] == 0
    assert end["errors"][0] == "OutputInUseError"
    assert end["untouched"]


def test_i12_other_versions_than_at_the_start_are_named(of):
    _, end = of("versions")
    assert "WARNING The run began with torch 2.0.1; this is " in end["log"]
    assert end["state"] == "completed"


def test_h16_a_run_of_four_that_is_killed_again_and_again_ends_as_the_quiet_one(rows):
    lives = [row for row in rows if row["scenario"] == "chaos_life"]
    assert lives[-1]["killed"] >= 5
    assert all(life["passed_over"] == [] for life in lives)
    # The process that made the rows has compared the ends, and would not have come so far.
    assert rows[-1]["scenario"] == "chaos"


def test_h13_on_two_then_one_then_four_processes_the_steps_are_those_of_two(rows, of):
    quiet = next(row for row in rows if row.get("network") == "tiny_plain")
    _, end = of("sizes")
    assert end["learning rate"] == quiet["learning rate"]
    assert end["Train loss"] == pytest.approx(quiet["Train loss"], abs=1e-6, rel=0)
    assert end["Valid loss"] == pytest.approx(quiet["Valid loss"], abs=1e-6, rel=0)
