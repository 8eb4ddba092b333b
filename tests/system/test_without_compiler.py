import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

# What scoring a picture with a network of each family takes.
SCORED = """
import sys
import torch
from imageloom.data.loading.transforms import apply_transforms
from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.params import ModelParams
from imageloom.models.state import expected_state
from imageloom.preprocessing import Resize

for name in ("resnet18", "densenet121", "timm/test_resnet"):
    architecture = resolve_architecture(name, ModelParams())
    network = build_network(architecture, 2).eval()
    shapes = {key: value.shape for key, value in network.state_dict().items()}
    expected = expected_state(architecture, 2).tensors
    assert {key: value.shape for key, value in expected.items()} == shapes
    picture_CHW = apply_transforms(torch.zeros(3, 80, 90, dtype=torch.uint8), (Resize(size=64),), 0)
    network(picture_CHW[None].float())
loaded = sorted({name.partition(".")[0] for name in sys.modules} & {"timm", "torchvision"})
print(*loaded, "torch._dynamo" in sys.modules, "torch._dynamo.utils" in sys.modules)
"""
# What torchvision was given works when it is called, and is what it would have had.
CALLED = """
given = sys.modules["torchvision.ops.roi_align"].is_compile_supported
answers = [given(device) for device in ("cpu", "meta")]
print("torch._dynamo" in sys.modules)
from torch._dynamo.utils import is_compile_supported as real
from torchvision import tv_tensors
image = tv_tensors.Image(torch.ones(3, 2, 2))
assert isinstance(tv_tensors.wrap(torch.ones(3, 1, 1), like=image), tv_tensors.Image)
assert answers == [real(device) for device in ("cpu", "meta")]
twice = torch.compile(lambda x: 2 * x, backend="eager")
print(twice(torch.ones(1)).item())
"""
OTHERS = """
import sys
from imageloom.system.without_compiler import without_compiler

import torch.compiler
disable = torch.compiler.disable
with without_compiler():
    from torch._dynamo.utils import counters
    import torch._dynamo
import torch._dynamo.utils as real
assert counters is real.counters
assert torch.compiler.disable is disable
assert real is torch._dynamo.utils is sys.modules["torch._dynamo.utils"]
with without_compiler():
    from torch._dynamo.utils import is_compile_supported
assert is_compile_supported is real.is_compile_supported
"""


def output_of(program: str) -> list[str]:
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_scoring_imports_no_compiler_and_it_works_afterwards():
    assert output_of(SCORED + CALLED) == ["timm torchvision False False", "True", "2.0"]


def test_who_asks_for_more_of_the_compiler_inside_gets_the_real_one():
    assert output_of(OTHERS) == []
