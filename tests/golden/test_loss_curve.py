"""A loss curve at full precision: a change of the loop's arithmetic cannot pass unseen.

The rate is low on purpose (docs/decisions/0007-golden-curve.md): rounding grows from step to
step, faster at a higher rate. What the libraries compute differs between processors by the kernels
they choose, so the kernels for older ones, which any newer one can run, stand for another CPU.

When a change is meant, write the new curve with
``python -m pytest tests/golden --update-golden`` and explain it in the commit.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import IndexRow, index_from_rows
from imageloom.launch.train import train
from imageloom.models.params import ModelParams
from imageloom.training.params import TrainParams
from imageloom.training.run.events import read_metrics

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).with_name("resnet18_small_float32_cpu.json")
OLDER_PROCESSORS = {
    "Haswell, 2013": ("avx2", "AVX2", "AVX2"),
    "Penryn, 2008": ("default", "SSE41", "SSE4_2"),
}
NAMES = ("Train loss", "Valid loss", "learning rate")
PARAMS = TrainParams(
    epochs=3,
    batch_size=8,
    learning_rate=3e-5,
    warmup_epochs=0.5,
    precision="float32",
    print_frequency=1,
    workers=0,
)


def striped_pictures(root, per_class, shift):
    """Stripes whose width is the class: pure arithmetic, the same pixels everywhere."""
    rows = []
    y, x = np.mgrid[0:32, 0:32]
    for label, width in enumerate((2, 5, 11)):
        for number in range(per_class):
            phase = number * 3 + shift
            red = ((x + phase) // width % 2) * 150 + (x * y + number * 17) % 97
            green = ((y + phase) // width % 2) * 120 + (x * 7 + y * 13 + shift) % 113
            blue = (x * x + y * number + phase) % 251
            path = root / f"{label}-{number}.png"
            Image.fromarray(np.stack([red, green, blue], axis=2).astype(np.uint8)).save(path)
            content = path.read_bytes()
            digest = hashlib.sha256(content).digest()
            rows.append(IndexRow(path.name.encode(), label, 32, 32, 1, "PNG", len(content), digest))
    return ImageDirectory(("two", "five", "eleven"), index_from_rows(rows), root)


def loss_curve(folder):
    for name in ("training", "validation"):
        (folder / name).mkdir(parents=True)
    training = striped_pictures(folder / "training", 8, 0)
    validation = striped_pictures(folder / "validation", 4, 1)
    run = folder / "run"
    train(
        "resnet18",
        training,
        validation,
        run,
        params=PARAMS,
        model_params=ModelParams(stem="small"),
    )
    rows = [one for one in read_metrics(run / "events.jsonl") if one.name in NAMES]
    return [{"name": one.name, "step": one.step, "value": one.value} for one in rows]


@pytest.fixture(scope="module", autouse=True)
def _two_threads():
    """Bits that come again although threads share the sums."""
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def curve(tmp_path_factory, request):
    found = loss_curve(tmp_path_factory.mktemp("golden") / "one")
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    return found


def assert_golden(curve):
    golden = json.loads(GOLDEN.read_text())
    assert [(row["name"], row["step"]) for row in curve] == [
        (row["name"], row["step"]) for row in golden
    ]
    expected = [row["value"] for row in golden]
    assert [row["value"] for row in curve] == pytest.approx(expected, abs=1e-5, rel=0)


def test_the_loss_curve_is_the_golden_one(curve):
    assert_golden(curve)


def test_a_second_run_on_this_machine_gives_every_bit_again(curve, tmp_path):
    assert loss_curve(tmp_path / "two") == curve


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the kernels are for x86-64 processors")
@pytest.mark.parametrize("processor", OLDER_PROCESSORS)
def test_the_kernels_of_an_older_processor_give_the_golden_curve(processor, tmp_path):
    torch_kernels, onednn_kernels, mkl_kernels = OLDER_PROCESSORS[processor]
    environment = {
        **os.environ,
        "ATEN_CPU_CAPABILITY": torch_kernels,
        "ONEDNN_MAX_CPU_ISA": onednn_kernels,
        "MKL_ENABLE_INSTRUCTIONS": mkl_kernels,
    }
    command = [sys.executable, __file__, str(tmp_path / "other"), str(tmp_path / "curve.json")]
    subprocess.run(command, env=environment, check=True)
    found = json.loads((tmp_path / "curve.json").read_text())
    assert found["kernels"] == torch_kernels.upper()
    assert_golden(found["curve"])


if __name__ == "__main__":
    found = {
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "curve": loss_curve(Path(sys.argv[1])),
    }
    Path(sys.argv[2]).write_text(json.dumps(found))
