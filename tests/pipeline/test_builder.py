"""The builder reads like prose and refuses a wrong line at that line."""

import copy
import dataclasses
from pathlib import Path

import pytest

from imageloom.errors import InvalidPipelineError, ParameterError, UnknownNameError
from imageloom.pipeline.builder import PipelineBuilder
from imageloom.pipeline.checks.check import check
from imageloom.pipeline.graph.graph import Edge, Node, Pipeline

from .toys import LIMITS, toy_components

COMPONENTS = toy_components()


def builder():
    return PipelineBuilder(COMPONENTS, "toy")


def test_a_pipeline_is_written_line_by_line():
    build = PipelineBuilder(COMPONENTS, "Sums", description="Shows the builder.")
    seven = build.add("number", value=7.0, title="Seven")
    two = build.add("number", value=2.0)
    parts = build.add("divide", seven, two, id="parts", position=(10, 20))
    total = build.add("add", parts.port("quotient"), right=parts.remainder, plus=1)
    build.add("count", total, settings={"target": "lab", "processes_per_node": 2}, comment="slow")
    pipeline = build.pipeline()
    assert pipeline == Pipeline(
        "Sums",
        nodes=(
            Node("number", "number", {"value": 7.0}, title="Seven", version=1),
            Node("number_2", "number", {"value": 2.0}, version=1),
            Node("parts", "divide", position=(10, 20), version=1),
            Node("add", "add", {"plus": 1}, version=2),
            Node(
                "count",
                "count",
                settings={"target": "lab", "processes_per_node": 2},
                comment="slow",
                version=1,
            ),
        ),
        edges=(
            Edge("number", "value", "parts", "number"),
            Edge("number_2", "value", "parts", "by"),
            Edge("parts", "quotient", "add", "left"),
            Edge("parts", "remainder", "add", "right"),
            Edge("add", "sum", "count", "start"),
        ),
        description="Shows the builder.",
    )
    assert check(pipeline, COMPONENTS, LIMITS) == ()


def test_parameters_called_as_keywords_of_the_builder_can_be_set():
    build = builder()
    build.add("number", title="of the node", params={"title": "of the number", "comment": "b"})
    (node,) = build.pipeline().nodes
    assert node.title == "of the node"
    assert node.params == {"title": "of the number", "comment": "b"}


def test_a_pipeline_goes_on_from_where_it_was():
    before = Pipeline(
        "old",
        nodes=(Node("Number", "number", {"value": 3}), Node("x", "not_installed")),
        edges=(Edge("x", "y", "gone", "z"),),
        description="d",
        extra={"kept": 1},
    )
    build = PipelineBuilder.from_pipeline(before, COMPONENTS)
    assert build.pipeline() == before
    new = build.add("number")
    assert new.id == "number_2", "ids differ by more than upper and lower case"
    build.add("add", build.node("Number"), new)
    after = build.pipeline()
    assert dataclasses.replace(after, nodes=after.nodes[:2], edges=after.edges[:1]) == before


def test_different_types_are_refused_when_the_edge_is_drawn():
    build = builder()
    one = build.add("number")
    with pytest.raises(
        InvalidPipelineError, match=r"'number.value' to 'shout.text' .* Number.* Te"
    ):
        build.add("shout", one)
    assert [node.id for node in build.pipeline().nodes] == ["number"], "nothing half is added"


def test_several_outputs_must_be_told_apart():
    build = builder()
    one = build.add("number")
    parts = build.add("divide", one, one)
    with pytest.raises(InvalidPipelineError, match=r"'divide' has 3 outputs.* quotient, remainder"):
        build.add("spell", parts)


def test_an_unknown_output_names_the_nearest():
    build = builder()
    one = build.add("number")
    with pytest.raises(UnknownNameError, match=r"no output of 'number' called 'valeu'.* value"):
        one.port("valeu")
    with pytest.raises(AttributeError, match="no output of 'number' called 'valeu'"):
        _ = one.valeu
    assert not hasattr(one, "valeu")
    assert copy.copy(one) == one


def test_outputs_of_a_component_that_is_not_installed_are_not_guessed():
    build = PipelineBuilder.from_pipeline(Pipeline("p", (Node("x", "strange"),)), COMPONENTS)
    with pytest.raises(UnknownNameError, match="no component called 'strange'"):
        build.node("x").port("out")


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        (lambda b: b.add("numbr"), UnknownNameError, "Did you mean number"),
        (lambda b: b.add("number", valeu=1.0), UnknownNameError, "Did you mean value"),
        (lambda b: b.add("number", value="x"), ParameterError, 'value is "x"'),
        (
            lambda b: b.add("number", settings={"node_count": 0}),
            ParameterError,
            "node_count is 0",
        ),
        (
            lambda b: b.add("add", lft=b.node("number")),
            UnknownNameError,
            "no input of 'add' called 'lft'",
        ),
        (
            lambda b: b.add("add", *[b.node("number")] * 3),
            InvalidPipelineError,
            "3 inputs, .* has 2",
        ),
        (
            lambda b: b.add("add", b.node("number"), left=b.node("number")),
            InvalidPipelineError,
            "'left' .* given twice",
        ),
        (lambda b: b.add("number", id="number"), InvalidPipelineError, "a node 'number' alre"),
        (lambda b: b.add("number", id="NUMBER"), InvalidPipelineError, "a node 'NUMBER' alre"),
        (lambda b: b.add("number", id=".."), InvalidPipelineError, "cannot be the id"),
        (lambda b: b.node("nubmer"), UnknownNameError, "Did you mean number"),
        (
            lambda b: b.add("add", builder().add("number")),
            InvalidPipelineError,
            "'number' belongs to another pipeline",
        ),
    ],
)
def test_a_wrong_line_is_refused_and_adds_nothing(line, error, message):
    build = builder()
    build.add("number")
    before = build.pipeline()
    with pytest.raises(error, match=message):
        line(build)
    assert build.pipeline() == before


def test_a_path_stands_for_its_text():
    build = builder()
    build.add("read", path=Path("n.txt"))
    build.add("read", params={"path": Path("m.txt")})
    assert [node.params for node in build.pipeline().nodes] == [
        {"path": "n.txt"},
        {"path": "m.txt"},
    ]


@pytest.mark.parametrize("given", [None, "photos", 3])
def test_what_is_no_output_cannot_be_an_input(given):
    with pytest.raises(InvalidPipelineError, match=r"input 'left' of 'add' is .* is no output"):
        builder().add("add", given)
    with pytest.raises(
        InvalidPipelineError, match=r"given 1 input, but .* Parameters are given by"
    ):
        builder().add("number", given)
