"""Runs side by side, as the page asks for them."""

import dataclasses
import json

import pytest

from .made_evaluation import made_evaluation
from .made_run import made_run

RUNS = ("20261101-120000-0003", "20261101-120000-0004")


@pytest.fixture
def two(studio, make_pictures):
    """Two runs that scored the same pictures with networks of other random weights."""
    images = make_pictures(per_class=6, seed=3)
    images.root.rename(studio.base / "pictures")
    images = dataclasses.replace(images, root=studio.base / "pictures")
    return [
        made_evaluation(studio, images, images, run_id=run, seed=seed)
        for seed, run in enumerate(RUNS)
    ]


def test_figures_come_with_their_intervals_for_every_run(page, two):
    found = page.get("/api/comparison", params={"run": RUNS}).json()
    assert found["runs"] == list(RUNS)
    assert [one["run"] for one in found["figures"]] == list(RUNS)
    for run, figures in zip(two, found["figures"], strict=True):
        file = run.node_folder("evaluate") / "outputs" / "evaluation" / "evaluation.json"
        (evaluation,) = json.loads(file.read_text())["evaluations"]
        assert figures["accuracy"] == evaluation["figures"]["Overall_Accuracy"]
        assert [figures["low"], figures["high"]] == evaluation["accuracy_interval_95"]
    assert found["different"] == []
    assert {"name": "train", "values": ["completed", "completed"]} in found["nodes"]


def test_pictures_that_changed_sides_are_those_of_the_two_tables(page, two):
    nodes = {"left_node": "evaluate", "right_node": "evaluate"}
    which = {"left": RUNS[0], "right": RUNS[1], **nodes}
    found = page.get("/api/comparison/pictures", params=which).json()
    assert found["both_right"] + found["lost"] + found["won"] + found["neither"] == 18
    rights = []
    for run in RUNS:
        every = page.get(f"/api/runs/{run}/nodes/evaluate/pictures?limit=99").json()["pictures"]
        rights.append({one["file"] for one in every if one["correct"]})
    assert found["lost"] == len(rights[0] - rights[1])
    assert found["won"] == len(rights[1] - rights[0])
    changed = {one["left"]["file"] for one in found["pictures"]}
    assert changed == rights[0] ^ rights[1]
    same = page.get("/api/comparison/pictures", params={**which, "right": RUNS[0]}).json()
    assert (same["lost"], same["won"], same["pictures"]) == (0, 0, [])


def test_one_run_and_runs_that_are_not_there_are_refused(page, studio):
    run = made_run(studio).id
    alone = page.get("/api/comparison", params={"run": run})
    assert (alone.status_code, alone.json()["error"]["reason"]) == (422, "number-of-runs")
    gone = page.get("/api/comparison", params={"run": [run, RUNS[0]]})
    assert gone.status_code == 404
    which = {"left": run, "left_node": "a", "right": run, "right_node": "a"}
    assert page.get("/api/comparison/pictures", params=which).status_code == 404
