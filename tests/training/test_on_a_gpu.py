"""Whole runs on a GPU: equal bits where they are promised, memory that runs out, NCCL."""

import pytest
import torch

from imageloom.errors import ModuleOutOfMemoryError, RunInterruptedError
from imageloom.events import CancelToken, Control, Progress
from imageloom.launch.params import LaunchParams
from imageloom.launch.train import resume, train
from imageloom.models.params import ModelParams
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.events import read_metrics
from imageloom.training.train import NewRun, continue_run, prepare_run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU"),
]
SMALL = ModelParams(stem="small")
EXACT = TrainParams(
    epochs=2,
    batch_size=8,
    learning_rate=0.02,
    device="cuda",
    precision="float32",
    deterministic=True,
    print_frequency=1,
    workers=0,
)


@pytest.fixture(scope="module")
def pictures(make_pictures):
    return make_pictures(per_class=16), make_pictures(per_class=8, seed=1)


def weights(run):
    return (run / "model" / "weights.safetensors").read_bytes()


class StopAfter(CancelToken):
    """Asks to stop when so many steps were told."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def __call__(self, event):
        if isinstance(event, Progress):
            self.left -= 1
            if self.left == 0:
                self.set("SIGTERM")


def test_a_stopped_and_resumed_run_has_the_bits_of_one_that_was_not(
    pictures, tmp_path, monkeypatch
):
    monkeypatch.setattr("imageloom.training.run.events.PROGRESS_INTERVAL_S", 0.0)
    quiet = train("resnet18", *pictures, tmp_path / "quiet", params=EXACT, model_params=SMALL)
    stop = StopAfter(3)
    with pytest.raises(RunInterruptedError, match="SIGTERM"):
        train(
            "resnet18",
            *pictures,
            tmp_path / "stopped",
            params=EXACT,
            model_params=SMALL,
            on_event=stop,
            cancel=stop,
        )
    assert weights(resume(tmp_path / "stopped").run) == weights(quiet.run)


def test_two_deterministic_runs_have_the_same_bits(pictures, tmp_path):
    first, second = (
        train("resnet18", *pictures, tmp_path / name, params=EXACT, model_params=SMALL)
        for name in ("first", "second")
    )
    assert weights(first.run) == weights(second.run)


@pytest.fixture
def one_gibibyte():
    """Let this process have no more of the GPU."""
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(2**30 / total)
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)
    torch.cuda.empty_cache()


LARGE = TrainParams(epochs=1, image_size=224, device="cuda", precision="float32", workers=0)


# 224 px of ResNet-18 take about 25 MB in float32 until the backward pass, so that some 35 fit.
def test_a_batch_that_has_no_room_ends_the_run_with_both_ways_out(
    make_pictures, tmp_path, one_gibibyte
):
    many = make_pictures(per_class=100, size=64)
    with pytest.raises(ModuleOutOfMemoryError, match="no room for 256 pictures") as found:
        train("resnet18", many, many, tmp_path / "run", params=LARGE.replace(batch_size=256))
    assert "--batch-size auto" in found.value.hint


def test_auto_finds_a_batch_that_fits(make_pictures, tmp_path, one_gibibyte):
    many = make_pictures(per_class=400, size=64)
    done = train("resnet18", many, many, tmp_path / "run", params=LARGE.replace(batch_size="auto"))
    record = RunDirectory(done.run).read()
    assert record.state == "completed"
    assert 2 <= record.params.pictures_per_batch <= 64


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs for NCCL")
def test_one_process_takes_the_steps_that_two_took_on_two_gpus(pictures, tmp_path):
    two = train(
        "resnet18",
        *pictures,
        tmp_path / "two",
        params=EXACT,
        model_params=SMALL,
        launch=LaunchParams(processes_per_node=2),
    )
    new = NewRun("resnet18", *pictures, tmp_path / "one", params=EXACT, model_params=SMALL)
    one = prepare_run(new, processes=2, control=Control())
    continue_run(one, control=Control())
    assert losses(one) == pytest.approx(losses(two.run), abs=1e-4, rel=0)


def losses(run):
    return [one.value for one in read_metrics(run / "events.jsonl") if one.name == "Train loss"]
