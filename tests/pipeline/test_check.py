"""Every problem at once, each in words for the person who drew the pipeline.

That each kind is found in any pipeline, alone and in its place, is tested in
test_random_pipelines.py.
"""

import dataclasses
import time

import pytest
from pydantic import model_validator

from imageloom.errors import InvalidPipelineError
from imageloom.params import Params, parameter
from imageloom.pipeline.checks.check import MAX_PROBLEMS, check, require_valid
from imageloom.pipeline.checks.problems import Problem, ProblemKind, invalid_pipeline
from imageloom.pipeline.graph.graph import Edge, Node, Pipeline

from .random_pipelines import DEFECTS
from .toys import LIMITS, toy_components


def edge(text):
    begin, end = text.split(" > ")
    return Edge(*begin.split("."), *end.split("."))


def problems_of(nodes, *edges, components=None):
    pipeline = Pipeline("toy", tuple(nodes), tuple(map(edge, edges)))
    return check(pipeline, components or toy_components(), LIMITS)


def only_problem(nodes, *edges):
    (problem,) = problems_of(nodes, *edges)
    return problem


ONE = Node("one", "number")
HALF = Node("half", "divide", title="In two")
ADD = Node("add", "add")
FAIL = Node("fail", "fail")


@pytest.mark.parametrize(
    ("nodes", "edges", "message", "hint"),
    [
        ([], [], "There are no nodes.", "Add a component."),
        (
            [Node("x", "numbers")],
            [],
            "Node 'x' is a 'numbers', and no such component is installed.",
            "Did you mean number? Known: number, read, add, divide",
        ),
        (
            [Node("one", "number", version=3)],
            [],
            "Node 'one' (Number) was made with version 3 of this component; version 1 is "
            "installed.",
            "Update Imageloom",
        ),
        (
            [Node("one", "number", {"valeu": 1})],
            [],
            "Node 'one' (Number): There is no parameter called 'valeu'.",
            "Did you mean value? Known: value, title, comment.",
        ),
        (
            [ONE, Node("add", "add", {"plus": 3, "offset": 4})],
            ["one.value > add.left"],
            "Node 'add' (Add) gives 'plus' as 3 and also as 4 under an earlier name, 'offset'.",
            "Remove the one that you do not mean.",
        ),
        (
            [Node("one", "number", {"value": 2e9})],
            [],
            "Node 'one' (Number): value is 2000000000.0, but must be at most 1,000,000,000.0.",
            "value: The number.",
        ),
        (
            [Node("one", "number", settings={"targte": "lab"})],
            [],
            "Node 'one' (Number): There is no run setting called 'targte'.",
            "Did you mean target? Known: target, node_count, processes_per_node, min_node_count, "
            "max_restarts, track.",
        ),
        (
            [Node("one", "number", settings={"node_count": 0})],
            [],
            "Node 'one' (Number): node_count is 0, but must be greater than 0.",
            "node_count: Machines that train together.",
        ),
        (
            [Node("one", "number", settings={"processes_per_node": 2})],
            [],
            "Node 'one' (Number) asks for 2 processes per node, but this component always runs "
            "as 1 process.",
            "Remove processes_per_node from its run settings.",
        ),
        (
            [Node("one", "number", settings={"max_restarts": 3})],
            [],
            "Node 'one' (Number) asks for 3 restarts, but this component always runs as 1 process.",
            "Remove max_restarts from its run settings.",
        ),
        (
            [Node("one", "number", settings={"track": ["mlflow", "wandb"]})],
            [],
            "Node 'one' (Number) asks for the trackers mlflow, wandb, but this component trains "
            "nothing.",
            "Remove track from its run settings.",
        ),
        (
            [ONE, Node("c", "count", settings={"track": ["tensorbord"]})],
            ["one.value > c.start"],
            "Node 'c' (Count): There is no tracker called 'tensorbord'.",
            "Did you mean tensorboard? Known: mlflow, tensorboard, wandb.",
        ),
        (
            [ONE, Node("c", "count", settings={"min_node_count": 3, "node_count": 2})],
            ["one.value > c.start"],
            "Node 'c' (Count): min_node_count is 3, but node_count is 2.",
            "Use at most 2, or a greater node_count.",
        ),
        (
            [ONE, Node("c", "count", settings={"min_node_count": 2})],
            ["one.value > c.start"],
            "Node 'c' (Count): min_node_count is 2, but node_count is 1.",
            "Use at most 1, or a greater node_count.",
        ),
        (
            [
                ONE,
                Node(
                    "c",
                    "count",
                    settings={"min_node_count": 2, "node_count": 2, "processes_per_node": 0},
                ),
            ],
            ["one.value > c.start"],
            "Node 'c' (Count): processes_per_node is 0, but must be greater than 0.",
            "processes_per_node: Processes on each machine",
        ),
        (
            [Node("one", "number", settings={"target": "labb"})],
            [],
            "Node 'one' (Number): There is no target called 'labb'.",
            "Did you mean lab? Known: local, lab, desks.",
        ),
        (
            [ONE, Node("c", "count", settings={"target": "lab", "node_count": 8})],
            ["one.value > c.start"],
            "Node 'c' (Count) asks for a node count of 8, but target 'lab' has 3 nodes.",
            "Use at most 3.",
        ),
        (
            [ONE, Node("c", "count", settings={"processes_per_node": 8})],
            ["one.value > c.start"],
            "Node 'c' (Count) asks for 8 processes per node, but a node of target 'local' has "
            "4 processing units.",
            "Use at most 4.",
        ),
        (
            [ONE, Node("c", "count", settings={"target": "desks", "node_count": 2})],
            ["one.value > c.start"],
            "Node 'c' (Count) asks for a node count of 2, but target 'desks' names no network "
            "interface by which they reach each other.",
            "Set 'interface' of the target to one of these: eth0.",
        ),
        (
            [FAIL],
            ["fial.value > fail.number"],
            "The edge from 'fial.value' to 'fail.number' begins at the node 'fial', which is not "
            "in the pipeline.",
            "Did you mean fail? Add the node, or remove the edge.",
        ),
        (
            [ONE],
            ["one.value > two.number"],
            "The edge from 'one.value' to 'two.number' ends at the node 'two', which is not in "
            "the pipeline.",
            "Add the node, or remove the edge.",
        ),
        (
            [ONE, FAIL],
            ["one.valeu > fail.number"],
            "Node 'one' (Number) has no output called 'valeu'.",
            "Did you mean value? Its outputs: value.",
        ),
        (
            [FAIL, ADD],
            ["fail.value > add.left", "fail.number > add.right"],
            "Node 'fail' (Fail) has no output called 'number'.",
            "'number' is an input. Its outputs: value.",
        ),
        (
            [ONE, Node("shout", "shout")],
            ["one.value > shout.text"],
            "The edge from 'one.value' to 'shout.text' joins different types: the output is "
            "Number, the input takes Text.",
            "Draw it from an output of type Text.",
        ),
        (
            [ONE, HALF, FAIL],
            ["one.value > half.number", "one.value > half.by", "half.third > fail.number"],
            "Node 'half' (In two) gives its output 'third' only when third_share is set, and an "
            "edge leads from it to 'fail.number'.",
            "Set third_share of 'half', or remove the edge.",
        ),
        (
            [ONE, Node("two", "number"), FAIL],
            ["one.value > fail.number", "two.value > fail.number"],
            "Node 'fail' (Fail) has 2 edges on its input 'number': from 'one.value', 'two.value'.",
            "An input takes one edge. Remove the others.",
        ),
        (
            [ONE, FAIL],
            ["one.value > fail.number"] * 3,
            "The edge from 'one.value' to 'fail.number' stands there 3 times.",
            "Keep one of them.",
        ),
        (
            [ONE, HALF],
            ["one.value > half.number"],
            "Node 'half' (In two) has nothing on its input 'by' (Number).",
            "Draw an edge to it from an output of type Number.",
        ),
        (
            [ADD, Node("sum", "add")],
            ["add.sum > sum.left", "sum.sum > add.left"],
            "The nodes 'add' -> 'sum' -> 'add' form a cycle, so none of them can be the first.",
            "Remove one of these edges.",
        ),
    ],
)
def test_a_problem_says_where_and_what_and_what_to_do(nodes, edges, message, hint):
    problem = only_problem(nodes, *edges)
    assert problem.message == message
    assert problem.hint.startswith(hint)


