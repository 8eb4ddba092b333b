"""``--batch-size auto``: what is found, where it is recorded, and that training never runs out."""

import pytest
import torch
from networks import TINY
from torch import nn

from imageloom.cli.flags import read_params
from imageloom.errors import (
    ModuleOutOfMemoryError,
    ParameterParsingError,
)
from imageloom.events import Control, Notice
from imageloom.launch.train import resume, train
from imageloom.models.architecture import build_network
from imageloom.models.compute import Compute
from imageloom.models.model_directory import load_trained
from imageloom.system.machine import HostMemory
from imageloom.training import assemble, batch_size
from imageloom.training.batch_parts import BatchParts
from imageloom.training.batch_size import find_batch_size, largest_by_trial
from imageloom.training.memory import training_of
from imageloom.training.micro_batch import MicroBatch
from imageloom.training.params import TrainParams
from imageloom.training.possible_batch_sizes import possible_batch_sizes
from imageloom.training.run.directory import RunDirectory
from imageloom.training.step import Stepper
from imageloom.training.train import NewRun, prepare_run

MIB = 2**20
CPU = Compute(device=torch.device("cpu"), precision="float32")
PARAMS = TrainParams(
    epochs=1, batch_size="auto", image_size=32, precision="float32", device="cpu", workers=0
)


class TooSmall:
    """Memory that holds a number of pictures, for the networks that are built with it."""

    def __init__(self, most):
        self.most = most
        self.seen = []

    def look(self, network, inputs):
        if network.training:
            self.seen.append(len(inputs[0]))
            if len(inputs[0]) > self.most:
                raise torch.OutOfMemoryError(f"no room for {len(inputs[0])} pictures")

    def build(self, *arguments):
        network = build_network(*arguments)
        network.register_forward_pre_hook(self.look)
        return network


@pytest.fixture(scope="module")
def pictures(make_pictures):
    return make_pictures(per_class=8), make_pictures(per_class=2, seed=1)


@pytest.fixture(scope="module")
def many(make_pictures):
    return make_pictures(per_class=110), make_pictures(per_class=2, seed=1)


@pytest.fixture
def prepare(tmp_path):
    """Return a function that prepares a run and returns its directory and what was said."""

    def prepare(pictures, **changes):
        heard = []
        new = NewRun(TINY, *pictures, tmp_path / "run", params=PARAMS.replace(**changes))
        run = RunDirectory(prepare_run(new, control=Control(heard.append)))
        return run, [one.message for one in heard if isinstance(one, Notice)]

    return prepare


@pytest.mark.parametrize(
    ("images", "processes", "sizes"),
    [
        (50_000, 1, [1024, 512, 256, 128, 64, 32, 16, 8]),
        (244, 1, [16, 8]),  # an epoch of 10 steps or more
        (244, 2, [8]),
        (24, 1, [8]),
        (7, 1, [4]),
        (1, 1, [1]),
        (0, 1, [1]),
    ],
)
def test_sizes_are_powers_of_two_that_leave_ten_steps_to_an_epoch(images, processes, sizes):
    assert possible_batch_sizes(images, processes) == sizes


def test_the_word_is_taken_by_flags_files_and_python():
    asked = read_params(TrainParams, {"batch_size": "auto"})
    assert asked == TrainParams(batch_size="auto") == TrainParams.parse(asked.model_dump())
    assert asked.output_values()["batch_size"] == "auto"
    with pytest.raises(ParameterParsingError, match=r"a whole number or auto\.") as found:
        TrainParams.parse({"batch_size": "most"})
    assert found.value.message == 'batch_size is "most", but must be a whole number or auto.'


def test_what_was_found_is_recorded_said_and_kept(prepare, many):
    run, said = prepare(many)
    assert said[-1] == (
        "Batch size: 32, found by estimate among 8 to 32 for 330 training pictures on cpu."
    )
    record = run.read()
    assert (record.asked["batch_size"], record.params.batch_size) == ("auto", 32)
    resolved = record.resolved
    assert (resolved.steps_per_epoch, resolved.images_per_step) == (11, 32)


def test_a_run_that_goes_on_where_there_is_less_memory_keeps_its_batch(prepare, many, monkeypatch):
    run, _ = prepare(many)
    monkeypatch.setattr(batch_size, "host_memory", lambda: HostMemory(1, 1, True))
    resume(run.path)
    assert run.read().params.batch_size == 32
    assert load_trained(run.model).parameters["batch_size"] == 32


def test_on_a_cpu_a_tenth_of_the_memory_stays_free(prepare, many, monkeypatch):
    run, _ = prepare(many)
    record = run.read()
    held = 500 * MIB
    monkeypatch.setattr(batch_size, "memory_in_use_bytes", lambda: held)
    needed = training_of(record, 1).with_batch_size(16).more_bytes(held)
    for available, found in ((needed / 0.9 + 10, 16), (needed / 0.9 - 10, 8), (1, 8)):
        memory = HostMemory(2**40, int(available), False)
        monkeypatch.setattr(batch_size, "host_memory", lambda memory=memory: memory)
        assert find_batch_size(record, processes_here=1, on_event=lambda _: None) == found


