"""Every step is in the curves once, whatever kills the training and however it goes on."""

import math
import signal
from types import SimpleNamespace

import pytest
import torch
from networks import TINY

from imageloom.distributed.ranks import Ranks
from imageloom.events import Control
from imageloom.files.series.read import list_series, read_series
from imageloom.launch.params import LaunchParams
from imageloom.launch.train import resume, train
from imageloom.training import curves as curves_module
from imageloom.training.checkpoints.checkpoint import newest_checkpoint
from imageloom.training.checkpoints.loop_state import LoopState
from imageloom.training.curves import MeasuredStep, opened_curves
from imageloom.training.figures import EPOCH_UNITS
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.events import read_metrics
from imageloom.training.train import NewRun, prepare_run

from .rank_processes import continue_on_ranks

PARAMS = TrainParams(
    epochs=3, batch_size=4, learning_rate=0.02, precision="float32", workers=0, print_frequency=1
)
SHARED = {"Train loss", "learning rate"}
OWN = {"Train images per second", "Step time", "Waiting for data fraction"}
NUM_STEPS = 3 * 6  # epochs, of 24 pictures in batches of 4
EVERY_ROW = "from imageloom.files.series import writer; writer.FLUSH_S = 0.0\n"
KILL = "lambda: os.kill(os.getpid(), signal.SIGKILL)"


@pytest.fixture(scope="module")
def pictures(make_pictures):
    return make_pictures(per_class=8, size=16), make_pictures(per_class=4, size=16, seed=1)


@pytest.fixture
def prepare(pictures, tmp_path):
    """Return a function that prepares a run."""

    def prepare(processes=1, **changes):
        new = NewRun(TINY, *pictures, tmp_path / "run", params=PARAMS.replace(**changes))
        return prepare_run(new, processes=processes, control=Control())

    return prepare


def rows_of(run, kind="step", rank=0):
    """The rows of each curve by its name."""
    return {
        one.name: read_series(one.path, 0, one.num_rows)
        for one in list_series(run / "series")
        if (one.kind, one.rank) == (kind, rank)
    }


def steps_of(run, rank=0):
    """The steps of each curve that has a row for every step."""
    rows = rows_of(run, rank=rank)
    return {
        name: [row.step for row in of_name]
        for name, of_name in rows.items()
        if not name.startswith("Memory")
    }


def known_steps(run):
    return newest_checkpoint(RunDirectory(run).checkpoints)[1].step


@pytest.fixture(scope="module")
def quiet(pictures, tmp_path_factory):
    return train(TINY, *pictures, tmp_path_factory.mktemp("curves") / "run", params=PARAMS).run


@pytest.mark.slow
def test_every_step_has_a_row_whatever_the_print_frequency(prepare):
    run = prepare(print_frequency=1000)
    resume(run)
    assert steps_of(run) == {name: list(range(1, NUM_STEPS + 1)) for name in SHARED | OWN}


@pytest.mark.slow
def test_step_curves_are_what_the_events_say_of_single_steps(quiet):
    events = read_metrics(quiet / "events.jsonl")
    rows = rows_of(quiet)
    rates = [(one.step, one.epoch, one.value) for one in events if one.name == "learning rate"]
    assert [(row.step, row.epoch, row.value) for row in rows["learning rate"]] == rates
    # The last step of an epoch has the epoch's loss there.
    losses = {one.step: one.value for one in events if one.name == "Train loss" and one.step % 6}
    assert {row.step: row.value for row in rows["Train loss"] if row.step % 6} == losses
    assert len(losses) == 15


@pytest.mark.slow
def test_epoch_curves_are_what_the_events_say_of_epochs(quiet):
    events = read_metrics(quiet / "events.jsonl")
    rows = rows_of(quiet, kind="epoch")
    assert list(rows) == list(EPOCH_UNITS)
    for name, of_name in rows.items():
        # Of the first and second step of an epoch there are events of the same name.
        told = [one for one in events if one.name == name and one.step % 6 == 0]
        found = [(row.step, row.epoch, row.value) for row in of_name]
        assert found == [(one.step, one.epoch, one.value) for one in told]
        assert [row.epoch for row in of_name] == [1, 2, 3]


@pytest.mark.slow
def test_times_pictures_and_memory_fit_together(quiet):
    rows = rows_of(quiet)
    for speed, seconds, waiting in zip(
        rows["Train images per second"],
        rows["Step time"],
        rows["Waiting for data fraction"],
        strict=True,
    ):
        assert speed.value * seconds.value == pytest.approx(4)
        assert 0 <= waiting.value <= 1
    assert rows["Memory in use"][0].step == 1
    assert all(row.value > 50e6 for row in rows["Memory in use"])  # torch alone takes more
    units = {one.name: one.unit for one in list_series(quiet / "series")}
    assert (units["Step time"], units["Memory in use"]) == ("s", "bytes")