def test_every_kind_of_problem_can_be_planted():
    planted = {plant.__name__.replace("_", "-") for plant in DEFECTS} | {"no-nodes"}
    assert planted == {str(kind) for kind in ProblemKind}


def test_all_run_settings_that_a_component_does_not_take_are_named():
    settings = {"node_count": 2, "min_node_count": 2, "processes_per_node": 2, "max_restarts": 1}
    settings["track"] = ["mlflow"]
    problems = problems_of([Node("one", "number", settings=settings)])
    assert {problem.kind for problem in problems} == {ProblemKind.SETTINGS_NOT_TAKEN}
    assert {problem.parameter for problem in problems} == set(settings)


def test_all_problems_of_a_node_are_told():
    node = Node("c", "count", {"steps": 0, "every": "x", "stepz": 1}, {"target": 5, "nodes": 2})
    assert [(one.kind, one.parameter or one.port) for one in problems_of([node])] == [
        (ProblemKind.UNKNOWN_PARAMETER, "stepz"),
        (ProblemKind.BAD_PARAMETER, "steps"),
        (ProblemKind.BAD_PARAMETER, "every"),
        (ProblemKind.UNKNOWN_SETTING, "nodes"),
        (ProblemKind.BAD_SETTING, "target"),
        (ProblemKind.MISSING_INPUT, "start"),
    ]


