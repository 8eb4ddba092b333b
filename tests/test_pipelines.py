"""Pipelines from Python: the same engine, workspace and cache as on the command line."""

import contextlib
import sqlite3

import pytest

import imageloom
from imageloom.errors import (
    InvalidPipelineError,
    NodeFailedError,
    ParameterParsingError,
    RunInterruptedError,
)
from imageloom.events import CancelToken
from imageloom.pipeline.run.events import NodeChanged, RunNotice
from imageloom.pipeline.store.clean import delete_run
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.node_state import NodeState


def split_pipeline(path):
    build = imageloom.build_pipeline("Halves")
    pictures = build.add("dataset", id="pictures", path=str(path))
    images = build.add("convert_to_image_directory", pictures, id="convert")
    build.add("split_image_directory", images, id="split", fraction=0.5)
    return build.pipeline()


@pytest.fixture
def photos(make_pictures):
    return make_pictures(per_class=2).root


@pytest.mark.slow
def test_a_pipeline_runs_and_its_outputs_open(photos, tmp_path):
    outcome = imageloom.run_pipeline(split_pipeline(photos), workspace=tmp_path / "workspace")
    first = imageloom.open_images(outcome.output("split", "first"))
    second = imageloom.open_images(outcome.output("split", "second"))
    assert len(first) == len(second) == 3
    assert {one.state for one in outcome.nodes.values()} == {NodeState.COMPLETED}
    assert outcome.failure() is None
    assert outcome.run.report.is_file()


@pytest.mark.slow
def test_the_second_run_does_nothing_and_a_file_starts_from_its_own_folder(photos, tmp_path):
    workspace = tmp_path / "workspace"
    file = photos.parent / "halves.json"
    imageloom.write_pipeline(split_pipeline(photos.name), file)
    imageloom.run_pipeline(file, workspace=workspace)
    seen = []
    outcome = imageloom.run_pipeline(
        imageloom.read_pipeline(file), base=file.parent, workspace=workspace, on_event=seen.append
    )
    assert {one.state for one in outcome.nodes.values()} == {NodeState.CACHED}
    told = [event.facts.state for event in seen if isinstance(event, NodeChanged)]
    assert NodeState.RUNNING not in told


