"""What a run would find is told without running anything."""

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings

from imageloom.errors import InvalidDatasetError
from imageloom.pipeline.checks.check import MAX_PROBLEMS, check
from imageloom.pipeline.checks.problems import ProblemKind
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.graph.resolve import resolve
from imageloom.pipeline.run.forecast import forecast, not_ready
from imageloom.pipeline.run.outside_memo import OutsideMemo
from imageloom.spec.component import Outside

from .engine import ToyEngine, all_toys, pipeline
from .random_pipelines import COMPONENTS, DEFECTS, with_defect
from .toys import LIMITS

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


def waiting(graph):
    """Return the node that each node waits for, and the kind of its problem."""
    problems = check(graph, all_toys(), LIMITS)
    return {name: (why.node, why.problem.kind) for name, why in not_ready(graph, problems).items()}


def test_each_node_waits_for_the_nearest_problem_and_the_others_for_nothing():
    graph = pipeline(
        Node("one", "number"),
        Node("bare", "add"),
        Node("odd", "add", {"plus": -1}),
        Node("words", "spell"),
        Node("loud", "shout"),
        Node("fine", "spell"),
        edges=(
            "one.value > fine.number",
            "bare.sum > odd.left",
            "odd.sum > words.number",
            "words.text > loud.text",
        ),
    )
    assert waiting(graph) == {
        "bare": ("bare", ProblemKind.MISSING_INPUT),
        "odd": ("odd", ProblemKind.BAD_PARAMETER),
        "words": ("odd", ProblemKind.BAD_PARAMETER),
        "loud": ("odd", ProblemKind.BAD_PARAMETER),
    }


def test_an_edge_from_a_node_that_is_gone_keeps_its_end_waiting():
    graph = pipeline(Node("words", "spell"), edges=("gone.value > words.number",))
    assert waiting(graph) == {"words": ("gone", ProblemKind.UNKNOWN_NODE)}


def test_all_of_a_cycle_and_behind_it_waits():
    graph = pipeline(
        Node("a", "add"),
        Node("b", "add"),
        Node("words", "spell"),
        edges=("a.sum > b.left", "b.sum > a.left", "b.sum > words.number"),
    )
    assert {name: kind for name, (_, kind) in waiting(graph).items()} == dict.fromkeys(
        ("a", "b", "words"), ProblemKind.CYCLE
    )


def test_nothing_is_told_where_there_are_more_problems_than_were_looked_for():
    bad = tuple(Node(f"bad{number}", "add") for number in range(MAX_PROBLEMS + 5))
    why = not_ready(pipeline(*bad), check(pipeline(*bad), all_toys(), LIMITS))
    assert set(why) == {node.id for node in bad}
    assert why["bad3"].node == "bad3"
    assert why[bad[-1].id].node == ""


@pytest.mark.parametrize("plant", DEFECTS, ids=lambda plant: plant.__name__)
def test_what_is_ready_of_a_pipeline_with_a_defect_could_run_by_itself(plant):
    @settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
    @given(with_defect(plant))
    def in_random_pipelines(planted):
        graph = planted.pipeline
        blocked = not_ready(graph, check(graph, COMPONENTS, LIMITS))
        ready = graph.part({node.id for node in graph.nodes} - blocked.keys())
        kinds = {problem.kind for problem in check(ready, COMPONENTS, LIMITS)}
        assert kinds <= {ProblemKind.NO_NODES}
        assert {*resolve(ready, COMPONENTS), *blocked} == {node.id for node in graph.nodes}

    in_random_pipelines()


def test_a_memo_looks_again_when_its_time_is_over(engine):
    now = [100.0]
    memo = OutsideMemo(lifetime_s=3, clock=lambda: now[0])
    node = resolve(READ, engine.components)["number"]
    outside = Outside(base=engine.base, uploads=engine.workspace.uploads)
    assert memo.look(node, outside) == "3"
    (engine.base / "n.txt").write_text("4", encoding="utf-8")
    now[0] += 2.9
    assert memo.look(node, outside) == "3"
    assert memo.look(node, dataclasses.replace(outside, base=engine.base / ".")) == "3"
    now[0] += 0.2
    assert memo.look(node, outside) == "4"


def test_a_look_that_took_long_is_good_for_longer(engine):
    now = [0.0]

    def slow_clock():
        now[0] += 2.0  # between the clock's two times of a look there lie two seconds
        return now[0]

    memo = OutsideMemo(lifetime_s=3, clock=slow_clock)
    node = resolve(READ, engine.components)["number"]
    outside = Outside(base=engine.base, uploads=engine.workspace.uploads)
    memo.look(node, outside)
    (engine.base / "n.txt").write_text("4", encoding="utf-8")
    now[0] += 17.0  # 19 s after the look's end, whose 2 s are good for 20
    assert memo.look(node, outside) == "3"
    assert memo.look(node, outside) == "4"


def test_a_memo_keeps_apart_what_other_parameters_and_folders_read(engine):
    memo = OutsideMemo()
    (engine.base / "m.txt").write_text("7", encoding="utf-8")
    other = pipeline(Node("number", "read", {"path": "m.txt"}))
    outside = Outside(base=engine.base, uploads=engine.workspace.uploads)
    assert memo.look(resolve(READ, engine.components)["number"], outside) == "3"
    assert memo.look(resolve(other, engine.components)["number"], outside) == "7"


def test_a_file_that_is_missing_is_looked_for_each_time(engine):
    memo = OutsideMemo()
    node = resolve(READ, engine.components)["number"]
    outside = Outside(base=engine.base, uploads=engine.workspace.uploads)
    (engine.base / "n.txt").unlink()
    with pytest.raises(InvalidDatasetError, match="is missing"):
        memo.look(node, outside)
    (engine.base / "n.txt").write_text("5", encoding="utf-8")
    assert memo.look(node, outside) == "5"
