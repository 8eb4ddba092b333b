import pytest
import torch
from torch import nn

from imageloom.errors import (
    EnvironmentUnsuitableError,
    LessThanOrEqualToError,
    ParameterParsingError,
)
from imageloom.models import compute as compute_module
from imageloom.models.compute import Compute, choose_compute, choose_workers
from imageloom.preprocessing import IMAGENET_NORMALISATION

CPU = Compute(torch.device("cpu"), "float32")


def test_inputs_are_scaled_and_normalised_as_the_field_writes_it():
    images = torch.randint(0, 256, (2, 3, 5, 4), dtype=torch.uint8)
    mean, std = (
        torch.tensor(v).view(1, 3, 1, 1)
        for v in (IMAGENET_NORMALISATION.mean, IMAGENET_NORMALISATION.std)
    )
    found = CPU.inputs(images, IMAGENET_NORMALISATION)
    torch.testing.assert_close(found, (images / 255 - mean) / std, rtol=0, atol=0)
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_bfloat16_computes_in_bfloat16_and_float32_does_not():
    layer, inputs = nn.Linear(2, 2), torch.ones(1, 2)
    for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        with Compute(torch.device("cpu"), precision).autocast():
            assert layer(inputs).dtype == dtype


@pytest.mark.parametrize("has_amx", [True, False])
def test_auto_takes_bfloat16_on_a_cpu_with_amx_alone(monkeypatch, has_amx):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert choose_compute("cpu", "auto").precision == ("bfloat16" if has_amx else "float32")
    assert choose_compute("cpu", "bfloat16").precision == "bfloat16"


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cpu:", "", "cuda:-1", "mps"])
def test_f19_words_that_name_no_device_are_refused(name):
    with pytest.raises(ParameterParsingError, match="must be auto, cpu, cuda or cuda:N"):
        choose_compute(name, "auto")


def test_f19_a_gpu_that_is_not_there_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EnvironmentUnsuitableError, match=r"sees no GPU .*--device cpu"):
        choose_compute("cuda", "auto")
    assert choose_compute("auto", "float32") == CPU


def test_f19_a_gpu_number_above_those_present_is_refused_with_both(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(LessThanOrEqualToError, match=r'"cuda:2", but this machine has 2 GPUs'):
        choose_compute("cuda:2", "float32")


def test_g04_small_shared_memory_lowers_the_readers_and_says_so(monkeypatch):
    monkeypatch.setattr(compute_module, "shared_memory_free_bytes", lambda: 64 * 2**20)
    workers, why = choose_workers(8, CPU, batch_bytes=10 * 2**20)
    assert workers == 1  # 64 MiB * 0.8 / (3 * 10 MiB)
    assert "1 reading processes of the 8 wanted" in why
    assert "--shm-size" in why
    assert choose_workers(0, CPU, batch_bytes=10**12) == (0, "")
    assert choose_workers(8, CPU, batch_bytes=5 * 2**20, processes=3)[0] == 1  # each has a third


def test_a_gpu_gets_processes_that_read_and_a_cpu_none(monkeypatch):
    monkeypatch.setattr(compute_module, "shared_memory_free_bytes", lambda: None)
    monkeypatch.setattr(compute_module, "available_cores", lambda: 64)
    assert choose_workers(-1, CPU, batch_bytes=1)[0] == 0
    gpu = Compute(torch.device("cuda"), "bfloat16")
    assert choose_workers(-1, gpu, batch_bytes=1)[0] == 16
    assert (
        choose_workers(-1, gpu, batch_bytes=1, core_sharers=8)[0] == 8
    )  # 64 cores for 8 processes
