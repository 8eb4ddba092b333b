"""Drawn pipelines over the API, and the answers of the server as a whole (J03, J14)."""

import json
from pathlib import Path

import pytest

from imageloom.files.publish import to_json
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
    """J13."""
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


def test_j03_a_damaged_pipeline_hides_no_other_and_can_be_thrown_away(page, studio, seed):
    whole, damaged = (page.post("/api/pipelines", json={"pipeline": seed}).json() for _ in "ab")
    file = studio.drafts.folder(damaged["id"]) / "000001.json"
    file.write_bytes(file.read_bytes()[:100])
    assert [one["id"] for one in page.get("/api/pipelines").json()] == [whole["id"]]
    address = f"/api/pipelines/{damaged['id']}"
    answer = page.get(address)
    assert answer.json()["error"]["type"] == "StoreCorruptError"
    assert page.get(f"{address}/versions").json() == []
    assert page.delete(address).status_code == 204
    assert not file.exists()


def nodes(number):
    return [{"id": f"n{one}", "component": "dataset"} for one in range(number)]


def drawn(**parts):
    return {"pipeline": {"format_version": 2, "kind": "pipeline", "name": "Odd", **parts}}


ALL = ["/api/check", "/api/pipelines", "/api/runs"]


@pytest.mark.parametrize("address", ALL)
@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"format_version": 3}, "format version 3"),
        ({"nodes": nodes(10_001)}, "10,000"),
        ({"nodes": [*nodes(1), *nodes(1)]}, "'n0'"),
        ({"nodes": [{"id": "../x", "component": "dataset"}]}, "'../x'"),
        ({"nodes": [{"id": "a", "component": "dataset", "params": {"x": 2**5_000}}]}, "bits"),
    ],
    ids=["newer", "too many nodes", "an id twice", "an id that leads out", "a huge number"],
)
def test_j14_what_is_no_pipeline_of_ours_is_refused_with_words(page, address, parts, said):
    answer = page.post(address, json=drawn(**parts))
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]
    assert page.get("/api/pipelines").json() == []
    assert page.get("/api/runs").json()["runs"] == []


@pytest.mark.parametrize("address", ALL)
def test_j14_64_megabytes_are_refused(page, address):
    answer = page.post(address, json=drawn(description="x" * 64 * 1024**2))
    assert answer.status_code == 413


def test_j14_every_mistake_of_a_drawing_names_its_node(page):
    edges = [{"from": "a.dataset", "to": "b.images"}, {"from": "c.x", "to": "nobody.y"}]
    edges += [{"from": "d.first", "to": "e.images"}, {"from": "e.first", "to": "d.images"}]
    components = {"a": "dataset", "b": "train_pytorch_model", "c": "nothing"}
    components |= dict.fromkeys("de", "split_image_directory")
    made = [{"id": name, "component": one} for name, one in components.items()]
    made[0]["version"] = 99
    answer = page.post("/api/check", json=drawn(nodes=made, edges=edges))
    assert answer.status_code == 200
    found = {(one["kind"], one["node"]) for one in answer.json()["problems"]}
    assert {node for _, node in found} >= set("abc"), found
    kinds = {kind for kind, _ in found}
    assert {"cycle", "unknown-component"} <= kinds, found
    refused = page.post("/api/runs", json=drawn(nodes=made, edges=edges))
    assert refused.status_code == 422


def test_j14_names_of_prototypes_are_names_like_others(page):
    params = {"__proto__": {"polluted": 1}, "constructor": 1, "toString": None}
    node = {"id": "constructor", "component": "constructor", "params": params, "title": "valueOf"}
    edge = {"from": "constructor.__proto__", "to": "constructor.toString"}
    sent = drawn(nodes=[node], edges=[edge], __proto__={"a": 1})
    made = page.post("/api/pipelines", json=sent).json()
    kept = page.get(f"/api/pipelines/{made['id']}").json()["pipeline"]
    assert kept["nodes"] == [node]
    assert kept["edges"] == [edge]
    assert kept["__proto__"] == {"a": 1}


def test_j14_what_a_newer_imageloom_drew_is_seen_and_saved_as_a_file_but_never_changed(
    page, studio
):
    made = page.post("/api/pipelines", json=drawn(nodes=nodes(2))).json()
    file = studio.drafts.folder(made["id"]) / "000001.json"
    newer = {
        **made["pipeline"],
        "format_version": 3,
        "lanes": [{"id": 2**60, "width": 1.0, "é": 1e-7}],
    }
    file.write_text(to_json({**json.loads(file.read_text()), "pipeline": newer}))
    before = file.read_bytes()
    address = f"/api/pipelines/{made['id']}"
    seen = page.get(address).json()
    assert (seen["is_newer"], seen["pipeline"]) == (True, newer)
    assert [one["is_newer"] for one in page.get("/api/pipelines").json()] == [True]
    assert [one["is_newer"] for one in page.get(f"{address}/versions").json()] == [True]
    refused = page.put(address, json=drawn(nodes=nodes(1)), headers={"if-match": '"1"'})
    assert (refused.status_code, refused.json()["error"]["reason"]) == (409, "newer")
    saved = page.get(f"{address}/versions/1/file")
    assert saved.content == to_json(newer).encode()
    assert saved.headers["content-disposition"].startswith("attachment;")
    assert file.read_bytes() == before


@pytest.mark.slow
def test_j14_ten_thousand_nodes_are_kept_and_checked(page):
    made = page.post("/api/pipelines", json=drawn(nodes=nodes(10_000)))
    assert made.status_code == 201
    assert page.get("/api/pipelines").json()[0]["num_nodes"] == 10_000
    answer = page.post("/api/check", json=drawn(nodes=nodes(10_000)))
    assert answer.status_code == 200
    assert len(answer.content) < 16 * 1024**2
