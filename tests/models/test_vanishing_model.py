"""A model directory that vanishes, or whose disk fails, between any two reads of a reader."""

import shutil

import pytest
import safetensors.torch
import torch
import vanishing

from imageloom.errors import CouldNotOpenFileError, InvalidModelDirectoryError
from imageloom.events import Control
from imageloom.models.architecture import resolve_architecture
from imageloom.models.model_directory import create_model, load_trained, load_untrained
from imageloom.models.params import ModelParams
from imageloom.models.pretrained import load_pretrained
from imageloom.models.stored_model import read_kind


@pytest.fixture(scope="module")
def untrained_path(trained_path, tmp_path_factory):
    path = tmp_path_factory.mktemp("untrained") / "model"
    create_model("timm/test_resnet", path, ModelParams(weights=str(trained_path)))
    return path


@pytest.mark.parametrize("fault", vanishing.FAULTS)
@pytest.mark.parametrize("reader", [load_trained, load_untrained, read_kind])
def test_every_fault_between_two_reads_is_an_error_that_names_the_directory(
    trained_path, untrained_path, tmp_path, fault, reader
):
    def make():
        source = untrained_path if reader is load_untrained else trained_path
        return shutil.copytree(source, tmp_path / "model", dirs_exist_ok=True)

    *disturbed, quiet = vanishing.outcomes(make, reader, fault)
    assert quiet is None
    assert len(disturbed) >= (2 if reader is read_kind else 20)
    kinds = {type(problem) for problem in disturbed} - {type(None)}  # a last look need not count
    assert kinds == {InvalidModelDirectoryError}
    named = [problem for problem in disturbed if problem is not None]
    assert all(str(tmp_path / "model") in problem.message for problem in named)
    assert all(problem.hint for problem in named)


@pytest.mark.parametrize("fault", vanishing.FAULTS)
@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_every_fault_while_a_file_of_weights_is_read_is_an_error_that_names_it(
    trained_path, tmp_path, fault, name
):
    state = safetensors.torch.load_file(trained_path / "weights.safetensors")

    def make():
        (tmp_path / "place").mkdir(exist_ok=True)
        shutil.copy(trained_path / "weights.safetensors", tmp_path / "place" / "w.safetensors")
        torch.save(state, tmp_path / "place" / "w.pth")
        return tmp_path / "place"

    def read(place):
        architecture = resolve_architecture("timm/test_resnet", ModelParams())
        return load_pretrained(architecture, str(place / name), control=Control())

    *disturbed, quiet = vanishing.outcomes(make, read, fault)
    assert quiet is None
    assert len(disturbed) >= 6
    problems = [problem for problem in disturbed if problem is not None]
    assert {type(problem) for problem in problems} <= {
        CouldNotOpenFileError,
        InvalidModelDirectoryError,
    }
    assert all(str(tmp_path / "place") in problem.message for problem in problems)
