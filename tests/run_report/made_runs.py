"""A run in which every state of a node occurs, as its record and facts say it."""

from imageloom.events import Metric
from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord, RunRecord
from imageloom.run_report.node_files import NodeFiles
from imageloom.run_report.view import RunView
from imageloom.spec.job import Output
from imageloom.spec.node_state import NodeState, RunState

RUN = "20261123-051233-4f2a"
EARLIER = "20261122-101010-aaaa"

NODES = {
    "photos": "dataset",
    "images": "convert_to_image_directory",
    "split": "split_image_directory",
    "net": "resnet",
    "train": "train_pytorch_model",
    "score": "score_image_model",
    "other": "train_pytorch_model",
    "late": "evaluate_model",
}
EDGES = [
    ("photos.dataset", "images.dataset"),
    ("images.images", "split.images"),
    ("net.model", "train.model"),
    ("split.first", "train.training"),
    ("split.second", "train.validation"),
    ("train.model", "score.model"),
    ("split.second", "score.images"),
    ("split.first", "other.training"),
    ("score.scores", "late.scores"),
]
ERROR = {
    "id": "InvalidDataset",
    "code": "0018",
    "type": "InvalidDatasetError",
    "message": "The classes <b>differ</b>: 'ants' is missing.",
    "hint": "Add pictures of ants.",
    "reason": "classes",
    "details": {},
}


def output(type: str = "ImageDirectory") -> Output:
    return Output(type=type, object="ab" * 32, digest="cd" * 32, size_bytes=1234)


def made_facts() -> dict[str, NodeFacts]:
    return {
        "photos": NodeFacts(
            state=NodeState.CACHED,
            time=2.0,
            made_by=(EARLIER, "pictures"),
            outputs={"dataset": output("AnyDirectory")},
            seconds=0.5,
        ),
        "images": NodeFacts(
            state=NodeState.COMPLETED_WITH_WARNINGS,
            time=3.0,
            outputs={"images": output()},
            warnings=("3 files were left out.",),
            seconds=12.0,
        ),
        "split": NodeFacts(
            state=NodeState.COMPLETED,
            time=4.0,
            outputs={"first": output(), "second": output()},
            seconds=65.0,
        ),
        "net": NodeFacts(state=NodeState.RUNNING, time=5.0, started=4.0),
        "train": NodeFacts(state=NodeState.FAILED, time=6.0, error=ERROR, seconds=7.0),
        "score": NodeFacts(state=NodeState.NOT_RUN, time=6.0, cause="train"),
        "other": NodeFacts(state=NodeState.CANCELLED, time=6.0, message="Stopped by Ctrl+C."),
    }


def made_record(**changes: object) -> RunRecord:
    nodes = [{"id": name, "component": component} for name, component in NODES.items()]
    nodes[4]["params"] = {"epochs": 9}
    content = {
        "format_version": 2,
        "kind": "pipeline",
        "name": "Ants & bees",
        "nodes": nodes,
        "edges": [{"from": begin, "to": end} for begin, end in EDGES],
    }
    record = RunRecord(
        id=RUN,
        name="Ants & bees",
        pipeline=content,
        base="/home/you",
        resolved={
            name: ResolvedRecord(component=component, version=1, params={"epochs": 9, "seed": 1})
            for name, component in NODES.items()
        },
        wanted=tuple(NODES),
        versions={"imageloom": "0.1.0"},
        created=0.0,
        command="imageloom run pipeline.json",
    )
    return record.model_copy(update=changes)


def made_view(**changes: object) -> RunView:
    """Return the run as a report sees it."""
    metrics = tuple(
        Metric(name, value / epoch, epoch, epoch * 10)
        for epoch in (1, 2, 3)
        for name, value in (("Train loss", 0.9), ("Valid loss", 1.1), ("learning rate", 0.1))
    )
    values = {
        "record": made_record(),
        "state": RunState.FAILED,
        "nodes": made_facts(),
        "files": {
            "train": NodeFiles(
                log_tail="line one\nline two <script>alert(1)</script>",
                metrics=metrics,
                links=(("log", "nodes/train/logs/70_driver_log_0.txt"),),
            )
        },
        "seconds": 90.0,
    }
    return RunView(**(values | changes))
