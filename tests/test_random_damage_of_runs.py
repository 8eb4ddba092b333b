"""Damaged checkpoints, models and records of runs: passed over with the reason, or named errors."""

import io
import runpy
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import imageloom
from imageloom.cli.root import run as run_command
from imageloom.errors import CannotResumeError, InvalidModelDirectoryError
from imageloom.events import Control
from imageloom.launch.preflight.room import needs_of
from imageloom.launch.train import resumed_launch
from imageloom.metrics import ScoreSums
from imageloom.models.family import FAMILIES
from imageloom.models.model_directory import (
    create_model,
    load_trained,
    load_untrained,
    make_untrained,
)
from imageloom.models.params import ModelParams
from imageloom.training.checkpoints.checkpoint import (
    newest_checkpoint,
    restore_checkpoint,
    save_checkpoint,
)
from imageloom.training.checkpoints.loop_state import LoopState
from imageloom.training.early_stop import EarlyStop
from imageloom.training.generators import lent_generators
from imageloom.training.optimizer import make_optimizer
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.run.events import read_metrics
from imageloom.training.run.lost import tell_loss
from imageloom.training.run.pictures import point_anew
from imageloom.training.train import NewRun, prepare_run, read_result

from .damage import (
    CHANGES,
    DOCUMENT_CHANGES,
    QUICK,
    changed_document,
    damaged,
    only_named_errors,
    resealed_copy,
)

TINY_FAMILY = Path(__file__).parent / "faults" / "tiny_family.py"
ONE_EPOCH = TrainParams(epochs=1, batch_size=2, precision="float32", workers=0, image_size=8)


def network_and_optimizer(optimizer):
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(18, 2))
    return network, make_optimizer(network, TrainParams(optimizer=optimizer))


def take_step(network, optimizer):
    network(torch.randn(2, 3, 5, 5)).square().sum().backward()
    optimizer.step()


@pytest.fixture(scope="module", params=["sgd", "adamw"])
def checkpoints(request, tmp_path_factory):
    """Two checkpoints, and the kind of their optimizer."""
    folder = tmp_path_factory.mktemp("checkpoints")
    network, optimizer = network_and_optimizer(request.param)
    for step in (1, 2):
        take_step(network, optimizer)
        state = LoopState(
            step=step,
            steps_in_epoch=step,
            sums=ScoreSums(images=2, loss=0.5, top1=1),
            early_stop=EarlyStop(best_loss=0.5, best_epoch=1),
            events_bytes=7,
        )
        save_checkpoint(folder, state, network, optimizer)
    return folder, request.param


@settings(QUICK, max_examples=15)
@given(data=st.data())
def test_a_damaged_checkpoint_is_restored_or_passed_over_with_its_reason(
    checkpoints, tmp_path, data
):
    source, kind = checkpoints
    folder = tmp_path / "checkpoints"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source / "step-000000001", folder / "step-000000001")
    resealed_copy(source / "step-000000002", folder / "step-000000002", data)
    network, optimizer = network_and_optimizer(kind)
    with lent_generators():
        path, state, passed_over = newest_checkpoint(
            folder, lambda path: restore_checkpoint(path, network, optimizer)
        )
        take_step(network, optimizer)
    if path.name == "step-000000001":
        assert state.step == 1
        (sentence,) = passed_over
        assert sentence.startswith("Checkpoint step-000000002 cannot be used: ")
        assert "step-000000002" in sentence.partition(": ")[2]
    else:
        assert (state.step, passed_over) == (2, [])


@settings(QUICK, max_examples=15)
@given(data=st.data())
def test_where_the_only_checkpoint_is_damaged_nothing_else_than_a_named_error_comes(
    checkpoints, tmp_path, data
):
    source, kind = checkpoints
    resealed_copy(source / "step-000000002", tmp_path / "step-000000002", data)
    network, optimizer = network_and_optimizer(kind)
    with lent_generators():
        try:
            newest_checkpoint(tmp_path, lambda path: restore_checkpoint(path, network, optimizer))
        except CannotResumeError as problem:
            assert "holds no whole checkpoint. Checkpoint step-000000002" in problem.message  # noqa: PT017


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with a completed run of a tiny network, one that was only prepared, and models."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FAMILIES, "_items", dict(FAMILIES._items))
        tiny = runpy.run_path(str(TINY_FAMILY))
        pictures = [tiny["tiny_pictures"](folder / name, 2, 0) for name in ("first", "second")]
        imageloom.train("tiny", *pictures, folder / "run", params=ONE_EPOCH)
        prepare_run(NewRun("tiny", *pictures, folder / "new", params=ONE_EPOCH), control=Control())
        create_model("tiny", folder / "random")
        create_model("tiny", folder / "other", ModelParams(weights=str(folder / "run" / "model")))
        yield folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "read"),
    [("run/model", load_trained), ("random", load_untrained), ("other", load_untrained)],
)
@QUICK
@given(data=st.data())
def test_a_damaged_model_whose_manifest_was_made_to_fit_is_read_or_a_named_error(
    name, read, runs, tmp_path, data
):
    only_named_errors(read, resealed_copy(runs / name, tmp_path / "copy", data))


