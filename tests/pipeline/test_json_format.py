"""Pipeline files: read strictly, kept whole, written only so that they can be read again."""

import json
import os

import pytest

from imageloom.errors import InvalidPipelineError
from imageloom.pipeline.graph.graph import Edge, Node, Pipeline
from imageloom.pipeline.graph.json_format import (
    pipeline_from_json,
    pipeline_to_json,
    read_pipeline,
    write_pipeline,
)

SMALL = {
    "format_version": 2,
    "kind": "pipeline",
    "name": "Half",
    "nodes": [
        {"id": "one", "component": "number", "params": {"value": 7}, "position": [10, 20.5]},
        {"id": "half", "component": "divide", "version": 1},
    ],
    "edges": [{"from": "one.value", "to": "half.number"}],
}


def with_node(**changes):
    return SMALL | {"nodes": [SMALL["nodes"][0] | changes, SMALL["nodes"][1]]}


def nested(levels):
    value = 0
    for _ in range(levels):
        value = [value]
    return value


def test_a_pipeline_is_read_with_all_that_it_says():
    pipeline = pipeline_from_json(SMALL, "half.json")
    assert pipeline == Pipeline(
        "Half",
        nodes=(
            Node("one", "number", {"value": 7}, position=(10.0, 20.5)),
            Node("half", "divide", version=1),
        ),
        edges=(Edge("one", "value", "half", "number"),),
    )


def test_empty_optional_keys_are_not_written():
    assert pipeline_to_json(pipeline_from_json(SMALL, "half.json")) == SMALL


def test_a_file_is_written_and_read_again(tmp_path):
    pipeline = pipeline_from_json(with_node(title="Käfer", comment="a\nb"), "text")
    write_pipeline(pipeline, tmp_path / "p.json")
    assert read_pipeline(tmp_path / "p.json") == pipeline


def test_a_link_to_a_pipeline_is_followed(tmp_path):
    write_pipeline(pipeline_from_json(SMALL, "text"), tmp_path / "p.json")
    (tmp_path / "link.json").symlink_to(tmp_path / "p.json")
    assert read_pipeline(tmp_path / "link.json").name == "Half"


def test_unknown_keys_and_components_are_kept():
    """J14."""
    content = json.loads(json.dumps(SMALL)) | {"x-colours": {"__proto__": {"polluted": True}}}
    content["nodes"][0] |= {"component": "not.installed", "__proto__": [1], "model_config": {}}
    content["edges"][0] |= {"begin": "elsewhere", "constructor": None}
    pipeline = pipeline_from_json(content, "text")
    assert pipeline_to_json(pipeline) == content
    assert pipeline.nodes[0].extra == {"__proto__": [1], "model_config": {}}
    assert not hasattr(pipeline, "polluted")


def test_only_the_first_dot_of_an_edge_ends_the_id():
    content = SMALL | {"edges": [{"from": "one.a.b", "to": "half.\n"}]}
    (edge,) = pipeline_from_json(content, "text").edges
    assert (edge.from_node, edge.from_port, edge.to_port) == ("one", "a.b", "\n")


@pytest.mark.parametrize(
    "node_id",
    ["..", ".", "", "a/b", "a\\b", "-x", "_x", "a.b", "a b", "ä", "a\n", "x" * 65, "a\0", "CON:"],
)
def test_j14_an_id_that_cannot_name_a_folder_is_refused(node_id):
    with pytest.raises(InvalidPipelineError, match=r"nodes\[0\].*\.id is .* 1 to 64 letters"):
        pipeline_from_json(with_node(id=node_id), "text")
    with pytest.raises(InvalidPipelineError, match="cannot be the id of a node"):
        Node(node_id, "number")


@pytest.mark.parametrize("node_id", ["a", "0", "x" * 64, "split_2", "A-b", "proto__"])
def test_an_id_that_can_name_a_folder_is_taken(node_id):
    content = with_node(id=node_id) | {"edges": []}
    assert pipeline_from_json(content, "text").nodes[0].id == node_id


