"""A key changes with all that a result depends on, and with nothing else."""

import hashlib
from dataclasses import replace

import pytest

from imageloom.errors import InvalidDatasetError
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.graph.resolve import ResolvedNode, resolve
from imageloom.pipeline.run.keys import node_key, plan_node
from imageloom.spec.component import Outside
from imageloom.spec.job import Output
from imageloom.spec.run_settings import RunSettings

from .engine import pipeline
from .toys import toy_components

DIGESTS = {"left": "1" * 64, "right": "2" * 64}


def resolved(component: str = "add", id: str = "sum", **params: object) -> ResolvedNode:
    node = Node(id, component, params)  # type: ignore[arg-type]
    return resolve(pipeline(node), toy_components())[id]


def key(node: ResolvedNode, digests: dict[str, str] = DIGESTS, outside: str = "") -> str:
    return node_key(node, digests, outside)


def test_a_key_is_a_sha256():
    assert len(bytes.fromhex(key(resolved()))) == 32


def test_a_default_and_the_same_value_given_have_one_key():
    assert key(resolved(plus=0)) == key(resolved())


def test_a_node_that_was_renamed_moved_or_noted_on_keeps_its_key():
    here = resolved()
    there = replace(
        here,
        node=replace(here.node, id="other", title="Other", position=(3.0, 4.0), comment="Why?"),
    )
    assert key(there) == key(here)


def test_a_parameter_that_changes_no_output_changes_no_key():
    first, second = (resolved("number", value=2.0, comment=text) for text in ("", "Two."))
    assert key(first, {}) == key(second, {})


def test_the_target_changes_no_key_and_the_number_of_processes_does():
    one = resolved("count")
    lab = replace(one, settings=RunSettings(target="lab"))
    two = replace(one, settings=RunSettings(processes_per_node=2))
    assert key(lab) == key(one)
    assert key(two) != key(one)


def test_settings_of_a_component_that_takes_none_change_no_key():
    add = resolved("add")
    assert key(replace(add, settings=RunSettings(node_count=2))) == key(add)


@pytest.mark.parametrize(
    "other",
    [
        key(resolved(plus=1)),
        key(resolved("divide")),
        key(replace(resolved(), component=replace(resolved().component, version=3))),
        key(resolved(), {"left": "1" * 64, "right": "3" * 64}),
        key(resolved(), {"left": "2" * 64, "right": "1" * 64}),
        key(resolved(), {"left": "1" * 64}),
        key(resolved(), outside="another picture"),
    ],
)
def test_whatever_the_result_depends_on_changes_the_key(other):
    assert other != key(resolved())


def test_keys_stay_the_same_over_versions_of_our_code():
    # A change here makes all results of all workspaces anew: a changelog line must say so.
    text = (
        f'{{"component":"add","inputs":{{"left":"{"1" * 64}","right":"{"2" * 64}"}},'
        '"outside":"","params":{"plus":0},"settings":{},"version":2}'
    )
    assert key(resolved()) == hashlib.sha256(text.encode()).hexdigest()


def test_a_plan_takes_the_meaning_of_its_inputs_not_their_bytes(tmp_path):
    nodes = pipeline(Node("a", "number"), Node("b", "spell"), edges=("a.value > b.number",))
    node = resolve(nodes, toy_components())["b"]
    outside = Outside(base=tmp_path, uploads=tmp_path)

    def planned(**changes: str):
        output = Output(type="Number", object="1" * 64, digest="2" * 64, size_bytes=1)
        outputs = {"a": {"value": output.model_copy(update=changes)}}
        return plan_node(node, outputs, outside)

    assert planned().inputs["number"].object == "1" * 64
    assert planned(object="3" * 64).key == planned().key
    assert planned(digest="3" * 64).key != planned().key


def test_a_plan_reads_the_fingerprint_from_the_base_folder(tmp_path):
    node = resolved("read", path="number.txt")
    outside = Outside(base=tmp_path, uploads=tmp_path)
    with pytest.raises(InvalidDatasetError, match=r"number\.txt is missing"):
        plan_node(node, {}, outside)
    (tmp_path / "number.txt").write_text("3", encoding="utf-8")
    before = plan_node(node, {}, outside).key
    (tmp_path / "number.txt").write_text("4", encoding="utf-8")
    assert plan_node(node, {}, outside).key not in ("", before)
