"""How often the processes of a run talk to each other while they train."""

from dataclasses import dataclass, field

import pytest
from networks import TINY

from imageloom.distributed.group import Group
from imageloom.distributed.ranks import Ranks
from imageloom.errors import RunInterruptedError
from imageloom.events import CancelToken, Control
from imageloom.models.compute import choose_compute
from imageloom.models.params import ModelParams
from imageloom.training.assemble import assembled_session
from imageloom.training.checkpoints.loop_state import LoopState
from imageloom.training.fit import fit
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.events import RunReporter
from imageloom.training.step import Stepper
from imageloom.training.train import NewRun, prepare_run

PARAMS = TrainParams(epochs=1, batch_size=2, precision="float32", workers=0)


@dataclass(frozen=True)
class CountingGroup(Group):
    """The first of two processes, where the other one says what this one says."""

    ranks: Ranks = field(default_factory=lambda: Ranks(rank=0, world_size=2))
    exchanges: list[str] = field(default_factory=list)

    def gather(self, values):
        self.exchanges.append("numbers")
        return [list(values)] * 2

    def gather_bytes(self, content):
        self.exchanges.append("bytes")
        return [content] * 2

    def wrap(self, network):
        return network

    def share_buffers(self, _network):
        self.exchanges.append("buffers")


@pytest.fixture(scope="module")
def prepare(make_pictures, tmp_path_factory):
    pictures = make_pictures(per_class=8, size=8), make_pictures(per_class=2, size=8, seed=1)

    def prepare(params=PARAMS):
        run = tmp_path_factory.mktemp("fit") / "run"
        return RunDirectory(
            prepare_run(
                NewRun(
                    TINY,
                    *pictures,
                    run,
                    params=params,
                    model_params=ModelParams(),
                ),
                processes=2,
                control=Control(),
            )
        )

    return prepare


def train(run, group, cancel):
    reporter, compute = RunReporter(run.events), choose_compute("cpu", "float32")
    try:
        with assembled_session(run, reporter, cancel, compute, group) as session:
            return fit(session, LoopState())
    finally:
        reporter.close()


def note_exchanges_when_steps_begin(monkeypatch, group, action=lambda _: None):
    begun, take = [], Stepper.take

    def noting(self, *arguments):
        begun.append(len(group.exchanges))
        action(len(begun))
        return take(self, *arguments)

    monkeypatch.setattr(Stepper, "take", noting)
    return begun


@pytest.mark.slow
def test_processes_talk_once_per_step(prepare, monkeypatch):
    group = CountingGroup()
    begun = note_exchanges_when_steps_begin(monkeypatch, group)
    assert train(prepare(), group, CancelToken()).step == len(begun) == 6
    assert begun == [0, 1, 2, 3, 4, 5]


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 4])
def test_a_request_made_during_a_step_stops_all_after_it(prepare, monkeypatch, step):
    group, cancel, run = CountingGroup(), CancelToken(), prepare()
    note_exchanges_when_steps_begin(
        monkeypatch, group, lambda number: cancel.set("SIGTERM") if number == step else None
    )
    with pytest.raises(RunInterruptedError, match=f"Stopped by SIGTERM at step {step} in epoch 1"):
        train(run, group, cancel)
    assert max(one.name for one in run.checkpoints.iterdir()) == f"step-{step:09d}"


@pytest.mark.slow
def test_a_checkpoint_that_is_due_is_written_after_the_same_step(prepare, monkeypatch):
    group, run, seen = CountingGroup(), prepare(PARAMS.replace(checkpoint_minutes=1e-9)), []
    note_exchanges_when_steps_begin(
        monkeypatch, group, lambda _: seen.append({one.name for one in run.checkpoints.iterdir()})
    )
    train(run, group, CancelToken())
    assert all(f"step-{step:09d}" in seen[step] for step in range(1, 6))