@pytest.mark.parametrize("second", ["one", "ONE"])
def test_j14_ids_that_a_file_system_may_take_for_one_are_refused(second):
    content = SMALL | {"nodes": [{"id": i, "component": "number"} for i in ("one", second, "two")]}
    with pytest.raises(InvalidPipelineError, match=f"text: 2 nodes share .* 'one', '{second}'"):
        pipeline_from_json(content, "text")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "text lacks the key 'format_version'"),
        (SMALL | {"format_version": "2"}, "has the format_version '2', so it is no pipeline"),
        (SMALL | {"format_version": True}, "has the format_version True"),
        (SMALL | {"format_version": 0}, "has the format_version 0"),
        (SMALL | {"kind": "model"}, "kind is 'model', but must be \"pipeline\""),
        ({"format_version": 2, "kind": "pipeline", "name": ""}, "the file lacks the key 'nodes'"),
        (SMALL | {"name": None}, "name is None, but must be text"),
        (SMALL | {"nodes": {}}, "nodes is 0 entries, but must be a list"),
        (SMALL | {"nodes": [7]}, r"nodes\[0\] is 7, but must be an object"),
        (SMALL | {"edges": [["one.value", "half.number"]]}, r"edges\[0\] is 2 entries, but must"),
        (SMALL | {"edges": [{"from": "one", "to": "half.number"}]}, r'must be "node.output"'),
        (SMALL | {"edges": [{"from": "../a.b", "to": "half.by"}]}, r"from is '../a.b', but must"),
        (SMALL | {"edges": [{"from": "one.value", "to": 5}]}, r"edges\[0\].to is 5, but must be t"),
        (with_node(component=""), r"nodes\[0\] \('one'\).component is '', but must be a name"),
        (with_node(component="x" * 201), r"component is 'xxx.*, but must be a shorter name"),
        (with_node(params=None), "params is None, but must be an object"),
        (with_node(position=[1]), "position is 1 entry, but must be two numbers"),
        (with_node(position=[1, True]), r"position\[1\] is True, but must be a number"),
        (with_node(version=0), "version is 0, but must be at least 1"),
        (with_node(version=1.5), "version is 1.5, but must be a whole number"),
    ],
)
def test_what_is_no_pipeline_is_refused_with_the_place(content, message):
    with pytest.raises(InvalidPipelineError, match=message):
        pipeline_from_json(content, "text")


def test_all_wrong_places_are_named_together():
    content = SMALL | {"nodes": [{"id": ".."}, {"component": 5}], "edges": [{}]}
    with pytest.raises(InvalidPipelineError, match="text has 6 problems") as caught:
        pipeline_from_json(content, "text")
    assert caught.value.message.count("\n- ") == 6


def test_of_many_wrong_places_the_first_are_named_and_the_others_counted():
    content = SMALL | {"nodes": [{"id": ".."}] * 30}
    with pytest.raises(InvalidPipelineError, match="text has 60 problems") as caught:
        pipeline_from_json(content, "text")
    assert caught.value.message.endswith(
        "- nodes[9] ('..') lacks the key 'component'.\n- And 40 more."
    )


def test_j14_a_newer_format_is_refused_with_its_number_and_left_alone(tmp_path):
    file = tmp_path / "new.json"
    file.write_text('{"format_version": 7, "kind": "orchestra"}', encoding="utf-8")
    before = (file.read_bytes(), file.stat().st_mtime_ns)
    with pytest.raises(
        InvalidPipelineError, match=r"has the format version 7; .* up to 2"
    ) as error:
        read_pipeline(file)
    assert error.value.reason == "newer-format"
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": "a", "name": "b"}', "a key stands twice"),
        ('{"x": NaN}', "NaN is not a JSON number"),
        ('{"x": -Infinity}', "-Infinity is not a JSON number"),
        ('{"a": {"x": [1, 1e999]}}', r"a\.x\[1\] is inf, but must be a finite number"),
        ('{"x": ' + "9" * 5000 + "}", "not valid JSON"),
        ('{"x": ' + "9" * 400 + "}", "x is a whole number of 1,329 bits; at most 64"),
        ('{"x": "\\ud800"}', "x holds half of a surrogate pair"),
        ('{"a": {"\\udc00": 1}}', "a has a key that is no text"),
        ('{"a": {"' + "x" * 1001 + '": 1}}', "a has a key that is no text of at most 1,000"),
        ('{"x": ' + "[" * 64 + "]" * 64 + "}", r"x\[0\].* is nested more than 64 levels deep"),
        ('{"x": ' + "[" * 100_000 + "]" * 100_000 + "}", "not valid JSON"),
        ("[]", "holds no JSON object"),
        ("", "not valid JSON.*Correct it at that place"),
    ],
)
def test_s20_hostile_json_is_refused(text, message, tmp_path):
    (tmp_path / "p.json").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidPipelineError, match=message):
        read_pipeline(tmp_path / "p.json")


