"""The loop: states are never wrong, whatever nodes do. Workers are threads here, not processes."""

import dataclasses
import json
import os

import pytest

from imageloom.errors import EnvironmentUnsuitableError, InvalidDatasetError, OutputInUseError
from imageloom.events import CancelToken, Metric, Notice, Progress
from imageloom.files.locks import is_locked, release, try_lock
from imageloom.files.publish import verify_directory
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.run.events import NodeChanged, NodeEvent, RunNotice
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import Wait
from imageloom.spec.job import ERROR_FILE
from imageloom.spec.node_state import NodeState, RunState
from imageloom.spec.target import JobStatus, Limits

from .engine import ToyEngine, pipeline, states, value, wait_until
from .odd_toys import run_odd

SUM = pipeline(
    Node("three", "number", {"value": 3.0}),
    Node("two", "number", {"value": 2.0}),
    Node("sum", "add", {"plus": 4}),
    Node("words", "spell"),
    edges=("three.value > sum.left", "two.value > sum.right", "sum.sum > words.number"),
)


@pytest.fixture
def engine(tmp_path):
    return ToyEngine(tmp_path)


def odd(id: str, how: str = "well", gate: str = "", component: str = "odd") -> Node:
    return Node(id, component, {"how": how, "gate": gate})


def running(run: RunFolder) -> set[str]:
    return {node_id for node_id, state in states(run).items() if state == "running"}


def open_gate(engine: ToyEngine, name: str) -> None:
    (engine.base / name).touch()


def test_a_pipeline_runs_in_order_and_publishes_whole_outputs(engine):
    run = engine.run(SUM)
    assert run.state() is RunState.COMPLETED
    assert value(run, "sum", "sum") == "9.0"
    assert value(run, "words", "text") == "the number 9"
    assert engine.history("words") == [
        NodeState.WAITING,
        NodeState.RUNNING,
        NodeState.COMPLETED,
    ]
    facts = run.states()["sum"]
    assert facts.started is not None
    assert run.states()["three"].ended <= facts.started <= facts.ended
    assert engine.store.is_whole(facts.outputs["sum"].object)


def test_links_in_a_node_folder_stay_right_when_the_workspace_moves(engine, tmp_path_factory):
    run = engine.run(SUM)
    moved = tmp_path_factory.mktemp("elsewhere") / "workspace"
    engine.workspace.root.rename(moved)
    text = moved / "runs" / run.id / "nodes" / "words" / "outputs" / "text" / "value.txt"
    assert text.read_text(encoding="utf-8") == "the number 9"


def test_the_second_run_starts_no_worker_and_names_who_made_the_results(engine):
    first = engine.run(SUM)
    engine.target.started.clear()
    second = engine.run(SUM)
    assert engine.target.started == []
    assert set(states(second).values()) == {"cached"}
    assert second.states()["sum"].made_by == (first.id, "sum")
    assert second.states()["sum"].outputs == first.states()["sum"].outputs
    assert value(second, "words", "text") == "the number 9"


def test_a_changed_parameter_does_only_what_depends_on_it(engine):
    engine.run(SUM)
    changed = pipeline(
        *(node if node.id != "sum" else Node("sum", "add", {"plus": 5}) for node in SUM.nodes),
        edges=("three.value > sum.left", "two.value > sum.right", "sum.sum > words.number"),
    )
    run = engine.run(changed)
    assert states(run) == {
        "three": "cached",
        "two": "cached",
        "sum": "completed",
        "words": "completed",
    }


def test_a_result_that_comes_out_the_same_saves_what_comes_after_it(engine):
    # 3 + 2 + 4 and 3 + 6 + 0 are both 9.0, byte for byte.
    engine.run(SUM)
    other = pipeline(
        Node("a", "number", {"value": 3.0}),
        Node("b", "number", {"value": 6.0}),
        Node("sum", "add"),
        Node("words", "spell"),
        edges=("a.value > sum.left", "b.value > sum.right", "sum.sum > words.number"),
    )
    assert states(engine.run(other)) == {
        "a": "cached",
        "b": "completed",
        "sum": "completed",
        "words": "cached",
    }


