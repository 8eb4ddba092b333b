"""The dataset: one path or one upload, found below where it may lie, watched for changes."""

import os

import pytest

from imageloom.components.catalogue import load_components
from imageloom.data.dataset import dataset_path
from imageloom.errors import CouldNotOpenFileError, ParameterParsingError
from imageloom.pipeline.checks.check import check
from imageloom.pipeline.graph.graph import Node, Pipeline
from imageloom.settings import read_settings
from imageloom.spec.component import Outside
from imageloom.spec.target import Limits

COMPONENTS = load_components()
DATASET = COMPONENTS.get("dataset")
LIMITS = {"local": Limits(1, 1, heavy_jobs=1, light_jobs=1)}


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos" / "cats").mkdir(parents=True)
    (tmp_path / "uploads" / "mine").mkdir(parents=True)
    return tmp_path / "photos"


def made(make_task, **params):
    task = make_task(DATASET, params=params)
    DATASET.run(task)
    return dataset_path(task.outputs["dataset"])


def test_a_relative_path_starts_at_the_base(photos, make_task):
    assert made(make_task, path="photos") == photos


def test_an_absolute_path_is_taken_as_it_is(photos, make_task):
    assert made(make_task, path=str(photos / "cats")) == photos / "cats"


def test_an_upload_is_found_by_its_name(photos, make_task):
    assert made(make_task, upload="mine") == photos.parent / "uploads" / "mine"


@pytest.mark.parametrize("params", [{}, {"path": "photos", "upload": "mine"}, {"path": ""}])
def test_exactly_one_of_both_must_be_given(photos, make_task, params):
    with pytest.raises(ParameterParsingError, match="exactly one of them must be given"):
        DATASET.run(make_task(DATASET, params=params))


@pytest.mark.parametrize(
    "name", ["..", ".", "../photos", "/etc", "a/b", "..\\photos", "a\\b", "mine/../../photos"]
)
def test_s01_the_name_of_an_upload_leads_nowhere_else(photos, make_task, name):
    with pytest.raises(ParameterParsingError, match="must be the name of an upload"):
        DATASET.run(make_task(DATASET, params={"upload": name}))


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest.zip",
        "file:///etc",
        "memory://x",
        "sftp://host/x",
        "ftp://h/x",
    ],
)
def test_s14_addresses_into_this_machine_and_its_network_are_refused(photos, make_task, address):
    with pytest.raises(ParameterParsingError, match=r"begin with s3://, gs://"):
        DATASET.run(make_task(DATASET, params={"path": address}))


def test_an_address_of_a_store_counts_as_the_owners_own(photos):
    outside = Outside(base=photos.parent, uploads=photos.parent / "uploads")
    place = DATASET.reads(DATASET.params.parse({"path": "s3://bucket/photos"}), outside)
    assert place == read_settings(os.environ).downloads


@pytest.mark.parametrize(
    ("params", "parameter", "message"),
    [
        ({}, "path", "path is None and upload is None, but exactly one of them must be given"),
        ({"path": "a", "upload": "b"}, "path", "path is 'a' and upload is 'b', but exactly one"),
        ({"upload": "../b"}, "upload", "upload is '../b', but must be the name of an upload"),
    ],
)
def test_the_check_of_a_pipeline_names_what_no_run_could_use(params, parameter, message):
    (problem,) = check(Pipeline("p", (Node("d", "dataset", params),)), COMPONENTS, LIMITS)
    assert (problem.kind, problem.node, problem.parameter) == ("bad-parameter", "d", parameter)
    assert f"Node 'd' (Dataset): {message}" in problem.message
    assert problem.hint or parameter == "upload"


def test_values_of_the_wrong_kind_are_told_before_the_rule_over_both():
    (problem,) = check(Pipeline("p", (Node("d", "dataset", {"path": 5}),)), COMPONENTS, LIMITS)
    assert "path is 5, but must be text" in problem.message


def test_the_fingerprint_changes_with_the_files(photos, make_task):
    params = DATASET.params.parse({"path": "photos"})
    outside = Outside(base=photos.parent, uploads=photos.parent / "uploads")
    before = DATASET.fingerprint(params, outside)
    assert DATASET.fingerprint(params, outside) == before
    (photos / "cats" / "1.jpg").touch()
    assert DATASET.fingerprint(params, outside) != before


def test_a_path_that_is_not_there_is_named_before_anything_runs(photos):
    outside = Outside(base=photos.parent, uploads=photos.parent)
    with pytest.raises(
        CouldNotOpenFileError, match=r"Nothing can be read at .*nothing-here: No such"
    ):
        DATASET.fingerprint(DATASET.params.parse({"path": "nothing-here"}), outside)


def test_an_upload_that_is_not_there_is_named_with_those_that_are(photos, make_task):
    with pytest.raises(CouldNotOpenFileError, match=r"no upload 'your' in .* There are: mine\."):
        DATASET.run(make_task(DATASET, params={"upload": "your"}))


@pytest.mark.parametrize("name", ["path", "upload"])
def test_a_nul_character_is_refused_with_the_parameter(photos, make_task, name):
    with pytest.raises(ParameterParsingError, match=f"{name} is .* must be text without NUL"):
        make_task(DATASET, params={name: "a\0b"})


@pytest.mark.parametrize("path", ["\ud800", "~no-such-user/x", "x" * 300, "a/" * 3000])
def test_what_cannot_be_a_path_is_named(photos, make_task, path):
    with pytest.raises(CouldNotOpenFileError, match="Nothing can be read at"):
        DATASET.run(make_task(DATASET, params={"path": path}))


def test_a_tilde_is_the_home_folder(photos, make_task, monkeypatch):
    monkeypatch.setenv("HOME", str(photos))
    assert made(make_task, path="~/cats") == photos / "cats"


def test_dots_in_a_path_are_resolved(photos, make_task):
    assert made(make_task, path="photos/../photos/./cats/") == photos / "cats"
