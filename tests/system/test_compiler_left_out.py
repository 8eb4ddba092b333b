"""A training imports no compiler; who imports it finds torch as it was."""

import os

import pytest
from networks import TINY
from warm_python import start_program

from imageloom.events import Control
from imageloom.training.params import TrainParams
from imageloom.training.train import NewRun, prepare_run

pytestmark = pytest.mark.slow

BEGIN = """
import sys
import torch
from torch import nn
from imageloom.training.optimizer import make_optimizer, set_rate
from imageloom.training.params import TrainParams

def learned(name, after=lambda optimizer: None):
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    optimizer = make_optimizer(network, TrainParams(optimizer=name, learning_rate=0.1))
    for step in range(4):
        optimizer.zero_grad(set_to_none=True)
        inputs = torch.rand(5, 4, generator=torch.Generator().manual_seed(step))
        network(inputs).square().mean().backward()
        optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
        after(optimizer)
    return torch.cat([one.detach().flatten() for one in network.parameters()])

def is_there():
    return "torch._dynamo" in sys.modules
"""
OPTIMIZERS = """
before = [learned("sgd"), learned("adamw")]
assert not is_there()
import torch._dynamo
# Now torch's own wrappers are in use, to the same bits.
assert all(map(torch.equal, before, [learned("sgd"), learned("adamw")]))
compiled = torch.compile(lambda x: 2 * x, backend="eager")
assert compiled(torch.ones(1)).item() == 2.0
"""
# What is disabled for the compiler is not traced, once there is one.
DISABLED = """
from imageloom.system.compiler_left_out import leave_compiler_out

class Owner:
    @torch._disable_dynamo
    def method(self, x):
        return "traced" if torch.compiler.is_compiling() else x + 1

leave_compiler_out(Owner)
one = Owner()
assert one.method(1) == 2 and not is_there()
compiled = torch.compile(lambda x: (x * 2, one.method(3)), backend="eager")
for _ in range(2):
    assert compiled(torch.ones(1))[1] == 4
assert is_there()
"""
WRAPPED = """
import torch.distributed as dist
from imageloom.distributed.group import Group
from imageloom.distributed.ranks import Ranks

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
network = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
wrapped = Group(Ranks(0, 2), gradients=dist.group.WORLD).wrap(network)
wrapped(torch.rand(5, 4)).sum().backward()
assert network[0].weight.grad is not None
assert "_dynamo" not in vars(torch) and not is_there()
import torch._dynamo.utils
assert torch._dynamo.utils.get_optimize_ddp_mode() == "ddp_optimizer"
dist.destroy_process_group()
"""
CONTINUED = """
from pathlib import Path
from imageloom.events import Control
from imageloom.training.train import continue_run, read_result
continue_run(Path(sys.argv[1]), control=Control())
assert read_result(Path(sys.argv[1])).epochs == 1
assert not is_there()
"""


def run(program, *arguments):
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo"}
    process = start_program(program, *map(str, arguments), environment=environment)
    assert process.wait(120) == 0, process.stderr


def test_optimizers_step_without_a_compiler_as_with_one():
    run(BEGIN + OPTIMIZERS)


def test_what_is_disabled_stays_so_once_there_is_a_compiler():
    run(BEGIN + DISABLED)


def test_gradients_are_shared_without_a_compiler():
    run(BEGIN + WRAPPED)


def test_a_run_that_is_prepared_is_trained_without_a_compiler(make_pictures, tmp_path):
    pictures = make_pictures(per_class=4)
    params = TrainParams(epochs=1, batch_size=4, workers=0, device="cpu")
    prepare_run(
        NewRun(TINY, pictures, pictures, tmp_path / "run", params=params), control=Control()
    )
    run(BEGIN + CONTINUED, tmp_path / "run")