def test_a_failed_branch_does_not_stop_another_and_is_named_as_the_cause(engine):
    nodes = pipeline(
        Node("one", "number"),
        Node("bad", "fail", {"message": "No such thing."}),
        Node("after", "spell"),
        Node("join", "add"),
        Node("fine", "spell"),
        edges=(
            "one.value > bad.number",
            "bad.value > after.number",
            "one.value > join.left",
            "bad.value > join.right",
            "one.value > fine.number",
        ),
    )
    run = engine.run(nodes)
    assert run.state() is RunState.FAILED
    assert states(run) == {
        "one": "completed",
        "bad": "failed",
        "after": "not run",
        "join": "not run",
        "fine": "completed",
    }
    facts = run.states()
    assert (facts["after"].cause, facts["join"].cause) == ("bad", "bad")
    assert facts["bad"].error["message"] == "No such thing."
    written = json.loads((run.node_folder("bad") / ERROR_FILE).read_text(encoding="utf-8"))
    assert written == facts["bad"].error


def test_what_cannot_run_any_more_is_said_in_the_order_in_which_it_would_have_run(engine):
    steps = [f"n{number}" for number in range(20)]
    outputs = ["bad.value", *(f"{one}.sum" for one in steps)]
    engine.run(
        pipeline(
            Node("one", "number"),
            Node("bad", "fail"),
            *(Node(one, "add") for one in steps),
            edges=(
                "one.value > bad.number",
                *(f"{output} > {one}.left" for output, one in zip(outputs, steps, strict=False)),
            ),
        )
    )
    changes = (event for event in engine.events if isinstance(event, NodeChanged))
    told = [event.node_id for event in changes if event.facts.state is NodeState.NOT_RUN]
    assert told == steps


def test_what_cannot_run_any_more_is_said_before_the_rest_has_ended(engine):
    nodes = pipeline(
        Node("bad", "fail"),
        odd("slow", "gate", "go"),
        Node("join", "add"),
        edges=("bad.value > join.left", "slow.value > join.right"),
    )
    run = engine.new_run(nodes)
    with engine.executing(run, CancelToken()):
        wait_until(lambda: states(run).get("join") == "not run")
        assert states(run)["slow"] == "running"
        open_gate(engine, "go")
    assert states(run)["slow"] == "completed"


def test_independent_nodes_run_side_by_side_up_to_the_limits(engine):
    engine.target.limits = Limits(1, 1, heavy_jobs=1, light_jobs=2)
    light = [odd(f"light{number}", "gate", f"go{number}") for number in range(3)]
    heavy = [odd(f"heavy{number}", "gate", f"go{number}", "heavy_odd") for number in range(3)]
    run = engine.new_run(pipeline(*light, *heavy))
    side_by_side = [
        {"light0", "light1", "heavy0"},
        {"light1", "light2", "heavy1"},
        {"light2", "heavy2"},
    ]
    with engine.executing(run, CancelToken()):
        for number, names in enumerate(side_by_side):
            wait_until(lambda names=names: running(run) == names)
            open_gate(engine, f"go{number}")
    assert set(states(run).values()) == {"completed"}


def test_warnings_make_a_node_completed_with_warnings_here_and_from_the_cache(engine):
    nodes = pipeline(odd("odd", "warn"))
    for state in (NodeState.COMPLETED_WITH_WARNINGS, NodeState.CACHED):
        run = engine.run(nodes)
        assert run.state() is RunState.COMPLETED
        assert run.states()["odd"].state is state
        assert run.states()["odd"].warnings == ("3 pictures were left out.",)


def test_all_that_a_node_tells_is_heard_in_order_before_its_end(engine):
    engine.run(pipeline(odd("odd", "warn")))
    started = next(i for i, e in enumerate(engine.events) if _is(e, NodeState.RUNNING))
    assert engine.events[started + 1 : -1] == [
        NodeEvent("odd", Progress("Looking", 1, 2, "images")),
        NodeEvent("odd", Metric("Valid loss", 0.5, epoch=1.0, step=3)),
        NodeEvent("odd", Notice("info", "All is well.")),
        NodeEvent("odd", Notice("warning", "3 pictures were left out.")),
    ]
    assert _is(engine.events[-1], NodeState.COMPLETED_WITH_WARNINGS)


def _is(event: object, state: NodeState) -> bool:
    return isinstance(event, NodeChanged) and event.facts.state is state


def test_a_flood_of_events_is_heard_to_its_end(engine):
    engine.run(pipeline(odd("odd", "tell_much")))
    heard = [event.event.message for event in engine.events if isinstance(event, NodeEvent)]
    assert heard == [f"{number:06d}" * 100 for number in range(3_000)]


