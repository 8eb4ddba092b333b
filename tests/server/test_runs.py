"""Runs over the API: real executors and workers, without a network to train."""

import time

import pytest

pytestmark = pytest.mark.slow
_ENDED = ("completed", "failed", "cancelled", "interrupted")


def ended(page, run_id, *, seconds=120):
    """Return how a run stands once it has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        detail = page.get(f"/api/runs/{run_id}").json()
        if detail["state"] in _ENDED:
            return detail
        time.sleep(0.05)
    raise AssertionError(f"{run_id} is {detail['state']} after {seconds} s")


@pytest.fixture
def digits(page):
    """The drawn pipeline of the first template."""
    pytest.importorskip("sklearn", reason="scikit-learn has the digits")
    answer = page.post("/api/pipelines/templates/digits", json={})
    assert answer.status_code == 201
    return answer.json()["pipeline"]


def test_the_digits_are_there_when_their_template_is_opened(page, digits, studio):
    folder = studio.engine.workspace.uploads / "digits"
    assert sorted(one.name for one in folder.iterdir()) == list("0123456789")
    assert sum(1 for _ in folder.glob("*/*.png")) == 1797
    answer = page.post("/api/check", json={"pipeline": digits}).json()
    assert answer["problems"] == []
    assert {one["state"] for one in answer["nodes"].values()} == {"ready"}


def test_a_run_is_begun_listed_shown_and_deleted(page, digits):
    begun = page.post("/api/runs", json={"pipeline": digits, "only": ["convert"]})
    assert begun.status_code == 201
    run_id = begun.json()["id"]
    detail = ended(page, run_id)
    assert detail["state"] == "completed"
    assert detail["wanted"] == ["pictures", "convert"]
    assert {name: facts["state"] for name, facts in detail["nodes"].items()} == {
        "pictures": "completed",
        "convert": "completed",
    }
    (row,) = page.get("/api/runs").json()["runs"]
    assert (row["id"], row["num_nodes"], row["num_done"]) == (run_id, 2, 2)
    assert page.get("/api/runs", params={"q": "no such"}).json() == {"runs": [], "more": False}
    (log,) = page.get(f"/api/runs/{run_id}/nodes/convert/logs").json()
    text = page.get(f"/api/runs/{run_id}/nodes/convert/logs/{log['label']}").json()["text"]
    assert f"Node convert of run {run_id}" in text
    found = page.get(
        f"/api/runs/{run_id}/nodes/convert/logs/{log['label']}/search",
        params={"text": "NODE CONVERT"},
    ).json()
    assert [one["number"] for one in found["found"]] == [1]
    saved = page.get(f"/api/runs/{run_id}/nodes/convert/logs/{log['label']}/file")
    assert saved.headers["content-disposition"].startswith("attachment")
    report = page.get(f"/api/runs/{run_id}/report")
    assert report.headers["content-security-policy"].startswith("sandbox")
    outlook = page.post("/api/check", json={"pipeline": digits}).json()["nodes"]
    assert {name: outlook[name]["state"] for name in ("pictures", "convert", "split")} == {
        "pictures": "done",
        "convert": "done",
        "split": "ready",
    }
    assert page.delete(f"/api/runs/{run_id}").status_code == 204
    assert page.get(f"/api/runs/{run_id}").status_code == 404


def test_a_run_of_what_lies_outside_the_roots_is_refused_before_it_is_made(page, tmp_path):
    (tmp_path / "secret" / "a").mkdir(parents=True)
    for path in (tmp_path / "secret", "../secret"):
        node = {"id": "data", "component": "dataset", "params": {"path": str(path)}}
        pipeline = {"format_version": 2, "kind": "pipeline", "name": "x", "nodes": [node]}
        answer = page.post("/api/runs", json={"pipeline": pipeline})
        assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "outside-roots")
    assert page.get("/api/runs").json()["runs"] == []


def test_a_pipeline_that_cannot_run_is_refused_with_every_problem(page, seed):
    seed["nodes"][0]["params"]["path"] = "."
    seed["edges"] = seed["edges"][:2]
    answer = page.post("/api/runs", json={"pipeline": seed})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["problems"] > 3


@pytest.mark.parametrize("name", ["%2e%2e", "..%2f..", "20260101-000000-0000", "a%00b", "x" * 300])
def test_a_run_or_node_that_is_not_there_is_named(page, name):
    for path in ("", "/nodes/train/logs", "/nodes/x/evaluation", "/report"):
        answer = page.get(f"/api/runs/{name}{path}")
        assert answer.status_code == 404
    for method, path in (("POST", "/cancel"), ("POST", "/resume"), ("DELETE", "")):
        assert page.request(method, f"/api/runs/{name}{path}", json={}).status_code in (404, 405)
