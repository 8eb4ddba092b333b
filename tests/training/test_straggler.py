"""How fast each process works by itself, and the one that holds up the others."""

import logging
import platform
import time
from types import SimpleNamespace

import pytest
import torch
from networks import TINY
from torch import nn

from imageloom.distributed.exchange_clock import ExchangeClock
from imageloom.events import Control, Notice
from imageloom.training import straggler as pace
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.events import RunReporter
from imageloom.training.straggler import Pace, slow_rank
from imageloom.training.train import NewRun, prepare_run

from .rank_processes import continue_on_ranks

OTHERS_WAIT_S = 0.05


@pytest.mark.parametrize(
    ("speeds", "slowest"),
    [
        ([100.0, 100.0], None),
        ([100.0, 81.0], None),
        ([79.0, 100.0], 0),  # of two, the other one is the measure, not the mean of both
        ([100.0, 100.0, 70.0, 300.0], 2),
        ([10.0, 11.0, 300.0], None),  # one that is faster makes nobody slow
        ([50.0, 100.0, 40.0, 100.0, 100.0], 2),
        ([0.0, 0.0], None),
    ],
)
def test_a_process_is_slow_when_the_others_reach_clearly_more(speeds, slowest):
    assert slow_rank(speeds) == slowest


def test_only_what_follows_the_last_own_gradient_counts_as_waiting():
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    clock = ExchangeClock(network, torch.device("cpu"))
    own_work = network(torch.randn(3, 4))
    time.sleep(OTHERS_WAIT_S)  # slow, but by itself
    own_work.sum().backward()
    clock.add_backward()
    before = clock.seconds
    assert before < OTHERS_WAIT_S
    network(torch.randn(3, 4)).sum().backward()
    time.sleep(OTHERS_WAIT_S)  # as a backward pass that waits for gradients
    clock.add_backward()
    with clock.waiting():
        time.sleep(OTHERS_WAIT_S)
    assert clock.seconds - before >= 2 * OTHERS_WAIT_S


def test_a_pass_that_left_out_the_first_parameter_waited_for_nobody():
    clock = ExchangeClock(nn.Linear(4, 2), torch.device("cpu"))
    clock.add_backward()
    assert clock.seconds == 0.0


class TwoProcesses:
    """A group in which the other process reached a speed that is given."""

    def __init__(self, other):
        self.other = other

    def gather(self, values):
        return [[self.other], list(values)]

    def gather_bytes(self, content):
        return [b"elsewhere", content]


@pytest.fixture
def make_pace():
    def make(other):
        heard = []
        clock = SimpleNamespace(seconds=0.0)
        reporter = RunReporter(sink=heard.append)
        stepper = SimpleNamespace(exchange=clock)
        job = SimpleNamespace(stepper=stepper, group=TwoProcesses(other), reporter=reporter)
        return Pace(job), clock, heard, reporter

    return make


def steps(measured, clock, number, *, own_s, waited_s):
    for _ in range(number):
        clock.seconds += waited_s
        measured.after_step(8, own_s + waited_s)


def test_waits_and_the_first_steps_are_not_counted(make_pace, caplog):
    measured, clock, heard, reporter = make_pace(other=20.0)
    steps(measured, clock, 2, own_s=9.0, waited_s=5.0)
    steps(measured, clock, 10, own_s=0.5, waited_s=1.5)
    with caplog.at_level(logging.INFO):
        assert measured.end_epoch(1) == pytest.approx([20.0, 16.0])
    assert "Epoch 1: this process trained 16.0 images/s" in caplog.text
    assert heard == []  # 16 is four fifths of 20
    steps(measured, clock, 10, own_s=1.0, waited_s=0.0)
    assert measured.end_epoch(2) == pytest.approx([20.0, 8.0])  # of this epoch alone
    reporter.close()
    (notice,) = heard
    assert notice == Notice("warning", notice.message)
    host = platform.node()
    assert f"Rank 1 of 2, on {host}, held up the others in epoch 2: 8.0" in notice.message
    assert "where they reach 20.0" in notice.message


def test_a_few_steps_call_nobody_slow(make_pace):
    measured, clock, heard, reporter = make_pace(other=100.0)
    steps(measured, clock, 2 + 9, own_s=1.0, waited_s=0.0)
    assert measured.end_epoch(1) == pytest.approx([100.0, 8.0])
    steps(measured, clock, 0, own_s=1.0, waited_s=0.0)
    assert measured.end_epoch(2) == []  # resumed at the end of an epoch
    reporter.close()
    assert heard == []


def test_one_process_measures_nothing():
    alone = Pace(SimpleNamespace(stepper=SimpleNamespace(exchange=None)))
    alone.after_step(8, 1.0)
    alone.after_step(8, 1.0)
    alone.after_step(8, 1.0)
    assert alone.end_epoch(1) == []


@pytest.mark.slow
def test_the_process_that_two_wait_for_is_named_with_its_host(make_pictures, tmp_path):
    pictures = make_pictures(per_class=18, size=8), make_pictures(per_class=2, size=8, seed=1)
    params = TrainParams(epochs=1, batch_size=2, precision="float32", device="cpu", workers=0)
    run = RunDirectory(
        prepare_run(
            NewRun(TINY, *pictures, tmp_path / "run", params=params),
            processes=2,
            control=Control(),
        )
    )
    slow_disk = """
import time
from imageloom.data.loading import picture_reader
real = picture_reader.read_file
def read_file(*arguments):
    time.sleep(0.1 if ranks.rank == 1 else 0)
    return real(*arguments)
picture_reader.read_file = read_file
"""
    assert continue_on_ranks(run.path, extra=slow_disk) == ([0, 0], ["", ""])
    first, second = (run.log_of(rank).read_text(encoding="utf-8") for rank in range(2))
    assert f"Rank 1 of 2, on {platform.node()}, held up the others in epoch 1" in first
    assert "this process trained" in second
    speeds = run.read().images_per_s_of_ranks
    assert speeds[1] < pace._SLOW_FRACTION * speeds[0]
