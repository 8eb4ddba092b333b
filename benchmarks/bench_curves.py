"""What the curves of all steps cost a training, step by step.

    python benchmarks/bench_curves.py [--rounds 60] [--steps 20] --out DIR

Steps of a tiny network on eight pictures of noise of 32 px, the shortest that a training has, and
of ResNet-18 on the same. Rounds of steps with and without curves take turns in the same process, in
an order drawn anew; each pair gives one ratio. A third kind, without curves too, shows what the
noise of the machine alone makes of the ratio. What is done after a step is timed alone, too.
"""

import argparse
import os
import platform
import random
import statistics
import time
from pathlib import Path
from types import SimpleNamespace

import torch

from imageloom.distributed.group import Group
from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.compute import choose_compute
from imageloom.models.params import ModelParams
from imageloom.system.machine import memory_in_use_bytes
from imageloom.training.checkpoints.loop_state import LoopState
from imageloom.training.curves import MeasuredStep, opened_curves
from imageloom.training.run.directory import RunDirectory
from imageloom.training.step import MicroBatch, Stepper

BATCH, SIZE, CLASSES = 8, 32, 10
KINDS = ("without", "with", "without again")


def make_stepper(name):
    torch.manual_seed(0)
    compute = choose_compute("cpu", "float32")
    network = compute.place(build_network(resolve_architecture(name, ModelParams()), CLASSES))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9, nesterov=True)
    return Stepper(network, torch.nn.CrossEntropyLoss(), optimizer, compute)


def take_steps(stepper, batch, steps, hear):
    began = time.perf_counter()
    for step in range(steps):
        start = time.monotonic()
        sums, _ = stepper.take([batch])
        hear(step, sums, time.monotonic() - start)
    return (time.perf_counter() - began) / steps


def measure(name, arguments):
    stepper, draw, seconds = make_stepper(name), random.Random(0), {kind: [] for kind in KINDS}
    images = torch.randn(BATCH, 3, SIZE, SIZE).to(memory_format=torch.channels_last)
    batch = MicroBatch(images, torch.randint(0, CLASSES, (BATCH,)), 1.0)
    job = SimpleNamespace(
        run=RunDirectory(arguments.out / name.replace("/", "-")),
        group=Group(),
        steps_per_epoch=1000,
        compute=stepper.compute,
        stepper=stepper,
    )
    done, alone = 0, []

    def with_curves(step, sums, seconds):
        state = LoopState(step=done + step)
        measured = MeasuredStep(1e-4, sums.mean_loss, BATCH, seconds, 0.0)
        began = time.perf_counter()
        curves.after_step(state, measured)
        alone.append(time.perf_counter() - began)

    with opened_curves(job, LoopState()) as curves:
        for _ in range(arguments.rounds + 2):
            for kind in draw.sample(KINDS, len(KINDS)):
                hear = with_curves if kind == "with" else lambda *_: None
                seconds[kind].append(take_steps(stepper, batch, arguments.steps, hear))
                done += arguments.steps
    # In the first rounds memory is taken, and libraries choose their algorithms.
    seconds = {kind: values[2:] for kind, values in seconds.items()}
    per_step = 1000 * statistics.median(seconds["without"])
    print(f"{name}: {per_step:.2f} ms a step without curves")
    for kind in KINDS[1:]:
        ratios = [one / base for one, base in zip(seconds[kind], seconds["without"], strict=True)]
        low, middle, high = statistics.quantiles(ratios)
        print(f"  {kind}: ratio {middle:.4f} ({low:.4f} to {high:.4f})")
    tell("  after_step alone", alone)


def tell(what, values):
    low, middle, high = (1e6 * value for value in statistics.quantiles(values))
    mean = 1e6 * statistics.fmean(values)
    print(f"{what}: {middle:.1f} microseconds ({low:.1f} to {high:.1f}), mean {mean:.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"Python {platform.python_version()}, torch {torch.__version__}, {os.cpu_count()} cores")
    print(f"one thread, load {os.getloadavg()}")
    for name in ("timm/test_resnet", "resnet18"):
        measure(name, arguments)
    looks = []
    for _ in range(1000):
        began = time.perf_counter()
        memory_in_use_bytes()
        looks.append(time.perf_counter() - began)
    tell("a look at the memory", looks)


if __name__ == "__main__":
    main()
