"""``imageloom pipeline check`` and ``show``: every problem, and the graph as text."""

import json
import time

import pytest

from imageloom.cli.root import run

pytestmark = pytest.mark.usefixtures("toys", "workspace")


def test_check_lists_all_problems_below_their_nodes_with_what_to_do(write, capsys):
    path = write(
        ["a.value -> add.left", "a.value -> shout.text"],
        a=("number", {"valeu": 3}),
        add=("add", {"plus": 1000}),
        shout="shout",
        odd="nothing",
    )
    assert run(["pipeline", "check", path]) == 1
    lines = capsys.readouterr().out.splitlines()
    for node, words in {
        "a": "valeu",
        "add": "at most 100",
        "odd": "nothing",
        "shout": "Text",
    }.items():
        below = lines[lines.index(node) + 1]
        assert below.startswith("  ")
        assert words in below or words in lines[lines.index(node) + 2], node
    assert "Verdict  4 problems (4 nodes, 2 edges)" in lines


def test_check_of_a_good_pipeline_says_how_to_run_it(write, capsys):
    path = write(["a.value -> add.left"], a="number", add="add")
    assert run(["pipeline", "check", path]) == 0
    assert capsys.readouterr().out == (
        f"Verdict  it can run (2 nodes, 1 edge)\nNext     imageloom run {path}\n"
    )


def test_check_as_json_names_kind_node_and_port(write, capsys):
    assert run(["pipeline", "check", write(add="add"), "--json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert (content["valid"], content["nodes"], content["edges"]) == (False, 1, 0)
    (problem,) = content["problems"]
    assert (problem["kind"], problem["node"], problem["port"]) == ("missing-input", "add", "left")


def test_show_draws_inputs_and_what_differs_from_the_defaults(write, capsys):
    path = write(
        ["b.value -> divide.number", "a.value -> divide.by"],
        divide=("divide", {"whole": False, "third_share": None}),
        a=("number", {"value": 1.0}),
        b=("number", {"value": 8}),
    )
    assert run(["pipeline", "show", path]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Toys  3 nodes, 2 edges",
        "a       number  to do  ",
        "b       number  to do    value=8",
        "divide  divide  to do    <- b.value, a.value  whole=false",
        "Cache    holds 0 of 3 nodes",
        f"Next     imageloom run {path}",
    ]


def test_show_says_what_the_cache_holds_and_what_a_change_would_make_anew(write, capsys):
    path = write(
        ["a.value -> add.left", "add.sum -> spell.number"], a="number", add="add", spell="spell"
    )
    assert run(["run", path, "--only", "add"]) == 0
    capsys.readouterr()

    def states(*words: str) -> dict[str, str]:
        assert run(["pipeline", "show", path, *words, "--json"]) == 0
        content = json.loads(capsys.readouterr().out)
        return {node["node"]: node["state"] for node in content["nodes"]}

    assert states() == {"a": "cached", "add": "cached", "spell": "to do"}
    assert run(["pipeline", "show", path, "--set", "add.plus=3"]) == 0
    assert f"imageloom run {path} --set add.plus=3\n" in capsys.readouterr().out
    changed = states("--set", "add.plus=3")
    assert changed == {"a": "cached", "add": "to do", "spell": "to do"}


def test_show_names_what_is_missing_outside_the_pipeline(write, tmp_path, capsys):
    path = write(["read.value -> add.left"], read=("read", {"path": "n.txt"}), add="add")
    assert run(["pipeline", "show", path]) == 0
    assert f"{tmp_path / 'n.txt'} is missing." in capsys.readouterr().out


def test_show_draws_a_pipeline_that_cannot_run(write, capsys):
    path = write(
        ["a.value -> one.left", "one.sum -> two.left", "two.sum -> one.right"],
        a="gone",
        one="add",
        two="add",
    )
    assert run(["pipeline", "show", path]) == 0
    text = capsys.readouterr().out
    assert "a    gone  problem" in text
    assert "<- a.value, two.sum" in text
    assert f"Next     imageloom pipeline check {path}" in text


def test_show_says_what_the_cache_holds_of_a_pipeline_that_cannot_run(write, capsys):
    words = {"a": "number", "spell": "spell", "add": "add", "loud": "spell"}
    edges = ["a.value -> spell.number", "add.sum -> loud.number"]
    path = write(edges, **words)
    assert run(["run", path, "--only", "spell"]) == 0
    capsys.readouterr()
    assert run(["pipeline", "show", path, "--json"]) == 0
    nodes = json.loads(capsys.readouterr().out)["nodes"]
    states = {node["node"]: node["state"] for node in nodes}
    assert states == {"a": "cached", "spell": "cached", "add": "problem", "loud": "to do"}


def test_show_of_a_thousand_nodes_is_a_thousand_lines_in_a_moment(write, capsys):
    nodes = {f"n{number}": "add" for number in range(1, 1000)}
    edges = [f"n{number}.sum -> n{number + 1}.left" for number in range(1, 999)]
    path = write(["n0.value -> n1.left", *edges], n0="number", **nodes)
    began = time.monotonic()
    assert run(["pipeline", "show", path]) == 0
    assert time.monotonic() - began < 5
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("n")]) == 1000


def test_b01_names_from_a_file_cannot_command_the_terminal(write, capsys):
    path = write(name="\x1b[2Jx", a=("number", {"title": "\x1b]0;t\x07"}), b="\x1b[31mbad")
    assert run(["pipeline", "show", path]) == 0
    assert run(["pipeline", "check", path]) == 1
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    assert "\\x1b[2Jx" in captured.out
