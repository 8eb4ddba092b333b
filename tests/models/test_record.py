import copy
import json

import pytest

from imageloom import __version__
from imageloom.errors import InvalidModelDirectoryError
from imageloom.models.architecture import resolve_architecture
from imageloom.models.params import ModelParams
from imageloom.models.record import (
    MAX_CLASSES,
    DataFacts,
    TrainedRecord,
    UntrainedRecord,
    WeightsSource,
    kind_of,
    library_versions,
    trained_from_json,
    trained_to_json,
    untrained_from_json,
    untrained_to_json,
)
from imageloom.preprocessing import Letterbox, Normalisation, Preprocessing

ARCHITECTURE = resolve_architecture("resnet18", ModelParams(stem="small"))
TRAINED = TrainedRecord(
    architecture=ARCHITECTURE,
    classes=("007", "NA", "null", "1e5", "café"),
    preprocessing=Preprocessing(transforms=(Letterbox(size=64),), normalisation=Normalisation()),
    parameters={"epochs": 5, "learning_rate": 1e-3, "image_size": None},
    metrics={"Valid loss": 0.1, "broken": None},
    data={"training": DataFacts(digest="ab", images=3, images_per_class={"007": 3})},
    initial_weights=WeightsSource(kind="published", name="X"),
    versions={"torch": "1.0"},
)
UNTRAINED = UntrainedRecord(
    architecture=ARCHITECTURE,
    normalisation=Normalisation(),
    weights=WeightsSource(),
    versions={"torch": "1.0"},
)


def written():
    return json.loads(json.dumps(trained_to_json(TRAINED)))


def test_records_survive_json_with_class_names_as_text():
    assert trained_from_json(written(), "m") == TRAINED
    content = json.loads(json.dumps(untrained_to_json(UNTRAINED)))
    assert untrained_from_json(content, "m") == UNTRAINED
    assert kind_of(content, "m") == "untrained_model"


@pytest.mark.parametrize("key", list(trained_to_json(TRAINED)))
def test_e02_e11_e17_a_missing_key_is_named(key):
    content = written()
    del content[key]
    with pytest.raises(InvalidModelDirectoryError, match=rf"m\b.*({key}|format version|not a mod)"):
        trained_from_json(content, "m") if kind_of(content, "m") else None


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (3, "has format version 3, made by 'imageloom 9.9'; this .* reads up to 2"),
        (10**30, "reads up to 2"),
        ("1.0", "format version '1.0', which is none"),
        (1.0, "format version 1.0, which is none"),
        (True, "format version True, which is none"),
        (0, "format version 0, which is none"),
        (-1, "format version -1, which is none"),
        (None, "format version None, which is none"),
    ],
)
def test_e03_another_format_version_is_refused_naming_both(version, message):
    content = written() | {"format_version": version, "made_by": "imageloom 9.9"}
    with pytest.raises(InvalidModelDirectoryError, match=message) as caught:
        kind_of(content, "m")
    if version == 2:
        assert "Update Imageloom to the version that made it (imageloom 9.9)" in caught.value.hint
        assert __version__ in caught.value.message


