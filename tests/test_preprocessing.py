import json
import time

import pytest

from imageloom import preprocessing as records
from imageloom.errors import InvalidDatasetError, InvalidTransformationDirectoryError

TRAINING = (
    records.Resize(size=256),
    records.RandomResizedCrop(size=224),
    records.RandomHorizontalFlip(),
    records.ColorJitter(),
)


def test_transforms_survive_json():
    text = json.dumps(records.transforms_to_json(TRAINING))
    assert records.transforms_from_json(json.loads(text), InvalidDatasetError) == TRAINING


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"kind": "sharpen"}], "sharpen"),
        ([{"kind": "resize", "size": 0}], "size.*greater than or equal to 1"),
        ([{"kind": "resize", "size": 2.5}], "size.*integer"),
        ([{"kind": "resize", "sise": 3}], "sise"),
        ([{"kind": "random_erasing", "p": float("nan")}], "p.*(finite|less than|greater)"),
        ({"kind": "resize"}, "transform list"),
        (None, "transform list"),
    ],
)
def test_a_bad_transform_list_is_refused_naming_the_field(content, message):
    with pytest.raises(InvalidTransformationDirectoryError, match=message):
        records.transforms_from_json(content, InvalidTransformationDirectoryError)


def test_inference_form_drops_random_operations_and_keeps_the_size():
    form = records.inference_form(TRAINING)
    assert form == (
        records.Resize(size=256),
        records.Resize(size=256),
        records.CenterCrop(size=224),
    )
    assert records.output_size(form) == records.output_size(TRAINING) == 224
    assert not any(operation.is_random for operation in form)
    assert records.inference_form(form) == form


def test_preprocessing_survives_json_and_refuses_random_or_open_lists():
    record = records.Preprocessing(
        transforms=(records.Resize(size=36), records.CenterCrop(size=32)),
        normalisation=records.IMAGENET_NORMALISATION,
    )
    content = json.loads(json.dumps(record.to_json()))
    assert records.preprocessing_from_json(content, InvalidDatasetError) == record
    assert record.input_size == 32
    for transforms in ([{"kind": "resize"}], [{"kind": "random_resized_crop"}], []):
        with pytest.raises(InvalidDatasetError, match="end in one size"):
            records.preprocessing_from_json(
                content | {"transforms": transforms}, InvalidDatasetError
            )
    with pytest.raises(InvalidDatasetError, match="normalisation"):
        records.preprocessing_from_json(
            content | {"normalisation": {"mean": [0, 0, 0], "std": [1, 1, 0]}}, InvalidDatasetError
        )


def test_b06_class_names_stay_text():
    names = ["007", "NA", "null", "1e5", "True"]
    assert records.check_class_names(names, InvalidDatasetError) == tuple(names)


@pytest.mark.parametrize("name", ["", " ", "\t", ".", ".."])
def test_b06_empty_names_are_refused(name):
    with pytest.raises(InvalidDatasetError, match="cannot be the name of a class"):
        records.check_class_names(["cat", name], InvalidDatasetError)


def test_b03_b04_twins_are_refused_naming_both():
    with pytest.raises(InvalidDatasetError, match="'Cat' and 'cat' differ only in upper and lower"):
        records.check_class_names(["Cat", "cat"], InvalidDatasetError)
    with pytest.raises(InvalidDatasetError, match="differ only in their Unicode form"):
        records.check_class_names(["caf\u00e9", "cafe\u0301"], InvalidDatasetError)
    with pytest.raises(InvalidDatasetError, match="stand twice: 'cat'"):
        records.check_class_names(["cat", "dog", "cat"], InvalidDatasetError)


def test_c03_c04_differing_class_lists_are_refused_naming_the_classes():
    records.check_same_classes(("b", "a"), ("a", "b"), what="the validation pictures")
    with pytest.raises(InvalidDatasetError, match="The validation pictures lack the class 'b'"):
        records.check_same_classes(("a", "b"), ("a",), what="the validation pictures")
    with pytest.raises(InvalidDatasetError, match="have the class 'z', which training lacks"):
        records.check_same_classes(("a", "b"), ("a", "b", "z"), what="the validation pictures")


def test_many_repeated_class_names_are_refused_at_once():
    started = time.monotonic()
    with pytest.raises(InvalidDatasetError, match="stand twice"):
        records.check_class_names([f"c{n // 2}" for n in range(200_000)], InvalidDatasetError)
    assert time.monotonic() - started < 5  # counting each name anew took hours
