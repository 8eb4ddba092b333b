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
STEPS = 4


def precisions_of(device):
    """Return those for which a device has instructions: others it takes minutes to emulate."""
    has_bfloat16 = device.type != "cpu" or torch.cpu._is_avx512_bf16_supported()
    return ("float32", "bfloat16") if has_bfloat16 else ("float32",)


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--networks", nargs="+", choices=JOBS, default=list(ON_A_CPU))
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    ways = [(precision, layout) for precision in precisions_of(device) for layout in LAYOUTS]
    sections = ["# Arithmetic and layout of a step"]
    for name in arguments.networks:
        found = Found()
        with kept_for_the_next():
            for number, way in in_turn(ways, arguments.rounds):
                options = {"precision": way[0], "memory_format": LAYOUTS[way[1]], "fused": True}
                speed, _ = step_speed(JOBS[name], device, STEPS, **options)
                print(number, name, *way, round(speed, 1), flush=True)
                found.add(way, speed=speed)
        rows = [
            [
                *way,
                median_and_spread(found.of(way, "speed")),
                median_and_spread(found.ratios(way, "speed", ways[0]), 2),
            ]
            for way in ways
        ]
        sections += [f"## {name}", table(["", "", "images/s", "over the first row"], rows)]
    chosen = "bfloat16" if is_faster_in_bfloat16(device) else "float32"
    sections.append(f"Median of {arguments.rounds} (least to most). 'auto' chooses {chosen} here.")
    if len(ways) == len(LAYOUTS):
        sections.append("bfloat16 was not tried: this processor lacks avx512_bf16.")
    publish("precision", arguments, parser, sections)


if __name__ == "__main__":
    main()
