"""What a model says of pictures, asked of a server that loads no torch."""

import contextlib
import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imageloom.errors import WorkerLostError
from imageloom.scoring.model_process.client import MODELS, ModelHelper, PicturePlace
from imageloom.scoring.model_process.worker import MAX_MEMORY_BYTES
from imageloom.scoring.read_pictures import read_pictures
from imageloom.server.model_behind import model_behind
from imageloom.system.helper_process import HelperProcess

from .made_evaluation import made_evaluation

pytestmark = pytest.mark.processes
NODE = "/api/runs/20261101-120000-0002/nodes/evaluate"


@pytest.fixture
def evaluated(studio, make_pictures, tmp_path):
    """A run whose pictures lie below the studio's roots."""
    places = []
    for name, seed in (("training", 1), ("held-out", 2)):
        images = make_pictures(per_class=4, seed=seed)
        root = studio.base / name
        images.root.rename(root)
        places.append(dataclasses.replace(images, root=root))
    return made_evaluation(studio, *places)


def png(colour=(250, 20, 30)):
    buffer = io.BytesIO()
    Image.new("RGB", (50, 40), colour).save(buffer, "PNG")
    return buffer.getvalue()


def send(page, content, node=NODE):
    headers = {"content-type": "application/octet-stream"}
    return page.put(f"{node}/dropped", content=content, headers=headers)


@pytest.mark.slow
def test_pictures_are_named_and_explained_and_alike_ones_found(page, studio, evaluated):
    places = model_behind(studio, evaluated.id, "evaluate")
    assert (places.node, places.has_learned_scored) == ("train", False)
    assert page.get(f"{NODE}/model").json()["knows_training"] is True

    # A picture of the evaluation: what is said of it now is what the scored table says.
    table = evaluated.node_folder("evaluate") / "outputs" / "evaluation" / "pictures.sqlite"
    (scored, *_), _ = read_pictures(table, order="row", offset=3, limit=1)
    found = page.get(f"{NODE}/pictures/3/explanation").json()
    assert found["guesses"][0]["label"] == found["explained"] == scored.scored_label
    assert found["guesses"][0]["probability"] == pytest.approx(scored.probability, abs=1e-5)
    assert found["num_classes"] == 3
    for address in (found["seen"], found["heat"]):
        answer = page.get(address)
        assert answer.headers["content-type"] == "image/png"
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.size == (256, 256)
    other = page.get(f"{NODE}/pictures/3/explanation", params={"of_class": "blue"}).json()
    assert other["explained"] == "blue"
    assert other["heat"] != found["heat"] or scored.scored_label == "blue"

    # A picture that was dropped: one of the training pictures, so that it is most like itself.
    content = (studio.base / "training" / "green" / "002.png").read_bytes()
    dropped = send(page, content)
    assert dropped.status_code == 201
    picture = dropped.json()["picture"]
    said = page.get(f"{NODE}/dropped/{picture}/explanation").json()
    assert said["guesses"] == dropped.json()["guesses"]
    alike = page.get(f"{NODE}/dropped/{picture}/alike").json()
    while alike["done"] < alike["total"]:
        alike = page.get(f"{NODE}/dropped/{picture}/alike").json()
    first = alike["pictures"][0]
    assert (first["file"], first["label"]) == ("green/002.png", "green")
    assert first["similarity"] == pytest.approx(1, abs=1e-4)
    assert page.get(first["thumbnail"]).headers["content-type"] == "image/jpeg"

    # What is none, or hostile, is said so, and the process goes on.
    (process,) = studio.models.pool.running
    refused = send(page, b"<svg onload=alert(1)>")
    assert (refused.status_code, refused.json()["error"]["type"]) == (422, "InvalidDatasetError")
    assert page.get(f"{NODE}/pictures/99/explanation").status_code == 404
    unknown = page.get(f"{NODE}/pictures/0/explanation", params={"of_class": "<b>"})
    assert (unknown.status_code, unknown.json()["error"]["type"]) == (422, "UnknownNameError")
    assert studio.models.pool.running == {process}
    assert process.lives
    studio.models.pool.end_idle(idle_s=0.0)
    assert not process.lives
    assert send(page, png()).status_code == 201  # it is started again


@pytest.mark.slow
def test_a_damaged_model_is_said_so(page, evaluated):
    (evaluated.node_folder("train") / "outputs" / "model" / "weights.safetensors").write_bytes(b"x")
    answer = page.get(f"{NODE}/pictures/0/explanation")
    assert answer.status_code == 422
    assert answer.json()["error"]["type"] == "InvalidModelDirectoryError"


def test_the_model_behind_a_node_is_found_however_the_pipeline_was_drawn(studio, evaluated):
    for node in ("train", "score", "evaluate"):
        found = model_behind(studio, evaluated.id, node)
        assert found.path == evaluated.node_folder("train") / "outputs" / "model"
        assert found.training == evaluated.node_folder("convert") / "outputs" / "images"


def test_a_node_without_a_model_behind_it_says_so(page, evaluated):
    answer = page.get(NODE.replace("evaluate", "convert") + "/model")
    assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "no-model")