@pytest.mark.slow
def test_a_run_goes_on_while_somebody_holds_the_database_and_says_so_once(photos, tmp_path):
    workspace = Workspace(tmp_path / "workspace")
    imageloom.run_pipeline(split_pipeline(photos), workspace=workspace.root)
    seen = []
    with contextlib.closing(sqlite3.connect(workspace.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        outcome = imageloom.run_pipeline(
            split_pipeline(photos), workspace=workspace.root, on_event=seen.append
        )
    assert {one.state for one in outcome.nodes.values()} == {NodeState.CACHED}
    notices = [event.notice for event in seen if isinstance(event, RunNotice)]
    (warning,) = [one.message for one in notices if one.level == "warning"]
    assert "holds the database" in warning
    assert warning.endswith("The run goes on; the list of runs is behind.")


@pytest.mark.slow
def test_after_ten_pictures_were_excluded_only_what_depends_on_them_runs_again(
    make_pictures, tmp_path
):
    photos = make_pictures(per_class=10, classes=("red", "green")).root

    def corrected_pipeline(lines):
        build = imageloom.build_pipeline("Corrected")
        pictures = build.add("dataset", id="pictures", path=str(photos))
        images = build.add("convert_to_image_directory", pictures, id="convert")
        corrected = build.add("correct_images", images, id="correct", corrections=lines)
        build.add("split_image_directory", corrected, id="split", fraction=0.5)
        build.add("split_image_directory", images, id="beside", fraction=0.5)
        return build.pipeline()

    before = {path: path.read_bytes() for path in photos.rglob("*.png")}
    workspace = tmp_path / "workspace"
    first = imageloom.run_pipeline(corrected_pipeline([]), workspace=workspace)
    assert len(imageloom.open_images(first.output("correct", "images"))) == 20

    files = [f"{name}/{number:03}.png" for name in ("red", "green") for number in range(5)]
    lines = [imageloom.Correction(file, None).to_line() for file in files]
    second = imageloom.run_pipeline(corrected_pipeline(lines), workspace=workspace)
    states = {name: facts.state for name, facts in second.nodes.items()}
    again = {name for name, state in states.items() if state is NodeState.COMPLETED}
    assert again == {"correct", "split"}
    assert {states[name] for name in ("pictures", "convert", "beside")} == {NodeState.CACHED}
    assert len(imageloom.open_images(second.output("correct", "images"))) == 10
    assert {path: path.read_bytes() for path in photos.rglob("*.png")} == before


def test_a_builder_is_written_as_the_pipeline_it_holds(tmp_path):
    build = imageloom.build_pipeline("Halves")
    build.add("dataset", id="pictures", path="photos")
    imageloom.write_pipeline(build, tmp_path / "pipeline.json")
    assert imageloom.read_pipeline(tmp_path / "pipeline.json") == build.pipeline()


@pytest.mark.slow
def test_outputs_of_a_deleted_run_stay_until_the_store_is_above_its_limit(
    photos, tmp_path, monkeypatch
):
    place, pipeline = tmp_path / "workspace", split_pipeline(photos)
    first = imageloom.run_pipeline(pipeline, workspace=place)
    delete_run(Workspace(place), first.record.id)
    other = imageloom.run_pipeline(pipeline, workspace=place, changes=["split.seed=7"])
    delete_run(Workspace(place), other.record.id)
    outcome = imageloom.run_pipeline(pipeline, workspace=place)
    assert {one.state for one in outcome.nodes.values()} == {NodeState.CACHED}

    monkeypatch.setenv("IMAGELOOM_STORE_LIMIT_GIB", "1e-9")
    seen = []
    imageloom.run_pipeline(
        pipeline, workspace=place, changes=["split.seed=8"], on_event=seen.append
    )
    (told,) = [one.notice.message for one in seen if isinstance(one, RunNotice)][1:]
    assert "to keep the store within 1e-09 GiB" in told
    again = imageloom.run_pipeline(pipeline, workspace=place, changes=["split.seed=7"])
    assert again.nodes["split"].state is NodeState.COMPLETED


def test_a_single_change_or_node_may_be_given_as_it_is(photos, tmp_path):
    outcome = imageloom.run_pipeline(
        split_pipeline(photos), workspace=tmp_path, changes="split.seed=3", only="convert"
    )
    assert outcome.record.changes == ("split.seed=3",)
    assert outcome.record.wanted == ("pictures", "convert")


def test_an_output_that_is_not_there_is_named_with_those_that_are(photos, tmp_path):
    outcome = imageloom.run_pipeline(
        split_pipeline(photos), workspace=tmp_path / "workspace", only=["pictures"]
    )
    with pytest.raises(imageloom.errors.UnknownNameError, match=r"no output called 'split\.first'"):
        outcome.output("split", "first")


def test_a_failed_node_is_an_error_that_names_it_and_its_cause(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NodeFailedError, match=r"convert: InvalidDatasetError \(0018\)") as caught:
        imageloom.run_pipeline(split_pipeline(tmp_path / "empty"), workspace=tmp_path / "workspace")
    assert caught.value.details["nodes"] == ["convert"]


def test_a_pipeline_that_cannot_run_is_refused_before_there_is_a_run(tmp_path):
    build = imageloom.build_pipeline("Half made")
    build.add("split_image_directory", id="split")
    with pytest.raises(InvalidPipelineError, match=r"'split'.*has nothing on its input 'images'"):
        imageloom.run_pipeline(build, workspace=tmp_path / "workspace")
    assert not (tmp_path / "workspace" / "runs").exists()


def test_a_token_that_is_set_stops_the_run(photos, tmp_path):
    cancel = CancelToken()
    cancel.set("the test")
    with pytest.raises(RunInterruptedError, match="Stopped by the test"):
        imageloom.run_pipeline(
            split_pipeline(photos), workspace=tmp_path / "workspace", cancel=cancel
        )


def test_a_workspace_whose_name_is_not_utf_8_is_refused(photos, tmp_path):
    workspace = f"{tmp_path}/\udcff"
    with pytest.raises(ParameterParsingError, match=r"workspace .*\\xdcff is not UTF-8"):
        imageloom.run_pipeline(split_pipeline(photos), workspace=workspace)