def test_s20_the_first_of_several_unsafe_values_is_named():
    content = SMALL | {"x": {"a": [1, {"b": float("inf")}], "c": float("nan")}, "y": 2**99}
    with pytest.raises(InvalidPipelineError, match=r"x\.a\[1\]\.b is inf"):
        pipeline_from_json(content, "text")


def test_s20_a_value_64_levels_deep_is_read():
    content = SMALL | {"x": nested(63)}
    assert pipeline_to_json(pipeline_from_json(content, "text")) == content


def test_s20_a_file_above_ten_megabytes_is_refused_by_its_size(tmp_path):
    with (tmp_path / "p.json").open("wb") as file:
        file.truncate(64 * 2**20)
    with pytest.raises(InvalidPipelineError, match="67,108,864 bytes; at most 10,485,760"):
        read_pipeline(tmp_path / "p.json")


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path):
    with pytest.raises(InvalidPipelineError, match=r"none\.json cannot be read: No such file"):
        read_pipeline(tmp_path / "none.json")
    with pytest.raises(InvalidPipelineError, match=r"is a folder\. Name the JSON file"):
        read_pipeline(tmp_path)
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InvalidPipelineError, match="not a plain file"):
        read_pipeline(tmp_path / "pipe.json")


def test_j14_ten_thousand_nodes_are_read_and_one_more_is_not():
    nodes = [{"id": f"n{number}", "component": "number"} for number in range(10_001)]
    content = SMALL | {"nodes": nodes[:-1], "edges": []}
    assert len(pipeline_from_json(content, "text").nodes) == 10_000
    with pytest.raises(InvalidPipelineError, match=r"nodes is 10,001 entries, .* at most 10,000"):
        pipeline_from_json(content | {"nodes": nodes}, "text")
    with pytest.raises(InvalidPipelineError, match="this one has 10,001 and 0"):
        Pipeline("big", nodes=tuple(Node(f"n{number}", "number") for number in range(10_001)))


@pytest.mark.slow
def test_s20_more_values_or_edges_than_fit_in_memory_are_refused():
    with pytest.raises(InvalidPipelineError, match="holds more than 1,000,000 values"):
        pipeline_from_json(SMALL | {"x": [[0] * 1000, [0] * 999_000]}, "text")
    with pytest.raises(InvalidPipelineError, match=r"edges is 100,001 .* at most 100,000 edges"):
        pipeline_from_json(SMALL | {"edges": [SMALL["edges"][0]] * 100_001}, "text")


@pytest.mark.parametrize("value", [float("nan"), 2**70, "\udc80", {1, 2}, (1,)])
def test_what_could_not_be_read_again_is_not_written(value, tmp_path):
    pipeline = Pipeline("p", nodes=(Node("a", "number", {"value": value}),))
    with pytest.raises(InvalidPipelineError, match=r"nodes\[0\].params.value"):
        write_pipeline(pipeline, tmp_path / "p.json")
    assert not (tmp_path / "p.json").exists()


def test_a_pipeline_too_big_to_be_read_again_is_not_written(tmp_path):
    pipeline = Pipeline("p", nodes=(Node("a", "number", comment="x" * 11_000_000),))
    with pytest.raises(InvalidPipelineError, match="at most 10,485,760 are read"):
        write_pipeline(pipeline, tmp_path / "p.json")