@pytest.mark.slow
@pytest.mark.parametrize("preamble", ["", EVERY_ROW], ids=["buffered", "every row on disk"])
def test_killed_again_and_again_every_step_stands_once(prepare, quiet, preamble):
    run = prepare()
    for number in (4, 9, 2):  # steps of each life; it goes on from the last epoch's end
        statuses, _ = continue_on_ranks(
            run, world_size=1, extra=f"{preamble}at_step(0, {number}, {KILL})"
        )
        assert statuses == [-signal.SIGKILL]
        known = known_steps(run)
        for name, steps in steps_of(run).items():
            assert steps == list(range(1, len(steps) + 1)), name
            assert len(steps) >= known, name
    resume(run)
    assert known == 6
    assert steps_of(run) == {name: list(range(1, NUM_STEPS + 1)) for name in SHARED | OWN}
    for kind in ("step", "epoch"):
        here, there = rows_of(run, kind), rows_of(quiet, kind)
        for name in ("Train loss", "learning rate", "Valid loss"):
            assert [row.value for row in here.get(name, [])] == [
                row.value for row in there.get(name, [])
            ]


@pytest.mark.slow
def test_rows_that_a_resume_takes_away_are_told_by_the_generation(prepare):
    run = prepare()
    continue_on_ranks(run, world_size=1, extra=f"{EVERY_ROW}at_step(0, 9, {KILL})")
    assert steps_of(run)["Train loss"] == list(range(1, 9))  # two more than the checkpoint knows
    before = {one.generation for one in list_series(run / "series")}
    resume(run)
    assert before == {0}
    assert {one.generation for one in list_series(run / "series")} == {2}


@pytest.mark.slow
def test_two_ranks_have_curves_of_their_own_and_lose_no_step_before_a_checkpoint(prepare):
    run = prepare(2, checkpoint_minutes=1e-9, batch_size=2)
    statuses, _ = continue_on_ranks(run, extra=f"at_step(1, 4, {KILL})")
    assert statuses[1] == -signal.SIGKILL
    assert known_steps(run) == 3
    for rank in (0, 1):
        assert all(steps[:3] == [1, 2, 3] for steps in steps_of(run, rank).values())
    assert continue_on_ranks(run) == ([0, 0], ["", ""])
    whole = list(range(1, NUM_STEPS + 1))
    others = "Waiting for other processes fraction"
    assert steps_of(run, 0) == dict.fromkeys(SHARED | OWN | {others}, whole)
    assert steps_of(run, 1) == dict.fromkeys(OWN | {others}, whole)
    assert rows_of(run, "epoch", 1) == {}
    for rank in (0, 1):
        assert all(0 <= row.value <= 1 for row in rows_of(run, rank=rank)[others])


@pytest.mark.slow
def test_a_rank_that_is_no_longer_there_keeps_the_rows_that_the_checkpoint_knows(prepare):
    run = prepare(2, batch_size=2)
    extra = f"{EVERY_ROW}at_step(1, 9, {KILL})"
    assert continue_on_ranks(run, extra=extra)[0][1] == -signal.SIGKILL
    assert steps_of(run, 1)["Step time"] == list(range(1, 9))
    resume(run, launch=LaunchParams())
    assert steps_of(run, 1)["Step time"] == list(range(1, 7))
    assert steps_of(run, 0)["Step time"] == list(range(1, NUM_STEPS + 1))


@pytest.fixture
def job(tmp_path):
    """What the curves need of a session, of the second of two processes."""
    exchange = SimpleNamespace(seconds=100.0)
    return SimpleNamespace(
        run=RunDirectory(tmp_path),
        group=SimpleNamespace(ranks=Ranks(rank=1, world_size=2)),
        steps_per_epoch=4,
        training=SimpleNamespace(has_several_labels=False),
        compute=SimpleNamespace(is_gpu=False, device=torch.device("cpu")),
        stepper=SimpleNamespace(exchange=exchange),
    )


def test_waits_for_other_processes_are_those_of_each_step(job, tmp_path):
    with opened_curves(job, LoopState()) as curves:
        for step, waited in enumerate((0.25, 0.0, 1.0), start=1):
            job.stepper.exchange.seconds += waited
            curves.after_step(LoopState(step=step), MeasuredStep(0.1, 0.5, 8, 2.0, 0.5))
    rows = rows_of(tmp_path, rank=1)
    assert [row.value for row in rows["Waiting for other processes fraction"]] == [0.125, 0, 0.5]
    assert [row.value for row in rows["Train images per second"]] == [4, 4, 4]
    assert [row.value for row in rows["Waiting for data fraction"]] == [0.25] * 3
    assert [row.epoch for row in rows["Step time"]] == [0.25, 0.5, 0.75]
    assert "Train loss" not in rows


def test_memory_is_looked_at_once_a_second(job, tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr(curves_module, "time", SimpleNamespace(monotonic=lambda: now))
    with opened_curves(job, LoopState()) as curves:
        for step in range(1, 10):
            curves.after_step(LoopState(step=step), MeasuredStep(0.1, 0.5, 8, 0.25, 0.0))
            now += 0.25
    assert [row.step for row in rows_of(tmp_path, rank=1)["Memory in use"]] == [1, 5, 9]


def test_an_epoch_whose_loss_is_no_number_says_so(job, tmp_path):
    job.group.ranks = Ranks(rank=0, world_size=1)
    figures = dict.fromkeys(EPOCH_UNITS, 0.5) | {"Valid loss": math.nan}
    with opened_curves(job, LoopState()) as curves:
        curves.after_epoch(LoopState(step=4, epoch=0), figures)
    rows = rows_of(tmp_path, kind="epoch")
    assert math.isnan(rows["Valid loss"][0].value)
    assert rows["Train loss"][0][:2] == (4, 1)
