"""What cannot fit into memory is refused before there is a run; what hardly fits is said."""

import dataclasses
import json

import pytest

from imageloom.errors import ModuleOutOfMemoryError
from imageloom.events import Control
from imageloom.launch.train import resume
from imageloom.system.machine import HostMemory
from imageloom.training import memory as memory_module
from imageloom.training.memory import (
    StepSize,
    Training,
    base_bytes,
    require_memory,
    training_of,
)
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.record import TrainingRecord
from imageloom.training.train import NewRun, prepare_run

MIB = 2**20
STEP = StepSize(weights=10 * MIB, learning=8 * MIB, kept=50 * MIB, optimizer_copies=1)
ALONE = Training(STEP, batch_size=16, processes=1, workers=0, reader_batch_bytes=4 * MIB)
PARAMS = TrainParams(epochs=2, batch_size=8, workers=0, precision="float32", device="cpu")


def test_a_step_takes_weights_momentum_and_what_is_kept_or_the_gradients_instead():
    assert STEP.least_bytes == (40 + 32 + 200) * MIB
    little_kept = dataclasses.replace(STEP, kept=MIB)
    assert little_kept.least_bytes == (40 + 32 + 32) * MIB
    adamw = dataclasses.replace(STEP, optimizer_copies=2)
    assert adamw.least_bytes == (40 + 64 + 200) * MIB
    in_bfloat16 = dataclasses.replace(STEP, bytes_per_kept=2)
    assert in_bfloat16.least_bytes == (40 + 32 + 100) * MIB


def test_a_single_step_has_no_momentum_while_its_forward_pass_ends():
    assert dataclasses.replace(STEP, takes_steps=False).least_bytes == (40 + 200) * MIB


def test_of_this_process_three_quarters_certainly_stay():
    assert ALONE.least_bytes(400 * MIB) == 300 * MIB + STEP.least_bytes


def test_each_of_several_processes_takes_all_of_it():
    two = dataclasses.replace(ALONE, processes=2)
    assert two.least_bytes(400 * MIB) == (300 + 2 * 64) * MIB + 2 * STEP.least_bytes
    likely = 40 + 2 * 32 + 300 + 128
    assert two.more_bytes(400 * MIB) == 2 * (400 + likely) * MIB


def test_readers_take_one_process_and_a_share_for_each_with_three_batches():
    more = dataclasses.replace(ALONE, workers=3).more_bytes(400 * MIB) - ALONE.more_bytes(400 * MIB)
    assert more == (400 + 3 * (2 * 32 + 3 * 4)) * MIB


def test_a_smaller_batch_keeps_less():
    half = ALONE.with_batch_size(8)
    assert (half.step.kept, half.reader_batch_bytes) == (25 * MIB, 2 * MIB)


def record(**changes):
    """Return the record of a run of resnet18 on 224 px, as far as memory depends on it."""
    params = PARAMS.model_copy(update={"batch_size": 16, **changes})
    architecture = {
        "family": "resnet",
        "variant": "resnet18",
        "options": {"stem": "standard", "zero_init_residual": False, "dropout": 0.0},
    }
    images = {"root": "/photos", "images": 160, "classes": ["a", "b"]}
    content = {
        "asked": params.model_dump(),
        "model": {"architecture": architecture, "normalisation": {}, "initial_weights": {}},
        "resolved": {"image_size": 224, "steps_per_epoch": 10},
        "data": {"training": images, "validation": images},
    }
    return TrainingRecord.model_validate(content)


def test_the_size_of_a_real_network_is_that_of_its_parameters():
    step = training_of(record(), 1).step
    learning = 11_689_512 - 513_000 + 2 * 513  # torchvision's count, with 2 classes for 1,000
    assert step.learning == learning
    # BatchNorm's means, variances and counts: 4,800 channels in 20 layers.
    assert step.weights == learning + 2 * 4_800 + 20


def test_of_a_frozen_body_only_the_last_layer_moves():
    step = training_of(record(freeze="body"), 1).step
    assert (step.learning, step.kept) == (2 * 513, 16 * 512)


@pytest.fixture
def machine(monkeypatch):
    """Return a function that says how much memory the machine has, in MiB."""

    def set_memory(limit, available, *, is_limited=True):
        memory = HostMemory(limit * MIB, available * MIB, is_limited)
        monkeypatch.setattr(memory_module, "host_memory", lambda: memory)
        monkeypatch.setattr(memory_module, "memory_in_use_bytes", lambda: 400 * MIB)

    return set_memory


def heard_of(content, processes=1):
    heard = []
    require_memory(content, processes_here=processes, base_bytes=400 * MIB, on_event=heard.append)
    return [event.message for event in heard]


def test_what_cannot_fit_is_refused_with_both_numbers_and_what_would(machine):
    machine(512, 112)
    with pytest.raises(
        ModuleOutOfMemoryError, match=r"at least 649 MiB .* 512 MiB within"
    ) as found:
        heard_of(record())
    assert "control group" in found.value.message
    assert found.value.details["limit_bytes"] == 512 * MIB


def test_a_limit_just_above_the_least_is_never_refused(machine):
    least = training_of(record(), 1).least_bytes(400 * MIB)
    machine(least // MIB + 1, 10_000)
    assert heard_of(record()) == []


def test_what_hardly_fits_is_said_with_both_numbers_and_the_batch_that_will_fit(machine):
    machine(900, 500)
    (said,) = heard_of(record())
    assert "will take about 651 MiB more memory, but 500 MiB are left" in said
    assert "--batch-size 8 will probably fit" in said


def test_readers_are_given_up_first(machine):
    machine(1300, 800)
    (said,) = heard_of(record(workers=2))
    assert "--workers 0 will probably fit" in said


def test_of_several_processes_fewer_are_advised(machine):
    machine(8000, 1000, is_limited=False)
    (said,) = heard_of(record(), processes=2)
    assert "on this machine" in said
    assert "--processes-per-node" in said


def test_where_nothing_is_known_of_memory_nothing_is_said(monkeypatch):
    monkeypatch.setattr(memory_module, "host_memory", lambda: None)
    assert heard_of(record()) == []


@pytest.mark.slow
def test_no_run_is_left_of_what_was_refused(machine, make_pictures, tmp_path):
    machine(60, 60)
    pictures = make_pictures(), make_pictures(per_class=4, seed=1)
    with pytest.raises(ModuleOutOfMemoryError, match="60 MiB"):
        prepare_run(
            NewRun("resnet18", *pictures, tmp_path / "run", params=PARAMS), control=Control()
        )
    assert not (tmp_path / "run").exists()
    # Where another machine trains, this one need not have the memory.
    prepare_run(
        NewRun("resnet18", *pictures, tmp_path / "run", params=PARAMS),
        processes_here=0,
        control=Control(),
    )

    with pytest.raises(ModuleOutOfMemoryError, match="60 MiB"):
        resume(tmp_path / "run")
    run = RunDirectory(tmp_path / "run")
    assert run.read().state == "failed"
    assert json.loads(run.error.read_text())["code"] == "0138"


@pytest.mark.slow
def test_what_an_earlier_piece_of_work_left_free_is_not_counted():
    assert base_bytes() <= memory_module.memory_in_use_bytes() + 16 * MIB
