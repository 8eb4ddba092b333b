import json

import pytest

from imageloom.data.corrections import Correction
from imageloom.errors import InvalidRequestError
from imageloom.server.corrections import with_corrections


def drawn(*more, **edges):
    nodes = [
        {"id": "convert", "component": "convert_to_image_directory", "position": [40, 100]},
        {"id": "train", "component": "train_pytorch_model", "position": [0, 200], "odd": 1},
        *more,
    ]
    lines = [{"from": start, "to": end} for start, end in edges.get("edges", ())]
    return {"name": "x", "nodes": nodes, "edges": lines, "unknown": "kept"}


def files_of(pipeline, node):
    (found,) = [one for one in pipeline["nodes"] if one["id"] == node]
    return [json.loads(line)["file"] for line in found["params"]["corrections"]]


def test_a_node_is_put_between_and_what_is_lower_goes_down():
    pipeline = drawn(edges=[("convert.images", "train.training")])
    made = with_corrections(pipeline, "convert.images", [Correction("a/1.png", None)])
    assert made["unknown"] == "kept"
    places = {one["id"]: one["position"] for one in made["nodes"]}
    assert places == {"convert": [40, 100], "train": [0, 300], "correct": [40, 200]}
    assert made["nodes"][1]["odd"] == 1
    assert [(one["from"], one["to"]) for one in made["edges"]] == [
        ("correct.images", "train.training"),
        ("convert.images", "correct.images"),
    ]
    assert pipeline == drawn(edges=[("convert.images", "train.training")])


def test_the_node_that_is_there_gets_the_corrections_also_when_it_is_looked_at_itself():
    first = with_corrections(drawn(), "convert.images", [Correction("a/1.png", None)])
    for end in ("convert.images", "correct.images"):
        made = with_corrections(first, end, [Correction("a/2.png", "b")])
        assert len(made["nodes"]) == len(first["nodes"])
        assert files_of(made, "correct") == ["a/1.png", "a/2.png"]


def test_a_name_that_is_taken_is_not_taken_again():
    other = {"id": "Correct", "component": "correct_images"}
    made = with_corrections(drawn(other), "convert.images", [Correction("a/1.png", None)])
    assert files_of(made, "correct_2") == ["a/1.png"]


def test_a_drawing_without_the_node_is_refused():
    with pytest.raises(InvalidRequestError, match="no node 'gone' any more"):
        with_corrections(drawn(), "gone.images", [Correction("a/1.png", None)])
