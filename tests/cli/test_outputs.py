"""No command writes into pictures, into what was published, or one output into another."""

import hashlib
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imageloom.cli.root import run

TESTS = Path(__file__).parents[1]
CLASSES = ("red", "green", "blue")

# {} is where the output goes. What is not asked for here, such as epochs, is never reached.
COMMANDS = {
    "convert": "data convert T --out {}",
    "convert an archive": "data convert T.zip --out {}",
    "convert a manifest": "data convert list.csv --out {}",
    "export pictures": "data export T --to parquet --out {}",
    "export an image directory": "data export I --out {}",
    "split, first": "data split T --first {} --second s2",
    "split, second": "data split I --first s1 --second {}",
    "split, third": "data split I --third-fraction 0.3 --first s1 --second s2 --third {}",
    "create": "model create resnet18 --out {}",
    "train": "train --model resnet18 --train T --validation I --out {}",
    "train on a target": "train --model resnet18 --train I --validation I --target local --out {}",
    "train a model on": "train --model R --train I --validation T --out {}",
    "score": "score --model R --data T --out {}.csv",
    "score as parquet": "score --model R/model --data I --out {}.parquet",
    "evaluate": "evaluate scores.parquet --out {}",
    "compare": "evaluate scores.parquet scores.csv --images T --out {}",
    "demo": "demo --out {}",
}
PLACES = {
    "in the data": "T/new",
    "in a class folder": "T/red/new",
    "in the data through a link": "link/red/new",
    "in an image directory": "I/new",
    "in a model": "R/model/new",
    "in a run": "R/new",
    "deep in a run": "R/deep/er/new",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Pictures in T, an image directory I, a run R with its model, and scores."""
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(str(TESTS))
    from imageloom.models.model_directory import save_trained
    from scoring.made_models import real_model

    folder = tmp_path_factory.mktemp("made")
    generator = np.random.default_rng(0)
    for name in CLASSES:
        (folder / "T" / name).mkdir(parents=True)
        for number in range(2):
            pixels = generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "T" / name / f"{number}.png")
    (folder / "link").symlink_to(folder / "T")
    rows = [f"T/{name}/{number}.png,{name}\n" for name in CLASSES for number in range(2)]
    (folder / "list.csv").write_text("image,label\n" + "".join(rows))
    import shutil

    shutil.make_archive(str(folder / "T"), "zip", folder / "T")
    save_trained(folder / "R" / "model", real_model(CLASSES))
    (folder / "R" / "run.json").write_text(json.dumps({"kind": "run", "state": "completed"}))
    patch.setenv("IMAGELOOM_HOME", str(tmp_path_factory.mktemp("home")))
    patch.chdir(folder)
    assert run(shlex.split("data convert T --out I")) == 0
    for suffix in ("parquet", "csv"):
        assert run(shlex.split(f"score --model R --data T --out scores.{suffix}")) == 0
    patch.undo()
    return folder


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def refused(made, monkeypatch, capsys):
    """Return a function that runs a command which must be refused, and gives its error."""
    monkeypatch.chdir(made)

    def refuse(line: str) -> dict[str, object]:
        before = tree(made)
        assert run([*shlex.split(line), "--json"]) == 1, line
        error = json.loads(capsys.readouterr().out)["error"]
        assert error["code"] == "0160", error
        assert tree(made) == before
        return error

    return refuse


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_inside_of_anything_is_refused_before_anything_is_written(
    refused, made, command, place
):
    error = refused(COMMANDS[command].format(PLACES[place]))
    assert str(made / PLACES[place]) in error["message"]
    assert "lies inside" in error["message"]
    assert "Choose a place beside it" in error["hint"]


@pytest.mark.parametrize(
    "outputs",
    [
        "--first s1 --second s1/b",
        "--first s1/b --second s1",
        "--first s1 --second ./s1",
        "--third-fraction 0.3 --first s1 --second s2 --third s1/deep/er",
    ],
)
def test_outputs_inside_each_other_are_refused(refused, outputs):
    assert refused(f"data split I {outputs}")["reason"] == "inside-output"


def test_what_imageloom_keeps_for_itself_does_not_go_into_the_pictures(refused, made, monkeypatch):
    for home in ("T/home", "T/red/home"):
        monkeypatch.setenv("IMAGELOOM_HOME", str(made / home))
        assert "IMAGELOOM_HOME" in refused("data check T")["hint"]


@pytest.mark.parametrize("workspace", ["T/workspace", "link/red/workspace"])
def test_a_workspace_inside_the_pictures_is_refused_before_a_run_exists(
    refused, made, monkeypatch, tmp_path, workspace
):
    from imageloom.pipelines import build_pipeline, write_pipeline

    build = build_pipeline("Pictures")
    build.add("convert_to_image_directory", build.add("dataset", path=str(made / "T")))
    write_pipeline(build, tmp_path / "pipeline.json")
    words = f"run {tmp_path / 'pipeline.json'}"
    assert "--workspace" in refused(f"{words} --workspace {workspace}")["hint"]
    monkeypatch.setenv("IMAGELOOM_WORKSPACE", str(made / workspace))
    assert "IMAGELOOM_WORKSPACE" in refused(words)["hint"]


def test_an_upload_of_the_folder_around_the_workspace_is_refused(refused, made, monkeypatch):
    monkeypatch.setenv("IMAGELOOM_WORKSPACE", str(made / "T" / "workspace"))
    assert refused("store upload T")["reason"] == "inside-source"


def test_a_pipeline_is_not_written_into_what_was_published(made):
    from imageloom.errors import FailedToWriteOutputsError
    from imageloom.pipelines import build_pipeline, write_pipeline

    for place in ("T/red/pipeline.json", "R/pipeline.json", "I/pipeline.json"):
        with pytest.raises(FailedToWriteOutputsError, match="lies inside"):
            write_pipeline(build_pipeline("Nothing"), made / place)


def test_parts_are_not_saved_among_their_pictures(made):
    import imageloom
    from imageloom.errors import FailedToWriteOutputsError

    first, _ = imageloom.split(imageloom.open_images(made / "I"))
    for place in ("T/part", "T/red/part", "I/part"):
        with pytest.raises(FailedToWriteOutputsError, match="lies inside"):
            first.save(made / place)
