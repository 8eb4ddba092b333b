"""What memory that is kept for the next step gains and costs on a CPU.

    python benchmarks/speed/bench_memory.py --rounds 3

The step is one on ready tensors (steps.py), each time in a process of its own. Kept memory needs
no zeros from the kernel, page by page; but what one step gave back fits the next not quite.
"""

import json
import sys

from networks import JOBS, ON_A_CPU
from report import parser_of, publish
from rounds import Found, in_turn, median_and_spread, table
from watched import HERE, watch

WAYS = ("kept", "returned")
HEADER = [
    "",
    "images/s",
    "over returned",
    "page faults of a step",
    "s of a step in the kernel",
    "peak memory, GiB (RSS)",
    "over returned",
]


def run(name, way, work):
    words = [HERE / "peers" / "step_memory.py", name, way]
    seen = watch([sys.executable, *words], work / "notes")
    return json.loads(seen.output.splitlines()[-1])


def row_of(found, way):
    other = WAYS[1]
    return [
        way,
        median_and_spread(found.of(way, "speed")),
        median_and_spread(found.ratios(way, "speed", other), 2),
        median_and_spread(found.of(way, "faults"), 0),
        median_and_spread(found.of(way, "kernel"), 2),
        median_and_spread(found.of(way, "memory"), 2, unit=2**30),
        median_and_spread(found.ratios(way, "memory", other), 2),
    ]


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--networks", nargs="+", choices=JOBS, default=list(ON_A_CPU))
    arguments = parser.parse_args()
    sections = ["# Memory that is kept for the next step"]
    for name in arguments.networks:
        found = Found()
        for number, way in in_turn(WAYS, arguments.rounds):
            values = run(name, way, arguments.work)
            print(
                number, name, way, {key: round(one, 2) for key, one in values.items()}, flush=True
            )
            found.add(way, **values)
        sections += [f"## {name}", table(HEADER, [row_of(found, way) for way in WAYS])]
    sections.append(
        f"Median of {arguments.rounds} (least to most); float32, channels last. Faults and "
        "seconds in the kernel are means of all steps, the first and making the network included."
    )
    publish("memory", arguments, parser, sections)


if __name__ == "__main__":
    main()
