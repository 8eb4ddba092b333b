"""What holds for every pipeline: nothing is lost, and each defect has its one name."""

import contextlib
import dataclasses
import json
from fnmatch import fnmatchcase

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imageloom.errors import InvalidPipelineError
from imageloom.files.publish import to_json
from imageloom.pipeline.builder import PipelineBuilder
from imageloom.pipeline.checks.check import check, require_valid
from imageloom.pipeline.graph.graph import Pipeline
from imageloom.pipeline.graph.json_format import pipeline_from_json, pipeline_to_json
from imageloom.pipeline.graph.resolve import resolve

from .random_pipelines import (
    COMPONENTS,
    DEFECTS,
    JSON_VALUES,
    LIMITS,
    ordered_pipelines,
    pipelines,
    with_defect,
)

pytestmark = pytest.mark.slow

QUIETLY = (HealthCheck.too_slow, HealthCheck.data_too_large)


def through_json(pipeline: Pipeline) -> Pipeline:
    return pipeline_from_json(json.loads(to_json(pipeline_to_json(pipeline))), "text")


def exactly(pipeline: Pipeline) -> str:
    """Return a text that also tells 1 from 1.0 and True, which Python calls equal."""
    return repr(pipeline)


@settings(deadline=None, max_examples=500, suppress_health_check=QUIETLY)
@given(pipelines())
def test_a_valid_pipeline_comes_back_equal_from_json_and_builder_and_resolves_in_order(pipeline):
    assert check(pipeline, COMPONENTS, LIMITS) == ()
    again = through_json(pipeline)
    assert again == pipeline
    built = PipelineBuilder.from_pipeline(again, COMPONENTS).pipeline()
    assert built == pipeline
    assert exactly(through_json(built)) == exactly(pipeline)
    assert_resolved(pipeline)


def assert_resolved(pipeline):
    resolved = resolve(pipeline, COMPONENTS)
    assert sorted(resolved) == sorted(node.id for node in pipeline.nodes)
    seen = set()
    for node_id, one in resolved.items():
        assert {before for before, _ in one.inputs.values()} <= seen
        assert len(one.inputs) == len(pipeline.edges_into(node_id))
        seen.add(node_id)


@settings(deadline=None, max_examples=100, suppress_health_check=QUIETLY)
@given(pipelines())
def test_a_pipeline_of_format_1_opens_equal(pipeline):
    plain = dataclasses.replace(
        pipeline, edges=tuple(dataclasses.replace(edge, extra={}) for edge in pipeline.edges)
    )
    assert exactly(pipeline_from_json(as_format_1(plain), "old.json")) == exactly(plain)


def as_format_1(pipeline):
    content = pipeline_to_json(pipeline) | {"format_version": 1}
    old_names = {"component": "module", "params": "parameters"}
    content["modules"] = [
        {old_names.get(key, key): value for key, value in node.items()}
        for node in content.pop("nodes")
    ]
    content["edges"] = [
        [[edge.from_node, edge.from_port], [edge.to_node, edge.to_port]] for edge in pipeline.edges
    ]
    del content["kind"]
    return content


@settings(deadline=None, max_examples=200, suppress_health_check=QUIETLY)
@given(pipelines(), st.sampled_from([1, 2]), st.data())
def test_s19_a_file_with_anything_in_any_place_opens_or_is_refused_by_name(pipeline, version, data):
    content = json.loads(
        json.dumps(pipeline_to_json(pipeline) if version == 2 else as_format_1(pipeline))
    )
    place, key = data.draw(st.sampled_from(list(places(content))))
    if data.draw(st.booleans()):
        place[key] = data.draw(JSON_VALUES)
    else:
        del place[key]
    with contextlib.suppress(InvalidPipelineError):  # any other error fails the test
        opened = pipeline_from_json(content, "fuzzed.json")
        check(opened, COMPONENTS, LIMITS)
        assert through_json(opened) == opened


def places(content):
    """Yield every container in JSON with each of its keys or positions."""
    keys = content if isinstance(content, dict) else range(len(content))
    for key in keys:
        yield content, key
        if isinstance(content[key], dict | list):
            yield from places(content[key])


@settings(deadline=None, max_examples=100, suppress_health_check=QUIETLY)
@given(ordered_pipelines(renamed=False), st.booleans())
def test_the_builder_writes_any_pipeline_line_by_line(pipeline, by_name):
    build = PipelineBuilder(COMPONENTS, pipeline.name, description=pipeline.description)
    for node in pipeline.nodes:
        edges = pipeline.edges_into(node.id)
        given = [build.node(edge.from_node).port(edge.from_port) for edge in edges]
        ports = [edge.to_port for edge in edges]
        inputs = COMPONENTS.get(node.component).inputs
        by_position = not by_name and ports == [port.name for port in inputs][: len(ports)]
        build.add(
            node.component,
            *(given if by_position else ()),
            id=node.id,
            title=node.title,
            settings=node.settings,
            position=node.position,
            comment=node.comment,
            params=node.params,
            **({} if by_position else dict(zip(ports, given, strict=True))),
        )
    built = build.pipeline()
    assert built.edges == pipeline.edges
    assert [(n.id, n.params, n.settings, n.title, n.position, n.comment) for n in built.nodes] == [
        (n.id, n.params, n.settings, n.title, n.position, n.comment) for n in pipeline.nodes
    ]


@pytest.mark.parametrize("plant", DEFECTS, ids=lambda plant: plant.__name__)
def test_a_defect_in_a_random_pipeline_is_the_one_problem_found(plant):
    @settings(deadline=None, max_examples=-(-500 // len(DEFECTS)), suppress_health_check=QUIETLY)
    @given(with_defect(plant))
    def in_random_pipelines(planted):
        again = through_json(planted.pipeline)
        assert exactly(again) == exactly(planted.pipeline)
        assert PipelineBuilder.from_pipeline(again, COMPONENTS).pipeline() == planted.pipeline
        assert_found(planted)

    in_random_pipelines()


def assert_found(planted):
    problems = check(planted.pipeline, COMPONENTS, LIMITS)
    assert [(one.kind, one.port, one.parameter) for one in problems] == [
        (planted.kind, planted.port, planted.parameter)
    ], problems
    (problem,) = problems
    assert fnmatchcase(problem.node, planted.node)
    assert problem.node in problem.message
    assert (problem.port or problem.parameter).replace("_", " ") in problem.message.replace(
        "_", " "
    )
    assert problem.hint
    with pytest.raises(InvalidPipelineError) as caught:
        require_valid(planted.pipeline, COMPONENTS, LIMITS)
    assert caught.value.reason == planted.kind