def test_nothing_is_said_of_the_ports_of_a_component_that_is_not_here():
    strange = Node("strange", "from_an_extension", {"any": {"thing": 1}}, {"what": "ever"})
    found = problems_of([ONE, strange, FAIL], "one.value > strange.x", "strange.y > fail.number")
    assert [one.kind for one in found] == [ProblemKind.UNKNOWN_COMPONENT]


def test_an_edge_from_nowhere_to_nothing_has_both_its_problems():
    found = problems_of([ONE], "ghost.value > one.nothing")
    assert [one.kind for one in found] == [ProblemKind.UNKNOWN_NODE, ProblemKind.UNKNOWN_PORT]


def test_nothing_is_said_of_the_limits_of_an_unknown_target():
    node = Node("c", "count", settings={"target": "moon", "node_count": 9})
    assert [one.kind for one in problems_of([ONE, node], "one.value > c.start")] == [
        ProblemKind.UNKNOWN_TARGET
    ]


def test_whether_an_output_is_there_is_not_guessed_from_wrong_parameters():
    half = Node("half", "divide", {"third_share": 7})
    edges = ("one.value > half.number", "one.value > half.by", "half.third > fail.number")
    assert [one.kind for one in problems_of([ONE, half, FAIL], *edges)] == [
        ProblemKind.BAD_PARAMETER
    ]


def test_a_rule_over_several_parameters_is_one_problem():
    class Pair(Params):
        low: int = parameter(0, help="From.")
        high: int = parameter(9, help="To.")

        @model_validator(mode="after")
        def in_order(self):
            if self.low > self.high:
                raise ValueError(f"low {self.low} is above high {self.high}")
            return self

    components = toy_components()
    pair = dataclasses.replace(components.get("number"), name="pair", params=Pair)
    components.declare("pair", pair)
    (problem,) = problems_of([Node("p", "pair", {"low": 5, "high": 3})], components=components)
    assert problem.kind == ProblemKind.BAD_PARAMETER
    assert "low 5 is above high 3" in problem.message


def test_one_error_lists_every_problem_with_its_remedy():
    pipeline = Pipeline("toy", (Node("one", "number", {"value": "x"}), HALF))
    with pytest.raises(InvalidPipelineError) as caught:
        require_valid(pipeline, toy_components(), LIMITS)
    lines = caught.value.message.splitlines()
    assert lines[0] == "toy has 3 problems:"
    assert lines[1] == (
        "- Node 'one' (Number): value is \"x\", but must be a number. The default is 1.0."
    )
    assert [line[:7] for line in lines[2:]] == ["- Node ", "- Node "]
    assert caught.value.details["kinds"] == ["bad-parameter", "missing-input"]


def test_a_valid_pipeline_passes():
    require_valid(Pipeline("toy", (ONE,)), toy_components(), LIMITS)


def test_what_an_error_has_no_room_for_is_counted():
    problems = [Problem(ProblemKind.CYCLE, "x" * 98) for _ in range(50)]
    message = invalid_pipeline("toy", problems).message
    assert message.splitlines()[-1] == "- and 16 more."
    assert message.count("xx\n") == 34, "34 lines of 101 characters have room in 3,500"


def test_a_title_from_a_file_is_shown_escaped_and_short():
    node = Node("half", "divide", title="a\n\x1b[31m" + "b" * 1000)
    (problem, _) = problems_of([node])
    assert problem.message.startswith(f"Node 'half' (a \\x1b[31m{'b' * 50}) has nothing")


def test_text_from_a_file_is_shown_escaped():
    with pytest.raises(InvalidPipelineError, match=r"\\x1b\[31m") as caught:
        require_valid(Pipeline("p", (Node("a", "\x1b[31mred"),)), toy_components(), LIMITS)
    assert "\x1b" not in str(caught.value)


def test_j14_a_hostile_pipeline_is_answered_in_seconds():
    nodes = tuple(Node(f"n{number}", "nothing_known") for number in range(9_000))
    edges = tuple(Edge(f"x{number}", "y", f"n{number % 9}", "z") for number in range(50_000))
    node = Node("last", "number", {f"valu{number}": 1 for number in range(50_000)})
    begin = time.process_time()
    problems = check(Pipeline("p", (node, *nodes), edges), toy_components(), LIMITS)
    assert len(problems) == MAX_PROBLEMS
    problems = check(Pipeline("p", (ONE, *nodes[:100]), edges), toy_components(), LIMITS)
    assert len(problems) == MAX_PROBLEMS
    assert time.process_time() - begin < 10