def test_a_node_that_goes_on_does_not_tell_again_what_it_told_before(engine):
    run, token = engine.new_run(pipeline(odd("odd", "gate", "go"))), CancelToken()
    told = NodeEvent("odd", Notice("info", "waiting for go"))
    with engine.executing(run, token):
        wait_until(lambda: told in engine.events)
        token.set("Ctrl+C")
    open_gate(engine, "go")
    engine.execute(run)
    assert engine.events.count(told) == 2, "once in each execution"


def test_what_a_running_node_tells_is_heard_while_it_runs(engine):
    run = engine.new_run(pipeline(odd("odd", "gate", "go")))
    with engine.executing(run, CancelToken()):
        wait_until(lambda: NodeEvent("odd", Notice("info", "waiting for go")) in engine.events)
        assert states(run)["odd"] == "running"
        open_gate(engine, "go")


@pytest.mark.parametrize(
    ("how", "name", "text"),
    [
        ("leave", "LibraryError", "called sys.exit(3)"),
        ("warn_and_fail", "LibraryError", "ZeroDivisionError: after the warning"),
        ("hungry", "ModuleOutOfMemoryError", "not enough memory"),
        ("nothing", "FailedToWriteOutputsError", "odd ended without publishing value"),
        ("stopped", "RunInterruptedError", "Stopped by nobody"),
    ],
)
def test_whatever_a_component_does_wrong_is_a_failed_node(engine, how, name, text):
    run = engine.run(pipeline(odd("odd", how)))
    facts = run.states()["odd"]
    assert (facts.state, facts.error["type"]) == (NodeState.FAILED, name)
    assert text in facts.error["message"]
    assert (run.node_folder("odd") / ERROR_FILE).is_file()
    assert facts.outputs == {}


def test_an_error_of_the_fingerprint_is_a_failed_node_and_no_worker_is_started(engine):
    nodes = pipeline(
        Node("file", "read", {"path": "gone.txt"}),
        Node("words", "spell"),
        edges=("file.value > words.number",),
    )
    run = engine.run(nodes)
    assert engine.target.started == []
    assert states(run) == {"file": "failed", "words": "not run"}
    assert run.states()["file"].error["message"].endswith("gone.txt is missing.")
    assert (run.node_folder("file") / ERROR_FILE).is_file()


def test_a_change_outside_the_pipeline_does_what_depends_on_it_again(engine):
    nodes = pipeline(
        Node("file", "read", {"path": "n.txt"}),
        Node("words", "spell"),
        edges=("file.value > words.number",),
    )
    (engine.base / "n.txt").write_text("3", encoding="utf-8")
    engine.run(nodes)
    assert set(states(engine.run(nodes)).values()) == {"cached"}
    (engine.base / "n.txt").write_text("4", encoding="utf-8")
    run = engine.run(nodes)
    assert set(states(run).values()) == {"completed"}
    assert value(run, "words", "text") == "the number 4"


def test_a_target_that_starts_no_job_is_a_failed_node(engine, monkeypatch):
    def refuse(folder, work, *, lock):
        raise EnvironmentUnsuitableError("No more processes.", reason="no-process")

    monkeypatch.setattr(engine.target, "start", refuse)
    run = engine.run(SUM)
    assert states(run)["three"] == "failed"
    assert run.states()["three"].error["message"] == "No more processes."
    assert not is_locked(engine.workspace.work_lock(run.states()["three"].key or "none"))


def test_a_target_that_cannot_say_is_waited_for_and_says_why_once(engine, monkeypatch):
    answers = [JobStatus("unknown", note="The queue does not answer.")] * 3
    known = engine.target.status
    monkeypatch.setattr(
        engine.target, "status", lambda folder: answers.pop() if answers else known(folder)
    )
    run = engine.run(pipeline(Node("one", "number")))
    assert states(run) == {"one": "completed"}
    changes = [event.facts for event in engine.events if isinstance(event, NodeChanged)]
    told = [facts for facts in changes if facts.message == "The queue does not answer."]
    assert [facts.wait for facts in told] == [Wait(kind="target")]


def test_only_what_is_wanted_is_done(engine):
    run = engine.run(SUM, only=("sum",))
    assert states(run) == {"three": "completed", "two": "completed", "sum": "completed"}


