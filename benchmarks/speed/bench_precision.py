"""How fast a training step is in each arithmetic and layout: what --precision auto should choose.

    python benchmarks/speed/bench_precision.py --rounds 3

The step is one on ready tensors (steps.py), on the GPU where there is one.
A processor may have instructions for bfloat16 and still be slower with them; see
docs/decisions/0036-bfloat16-on-a-cpu.md.
"""

import torch
from networks import JOBS, ON_A_CPU
from report import parser_of, publish
from rounds import Found, in_turn, median_and_spread, table
from steps import step_speed

from imageloom.models.compute import is_faster_in_bfloat16
from imageloom.system.allocator import kept_for_the_next

LAYOUTS = {"channels last": torch.channels_last, "planes": torch.contiguous_format}
WAYS = [(precision, layout) for precision in ("float32", "bfloat16") for layout in LAYOUTS]
STEPS = 4


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
                options = {"precision": way[0], "memory_format": LAYOUTS[way[1]], "fused": True}
                speed, _ = step_speed(JOBS[name], device, STEPS, **options)
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