def test_where_others_train_a_number_is_asked_for(prepare, pictures):
    run, _ = prepare(pictures)
    with pytest.raises(ParameterParsingError, match="the machines that train are others"):
        find_batch_size(run.read(), processes_here=0, on_event=lambda _: None)


def test_a_trial_takes_steps_with_halves_until_they_fit(prepare, pictures, monkeypatch):
    record = prepare(pictures)[0].read()
    small = TooSmall(20)
    monkeypatch.setattr(batch_size, "build_network", small.build)
    assert largest_by_trial(record, CPU, [64, 32, 16, 8]) == 16
    assert small.seen == [64, 32, 16, 16]  # the optimizer's numbers come with the first step


def test_a_trial_hides_no_other_error(prepare, pictures, monkeypatch):
    def broken(*_):
        raise RuntimeError("a real mistake")

    record = prepare(pictures)[0].read()
    small = TooSmall(20)
    small.look = broken
    monkeypatch.setattr(batch_size, "build_network", small.build)
    with pytest.raises(RuntimeError, match="a real mistake"):
        largest_by_trial(record, CPU, [64, 32])


def test_training_goes_on_in_parts_when_memory_runs_out_and_says_so_once(
    pictures, tmp_path, monkeypatch
):
    small, heard = TooSmall(4), []
    monkeypatch.setattr(assemble, "build_network", small.build)
    done = train(TINY, *pictures, tmp_path / "run", params=PARAMS, on_event=heard.append)
    assert small.seen == [8, 4, 4, 4, 4, 4, 4]
    said = [one.message for one in heard if isinstance(one, Notice) and "ran out" in one.message]
    assert len(said) == 1
    assert "Memory ran out with 8 pictures at once." in said[0]
    assert "parts of about 4 pictures" in said[0]
    assert RunDirectory(done.run).read().state == "completed"


def test_a_batch_that_was_asked_for_fails_and_the_error_names_auto(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(assemble, "build_network", TooSmall(4).build)
    with pytest.raises(ModuleOutOfMemoryError, match="no room for 8 pictures") as found:
        train(TINY, *pictures, tmp_path / "run", params=PARAMS.replace(batch_size=8))
    assert "--batch-size auto" in found.value.hint


class Limited(nn.Module):
    """Passes values on; memory runs out forwards or backwards above a number of pictures."""

    def __init__(self, most, *, backwards):
        super().__init__()
        self.most = most
        self.backwards = backwards

    def forward(self, values):
        if len(values) <= self.most:
            return values
        if not self.backwards:
            raise torch.OutOfMemoryError("forwards")
        values = values * 1
        values.register_hook(self._run_out)
        return values

    def _run_out(self, _gradient):
        raise torch.OutOfMemoryError("backwards")


def stepper_with(limited, weight=None):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 1), limited, nn.Flatten(), nn.Linear(16, 3))
    network.insert(2, nn.BatchNorm2d(4).eval())
    criterion = nn.CrossEntropyLoss(weight=weight, label_smoothing=0.1)
    said = []
    stepper = Stepper(
        network=network,
        criterion=criterion,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9),
        compute=CPU,
        parts=BatchParts(criterion, said.append),
    )
    return stepper, said


def batches():
    generator = torch.Generator().manual_seed(1)
    for images, share in ((4, 0.2), (16, 0.8)):
        inputs = torch.randn(images, 3, 2, 2, generator=generator)
        labels = torch.randint(0, 3, (images,), generator=generator)
        yield MicroBatch(inputs, labels, share)


@pytest.mark.parametrize("weight", [None, torch.tensor([0.5, 2.0, 1.0])], ids=["", "weighted"])
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
def test_parts_of_a_step_give_the_gradient_of_the_whole_step(backwards, weight):
    whole, _ = stepper_with(Limited(100, backwards=False), weight)
    parts, said = stepper_with(Limited(5, backwards=backwards), weight)
    for _ in range(2):
        expected, _ = whole.take(batches())
        found, _ = parts.take(batches())
    assert found.images == expected.images == 20
    for one, other in zip(whole.network.parameters(), parts.network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    assert [text[:36] for text in said] == [
        "Memory ran out with 16 pictures at o",
        "Memory ran out with 8 pictures at on",
    ]


def test_running_statistics_are_those_of_the_parts_alone():
    stepper, _ = stepper_with(Limited(4, backwards=True))
    stepper.network[2].train()
    stepper.take(batches())
    assert stepper.network[2].num_batches_tracked == 1 + 4  # not also of what ran out


def test_what_cannot_be_cut_is_an_error():
    stepper, said = stepper_with(Limited(1, backwards=False))
    with pytest.raises(torch.OutOfMemoryError, match="forwards"):
        stepper.take(batches())
    assert [text[:34] for text in said] == ["Memory ran out with 4 pictures at "]
