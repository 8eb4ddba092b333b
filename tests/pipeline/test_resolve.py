"""A resolved node has nothing left open."""

import dataclasses

from imageloom.pipeline.graph.graph import Edge, Node, Pipeline
from imageloom.pipeline.graph.resolve import current_params, resolve
from imageloom.spec.run_settings import RunSettings

from .toys import AddParams, CountParams, NumberParams, toy_components

COMPONENTS = toy_components()


def test_defaults_are_filled_in_and_inputs_named():
    pipeline = Pipeline(
        "toy",
        nodes=(
            Node("sum", "add", {"offset": 5}),
            Node("count", "count", {"steps": 2}, {"target": "lab"}),
            Node("one", "number"),
        ),
        edges=(Edge("one", "value", "count", "start"), Edge("count", "total", "sum", "left")),
    )
    resolved = resolve(pipeline, COMPONENTS)
    assert list(resolved) == ["one", "count", "sum"]
    assert resolved["one"].params == NumberParams()
    assert resolved["count"].params == CountParams(steps=2)
    assert resolved["count"].settings == RunSettings(target="lab")
    assert resolved["count"].inputs == {"start": ("one", "value")}
    assert resolved["sum"].params == AddParams(plus=5)
    assert resolved["sum"].inputs == {"left": ("count", "total")}
    assert resolved["sum"].component is COMPONENTS.get("add")
    assert resolved["sum"].node == pipeline.node("sum")


def test_renamed_parameters_keep_every_value_and_the_nodes_own_params_stay():
    add = COMPONENTS.get("add")
    node = Node("sum", "add", {"offset": 5, "unknown": 1})
    assert current_params(node, add) == {"plus": 5, "unknown": 1}
    assert node.params == {"offset": 5, "unknown": 1}
    twice_renamed = dataclasses.replace(add, renamed={"offset": "plus", "bias": "plus"})
    old = Node("sum", "add", {"offset": 5, "bias": 6})
    assert current_params(old, twice_renamed) == {"plus": 5, "bias": 6}
    both = {"offset": 5, "plus": 6}
    assert current_params(Node("sum", "add", both), add) == both
    assert current_params(Node("sum", "add", {"plus": 6, "offset": 5}), add) == both
