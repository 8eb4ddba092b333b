"""A model's card and its directory as a zip file, from files alone."""

import io
import os
import zipfile

import pytest

from imageloom.errors import InvalidModelDirectoryError
from imageloom.files.publish import publishing_directory, to_json, write_json
from imageloom.models.stored_facts import digest_of, read_facts
from imageloom.pipeline.run_record import NodeFacts
from imageloom.server.zipped import zip_blocks
from imageloom.spec.job import Output
from imageloom.spec.node_state import NodeState

from .made_run import made_run

RUN = "20261101-120000-0001"
MODEL = f"/api/runs/{RUN}/nodes/a/model-card"
WEIGHTS = os.urandom(3_000_000)  # they do not shrink, as weights do not
OPTIONS = {"stem": "standard", "zero_init_residual": False, "dropout": 0.0}
RECORD = {
    "format_version": 1,
    "kind": "trained_model",
    "made_by": "imageloom 0.1.0",
    "architecture": {"family": "resnet", "variant": "resnet18", "options": OPTIONS},
    "num_classes": 2,
    "classes": ["007", "<b>ant</b>"],
    "input_size": 32,
    "preprocessing": {
        "transforms": [{"kind": "resize", "size": 32}, {"kind": "center_crop", "size": 32}],
        "normalisation": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]},
    },
    "parameters": {"epochs": 3},
    "metrics": {"Valid loss": None, "Top-1 validation accuracy": 0.75},
    "data": {
        "training": {"digest": "1" * 64, "images": 9, "images_per_class": {"007": 9}},
        "validation": {"digest": "2" * 64, "images": 4, "images_per_class": {"007": 4}},
    },
    "initial_weights": {"kind": "random", "name": "", "sha256": ""},
    "versions": {"imageloom": "0.1.0", "torch": "2.15.0"},
}


@pytest.fixture
def run(studio):
    """A run whose node made a model, an evaluation of it, and one of another model."""
    folder = made_run(studio, RUN)
    outputs = folder.node_folder("a") / "outputs"
    outputs.mkdir(parents=True)
    with publishing_directory(outputs / "model") as partial:
        (partial / "model.json").write_text(to_json(RECORD), encoding="utf-8")
        (partial / "README.md").write_text("# A card\n", encoding="utf-8")
        (partial / "weights.safetensors").write_bytes(WEIGHTS)
    own = read_facts(outputs / "model").digest
    (outputs / "evaluation").mkdir()
    evaluations = [
        {
            "name": name,
            "images": 40,
            "model_digest": digest,
            "figures": {"Overall_Accuracy": 0.9, "Macro_F1": 0.8, "Log_Loss": 0.5},
            "accuracy_interval_95": [0.77, 0.96],
        }
        for name, digest in (("scores", own), ("others", "3" * 64))
    ]
    write_json(outputs / "evaluation" / "evaluation.json", {"evaluations": evaluations})
    types = {"model": "ModelDirectory", "evaluation": "EvaluationResults"}
    made = {
        port: Output(type=kind, object="4" * 64, digest="5" * 64, size_bytes=1)
        for port, kind in types.items()
    }
    folder.append_node("a", NodeFacts(state=NodeState.COMPLETED, time=3.0, outputs=made))
    return folder


def test_a_card_has_what_the_model_says_of_itself_and_what_was_measured(page, run):
    card = page.get(MODEL).json()
    assert card["title"] == "resnet18"
    assert card["classes"] == RECORD["classes"]
    assert card["data"]["training"]["images_per_class"] == {"007": 9}
    assert card["metrics"] == RECORD["metrics"]
    assert card["versions"] == RECORD["versions"]
    assert [one["name"] for one in card["evaluations"]] == ["scores"]  # not of the other model
    assert card["evaluations"][0]["interval_95"] == [0.77, 0.96]
    manifest = run.node_folder("a") / "outputs" / "model" / "MANIFEST.json"
    published = card["size_bytes"]
    assert published == sum(
        one.stat().st_size for one in manifest.parent.iterdir() if one != manifest
    )


def test_a_model_is_saved_whole_as_a_zip_that_no_browser_runs(page, run):
    answer = page.get(f"{MODEL}/file")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as found:
        assert found.testzip() is None
        folder = run.node_folder("a") / "outputs" / "model"
        assert sorted(found.namelist()) == sorted(f"model/{one.name}" for one in folder.iterdir())
        for name in found.namelist():
            assert found.read(name) == (folder.parent / name).read_bytes()
    assert page.get(f"{MODEL}/file").content == answer.content


def test_a_node_without_a_model_has_no_card(page, studio):
    made_run(studio, RUN)
    assert page.get(MODEL).status_code == 404
    assert page.get(f"{MODEL}/file").status_code == 404


def test_a_model_that_was_changed_is_refused_before_a_byte_is_sent(page, run):
    folder = run.node_folder("a") / "outputs" / "model"
    for name, said in (
        ("model.json", "is not what was published"),
        ("MANIFEST.json", "was changed after it was published"),
    ):
        whole = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(whole + " ", encoding="utf-8")
        answer = page.get(f"{MODEL}/file")
        assert answer.status_code >= 400
        assert said in answer.json()["error"]["message"]
        (folder / name).write_text(whole, encoding="utf-8")


def test_a_zip_follows_no_link(tmp_path):
    (tmp_path / "secret").write_text("mine", encoding="utf-8")
    (tmp_path / "weights").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidModelDirectoryError, match="weights"):
        list(zip_blocks({"weights": tmp_path / "weights"}, InvalidModelDirectoryError))


def test_the_digest_is_of_record_and_weights_alone():
    files = {"model.json": "a", "weights.safetensors": "b"}
    assert digest_of(files | {"README.md": "c"}) == digest_of(files)
    assert digest_of({"model.json": "a"}) != digest_of(files)


def test_an_evaluation_without_its_figures_is_a_named_error(page, run):
    file = run.node_folder("a") / "outputs" / "evaluation" / "evaluation.json"
    write_json(file, {"evaluations": [{"name": "scores"}]})
    answer = page.get(MODEL)
    assert answer.status_code == 422
    assert answer.json()["error"]["type"] == "InvalidDatasetError"
