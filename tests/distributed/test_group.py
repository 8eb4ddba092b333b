"""One process alone; what several tell each other is tested on real runs in tests/training."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from imageloom.distributed.group import (
    TIMEOUT_VARIABLE,
    Group,
    _refuse_shared_gpus,
    joined_group,
    lost_ranks_named,
    without_reduction,
)
from imageloom.distributed.ranks import ALONE, Ranks
from imageloom.errors import EnvironmentUnsuitableError, TimeoutOccuredError, WorkerLostError

CPU = torch.device("cpu")


def test_alone_every_answer_is_ones_own_and_no_group_is_made():
    network = nn.Linear(2, 2)
    with joined_group(ALONE, CPU) as group:
        assert group.gather([1.0, 2.5]) == [[1.0, 2.5]]
        assert group.gather_bytes(b"x") == [b"x"]
        assert group.any(True, False) == [True, False]
        group.barrier()
        group.share_buffers(network)
        assert group.wrap(network) is network
        with without_reduction(network):
            network(torch.zeros(1, 2)).sum().backward()
        assert not torch.distributed.is_initialized()
    assert network.weight.grad is not None
    assert group == Group()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[gloo/transport/tcp/pair.cc:553] Connection closed by peer [::1]:4", WorkerLostError),
        ("[gloo/transport/tcp/unbound_buffer.cc:78] Timed out waiting 8ms", TimeoutOccuredError),
        ("Application timeout caused pair closure", TimeoutOccuredError),
    ],
)
def test_what_gloo_says_of_a_missing_process_is_an_error_of_ours(text, error):
    with pytest.raises(error, match="Rank 1 of 2"), lost_ranks_named(Ranks(1, 2)):
        raise RuntimeError(text)


def test_other_errors_pass_unchanged():
    with pytest.raises(RuntimeError, match="mat1 and mat2"), lost_ranks_named(Ranks(1, 2)):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    with pytest.raises(FileNotFoundError, match="socket"), lost_ranks_named(Ranks(1, 2)):
        raise FileNotFoundError("socket")


@pytest.mark.parametrize(("second", "is_shared"), [("GPU-a", True), ("GPU-b", False)])
def test_two_ranks_on_one_gpu_are_refused_before_nccl_finds_out(monkeypatch, second, is_shared):
    class Met(Group):
        def gather_bytes(self, content):
            return [content, second.encode()]

    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda _: SimpleNamespace(uuid="GPU-a")
    )
    if not is_shared:
        _refuse_shared_gpus(Met(Ranks(0, 2)), torch.device("cuda:0"))
        return
    message = r"Ranks 0, 1 of 2 were given the same GPU, cuda:0 \(GPU-a\)"
    with pytest.raises(EnvironmentUnsuitableError, match=message):
        _refuse_shared_gpus(Met(Ranks(0, 2)), torch.device("cuda:0"))


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan"])
def test_a_time_out_that_is_no_number_above_0_is_refused(monkeypatch, text):
    monkeypatch.setenv(TIMEOUT_VARIABLE, text)
    with (
        pytest.raises(EnvironmentUnsuitableError, match=f"RANK_TIMEOUT_S is '{text}'"),
        joined_group(Ranks(0, 2), CPU),
    ):
        pytest.fail("the group was joined")
