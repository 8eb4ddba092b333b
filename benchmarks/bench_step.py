"""What a second exchange between processes, and new copies of all buffers, cost in each step.

    python benchmarks/bench_step.py [--processes 2] [--rounds 40]

ResNet-18 on eight pictures of noise of 32 px, a short step, one thread in each process. Kinds of
steps take turns in the same processes, in an order drawn anew for each round, so that other load on
the machine meets all of them: the step as it is, one with a second exchange after it, one that
clones the buffers, one with both (as until November 2026). A round takes five steps of each kind
and gives one ratio of each to the step as it is. The parts that differ are timed alone, too.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import time

import torch
from torch import distributed as dist

from imageloom.distributed.group import joined_group
from imageloom.distributed.ranks import ranks_from_environment
from imageloom.distributed.store import hosted_store
from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.compute import choose_compute
from imageloom.models.params import ModelParams
from imageloom.training.step import MicroBatch, Stepper

BATCH, SIZE, CLASSES, STEPS = 8, 32, 10, 5
KINDS = {  # whether there is a second exchange, whether buffers are cloned
    "as it is": (False, False),
    "second exchange": (True, False),
    "clones": (False, True),
    "both": (True, True),
}


class Clones:
    """Keeps the values of buffers as it was done until November 2026."""

    def __init__(self, network):
        self.network = network

    def keep(self):
        self.buffers = list(self.network.buffers())
        self.kept = [buffer.clone() for buffer in self.buffers]


def count_exchanges():
    counted, real = [0], dist.all_gather

    def all_gather(*arguments, **options):
        counted[0] += 1
        return real(*arguments, **options)

    dist.all_gather = all_gather
    return counted


def make_stepper(group):
    torch.manual_seed(0)
    compute = choose_compute("cpu", "float32")
    network = compute.place(build_network(resolve_architecture("resnet18", ModelParams()), CLASSES))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9, nesterov=True)
    reducing = group.wrap(network)
    loss = torch.nn.CrossEntropyLoss()
    return Stepper(network, loss, optimizer, compute, group=group, reducing=reducing)


def measure(group, rounds):
    stepper, counted, draw = make_stepper(group), count_exchanges(), random.Random(0)
    images = torch.randn(BATCH, 3, SIZE, SIZE).to(memory_format=torch.channels_last)
    batch = MicroBatch(images, torch.randint(0, CLASSES, (BATCH,)), 1 / group.ranks.world_size)
    keepers = stepper._buffers, Clones(stepper.network)
    # With one process nothing is exchanged.
    kinds = {name: kind for name, kind in KINDS.items() if not (kind[0] and group.ranks.is_alone)}
    seconds, exchanges = {name: [] for name in kinds}, {}
    for _ in range(rounds + 2):
        for name in draw.sample(list(kinds), len(kinds)):
            has_second_exchange, has_clones = kinds[name]
            stepper.__dict__["_buffers"] = keepers[has_clones]
            group.barrier()
            before, began = counted[0], time.perf_counter()
            for _ in range(STEPS):
                stepper.take([batch], lambda: (False, False))
                if has_second_exchange:
                    group.any(False, False)
            exchanges[name] = (counted[0] - before) / STEPS
            group.barrier()
            seconds[name].append(time.perf_counter() - began)
    # In the first rounds memory is taken, and libraries choose their algorithms.
    seconds = {name: values[2:] for name, values in seconds.items()}
    parts = {"keep": keepers[0].keep, "clone": keepers[1].keep}
    if not group.ranks.is_alone:
        parts["exchange"] = lambda: group.any(False, False)
    alone = time_parts(parts, 20 * rounds)
    if group.ranks.is_first:
        tell(seconds, exchanges, alone, list(stepper.network.buffers()))


def time_parts(parts, rounds):
    alone = {name: [] for name in parts}
    for _ in range(rounds):
        for name, part in parts.items():
            began = time.perf_counter()
            part()
            alone[name].append(time.perf_counter() - began)
    return alone


def tell(seconds, exchanges, alone, buffers):
    print(f"{len(buffers)} buffers, {sum(one.nbytes for one in buffers):,} bytes kept per step")
    for name, values in seconds.items():
        ratios = [value / base for value, base in zip(values, seconds["as it is"], strict=True)]
        low, middle, high = statistics.quantiles(ratios)
        print(
            f"{name}: {exchanges[name]:g} exchanges a step, ratio {middle:.3f} "
            f"({low:.3f} to {high:.3f}), {1000 * statistics.median(values) / STEPS:.1f} ms a step, "
            f"least {1000 * min(values) / STEPS:.1f}"
        )
    for name, values in alone.items():
        low, middle, high = (1e6 * value for value in statistics.quantiles(values))
        print(f"{name}: {middle:.0f} microseconds ({low:.0f} to {high:.0f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    if "RANK" in os.environ:
        ranks = ranks_from_environment(os.environ)
        with joined_group(ranks, torch.device("cpu")) as group:
            measure(group, arguments.rounds)
        return
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, {arguments.processes} processes")
    with hosted_store() as place:
        shared = os.environ | place | {"OMP_NUM_THREADS": "1", "GROUP_RANK": "0"}
        size = str(arguments.processes)
        started = [
            subprocess.Popen(
                [sys.executable, __file__, "--rounds", str(arguments.rounds)],
                env=shared
                | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
                | {"WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size},
            )
            for rank in range(arguments.processes)
        ]
        statuses = [one.wait() for one in started]
    if any(statuses):
        sys.exit(f"The processes ended with {statuses}.")


if __name__ == "__main__":
    main()