@pytest.fixture
def copied(runs, tmp_path):
    """Return a function that copies a run and damages one of its files."""

    def copy(name, file, data):
        folder = tmp_path / "run"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(runs / name, folder)
        content = (folder / file).read_bytes()
        if data.draw(st.booleans()):
            content = changed_document(content, data.draw(DOCUMENT_CHANGES))
        else:
            content = damaged(content, data.draw(CHANGES))
        (folder / file).write_bytes(content)
        return folder

    return copy


@pytest.mark.slow
@QUICK
@given(data=st.data())
def test_whatever_reads_the_damaged_record_of_a_run_uses_it_or_says_a_named_error(copied, data):
    for folder in (copied("run", "run.json", data), copied("new", "run.json", data)):
        for read in (
            lambda run: RunDirectory(run).read(),
            read_result,
            lambda run: resumed_launch(run, {}),
            lambda run: needs_of(run, processes=1),
            lambda run: tell_loss(RunDirectory(run)),
        ):
            only_named_errors(read, folder)


@settings(QUICK, max_examples=15)
@given(data=st.data())
def test_a_run_whose_record_was_damaged_gets_its_pictures_pointed_anew_or_a_named_error(
    copied, runs, data
):
    folder = copied("new", "run.json", data)
    only_named_errors(
        lambda run: point_anew(run, [runs], control=Control(lambda _: None)),
        folder,
    )


@pytest.mark.slow
@settings(QUICK, max_examples=5)
@given(data=st.data())
def test_a_run_whose_record_was_damaged_goes_on_or_says_a_named_error(copied, data):
    only_named_errors(imageloom.resume, copied("new", "run.json", data))


@settings(QUICK, max_examples=5)
@given(data=st.data())
def test_commands_say_a_named_error_of_a_damaged_record(copied, data, capsys):
    folder = copied("run", "run.json", data)
    for words in (["logs"], ["train", "--resume"]):
        run_command([*words, str(folder)])
        said = capsys.readouterr()
        assert "LibraryError" not in said.err
        assert "Traceback" not in said.err


@QUICK
@given(data=st.data())
def test_damaged_events_of_a_run_are_read_or_a_named_error(copied, data):
    only_named_errors(read_metrics, copied("run", "events.jsonl", data) / "events.jsonl")


# The weights of the tiny network's first and last layers, stored in other ways.
LAYOUTS = {
    "sparse": ("0.weight", lambda weight: weight.to_sparse()),
    "csr": ("6.weight", lambda weight: weight.to_sparse_csr()),
    "csc": ("6.weight", lambda weight: weight.to_sparse_csc()),
    "meta": ("0.weight", lambda weight: weight.to("meta")),
    "quantized": (
        "0.weight",
        lambda weight: torch.quantize_per_tensor(weight, 0.1, 0, torch.quint8),
    ),
    "complex": ("0.weight", lambda weight: weight.to(torch.complex64)),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of torch: these layouts may change
@pytest.mark.parametrize("layout", LAYOUTS)
@settings(QUICK, max_examples=15)
@given(changes=CHANGES)
def test_weights_of_another_layout_are_used_or_refused_with_a_named_error(
    layout, runs, tmp_path, changes
):
    file, (name, stored) = io.BytesIO(), LAYOUTS[layout]
    state = load_trained(runs / "run" / "model").network.state_dict()
    torch.save({**state, name: stored(state[name])}, file)
    path = tmp_path / "x.pt"
    params = ModelParams(weights=str(path))
    path.write_bytes(file.getvalue())
    with pytest.raises(InvalidModelDirectoryError, match=f"no plain arrays: {name} is "):
        make_untrained("tiny", params, control=Control())
    path.write_bytes(damaged(file.getvalue(), changes))
    only_named_errors(lambda _: make_untrained("tiny", params, control=Control()), path)
