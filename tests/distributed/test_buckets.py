"""In which order gradients of several processes are added up: always the same, from the first step.

Floating-point sums depend on their order, and with more than two processes there is a choice.
"""

import os

import pytest
from warm_python import start_program

from imageloom.distributed.store import hosted_store

RANKS = 3
RANK = """
import os, sys
import torch
from torch import distributed as dist, nn
from imageloom.distributed import group as groups
from imageloom.distributed.ranks import ranks_from_environment

torch.manual_seed(0)
# On GPUs gradients have a group of their own; one of gloo stands for it here.
groups._nccl_group = lambda _met, _device, timeout: dist.new_group(backend="gloo", timeout=timeout)
device = torch.device(sys.argv[1])
with groups.joined_group(ranks_from_environment(os.environ), device) as group:
    assert (group.gradients is None) == (device.type == "cpu")
    network = nn.Sequential(nn.Linear(50, 400), nn.ReLU(), nn.Linear(400, 400), nn.Linear(400, 10))
    wrapped = group.wrap(network)
    generator = torch.Generator().manual_seed(group.ranks.rank)
    inputs, gradients = torch.randn(16, 50, generator=generator), []
    for _ in range(3):
        network.zero_grad()
        wrapped(inputs).square().mean().backward()
        gradients.append(torch.cat([one.grad.flatten() for one in network.parameters()]))
    assert gradients[0].abs().sum() > 0
    network.register_buffer("whose", torch.tensor(group.ranks.rank))
    group.share_buffers(network)
    assert int(network.whose) == 0
    print(all(torch.equal(gradients[0], one) for one in gradients), file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_i13_the_first_step_of_a_start_adds_in_the_order_of_all_others(device):
    with hosted_store() as place:
        ranks = [
            start_program(
                RANK,
                device,
                environment=os.environ
                | place
                | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(RANKS)}
                | {"LOCAL_WORLD_SIZE": str(RANKS), "GROUP_RANK": "0"},
            )
            for rank in range(RANKS)
        ]
        for rank in ranks:
            rank.wait(120)
    assert [rank.stderr for rank in ranks] == ["True\n"] * RANKS
