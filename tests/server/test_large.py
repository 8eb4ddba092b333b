"""Large workspaces over the API (J17): answers stay small and whole, whatever lies behind them.

By default a size that every round bears, through the same code. IMAGELOOM_FULL_SIZE=1 takes the
sizes of a large workspace: 10,000 runs, 50 million points, 1.3 million pictures, a log of 100 MB
and 1,000 classes; ``--durations=0`` tells what each takes.
"""

import hashlib
import os

import numpy as np
import pyarrow as pa
import pytest

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import SCHEMA
from imageloom.errors import CannotResumeError
from imageloom.files.series.names import SERIES_FOLDER, SeriesName
from imageloom.files.series.writer import SeriesWriter
from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord, RunRecord
from imageloom.reports.evaluate_to import evaluate_to
from imageloom.scoring.params import EvaluateParams
from imageloom.scoring.tables.scored_table import ScoredTable
from imageloom.spec.job import LOG_FILE, Output
from imageloom.spec.node_state import NodeState, RunState

from .made_run import made_run

IS_FULL = os.environ.get("IMAGELOOM_FULL_SIZE") == "1"
NUM_RUNS = 10_000 if IS_FULL else 300
NUM_POINTS = 50_000_000 if IS_FULL else 300_000
NUM_PICTURES = 1_300_000 if IS_FULL else 50_000
LOG_BYTES = 100_000_000 if IS_FULL else 3_000_000
NUM_CLASSES = 1_000 if IS_FULL else 150
MOST_ANSWER_BYTES = 1024**2
MOST_EVALUATION_BYTES = 64 * 1024**2  # every class and every cell that is not empty
RUN = "20261102-120000-0009"
LOSS = SeriesName("Train loss", "nats", "step")

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.timeout(3_600)]


def asked(page, address, *, most=MOST_ANSWER_BYTES, **params):
    """Ask, and refuse an answer that is too much for a page."""
    answer = page.get(address, params=params)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) <= most
    return answer.json()


def run_of(studio, node, component, port="", kind=""):
    """Make a run of one node that completed; the test puts its output there."""
    run = studio.engine.workspace.run(RUN)
    drawn = {"id": node, "component": component}
    head = {"format_version": 2, "kind": "pipeline", "name": "Large"}
    run.create(
        RunRecord(
            id=RUN,
            name="Large",
            pipeline={**head, "nodes": [drawn]},
            base=str(studio.base),
            resolved={node: ResolvedRecord(component=component, version=1, params={})},
            wanted=(node,),
            created=1.0,
        )
    )
    run.append_run(RunState.RUNNING)
    output = Output(type=kind, object="0" * 64, digest="0" * 64, size_bytes=1) if port else None
    outputs = {port: output} if output else {}
    run.append_node(node, NodeFacts(state=NodeState.COMPLETED, time=2.0, outputs=outputs))
    run.append_run(RunState.COMPLETED)
    return run


def test_j17_a_list_of_many_runs_comes_page_by_page_with_each_of_them_once(page, studio):
    made = [f"20261101-120000-{number:04x}" for number in range(NUM_RUNS)]
    for run_id in made:
        made_run(studio, run_id)
    found = []
    while True:
        some = asked(page, "/api/runs", offset=len(found), limit=500)
        found += [one["id"] for one in some["runs"]]
        if not some["more"]:
            break
    assert found == made[::-1]
    (one,) = asked(page, "/api/runs", q=made[7])["runs"]
    assert one["id"] == made[7]
    assert asked(page, "/api/events/now")["runs"]["num_running"] == 0


def test_j17_a_curve_of_many_points_hides_no_peak(page, studio):
    run = made_run(studio)
    highest, lowest = NUM_POINTS // 3, 2 * NUM_POINTS // 3
    folder = run.node_folder("a") / SERIES_FOLDER
    with SeriesWriter(folder, [LOSS], rank=0, error=CannotResumeError) as writer:
        for step in range(1, NUM_POINTS + 1):
            value = 9.0 if step == highest else -9.0 if step == lowest else step % 100 / 100
            writer.append({LOSS: value}, step=step, epoch=0.0)
    address = f"/api/runs/{run.id}/nodes/a/series"
    assert [one["num_rows"] for one in asked(page, address)] == [NUM_POINTS]
    curve = asked(page, f"{address}/points", name=LOSS.name, points=1_000)
    points = curve["points"]
    assert len(points) <= 1_000
    assert curve["num_rows"] == sum(one["count"] for one in points) == NUM_POINTS
    assert max(one["max"] for one in points) == 9.0
    assert min(one["min"] for one in points) == -9.0
    near = {"name": LOSS.name, "from": highest - 1, "to": highest + 1, "points": 1_000}
    part = asked(page, f"{address}/points", **near)["points"]
    assert [one["last"] for one in part][1] == 9.0
    assert len(part) == 3


