"""How fast a training step is in each arithmetic and layout: what --precision auto should choose.

    python benchmarks/speed/bench_precision.py --rounds 3

The step is that of the ceiling (peers/ceiling.py), on ready tensors, on the GPU where there is one.
A processor may have instructions for bfloat16 and still be slower with them; see
docs/decisions/0036-bfloat16-on-a-cpu.md.
"""

import statistics
import time

import torch
from networks import JOBS, ON_A_CPU, build, is_faster_in_bfloat16
from report import parser_of, publish
from rounds import Found, in_turn, median_and_spread, table

from imageloom.system.allocator import kept_for_the_next

LAYOUTS = {"channels last": torch.channels_last, "planes": torch.contiguous_format}
WAYS = [(precision, layout) for precision in ("float32", "bfloat16") for layout in LAYOUTS]
WARM_UP, STEPS = 2, 4


def images_per_second(job, precision, layout, device):
    """Return the speed of the median step."""
    memory_format = LAYOUTS[layout]
    network = build(job).to(device, memory_format=memory_format).train()
    inputs = torch.randn(job.batch_size, 3, job.size, job.size, device=device)
    inputs = inputs.to(memory_format=memory_format)
    labels = torch.randint(1000, (job.batch_size,), device=device)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.001, momentum=0.9, fused=True)
    is_bfloat16, seconds = precision == "bfloat16", []
    for _ in range(WARM_UP + STEPS):
        began = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=is_bfloat16):
            loss = torch.nn.functional.cross_entropy(network(inputs), labels)
        loss.backward()
        optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return job.batch_size / statistics.median(seconds[WARM_UP:])


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--networks", nargs="+", choices=JOBS, default=list(ON_A_CPU))
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    sections = ["# Arithmetic and layout of a step"]
    for name in arguments.networks:
        found = Found()
        with kept_for_the_next():
            for number, way in in_turn(WAYS, arguments.rounds):
                speed = images_per_second(JOBS[name], *way, device)
                print(number, name, *way, round(speed, 1), flush=True)
                found.add(way, speed=speed)
        rows = [
            [
                *way,
                median_and_spread(found.of(way, "speed")),
                median_and_spread(found.ratios(way, "speed", WAYS[0]), 2),
            ]
            for way in WAYS
        ]
        sections += [f"## {name}", table(["", "", "images/s", "over the first row"], rows)]
    chosen = "bfloat16" if is_faster_in_bfloat16(device) else "float32"
    sections.append(f"Median of {arguments.rounds} (least to most). 'auto' chooses {chosen} here.")
    publish("precision", arguments, parser, sections)


if __name__ == "__main__":
    main()
