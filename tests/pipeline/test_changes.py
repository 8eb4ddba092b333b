"""Changes as text become values of the parameter's kind."""

import pytest

from imageloom.errors import ParameterParsingError, UnknownNameError
from imageloom.pipeline.checks.check import check
from imageloom.pipeline.graph.changes import apply_changes
from imageloom.pipeline.graph.graph import Edge, Node, Pipeline

from .toys import LIMITS, toy_components

PIPELINE = Pipeline(
    "toy",
    nodes=(
        Node("one", "number", {"title": "a"}, comment="kept"),
        Node("half", "divide", {"third_share": 0.5}),
        Node("sum", "add", {"offset": 3}),
        Node("count", "count"),
        Node("strange", "not_installed"),
    ),
    edges=(Edge("one", "value", "half", "number"),),
)


def changed(*changes):
    return apply_changes(PIPELINE, changes, toy_components())


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ("count.steps=10", "steps", 10),
        ("count.steps=-10", "steps", -10),
        ("one.value=1e-3", "value", 0.001),
        ("one.value=5", "value", 5.0),
        ("half.whole=false", "whole", False),
        ("half.third_share=none", "third_share", None),
        ("half.third_share=null", "third_share", None),
        ("one.title=none", "title", "none"),
        ("one.title=a=b.c", "title", "a=b.c"),
        ("one.title=", "title", ""),
        ("sum.offset=5", "plus", 5),
        # What is no value of the kind stays text.
        ("count.steps=ten", "steps", "ten"),
        ("count.steps=1.5", "steps", "1.5"),
        ("count.steps=" + "9" * 5000, "steps", "9" * 5000),
        ("one.value=nan", "value", "nan"),
        ("one.value=0,1", "value", "0,1"),
        ("half.whole=yes", "whole", "yes"),
    ],
)
def test_text_becomes_a_value_of_the_parameters_kind(change, name, value):
    found = changed(change).node(change.partition(".")[0]).params[name]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("change", "settings"),
    [("count.target=lab", {"target": "lab"}), ("count.node_count=2", {"node_count": 2})],
)
def test_run_settings_are_changed_alike(change, settings):
    assert changed(change).node("count").settings == settings


def test_everything_else_stays_as_it_was():
    after = changed("one.value=2", "one.value=3", "one.comment=new")
    assert after.node("one") == Node(
        "one", "number", {"title": "a", "value": 3.0, "comment": "new"}, comment="kept"
    )
    assert (after.nodes[1:], after.edges) == (PIPELINE.nodes[1:], PIPELINE.edges)
    assert PIPELINE.node("one").params == {"title": "a"}


def test_no_change_is_the_same_pipeline():
    assert changed() == PIPELINE


def test_an_earlier_name_is_carried_over_and_not_doubled():
    assert changed("sum.plus=5").node("sum").params == {"plus": 5}


def test_wrong_text_is_named_by_the_check():
    kinds = {
        problem.parameter: problem.message
        for problem in check(changed("one.value=0,1"), toy_components(), LIMITS)
    }
    assert kinds["value"] == "Node 'one' (Number): value is \"0,1\", but must be a number."


@pytest.mark.parametrize("change", ["", "steps=5", "count.steps", "count.=5", ".steps=5", "=", "-"])
def test_what_is_no_change_is_refused_with_the_form(change):
    with pytest.raises(ParameterParsingError, match=r"Write NODE.PARAMETER=VALUE"):
        changed(change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("cuont.steps=5", "no node called 'cuont'. Did you mean count"),
        ("count.stesp=5", "no parameter of 'count' called 'stesp'. Did you mean steps"),
        ("count.tagret=lab", "no parameter of 'count' called 'tagret'. Did you mean target"),
        ("strange.x=5", "no component called 'not_installed'"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(change, message):
    with pytest.raises(UnknownNameError, match=message):
        changed(change)
