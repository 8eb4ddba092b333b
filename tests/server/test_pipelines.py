"""Drawn pipelines over the API, and the answers of the server as a whole."""

from pathlib import Path

import pytest

from imageloom.server.templates import all_templates


def test_a_pipeline_is_begun_read_saved_and_deleted(page, seed):
    begun = page.post("/api/pipelines", json={"pipeline": seed})
    assert begun.status_code == 201
    draft = begun.json()
    assert (draft["version"], draft["saved_by"], draft["pipeline"]) == (1, "ada", seed)
    address = f"/api/pipelines/{draft['id']}"
    assert page.get(address).headers["etag"] == '"1"'
    seed["name"] = "Mine"
    saved = page.put(
        address, json={"pipeline": seed, "commands": ["Rename"]}, headers={"if-match": '"1"'}
    )
    assert (saved.status_code, saved.json()["version"]) == (200, 2)
    (row,) = page.get("/api/pipelines").json()
    assert (row["name"], row["version"], row["num_nodes"]) == ("Mine", 2, len(seed["nodes"]))
    versions = page.get(f"{address}/versions").json()
    assert [(one["version"], one["commands"]) for one in versions] == [(2, ["Rename"]), (1, [])]
    assert page.get(f"{address}/versions/1").json() == draft
    assert page.delete(address).status_code == 204
    assert page.get(address).status_code == 404
    assert page.get("/api/pipelines").json() == []


def test_a_conflict_gives_both_versions_and_overwrites_nothing(page, seed):
    address = f"/api/pipelines/{page.post('/api/pipelines', json={'pipeline': seed}).json()['id']}"
    theirs = {**seed, "name": "Theirs"}
    page.put(address, json={"pipeline": theirs}, headers={"if-match": '"1"'})
    late = page.put(
        address, json={"pipeline": {**seed, "name": "Mine"}}, headers={"if-match": '"1"'}
    )
    assert late.status_code == 412
    content = late.json()
    assert content["error"]["type"] == "PipelineChangedError"
    assert content["error"]["details"] == {"base": 1, "newest": 2}
    assert content["theirs"]["pipeline"]["name"] == "Theirs"
    assert page.get(address).json()["pipeline"]["name"] == "Theirs"


@pytest.mark.parametrize(("tag", "status"), [(None, 428), ("x", 422), ("", 422), ('W/"1"', 200)])
def test_a_save_must_say_what_it_was_drawn_on(page, seed, tag, status):
    address = f"/api/pipelines/{page.post('/api/pipelines', json={'pipeline': seed}).json()['id']}"
    headers = {} if tag is None else {"if-match": tag}
    answer = page.put(address, json={"pipeline": seed}, headers=headers)
    assert answer.status_code == status


def test_what_is_no_pipeline_is_refused_with_words(page):
    answer = page.post("/api/pipelines", json={"pipeline": {"nodes": "none"}})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["type"] == "InvalidPipelineError"
    assert "lacks the key 'format_version'" in error["message"]


def test_a_request_that_has_not_the_form_is_refused_with_its_place(page):
    answer = page.post("/api/pipelines", content="{")
    assert answer.status_code == 422
    assert answer.json()["error"]["type"] == "InvalidRequestError"
    answer = page.post("/api/pipelines", json={})
    assert answer.json()["error"]["message"] == "body.pipeline: Field required."


def test_every_template_can_run_but_for_what_it_asks_for(studio):
    for one in all_templates(studio.engine.components):
        known = {node["id"]: node for node in one.pipeline["nodes"]}
        if one.asks_for:
            assert known[one.asks_for]["component"] == "dataset"


def test_the_template_of_the_seed_is_the_example(studio, seed):
    template = all_templates(studio.engine.components)[2].pipeline
    for node in seed["nodes"]:
        del node["position"]
    for node in template["nodes"]:
        del node["version"]
    assert template == seed


def test_the_catalogue_has_every_component_with_types_that_are_known(page, studio):
    content = page.get("/api/components").json()
    assert {one["name"] for one in content["components"]} == {
        one.name for one in studio.engine.components
    }
    types = {one["name"] for one in content["port_types"]}
    for one in content["components"]:
        assert {port["type"] for port in one["inputs"] + one["outputs"]} <= types


def test_a_half_drawn_pipeline_is_checked_with_words(page, seed):
    seed["edges"] = [one for one in seed["edges"] if one["to"] != "train.model"]
    answer = page.post("/api/check", json={"pipeline": seed}).json()
    (problem,) = [one for one in answer["problems"] if one["node"] == "train"]
    assert problem["kind"] == "missing-input"
    assert answer["nodes"]["train"]["state"] == "incomplete"
    assert answer["nodes"]["train"]["why"] == problem["message"]


def test_only_the_roots_are_shown(page, studio, tmp_path):
    (studio.base / "ants").mkdir()
    (studio.base / "bee.jpg").write_bytes(b"x")
    (studio.base / ".hidden").mkdir()
    (studio.base / "out").symlink_to(tmp_path)
    here = page.get("/api/places").json()
    assert here["parent"] is None
    assert [(one["name"], one["is_folder"]) for one in here["entries"]] == [
        ("ants", True),
        ("out", True),
        ("bee.jpg", False),
    ]
    beside = Path(f"{studio.base}-evil")
    beside.mkdir()
    for path in (tmp_path, studio.base / "..", studio.base / "out", beside, "/", "nul\0l"):
        answer = page.get("/api/places", params={"path": str(path)})
        assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "outside-roots")


def test_an_address_that_is_not_there_answers_in_the_same_form(page):
    for path in ("/api/nothing", "/api/runs/a/b/c", "/assets/none.js"):
        answer = page.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["hint"]


def test_a_view_of_the_page_is_the_page_and_no_file_outside_it(page):
    first = page.get("/")
    assert first.status_code == 200
    assert first.headers["content-type"].startswith("text/html")
    for path in (
        "/runs/20261126-220120-95ef",
        "/%2e%2e/app.py",
        "/..%2fapp.py",
        "/%2e%2e%2fapp.py",
    ):
        assert page.get(path).content == first.content