def test_j17_a_long_log_is_read_at_its_end_and_searched_without_reading_it_to_the_page(
    page, studio
):
    run = made_run(studio)
    line = "2027-01-01 12:00:00 rank 0: epoch 1, step 1,234: Train loss 0.6931, 512 images/s\n"
    file = run.node_folder("a") / LOG_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    num_lines = LOG_BYTES // len(line)
    with file.open("w") as log:
        log.write("the first needle\n")
        log.writelines(line for _ in range(num_lines))
        log.write("the last needle\n")
    address = f"/api/runs/{run.id}/nodes/a/logs"
    (known,) = asked(page, address)
    assert known["bytes"] == file.stat().st_size
    end = asked(page, f"{address}/{known['label']}", lines=100)
    assert end["text"].endswith("the last needle\n")
    assert end["text"].count("\n") == 100
    found = asked(page, f"{address}/{known['label']}/search", text="NEEDLE")
    assert [one["text"] for one in found["found"]] == ["the first needle", "the last needle"]
    assert found["more"] is False


def test_j17_many_pictures_are_told_in_numbers_and_come_page_by_page(page, studio):
    classes = tuple(f"class {number:03}" for number in range(100))
    labels = np.arange(NUM_PICTURES, dtype=np.int32) % len(classes)
    names = [f"{label:03}/{number:07}.jpg".encode() for number, label in enumerate(labels)]
    same = hashlib.sha256(b"").digest()
    columns = {
        "path": names,
        "label": labels,
        "width": np.full(NUM_PICTURES, 500, np.int32),
        "height": np.full(NUM_PICTURES, 375, np.int32),
        "orientation": np.ones(NUM_PICTURES, np.int8),
        "format": ["JPEG"] * NUM_PICTURES,
        "size_bytes": np.full(NUM_PICTURES, 110_000, np.int64),
        "sha256": [same] * NUM_PICTURES,
        "group": [None] * NUM_PICTURES,
    }
    index = pa.Table.from_arrays(
        [pa.array(columns[one.name], type=one.type) for one in SCHEMA], schema=SCHEMA
    )
    root = studio.base / "photos"
    root.mkdir()
    run = run_of(studio, "convert", "convert_to_image_directory", "images", "ImageDirectory")
    made = studio.base / "made"
    ImageDirectory(classes=classes, index=index, root=root).save(made)
    place = run.node_folder("convert") / "outputs"
    place.mkdir(parents=True)
    made.rename(place / "images")
    address = f"/api/runs/{RUN}/nodes/convert/images/images"
    told = asked(page, address)
    assert (told["images"], told["size_bytes"]) == (NUM_PICTURES, 110_000 * NUM_PICTURES)
    assert [one["images"] for one in told["classes"]] == [NUM_PICTURES // 100] * 100
    last = asked(page, f"{address}/pictures", offset=NUM_PICTURES - 2, limit=100)
    assert [one["row"] for one in last["pictures"]] == [NUM_PICTURES - 2, NUM_PICTURES - 1]
    of_class = asked(page, f"{address}/pictures", label=classes[7], offset=3, limit=1_000)
    assert of_class["total"] == NUM_PICTURES // 100
    assert [one["row"] for one in of_class["pictures"]][:2] == [307, 407]


def scored_at_random(classes, num_rows):
    """Return a table whose rows fill as many cells of the matrix as they can."""
    odds = np.random.default_rng(1).random((num_rows, len(classes)), np.float32)
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    return ScoredTable(
        files=pa.array([f"{row}.jpg" for row in range(num_rows)], pa.string()),
        labels_N=(np.arange(num_rows) % len(classes)).astype(np.int32),
        classes=classes,
        predicted_N=probabilities.argmax(axis=1).astype(np.int32),
        probabilities_NK=probabilities,
    )


def test_j17_a_confusion_matrix_of_many_classes_is_whole(page, studio):
    classes = tuple(f"class {number:04}" for number in range(NUM_CLASSES))
    table = scored_at_random(classes, 20 * NUM_CLASSES)
    run = run_of(studio, "evaluate", "evaluate_model", "evaluation", "EvaluationResults")
    made = studio.base / "made"
    evaluate_to(table, made, params=EvaluateParams(thumbnails=False), names=["scores"])
    place = run.node_folder("evaluate") / "outputs"
    place.mkdir(parents=True)
    made.rename(place / "evaluation")
    address = f"/api/runs/{RUN}/nodes/evaluate"
    (told,) = asked(page, f"{address}/evaluation", most=MOST_EVALUATION_BYTES)["evaluations"]
    counted = np.zeros((NUM_CLASSES, NUM_CLASSES), np.int64)
    np.add.at(counted, (table.labels_N, table.predicted_N), 1)
    matrix = told["confusion_matrix"]
    position = {name: number for number, name in enumerate(classes)}
    shown = np.zeros_like(counted)
    for label, row in matrix.items():
        for scored, number in row.items():
            shown[position[label], position[scored]] = number
    assert (shown == counted).all()
    label, scored = (int(one) for one in np.argwhere(counted > 0)[0])
    cell = {"label": classes[label], "scored": classes[scored]}
    assert asked(page, f"{address}/pictures", **cell)["total"] == counted[label, scored]
