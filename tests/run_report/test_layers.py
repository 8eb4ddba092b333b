"""Nodes are drawn in layers, each below all that it needs."""

from imageloom.run_report.layers import layers


def test_each_node_stands_below_all_that_it_needs():
    needs = {"score": ["train", "split"], "train": ["split"], "split": [], "net": []}
    assert [sorted(row) for row in layers(needs)] == [["net", "split"], ["train"], ["score"]]


def test_neighbours_stand_above_each_other_so_that_edges_do_not_cross():
    needs = {"a": [], "b": [], "c": [], "x": ["c"], "y": ["b"], "z": ["a"]}
    above, below = layers(needs)
    feeds = {"a": "z", "b": "y", "c": "x"}
    assert [feeds[node] for node in above] == below


def test_no_nodes_have_no_layers():
    assert layers({}) == []


def test_a_chain_of_ten_thousand_nodes_is_laid_out():
    needs = {f"n{number}": [f"n{number - 1}"] if number else [] for number in range(10_000)}
    rows = layers(needs)
    assert (len(rows), rows[-1]) == (10_000, ["n9999"])


def test_two_edges_between_the_same_nodes_change_nothing():
    assert layers({"a": [], "b": ["a", "a"]}) == [["a"], ["b"]]
