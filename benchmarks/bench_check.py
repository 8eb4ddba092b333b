"""How long the check of a large drawing takes, and what the page is told of what a run would find.

    python benchmarks/bench_check.py --nodes 500 --files 20000 --rounds 30 --out DIR

DIR is a new folder: pictures (empty files) and a workspace come into it. The drawing holds copies
of one chain of ten components, as many as fit into the number of nodes; one valid, one with a
mistake in every chain, and one with unset datasets, as it is while somebody draws.
"""

import argparse
import dataclasses
import statistics
import time
from pathlib import Path

from imageloom.app import Engine
from imageloom.pipeline.graph.graph import Edge, Node, Pipeline
from imageloom.pipeline.run.outside_memo import OutsideMemo
from imageloom.settings import Settings

CHAIN = (
    ("pictures", "dataset", {"path": "pictures"}),
    ("images", "convert_to_image_directory", {}),
    ("parts", "split_image_directory", {"fraction": 0.8}),
    ("list", "init_image_transformation", {"resize_size": 256}),
    ("training", "apply_image_transformation", {}),
    ("validation", "apply_image_transformation", {}),
    ("network", "resnet", {"model_name": "resnet18", "pretrained": False}),
    ("train", "train_pytorch_model", {"epochs": 5, "batch_size": 32, "learning_rate": 0.01}),
    ("score", "score_image_model", {}),
    ("evaluate", "evaluate_model", {}),
)
EDGES = (
    "pictures.dataset > images.dataset",
    "images.images > parts.images",
    "list.transformation > training.transformation",
    "parts.first > training.images",
    "list.transformation > validation.transformation",
    "parts.second > validation.images",
    "network.model > train.model",
    "training.images > train.training",
    "validation.images > train.validation",
    "train.model > score.model",
    "validation.images > score.images",
    "score.scores > evaluate.scores",
)


def drawing(num_nodes, changes):
    """Return chains whose nodes have other parameters where ``changes`` names them."""
    nodes, edges = [], []
    for number in range(num_nodes // len(CHAIN)):
        nodes += [
            Node(f"{name}-{number}", component, changes.get(name, params))
            for name, component, params in CHAIN
        ]
        for text in EDGES:
            (begin, output), (end, port) = (side.split(".") for side in text.split(" > "))
            edges.append(Edge(f"{begin}-{number}", output, f"{end}-{number}", port))
    return Pipeline("large", tuple(nodes), tuple(edges))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=500)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    (arguments.out / "pictures").mkdir(parents=True)
    for number in range(arguments.files):
        (arguments.out / "pictures" / f"{number}.jpg").touch()
    engine = Engine(Settings(home=arguments.out / "home", workspace=arguments.out / "workspace"))
    valid = drawing(arguments.nodes, {})
    wrong = drawing(arguments.nodes, {"train": {"epochs": 0, "batch_sise": 32}})
    unset = drawing(arguments.nodes, {"pictures": {}})
    assert not engine.check(valid)
    assert len(engine.check(wrong)) == 2 * (arguments.nodes // len(CHAIN))
    assert len(engine.check(unset)) == arguments.nodes // len(CHAIN)
    foreign = dataclasses.replace(
        valid,
        nodes=tuple(
            dataclasses.replace(one, component=f"my_{one.component}") for one in valid.nodes
        ),
    )
    memo = OutsideMemo(lifetime_s=3600)
    base = arguments.out.absolute()
    kinds = {
        "check, valid": lambda: engine.check(valid),
        "check, two mistakes in each chain": lambda: engine.check(wrong),
        "check, datasets unset": lambda: engine.check(unset),
        "check, no component installed": lambda: engine.check(foreign),
        "forecast, the files are looked at": lambda: engine.forecast(
            valid, base, memo=OutsideMemo()
        ),
        "forecast, the files are remembered": lambda: engine.forecast(valid, base, memo=memo),
    }
    times = {kind: [] for kind in kinds}
    for _ in range(arguments.rounds):
        for kind, work in kinds.items():
            start = time.perf_counter()
            work()
            times[kind].append(time.perf_counter() - start)
    for kind, seconds in times.items():
        low, median, high = (f"{value * 1000:.1f}" for value in statistics.quantiles(seconds, n=4))
        print(f"| {kind} | {median} ms ({low} to {high}), most {max(seconds) * 1000:.1f} |")


if __name__ == "__main__":
    main()