def test_a_directory_of_another_kind_is_no_model():
    with pytest.raises(InvalidModelDirectoryError, match="describes a 'image_directory', not a mo"):
        kind_of(written() | {"kind": "image_directory"}, "m")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        # E07: nothing that names code is known, and none is imported.
        ({"module": "os", "class": "system"}, "has the unknown key 'module', .*'class'"),
        # E08
        ({"architecture": {"family": "resnet", "variant": "resnet19", "options": {}}}, "resnet19"),
        # E09
        ({"num_classes": 0}, "wrong 'num_classes' .*greater than or equal to 1"),
        ({"num_classes": -1}, "wrong 'num_classes'"),
        ({"num_classes": 10**9}, "wrong 'num_classes' .*less than or equal to 200000"),
        ({"num_classes": "5"}, "wrong 'num_classes' .*integer"),
        ({"num_classes": True}, "wrong 'num_classes' .*integer"),
        ({"num_classes": 4}, "says num_classes 4, but the class list gives 5"),
        # E11
        ({"classes": ["a", "a", "b", "c", "d"]}, r"stand twice: 'a'"),
        ({"classes": ["a", "A", "b", "c", "d"]}, "'a' and 'A' differ only"),
        ({"classes": ["a", "", "b", "c", "d"]}, "'' cannot be the name of a class"),
        ({"classes": ["a", 7, "b", "c", "d"]}, r"wrong 'classes\.1' .*string"),
        ({"classes": {"0": "a", "2": "b"}}, "wrong 'classes' .*list"),
        ({"classes": None}, "wrong 'classes'"),
        ({"classes": []}, "says num_classes 5, but the class list gives 0"),
        # E17
        ({"preprocessing": {}}, "needs exactly 'transforms' and 'normalisation'"),
        ({"input_size": 32}, "says input_size 32, but the preprocessing gives 64"),
        ({"metrics": {"a": "0.5"}}, r"wrong 'metrics\.a'"),
        ({"data": {"training": {"digest": 1, "images": -1}}}, r"wrong 'data\.training"),
        ({"initial_weights": {"kind": "stolen"}}, r"wrong 'initial_weights\.kind'"),
        ({"made_by": 3}, "wrong 'made_by'"),
    ],
)
def test_e02_a_wrong_value_is_named(change, message):
    with pytest.raises(InvalidModelDirectoryError, match=message):
        trained_from_json(written() | change, "m")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"transforms": [{"kind": "sharpen"}]}, "sharpen"),
        ({"transforms": [{"kind": "letterbox", "size": 0}]}, "size"),
        ({"transforms": []}, "must end in one size"),
        ({"transforms": [{"kind": "random_crop", "size": 64}]}, "hold no random operation"),
        ({"normalisation": {"mean": [0, 0, 0], "std": [1, 1, 0]}}, "greater than 0"),
        ({"normalisation": {"mean": [0, 0], "std": [1, 1]}}, "normalisation cannot be used"),
        ({"extra": 1}, "needs exactly"),
    ],
)
def test_e17_a_wrong_preprocessing_record_is_refused_never_guessed(part, message):
    content = written()
    content["preprocessing"] |= part
    with pytest.raises(InvalidModelDirectoryError, match=message):
        trained_from_json(content, "m")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"variant": "resnet19"}, "no network called 'resnet19'"),
        ({"variant": "timm/hf_hub:evil/x"}, "timm has no network called 'hf_hub:evil/x'"),
        ({"variant": ["resnet18"]}, "variant must be text"),
        ({"family": "densenet"}, "needs the family 'resnet'"),
        ({"family": "os"}, "needs the family 'resnet'"),
        ({"options": {}}, "exactly the options stem, zero_init_residual, dropout"),
        ({"options": None}, "options an object"),
        ({"options": {"stem": "small", "zero_init_residual": False, "dropout": 2}}, "dropout is 2"),
        ({"options": {"stem": "small", "weights": "/etc/passwd", "dropout": 0.0}}, "exactly the"),
        ({"options": {"import": "os"}}, "no parameter called 'import'"),
        ({"code": "os"}, "needs exactly 'family', 'variant' and 'options'"),
    ],
)
def test_e07_e08_an_unknown_architecture_is_refused(part, message):
    content = written()
    content["architecture"] |= part
    with pytest.raises(InvalidModelDirectoryError, match=message) as caught:
        trained_from_json(content, "m")
    if part == {"variant": "resnet19"}:
        assert "resnet18" in caught.value.hint
        assert "densenet201" in caught.value.hint


def test_e11_a_million_classes_are_refused():
    content = written() | {"classes": [f"c{n}" for n in range(10**6)], "num_classes": MAX_CLASSES}
    with pytest.raises(InvalidModelDirectoryError, match=r"wrong 'classes' .*at most 200000"):
        trained_from_json(content, "m")


def test_three_problems_are_told_together_with_the_number_of_others():
    content = dict.fromkeys(("a", "b", "c", "d")) | written()
    with pytest.raises(InvalidModelDirectoryError, match=r"key 'a', .*'c' and 1 more"):
        trained_from_json(content, "m")


def test_all_problems_are_told_together():
    content = written() | {"num_classes": 0, "input_size": "x", "made_by": 1}
    with pytest.raises(InvalidModelDirectoryError, match=r"made_by.*num_classes.*input_size"):
        trained_from_json(content, "m")


def test_reading_changes_nothing():
    content = written()
    before = copy.deepcopy(content)
    trained_from_json(content, "m")
    assert content == before


def test_versions_name_what_computes():
    assert {"imageloom", "python", "torch", "torchvision", "safetensors"} <= set(library_versions())