def test_thresholds_are_those_that_the_evaluation_wrote(page, evaluated):
    found = page.get(f"{NODE}/thresholds").json()
    assert (found["images"], len(found["thresholds"])) == (12, 101)
    assert [one["label"] for one in found["classes"]] == ["red", "green", "blue"]
    for one in found["classes"]:
        assert (one["found"][0], one["reached"][0], one["support"]) == (4, 12, 4)
    file = evaluated.node_folder("evaluate") / "outputs" / "evaluation" / "thresholds.json"
    file.unlink()
    assert page.get(f"{NODE}/thresholds").status_code == 404


def test_a_picture_that_is_too_large_is_refused_before_it_is_read(page, evaluated, monkeypatch):
    monkeypatch.setattr("imageloom.server.routes.models.MAX_PICTURE_BYTES", 100)
    answer = send(page, bytes(101))
    assert answer.status_code == 413
    assert "A picture with 101 bytes was sent" in answer.json()["error"]["message"]


def test_only_maps_and_dropped_pictures_have_an_address(page, evaluated, studio):
    (studio.models.kept.folder).mkdir(parents=True, exist_ok=True)
    (studio.models.kept.folder / "token").write_text("secret")
    for name in ("..%2ftoken", "token", "a" * 32 + ".png", "%2e%2e%2ftoken"):
        assert page.get(f"/api/maps/{name}").status_code == 404
    for name in ("..%2ftoken", "token", "f" * 64):
        assert page.get(f"{NODE}/dropped/{name}/explanation").status_code == 404


@pytest.fixture
def stubbed(studio, tmp_path):
    """The studio with a process that dies or hangs at pictures that say so."""
    kind = dataclasses.replace(MODELS, module="stub_model_process")
    with contextlib.closing(ModelHelper(tmp_path / "stub", features=tmp_path, kind=kind)) as models:
        object.__setattr__(studio, "models", models)
        yield models


def test_a_crash_is_an_error_and_the_server_goes_on_answering(stubbed, page, evaluated):
    first = send(page, b"fine").json()["guesses"][0]["label"]
    assert send(page, b"fine").json()["guesses"][0]["label"] == first  # it stays warm
    crashed = send(page, b"crash")
    assert crashed.status_code == 500
    error = crashed.json()["error"]
    assert (error["type"], error["reason"]) == ("WorkerLostError", "model-lost")
    assert "The model process ended with signal 11 at its work (predict)" in error["message"]
    again = send(page, b"fine")
    assert again.status_code == 201
    assert again.json()["guesses"][0]["label"] != first


def test_a_hang_is_ended_in_time_and_the_server_goes_on_answering(
    stubbed, page, evaluated, monkeypatch
):
    monkeypatch.setattr(ModelHelper.predict, "__kwdefaults__", {"k": 5, "timeout_s": 0.3})
    assert send(page, b"fine").status_code == 201
    hung = send(page, b"hang")
    assert (hung.status_code, hung.json()["error"]["reason"]) == (504, "model-timeout")
    assert stubbed.pool.running == set()
    monkeypatch.undo()
    assert send(page, b"fine").status_code == 201


def test_a_process_ends_only_when_it_is_idle(stubbed, tmp_path):
    (tmp_path / "fine").write_bytes(b"fine")
    picture = PicturePlace(tmp_path, "fine")
    stubbed.predict(tmp_path, picture)
    (process,) = stubbed.pool.running
    stubbed.pool.end_idle(idle_s=600)
    assert process.lives
    stubbed.pool.end_idle(idle_s=0)
    assert not process.lives
    assert stubbed.predict(tmp_path, picture).guesses[0].label != str(process.pid)


def test_calls_that_waited_when_all_was_closed_begin_no_process(stubbed, tmp_path, monkeypatch):
    def begin(kind, setup):
        pytest.fail("a process was begun")

    stubbed.close()
    monkeypatch.setattr("imageloom.system.helper_pool.HelperProcess", begin)
    with pytest.raises(WorkerLostError, match="The model process is not there any more"):
        stubbed.predict(tmp_path, PicturePlace(tmp_path, "fine"))


@pytest.mark.slow
def test_the_process_may_take_a_limited_part_of_the_memory(studio, tmp_path):
    process = HelperProcess(
        MODELS, {"cache": f"{tmp_path}", "features": f"{tmp_path}", "roots": []}
    )
    try:
        (line,) = [
            one
            for one in Path(f"/proc/{process.pid}/limits").read_text().splitlines()
            if one.startswith("Max data size")
        ]
        assert line.split()[3] == str(MAX_MEMORY_BYTES)
    finally:
        process.end()


def test_dropped_pictures_and_maps_go_when_there_are_too_many(studio, monkeypatch):
    kept = studio.models.kept
    first = kept.keep_dropped(np.random.default_rng(1).bytes(900))
    second = kept.keep_dropped(b"second")
    kept.prune()
    assert kept.has_dropped(first)
    monkeypatch.setattr("imageloom.scoring.model_process.kept.MOST_DROPPED_BYTES", 500)
    kept.prune()
    assert not kept.has_dropped(first)
    assert kept.has_dropped(second)


def test_a_picture_of_more_than_what_json_may_have_is_taken(stubbed, page, evaluated):
    assert send(page, bytes(20 * 1024**2)).status_code == 201
    assert send(page, bytes(32 * 1024**2 + 1)).status_code == 413
