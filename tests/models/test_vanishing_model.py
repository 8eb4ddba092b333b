"""A model directory that vanishes, or whose disk fails, between any two reads of a reader."""

import shutil

import pytest
import vanishing

from imageloom.errors import InvalidModelDirectoryError
from imageloom.models.model_directory import create_model, load_trained, load_untrained
from imageloom.models.params import ModelParams
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
