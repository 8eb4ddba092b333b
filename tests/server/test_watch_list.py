"""The list of runs is asked for only where it may have changed, and no change is missed by that.

Holds J09, J17.
"""

import os
import time

import pytest

from imageloom.errors import StoreBusyError
from imageloom.pipeline.index.index import RunIndex
from imageloom.pipeline.run_record import NodeFacts
from imageloom.server.watch_list import ANEW_S, RunsWatch
from imageloom.spec.node_state import NodeState, RunState

from .made_run import made_run

FIRST, SECOND = "20261101-120000-0001", "20261101-120000-0002"


class Clock:
    """Shows what it was set to."""

    def __init__(self):
        self.seconds = 1_000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watch(studio, clock):
    return RunsWatch(studio, clock)


@pytest.fixture
def asked(monkeypatch):
    """How often the list was asked for."""

    def list_runs(index, **named):
        calls.append(named)
        return real(index, **named)

    calls = []
    real = RunIndex.list
    monkeypatch.setattr(RunIndex, "list", list_runs)
    return calls


@pytest.fixture
def settled(monkeypatch):
    """Let an hour pass, as far as files are concerned."""
    real = time.time
    monkeypatch.setattr("imageloom.pipeline.index.sweep.time.time", lambda: real() + 3600)


def at_rest(watch, asked):
    """Look until looks no longer ask for the list; return what is seen."""
    for _ in range(4):
        asked.clear()
        seen = watch.look()
        if not asked:
            return seen
    raise AssertionError("each look asks for the list")


@pytest.mark.usefixtures("settled")
def test_a_list_that_does_not_change_is_asked_for_no_more(studio, watch, asked):
    made_run(studio)
    seen = at_rest(watch, asked)
    assert [watch.look() for _ in range(20)] == [seen] * 20
    assert asked == []


def test_right_after_a_change_each_look_asks_since_times_of_files_are_coarse(studio, watch, asked):
    made_run(studio)
    watch.look()
    asked.clear()
    watch.look()
    assert len(asked) == 1


@pytest.mark.usefixtures("settled")
def test_a_run_that_comes_goes_on_or_goes_is_seen_at_the_next_look(studio, watch, asked):
    run = made_run(studio, FIRST)
    seen = [at_rest(watch, asked).mark]
    made_run(studio, SECOND)
    seen.append(at_rest(watch, asked).mark)
    run.append_run(RunState.RUNNING)
    seen.append(at_rest(watch, asked).mark)
    run.path.rename(studio.engine.workspace.root / "elsewhere")
    seen.append(at_rest(watch, asked).mark)
    assert len(set(seen)) == 4


@pytest.mark.usefixtures("settled")
def test_every_change_of_a_run_that_has_not_ended_is_seen_at_the_next_look(studio, watch, asked):
    run = made_run(studio)
    run.append_run(RunState.RUNNING)
    interrupted = at_rest(watch, asked)
    with run.execution_lock():
        running = watch.look()
        run.append_node("b", NodeFacts(state=NodeState.COMPLETED, time=3.0))
        with_another_node = watch.look()
    run.append_run(RunState.FAILED)
    failed = watch.look()
    assert [one.num_running for one in (interrupted, running, with_another_node, failed)] == [
        0,
        1,
        1,
        0,
    ]
    assert len({one.mark for one in (interrupted, running, with_another_node, failed)}) == 4


@pytest.mark.usefixtures("settled")
def test_what_people_change_by_hand_is_seen_after_some_seconds(studio, watch, asked, clock):
    run = made_run(studio)
    before = at_rest(watch, asked)
    text = run.states_file.read_text(encoding="utf-8").replace("completed", "cancelled")
    run.states_file.write_text(text, encoding="utf-8")
    os.utime(run.states_file, (1, 1))
    assert watch.look() == before
    clock.seconds += ANEW_S + 1
    assert watch.look().mark != before.mark


@pytest.mark.usefixtures("settled")
def test_a_database_that_fails_is_told_and_looked_at_again(studio, watch, asked, monkeypatch):
    made_run(studio)
    before = at_rest(watch, asked)

    def fail(_index, **_named):
        raise StoreBusyError("It is busy.", hint="Wait.")

    made_run(studio, SECOND)
    with monkeypatch.context() as patch:
        patch.setattr(RunIndex, "list", fail)
        assert watch.look().mark == StoreBusyError.code
    assert watch.look().mark not in (before.mark, StoreBusyError.code)