def test_twins_in_one_run_are_made_once(engine):
    run = engine.run(pipeline(Node("a", "number"), Node("b", "number")))
    assert len(engine.target.started) == 1
    assert sorted(states(run).values()) == ["cached", "completed"]
    (cached,) = (f for f in run.states().values() if f.state is NodeState.CACHED)
    assert cached.made_by == (run.id, engine.target.started[0])


def test_two_runs_at_the_same_time_make_a_node_once(engine):
    nodes = pipeline(odd("odd", "gate", "go"))
    first, second = engine.new_run(nodes), engine.new_run(nodes)
    with engine.executing(first, CancelToken()):
        wait_until(lambda: states(first).get("odd") == "running")
        with engine.executing(second, CancelToken()):
            wait_until(lambda: states(second).get("odd") == "running")
            assert second.states()["odd"].message == (
                f"waiting for node odd of run {first.id}, which makes the same"
            )
            open_gate(engine, "go")
    assert states(first) == {"odd": "completed"}
    assert states(second) == {"odd": "cached"}
    assert second.states()["odd"].made_by == (first.id, "odd")
    assert engine.target.started == ["odd"]


def test_who_waited_for_another_run_that_failed_makes_the_result_itself(engine):
    nodes = pipeline(odd("odd", "well"))
    key = engine.run(nodes).states()["odd"].key
    engine.store.forget(key)
    lock = try_lock(engine.workspace.work_lock(key), "node x of run y")
    run = engine.new_run(nodes)
    with engine.executing(run, CancelToken()):
        wait_until(lambda: "node x of run y" in run.states()["odd"].message if states(run) else 0)
        release(lock)
    assert states(run) == {"odd": "completed"}


def test_who_waited_for_another_run_then_waits_for_a_slot(engine):
    engine.target.limits = Limits(1, 1, heavy_jobs=1, light_jobs=1)
    key = engine.run(pipeline(odd("odd"))).states()["odd"].key
    engine.store.forget(key)
    engine.target.started.clear()
    lock = try_lock(engine.workspace.work_lock(key), "node x of run y")
    run = engine.new_run(pipeline(odd("odd"), odd("busy", "gate", "go")))
    with engine.executing(run, CancelToken()):
        wait_until(lambda: running(run) == {"odd", "busy"})
        release(lock)
        wait_until(lambda: running(run) == {"busy"})
        assert states(run)["odd"] == "waiting"
        open_gate(engine, "go")
    assert engine.target.started == ["busy", "odd"]
    assert states(run) == {"odd": "completed", "busy": "completed"}


def test_fresh_makes_a_node_anew_from_an_empty_scratch(engine):
    open_gate(engine, "go")
    nodes = pipeline(odd("odd", "gate", "go"))
    first = engine.run(nodes)
    scratch = engine.workspace.work_scratch(first.states()["odd"].key)
    scratch.mkdir(parents=True)
    (scratch / "began").write_text("xxxx", encoding="utf-8")
    run = engine.run(nodes, fresh=("odd",))
    assert states(run) == {"odd": "completed"}
    assert value(run, "odd", "value") == "1"


def test_a_fresh_node_that_was_stopped_goes_on_from_the_scratch_it_began(engine):
    nodes = pipeline(odd("odd", "gate", "go"))
    open_gate(engine, "go")
    engine.run(nodes)
    (engine.base / "go").unlink()
    run, token = engine.new_run(nodes, fresh=("odd",)), CancelToken()
    with engine.executing(run, token):
        wait_until(lambda: any(isinstance(event, NodeEvent) for event in engine.events[-1:]))
        token.set("Ctrl+C")
    open_gate(engine, "go")
    assert engine.execute(run) is RunState.COMPLETED
    assert states(run) == {"odd": "completed"}
    assert value(run, "odd", "value") == "2"


def test_a_fresh_node_is_made_anew_once_although_its_run_was_started_twice(engine):
    nodes = pipeline(odd("odd"))
    first = engine.run(nodes)
    run = engine.run(nodes, fresh=("odd",))
    run.append_node("odd", first.states()["odd"].model_copy(update={"state": NodeState.FAILED}))
    engine.target.started.clear()
    assert engine.execute(run) is RunState.COMPLETED
    assert (engine.target.started, states(run)) == ([], {"odd": "completed"})


def test_an_object_damaged_on_disk_is_made_again(engine):
    first = engine.run(SUM)
    damaged = engine.store.path(first.states()["sum"].outputs["sum"].object)
    (damaged / "value.txt").write_text("9", encoding="utf-8")
    run = engine.run(SUM)
    assert states(run)["sum"] == "completed"
    assert value(run, "sum", "sum") == "9.0"


