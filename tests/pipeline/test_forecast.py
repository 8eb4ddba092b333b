"""What a run would find is told without running anything."""

import dataclasses

import pytest

from imageloom.errors import InvalidDatasetError
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.graph.resolve import resolve
from imageloom.pipeline.run.forecast import forecast
from imageloom.spec.component import Outside

from .engine import ToyEngine, pipeline

READ = pipeline(
    Node("number", "read", {"path": "n.txt"}),
    Node("sum", "add"),
    Node("words", "spell"),
    edges=("number.value > sum.left", "sum.sum > words.number"),
)


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "n.txt").write_text("3", encoding="utf-8")
    return ToyEngine(tmp_path)


def found(engine, graph):
    outside = Outside(base=engine.base, uploads=engine.workspace.uploads)
    return forecast(resolve(graph, engine.components), engine.store, outside)


def test_nothing_is_there_at_first_and_all_of_it_after_a_run_that_is_named(engine):
    assert found(engine, READ) == {"number": None, "sum": None, "words": None}
    run = engine.run(READ)
    assert {entry.run_id for entry in found(engine, READ).values()} == {run.id}


def test_looking_changes_nothing_in_the_store_not_even_what_is_damaged(engine):
    engine.run(READ)
    folder = engine.store.path(found(engine, READ)["sum"].outputs["sum"].object)
    file = min(folder.iterdir())
    file.write_bytes(file.read_bytes() + b"more")
    before = {path: path.stat().st_mtime_ns for path in engine.workspace.root.rglob("*")}
    known = found(engine, READ)
    assert known["number"] is not None
    assert (known["sum"], known["words"]) == (None, None)
    assert before == {path: path.stat().st_mtime_ns for path in engine.workspace.root.rglob("*")}


def test_a_change_in_the_middle_leaves_what_comes_before(engine):
    engine.run(READ)
    nodes = tuple(
        dataclasses.replace(node, params={"plus": 1}) if node.id == "sum" else node
        for node in READ.nodes
    )
    known = found(engine, dataclasses.replace(READ, nodes=nodes))
    assert known["number"] is not None
    assert (known["sum"], known["words"]) == (None, None)


def test_a_file_that_changed_has_all_after_it_made_again(engine):
    engine.run(READ)
    (engine.base / "n.txt").write_text("4", encoding="utf-8")
    assert set(found(engine, READ).values()) == {None}


def test_what_is_missing_outside_is_an_error_of_its_node_only(engine):
    (engine.base / "n.txt").unlink()
    known = found(engine, READ)
    assert isinstance(known["number"], InvalidDatasetError)
    assert (known["sum"], known["words"]) == (None, None)


def test_looking_changes_nothing(engine):
    found(engine, READ)
    assert not engine.workspace.runs.exists()
    assert not engine.workspace.objects.exists()
