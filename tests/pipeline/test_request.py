"""The record of a run: what is asked for, and only that, must be valid."""

import os
import subprocess
from pathlib import Path

import pytest

from imageloom.errors import InvalidPipelineError, UnknownNameError
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.graph.json_format import pipeline_from_json
from imageloom.pipeline.run.request import Asked, record_of
from imageloom.registry import Registry
from imageloom.spec.target import Limits

from .engine import ThreadTarget, pipeline
from .toys import toy_components

# 'sum' can run; 'words' has no input yet.
HALF_MADE = pipeline(
    Node("three", "number", {"value": 3.0}),
    Node("sum", "add"),
    Node("many", "count", {}, {"processes_per_node": 2}),
    Node("words", "spell"),
    edges=("three.value > sum.left", "three.value > many.start"),
)


class Lab(ThreadTarget):
    name = "lab"
    limits = Limits(nodes=2, processing_units_per_node=4, heavy_jobs=1, light_jobs=1)


def record(asked, toy_pipeline=HALF_MADE):
    components = toy_components()
    targets = Registry("target")
    for target in (ThreadTarget(components), Lab(components)):
        targets.declare(target.name, target)
    return record_of(
        "20261123-000000-0000",
        toy_pipeline,
        asked,
        components=components,
        targets=targets,
        versions={"imageloom": "1"},
    )


def test_what_is_not_asked_for_may_still_be_in_the_making():
    made = record(Asked(base=Path("/base"), only=("sum",)))
    assert made.wanted == ("three", "sum")
    assert set(made.resolved) == {"three", "sum"}
    assert pipeline_from_json(made.pipeline, "record") == HALF_MADE


def test_the_whole_of_a_half_made_pipeline_is_refused_with_every_problem():
    with pytest.raises(InvalidPipelineError, match="has 2 problems") as caught:
        record(Asked(base=Path("/base")))
    assert "'words'" in caught.value.message
    assert "'many'" in caught.value.message


def test_changes_are_part_of_what_is_recorded():
    made = record(Asked(base=Path("/base"), only=("sum",), changes=("three.value=5",)))
    assert made.resolved["three"].params["value"] == 5.0
    assert made.changes == ("three.value=5",)
    assert pipeline_from_json(made.pipeline, "record").node("three").params == {"value": 5.0}


def test_a_target_is_given_to_the_nodes_that_can_choose():
    made = record(Asked(base=Path("/base"), only=("many",), target="lab"))
    assert made.resolved["many"].settings["target"] == "lab"
    assert made.resolved["many"].settings["processes_per_node"] == 2


def test_nodes_without_run_settings_have_none_in_the_record():
    made = record(Asked(base=Path("/base"), only=("sum",), target="lab"))
    assert made.resolved["sum"].settings == {}


def test_an_unknown_target_is_named_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="no target called 'lap'") as caught:
        record(Asked(base=Path("/base"), target="lap"))
    assert "Did you mean lab" in caught.value.hint


def test_limits_are_those_of_the_chosen_target():
    with pytest.raises(InvalidPipelineError, match="has 1 processing unit"):
        record(Asked(base=Path("/base"), only=("many",)))


@pytest.mark.parametrize(
    ("params", "problem"),
    [({"start": 10**30}, "whole number of 100 bits"), ({"steps": "\udcff"}, "surrogate")],
)
def test_a_value_that_could_not_be_read_again_is_refused_also_where_it_is_not_asked_for(
    params, problem
):
    three, many = Node("three", "number"), Node("many", "count", params)
    with pytest.raises(InvalidPipelineError, match=problem):
        record(Asked(base=Path("/base"), only=("three",)), pipeline(three, many))


def test_names_that_are_not_utf_8_are_refused_before_there_is_a_run():
    with pytest.raises(InvalidPipelineError, match=r"folder /b\\xdcff is not UTF-8"):
        record(Asked(base=Path("/b\udcff"), only=("sum",)))
    with pytest.raises(InvalidPipelineError, match=r"three\.value=.* is not UTF-8"):
        record(Asked(base=Path("/base"), only=("sum",), changes=("three.value=\udcff",)))


def test_a_command_that_is_not_utf_8_is_kept_in_escapes():
    made = record(Asked(base=Path("/base"), only=("sum",), command="imageloom run \udcff"))
    assert made.command == "imageloom run \\xdcff"


def test_who_asked_is_kept_and_is_by_default_who_runs_the_process(monkeypatch):
    monkeypatch.setenv("LOGNAME", "somebody else")
    whoever = subprocess.run(["id", "-un"], capture_output=True, text=True)
    name = whoever.stdout.strip() if whoever.returncode == 0 else f"uid {os.geteuid()}"
    made = record(Asked(base=Path("/base"), only=("sum",)))
    assert (made.format_version, made.asked_by) == (2, name)
    made = record(Asked(base=Path("/base"), only=("sum",), asked_by="Ada\x1b \udcff"))
    assert made.asked_by == "Ada\\x1b \\xdcff"