def test_damage_that_sizes_do_not_tell_is_found_when_a_node_fails_and_mended(engine):
    def run_checking(task):
        verify_directory(task.inputs["after"], InvalidDatasetError)
        return run_odd(task)

    checking = dataclasses.replace(engine.components.get("odd"), name="checking", run=run_checking)
    engine.components.declare("checking", checking)
    first = engine.run(pipeline(Node("one", "number")))
    damaged = engine.store.path(first.states()["one"].outputs["value"].object)
    (damaged / "value.txt").write_text("9.0", encoding="utf-8")
    nodes = pipeline(
        Node("one", "number"), Node("two", "checking"), edges=("one.value > two.after",)
    )
    run = engine.run(nodes)
    assert states(run) == {"one": "cached", "two": "failed"}
    (told,) = (event for event in engine.events if isinstance(event, RunNotice))
    assert "Input 'after' of node 'two' had been damaged on disk" in told.notice.message
    assert engine.execute(run) is RunState.COMPLETED
    assert value(run, "one", "value") == "1.0"


def test_a_second_execution_of_a_run_is_refused_while_one_is_going_on(engine, monkeypatch):
    monkeypatch.setattr("imageloom.pipeline.run.execute.LOOKED_AT_S", 0.0)
    run = engine.new_run(pipeline(odd("odd", "gate", "go")))
    with engine.executing(run, CancelToken()):
        wait_until(lambda: states(run).get("odd") == "running")
        with pytest.raises(OutputInUseError, match=f"process {os.getpid()}"):
            engine.execute(run)
        open_gate(engine, "go")


def test_a_failed_run_goes_on_with_what_failed(engine):
    nodes = pipeline(
        Node("one", "number"),
        Node("file", "read", {"path": "n.txt"}),
        Node("sum", "add"),
        edges=("one.value > sum.left", "file.value > sum.right"),
    )
    run = engine.run(nodes)
    assert states(run) == {"one": "completed", "file": "failed", "sum": "not run"}
    (engine.base / "n.txt").write_text("3", encoding="utf-8")
    assert engine.execute(run) is RunState.COMPLETED
    assert states(run) == {"one": "completed", "file": "completed", "sum": "completed"}
    assert engine.target.started == ["one", "file", "sum"]
    assert not (run.node_folder("file") / ERROR_FILE).exists()


def test_a_completed_run_that_is_started_again_does_nothing(engine):
    run = engine.run(SUM)
    engine.target.started.clear()
    before = run.states()
    assert engine.execute(run) is RunState.COMPLETED
    assert engine.target.started == []
    assert run.states() == before


def test_a_run_that_goes_on_makes_damaged_outputs_again_and_says_so(engine):
    run = engine.run(SUM)
    damaged = engine.store.path(run.states()["sum"].outputs["sum"].object)
    (damaged / "value.txt").unlink()
    engine.events.clear()
    assert engine.execute(run) is RunState.COMPLETED
    (told,) = (event for event in engine.events if isinstance(event, RunNotice))
    assert "Output 'sum' of node 'sum' is damaged or gone" in told.notice.message
    assert value(run, "sum", "sum") == "9.0"


def test_a_run_keeps_its_parameters_when_a_default_changes(engine):
    run = engine.run(pipeline(Node("one", "number")))
    recorded = run.record().resolved["one"]
    changed = recorded.model_copy(update={"params": {**recorded.params, "value": 7.0}})
    record = run.record().model_copy(update={"resolved": {"one": changed}, "id": "later"})
    later = engine.workspace.run("later")
    later.create(record)
    engine.execute(later)
    assert value(later, "one", "value") == "7.0"


@pytest.mark.slow
def test_a_thousand_cached_nodes_need_no_worker(engine):
    def words_for(numbers: int):
        return pipeline(
            *(Node(f"n{i}", "number", {"value": float(i % 10)}) for i in range(numbers)),
            *(Node(f"w{i}", "spell") for i in range(numbers)),
            edges=tuple(f"n{i}.value > w{i}.number" for i in range(numbers)),
        )

    engine.run(words_for(10))
    run = engine.new_run(words_for(500))
    before = len(engine.target.started)
    engine.execute(run)
    assert set(states(run).values()) == {"cached"}
    assert len(engine.target.started) == before
