"""Order, cycles and reach, also of pipelines far larger than people draw."""

import random
import time

import pytest

from imageloom.errors import InvalidPipelineError
from imageloom.pipeline.checks.check import check
from imageloom.pipeline.graph.graph import Edge, Node, Pipeline
from imageloom.pipeline.graph.json_format import read_pipeline, write_pipeline
from imageloom.pipeline.graph.order import downstream, find_cycles, topological_order, upstream
from imageloom.pipeline.graph.resolve import resolve
from imageloom.pipeline.graph.selection import choose

from .toys import LIMITS, toy_components


def graph(text, order=""):
    """Return a pipeline of toys from arrows such as ``a>b b>c``."""
    arrows = [arrow.split(">") for arrow in text.split()]
    ids = order.split() or dict.fromkeys(end for arrow in arrows for end in arrow)
    return Pipeline(
        "graph",
        nodes=tuple(Node(node_id, "add") for node_id in ids),
        edges=tuple(Edge(begin, "sum", end, "left") for begin, end in arrows),
    )


def chain(length):
    nodes = [Node("n0", "number"), *(Node(f"n{number}", "add") for number in range(1, length))]
    edges = [
        Edge(f"n{number}", "sum" if number else "value", f"n{number + 1}", "left")
        for number in range(length - 1)
    ]
    return Pipeline("chain", tuple(reversed(nodes)), tuple(edges))


def test_nodes_stand_after_those_they_need_and_else_in_the_pipelines_order():
    assert topological_order(graph("c>a a>d b>d", order="d b a c")) == ("b", "c", "a", "d")


def test_edges_to_nodes_that_are_not_there_do_not_count():
    assert topological_order(graph("ghost>a a>b b>phantom", order="b a")) == ("a", "b")


def test_a_cycle_is_named_in_order():
    with pytest.raises(InvalidPipelineError, match="the nodes 'b' -> 'c' -> 'd' -> 'b' form a cyc"):
        topological_order(graph("a>b b>c c>d d>b d>e"))


@pytest.mark.parametrize(
    ("text", "cycles"),
    [
        ("a>b b>c a>c", []),
        ("a>a", [{"a"}]),
        ("a>b b>a c>d d>c b>c", [{"a", "b"}, {"c", "d"}]),
        ("a>b b>c c>a c>d d>c", [{"a", "b", "c"}]),
        ("a>b b>c c>b c>d d>a", [{"b", "c"}]),
        ("x>a a>b b>a b>y y>z z>y", [{"a", "b"}, {"y", "z"}]),
    ],
)
def test_each_knot_gives_a_cycle_and_none_shares_a_node(text, cycles):
    assert [set(cycle) for cycle in find_cycles(graph(text))] == cycles


def test_a_cycle_found_is_one_along_edges():
    choose_edges = random.Random(5)
    for _ in range(200):
        letters = "abcdefg"
        arrows = {(choose_edges.choice(letters), choose_edges.choice(letters)) for _ in range(9)}
        cycles = list(find_cycles(graph(" ".join(f"{a}>{b}" for a, b in sorted(arrows)))))
        for cycle in cycles:
            assert set(zip(cycle, [*cycle[1:], cycle[0]], strict=True)) <= arrows
        assert len({node for cycle in cycles for node in cycle}) == sum(map(len, cycles))
        assert bool(cycles) == has_cycle(arrows)


def has_cycle(arrows):
    """Decide by taking away nodes without incoming arrows until nothing changes."""
    while arrows:
        ends = {end for _, end in arrows}
        left = {(begin, end) for begin, end in arrows if begin in ends}
        if left == arrows:
            return True
        arrows = left
    return False


def test_reach_up_and_down():
    pipeline = graph("a>b b>c d>c c>e")
    assert upstream(pipeline, ["c"]) == {"a", "b", "c", "d"}
    assert downstream(pipeline, ["b", "d"]) == {"b", "c", "d", "e"}


@pytest.mark.slow
def test_a_chain_of_ten_thousand_nodes_needs_no_recursion(tmp_path):
    """J14."""
    pipeline = chain(10_000)
    write_pipeline(pipeline, tmp_path / "p.json")
    assert read_pipeline(tmp_path / "p.json") == pipeline
    assert check(pipeline, toy_components(), LIMITS) == ()
    assert topological_order(pipeline)[0] == "n0"
    assert len(choose(pipeline, start=["n1"]).fresh) == 9_999
    assert list(resolve(pipeline, toy_components()))[-1] == "n9999"


def test_a_cycle_of_ten_thousand_nodes_is_told_in_few_words():
    closed = chain(10_000)
    closed = Pipeline("ring", closed.nodes, (*closed.edges, Edge("n9999", "sum", "n1", "right")))
    (problem,) = check(closed, toy_components(), LIMITS)
    assert "(9,987 more)" in problem.message
    assert len(problem.message) < 400


def test_a_thousand_nodes_are_read_checked_and_ordered_in_under_a_second(tmp_path):
    draw = random.Random(1)
    nodes = [Node("n0", "number"), *(Node(f"n{number}", "add") for number in range(1, 1000))]
    edges = []
    for number in range(1, 1000):
        for port in ("left", "right"):
            before = draw.randrange(number)
            edges.append(Edge(f"n{before}", "sum" if before else "value", f"n{number}", port))
    write_pipeline(Pipeline("thousand", tuple(nodes), tuple(edges)), tmp_path / "p.json")
    components = toy_components()
    begin = time.process_time()
    pipeline = read_pipeline(tmp_path / "p.json")
    assert check(pipeline, components, LIMITS) == ()
    assert len(resolve(pipeline, components)) == len(choose(pipeline).wanted) == 1000
    assert time.process_time() - begin < 1
