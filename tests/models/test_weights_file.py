import os

import pytest
import torch

from imageloom.errors import CouldNotOpenFileError, InvalidModelDirectoryError
from imageloom.models.safetensors_file import safetensors_bytes
from imageloom.models.weights_file import read_weights_file

STATE = {"conv.weight": torch.arange(6.0).reshape(2, 3), "bn.num_batches_tracked": torch.tensor(3)}


def assert_is_state(found):
    assert set(found) == set(STATE)
    assert all(torch.equal(found[name], STATE[name]) for name in STATE)


def test_safetensors_and_torch_files_give_the_same(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(STATE))
    torch.save(STATE, tmp_path / "w.pth")
    assert_is_state(read_weights_file(tmp_path / "w.safetensors"))
    assert_is_state(read_weights_file(tmp_path / "w.pth"))


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_weights_inside_a_checkpoint_are_found(tmp_path, key):
    torch.save({"epoch": 3, "best": 0.5, key: STATE}, tmp_path / "checkpoint.pth")
    assert_is_state(read_weights_file(tmp_path / "checkpoint.pth"))


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "_orig_mod.module.", "module._orig_mod."]
)
def test_e10_the_prefix_of_a_known_wrapper_is_removed(tmp_path, prefix):
    torch.save({prefix + name: tensor for name, tensor in STATE.items()}, tmp_path / "w.pth")
    assert_is_state(read_weights_file(tmp_path / "w.pth"))


def test_e10_a_prefix_that_only_some_names_have_stays(tmp_path):
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "w.pth")
    assert set(read_weights_file(tmp_path / "w.pth")) == {"module.a", "b"}


def test_a_dictionary_of_other_things_is_refused_naming_them(tmp_path):
    torch.save({"epoch": 3, "loss": 0.5}, tmp_path / "w.pth")
    with pytest.raises(InvalidModelDirectoryError, match="no dictionary of weights: 'epoch', 'los"):
        read_weights_file(tmp_path / "w.pth")
    torch.save({}, tmp_path / "w.pth")
    with pytest.raises(InvalidModelDirectoryError, match="no dictionary of weights: nothing"):
        read_weights_file(tmp_path / "w.pth")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CouldNotOpenFileError, match=r"no file .*nothing\.pth"):
        read_weights_file(tmp_path / "nothing.pth")
    os.mkfifo(tmp_path / "pipe.pth")
    with pytest.raises(CouldNotOpenFileError, match=r"no file .*pipe\.pth"):
        read_weights_file(tmp_path / "pipe.pth")


def test_a_tensor_that_claims_more_than_it_has_takes_no_memory(tmp_path):
    claims = torch.ones(1).expand(10**12)  # 4 TB by strides of zero
    torch.save({"a": claims}, tmp_path / "w.pth")
    assert read_weights_file(tmp_path / "w.pth")["a"].untyped_storage().nbytes() == 4


def test_a_file_written_later_does_not_change_a_tensor_that_was_read(tmp_path):
    torch.save({"a": torch.ones(4)}, tmp_path / "w.pth")
    tensor = read_weights_file(tmp_path / "w.pth")["a"]
    with (tmp_path / "w.pth").open("r+b") as file:
        file.write(b"\xff" * file.seek(0, 2))
    assert tensor.tolist() == [1, 1, 1, 1]
