"""A pipeline as a value."""

import pytest

from imageloom.errors import UnknownNameError
from imageloom.pipeline.graph.graph import Edge, Node, Pipeline

EDGES = (Edge("a", "value", "c", "left"), Edge("b", "value", "c", "right"))
PIPELINE = Pipeline("p", (Node("a", "number"), Node("b", "number"), Node("c", "add")), EDGES)


def test_nodes_and_edges_are_found_by_id():
    assert PIPELINE.node("b") == Node("b", "number")
    assert "b" in PIPELINE
    assert "B" not in PIPELINE
    assert PIPELINE.edges_into("c") == EDGES
    assert PIPELINE.edges_from("a") == EDGES[:1]
    assert PIPELINE.edges_from("c") == PIPELINE.edges_into("nowhere") == ()


def test_a_miss_names_the_nearest():
    pipeline = Pipeline("p", (Node("train", "number"),))
    with pytest.raises(UnknownNameError, match=r"no node called 'tarin'.* Did you mean train"):
        pipeline.node("tarin")


def test_equality_is_by_value_and_does_not_see_what_was_looked_up():
    same = Pipeline("p", PIPELINE.nodes, EDGES)
    same.node("a")
    assert same == PIPELINE
    assert Pipeline("p", PIPELINE.nodes, EDGES[::-1]) != PIPELINE


def test_an_edge_reads_as_people_write_it():
    assert (EDGES[0].begin, EDGES[0].end) == ("a.value", "c.left")
    assert len({*EDGES, Edge("a", "value", "c", "left", extra={"colour": 1})}) == 3
