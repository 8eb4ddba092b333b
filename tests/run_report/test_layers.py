"""Nodes are drawn in layers, each below all that it needs, and edges pass beside other nodes."""

import time

from imageloom.run_report.layers import lay_out


def test_each_node_stands_below_all_that_it_needs():
    needs = {"score": ["train"], "train": ["split"], "split": ["net"], "net": []}
    assert lay_out(needs).rows == [["net"], ["split"], ["train"], ["score"]]


def test_what_needs_nothing_stands_just_above_who_needs_it():
    needs = {"net": [], "a": [], "b": ["a"], "train": ["b", "net"]}
    assert [sorted(row) for row in lay_out(needs).rows] == [["a"], ["b", "net"], ["train"]]


def test_neighbours_stand_above_each_other_so_that_edges_do_not_cross():
    needs = {"a": [], "b": [], "c": [], "x": ["c"], "y": ["b"], "z": ["a"]}
    above, below = lay_out(needs).rows
    feeds = {"a": "z", "b": "y", "c": "x"}
    assert [feeds[node] for node in above] == below


def test_an_edge_that_passes_a_layer_has_a_place_in_it():
    placed = lay_out(
        {"split": [], "train": ["split"], "check": ["train"], "score": ["split", "check"]}
    )
    (bends,) = [placed.bends["split", "score"]]
    assert len(bends) == 2
    assert [row for row in placed.rows if bends[0] in row] == [placed.rows[1]]
    assert sorted(placed.rows[2]) == sorted(["check", bends[1]])
    assert ("train", "check") not in placed.bends


def test_what_stands_low_because_of_one_reader_reaches_another_by_a_bend():
    needs = {"a": [], "b": ["a"], "near": ["b", "net"], "far": ["near", "net"], "net": []}
    placed = lay_out(needs)
    assert [sorted(row)[-1] for row in placed.rows] == ["a", "net", "net > far 1", "far"]


def test_no_nodes_have_no_layers():
    assert lay_out({}).rows == []


def test_a_chain_of_ten_thousand_nodes_is_laid_out():
    needs = {f"n{number}": [f"n{number - 1}"] if number else [] for number in range(10_000)}
    rows = lay_out(needs).rows
    assert (len(rows), rows[-1]) == (10_000, ["n9999"])


def test_edges_that_would_bend_too_often_are_drawn_straight_and_at_once():
    needs = {f"n{number}": [f"n{number - 1}"] if number else [] for number in range(2_000)}
    for number in range(500, 2_000):
        needs[f"n{number}"].append("n3")
    began = time.monotonic()
    placed = lay_out(needs)
    assert time.monotonic() - began < 2
    assert placed.bends == {}
    assert len(placed.rows) == 2_000
