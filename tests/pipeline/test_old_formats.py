"""Pipelines of earlier format versions open, and nothing of them is lost."""

import pytest

from imageloom.errors import InvalidPipelineError
from imageloom.pipeline.graph.json_format import pipeline_from_json
from imageloom.pipeline.graph.old_formats import FORMAT_VERSION, upgrade

SKETCH = {
    "format_version": 1,
    "name": "Half",
    "modules": [
        {"id": "one", "module": "number", "parameters": {"value": 7}, "position": [1, 2]},
        {"id": "half", "module": "divide", "colour": "red"},
    ],
    "edges": [[["one", "value"], ["half", "number"]], [["one", "value"], ["half", "by"]]],
    "author": "somebody",
}


def test_format_1_opens_as_what_it_meant():
    assert pipeline_from_json(SKETCH, "old.json") == pipeline_from_json(
        {
            "format_version": 2,
            "kind": "pipeline",
            "name": "Half",
            "nodes": [
                {"id": "one", "component": "number", "params": {"value": 7}, "position": [1, 2]},
                {"id": "half", "component": "divide", "colour": "red"},
            ],
            "edges": [
                {"from": "one.value", "to": "half.number"},
                {"from": "one.value", "to": "half.by"},
            ],
            "author": "somebody",
        },
        "new.json",
    )


def test_the_old_content_itself_is_not_changed():
    before = repr(SKETCH)
    upgrade(SKETCH, "old.json")
    assert repr(SKETCH) == before


@pytest.mark.parametrize("version", range(1, FORMAT_VERSION + 1))
def test_every_version_has_its_step_to_the_next(version):
    content = {"format_version": version, "name": "empty", "modules": [], "edges": []}
    assert upgrade(content, "empty.json")["format_version"] == FORMAT_VERSION


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modules": 5}, "format version 1, but modules is no list"),
        ({"edges": None}, "format version 1, but edges is no list"),
        ({"modules": [5]}, r"modules\[0\] is no object"),
        ({"modules": [{"module": "a", "component": "b"}]}, "has both 'module' and 'component'"),
        ({"nodes": []}, "the file has both 'modules' and 'nodes'"),
        ({"edges": [["one.value", "half.by"]]}, r"edges\[0\] is not of the form"),
        ({"edges": [[["a.b", "c"], ["half", "by"]]]}, r"edges\[0\] is not of the form"),
        ({"edges": [[["one", "value", 3], ["half", "by"]]]}, r"edges\[0\] is not of the form"),
    ],
)
def test_what_is_not_of_its_version_is_refused_in_words_of_that_version(changes, message):
    with pytest.raises(InvalidPipelineError, match=message):
        pipeline_from_json(SKETCH | changes, "old.json")
