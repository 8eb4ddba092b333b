"""A training imports no compiler; who imports it finds torch as it was."""

import os

import pytest
from networks import TINY
from warm_python import start_program

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
from torch.optim.optimizer import register_optimizer_step_post_hook

told = []

def tell(optimizer, arguments, named):
    told.append((type(optimizer), len(arguments), arguments[0] is optimizer, named))

register_optimizer_step_post_hook(tell)
before = [learned("sgd"), learned("adamw")]
assert not is_there()
without, told = told, []
import torch._dynamo
# Now torch's own wrappers are in use, to the same bits and with the same words to hooks.
assert all(map(torch.equal, before, [learned("sgd"), learned("adamw")]))
assert len(without) == 8
assert without == told
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
TRAINED = """
import imageloom
from imageloom.models.architecture import check_input, resolve_architecture
from imageloom.models.params import ModelParams

network, pictures, out = sys.argv[1:]
params = TrainParams(epochs=1, batch_size=4, workers=0, device="cpu")
assert imageloom.train(network, pictures, pictures, out, params=params).epochs == 1
assert not is_there() and "_dynamo" not in vars(torch) and "pandas" not in sys.modules
asked = resolve_architecture(network, ModelParams()), 3, 32, 4
before = check_input(*asked)
assert not is_there()
import torch._dynamo
assert check_input(*asked) == before  # by what torch itself has taken out of its compiler
compiled = torch.compile(lambda x: 2 * x, backend="eager")
assert compiled(torch.ones(1)).item() == 2.0
"""
# What else is asked of the compiler comes from it, and a part of it is not had meanwhile.
ASKED_FOR_MORE = """
from imageloom.models.architecture import check_input, resolve_architecture
from imageloom.models.params import ModelParams
from imageloom.system.compiler_left_out import not_asked_for

with not_asked_for():
    try:
        import torch._dynamo.utils
    except ImportError:
        pass
    else:
        raise AssertionError("it was had")
assert not is_there()

class Asking(nn.Module):
    def forward(self, images):
        import torch._dynamo.utils
        return images.new_empty(len(images), 3)

import imageloom.models.architecture as module
module.build_network = lambda *_: Asking()
check_input(resolve_architecture("resnet18", ModelParams()), 3, 32, 4)
assert is_there()
"""
MORE_OF_IT = """
from imageloom.system.compiler_left_out import not_asked_for
with not_asked_for():
    assert torch._dynamo.is_compiling() is False
    import torch._dynamo
    assert torch._dynamo.__file__
assert is_there() and torch._dynamo is sys.modules["torch._dynamo"]
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


def test_a_training_imports_no_compiler_from_its_first_check_to_its_report(make_pictures, tmp_path):
    make_pictures(per_class=4).save(tmp_path / "pictures")
    run(BEGIN + TRAINED, TINY, tmp_path / "pictures", tmp_path / "run")


@pytest.mark.parametrize("program", [ASKED_FOR_MORE, MORE_OF_IT])
def test_who_asks_for_more_of_the_compiler_has_it(program):
    run(BEGIN + program)
