"""Slots of this machine, which the jobs of all its runs share."""

import pytest

from imageloom.cli.runs.screen import state_line
from imageloom.events import CancelToken
from imageloom.files.locks import holder, is_locked, release, try_lock
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.run import turns
from imageloom.pipeline.run.recover import find_truth
from imageloom.pipeline.run.slots import Need, SlotHolder, Slots
from imageloom.pipeline.run_record import StateLine, Wait
from imageloom.spec.node_state import NodeState, RunState
from imageloom.spec.target import Limits

from .engine import ToyEngine, pipeline, states, wait_until

HEAVY = Need("local", "heavy", 1)


@pytest.fixture
def engine(tmp_path):
    """An engine whose target has a slot for heavy jobs, and two for light ones."""
    engine = ToyEngine(tmp_path)
    share(engine, 1)
    return engine


def share(engine: ToyEngine, num_heavy: int) -> tuple:
    files = {
        "heavy": tuple(engine.base / "slots" / f"heavy-{n}.lock" for n in range(num_heavy)),
        "light": tuple(engine.base / "slots" / f"light-{n}.lock" for n in range(2)),
    }
    engine.target.limits = Limits(1, 2, heavy_jobs=num_heavy, light_jobs=2, slots=files)
    return files["heavy"]


def gated(engine: ToyEngine, name: str, component: str = "heavy_odd"):
    """Return a run whose one node, called like it, waits for the file of that name."""
    return engine.new_run(pipeline(Node(name, component, {"how": "gate", "gate": name})))


def messages(run) -> list[str]:
    lines = map(StateLine.model_validate_json, run.states_file.read_bytes().splitlines())
    return [line.facts.message for line in lines if line.facts and line.facts.message]


def is_told(run) -> bool:
    return any(facts.message for facts in run.states().values())


def test_a_second_run_waits_for_the_only_slot_names_the_first_and_runs_after_it(engine):
    first, second = gated(engine, "first"), gated(engine, "second")
    said = (
        f"waiting for run {first.id} (node 'first'), "
        "which uses the only slot for training of this machine"
    )
    with engine.executing(first, CancelToken()) as first_ends:
        wait_until(lambda: states(first).get("first") == "running")
        with engine.executing(second, CancelToken()) as second_ends:
            wait_until(lambda: is_told(second))
            facts = second.states()["second"]
            assert (facts.state, facts.message) == (NodeState.WAITING, said)
            assert facts.wait == Wait(kind="slot", run=first.id, node="first")
            assert state_line(facts).plain == said
            (engine.base / "first").touch()
            wait_until(lambda: states(second)["second"] == "running")
            assert second.states()["second"].wait is None
            assert states(first) == {"first": "completed"}
            (engine.base / "second").touch()
    assert (first_ends, second_ends) == ([RunState.COMPLETED], [RunState.COMPLETED])
    assert messages(second) == [said], "it is written once"
    assert engine.target.started == ["first", "second"]
    assert not is_locked(*share(engine, 1))


def test_a_run_that_waits_for_a_slot_can_be_cancelled(engine):
    (slot,) = share(engine, 1)
    lock = try_lock(slot, "run other (node 'train')")
    run, cancel = gated(engine, "second"), CancelToken()
    with engine.executing(run, cancel) as ends:
        wait_until(lambda: is_told(run))
        cancel.set("the test")
    release(lock)
    assert ends == [RunState.CANCELLED]
    assert (run.states()["second"].message, run.states()["second"].wait) == ("", None)


def test_light_nodes_do_not_wait_for_heavy_ones(engine):
    (slot,) = share(engine, 1)
    lock = try_lock(slot, "run other (node 'train')")
    run = engine.run(pipeline(Node("one", "number")))
    release(lock)
    assert states(run) == {"one": "completed"}


def test_who_waits_for_a_slot_for_light_nodes_is_told_the_other_run_only(engine):
    need = Need("local", "light", 1)
    mine, other = (Slots(engine.targets, run_id=name) for name in ("mine", "other"))
    with mine.held(need, "a"), mine.held(need, "b"):
        assert not other.is_free(need)
        text = "waiting for run mine, which uses one of the 2 slots for light nodes of this machine"
        assert other.waits_for(need) == SlotHolder(text, Wait(kind="slot", run="mine"))
        assert mine.waits_for(need) is None


def test_a_heavy_job_takes_a_slot_for_each_of_its_processes_or_none(engine):
    first, second = share(engine, 2)
    both = Need("local", "heavy", 2)
    slots = Slots(engine.targets, run_id="mine")
    with Slots(engine.targets, run_id="other").held(HEAVY, "train"):
        assert holder(first) == "run other (node 'train')"
        assert not slots.is_free(both)
        assert slots.is_free(HEAVY)
        with slots.held(both, "train") as held:
            assert held is None
        assert not is_locked(second)
    with slots.held(both, "train") as held:
        assert list(held) == [first, second]
    with slots.held(Need("local", "heavy", 9), "train") as held:
        assert list(held) == [first, second], "no more than there are"
    assert not is_locked(first)


def test_nobody_is_waited_for_any_more_once_the_executor_is_lost(engine):
    (slot,) = share(engine, 1)
    lock = try_lock(slot, "run other (node 'train')")
    run, cancel = gated(engine, "second"), CancelToken()
    with engine.executing(run, cancel):
        wait_until(lambda: is_told(run))
        text = run.states_file.read_bytes()
        cancel.set("the test")
    release(lock)
    run.states_file.write_bytes(text)  # as if the executor had been killed when this was written
    find_truth(run, workspace=engine.workspace, targets=engine.targets)
    facts = run.states()["second"]
    assert (facts.state, facts.message, facts.wait) == (NodeState.WAITING, "", None)


def test_who_has_many_runs_waiting_lets_somebody_else_go_first(engine, monkeypatch):
    (slot,) = share(engine, 1)
    monkeypatch.setattr(turns, "PATIENCE_S", 60.0)  # a test may be slow, and yet nobody gives up
    monkeypatch.setattr(turns, "FRESH_S", 60.0)
    lock = try_lock(slot, "run other (node 'train')")
    many = [Slots(engine.targets, run_id=f"a{number}", person="ada") for number in range(20)]
    one = Slots(engine.targets, run_id="b", person="bob")
    assert not any(slots.is_free(HEAVY) for slots in (*many, one))
    release(lock)
    order = []
    waiting = {"b": one} | {f"a{number}": slots for number, slots in enumerate(many)}
    for _ in range(3):
        # Those of ada look first, and all of them before bob does.
        wait_until(lambda: any(waiting[name].is_free(HEAVY) for name in sorted(waiting)))
        name = next(name for name in sorted(waiting) if waiting[name].is_free(HEAVY))
        with waiting.pop(name).held(HEAVY, "train") as held:
            assert held is not None
        order.append(name)
    # Nobody was served before, so the one who has waited longest is first; then it is bob's turn.
    assert order == ["a0", "b", "a1"]


def test_one_person_after_the_other_and_of_each_the_run_that_has_waited_longest(tmp_path):
    clock = [1_000.0]

    def waiting(run_id, person):
        line = turns.Turns(tmp_path, "heavy", run_id=run_id, person=person, now=lambda: clock[0])
        line.wait(1)
        clock[0] += 0.01
        return line

    lines = {name: waiting(name, name[0]) for name in ("a1", "a2", "a3", "b1", "b2", "c1")}
    order = []
    while lines:
        name = next(one for one, line in lines.items() if line.is_mine(1, lambda: 1))
        order.append(name)
        lines[name].serve()
        lines.pop(name).leave()
        clock[0] += 0.01
    assert order == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_who_wants_more_slots_than_are_free_holds_nobody_up(tmp_path):
    greedy, modest = (turns.Turns(tmp_path, "heavy", run_id=one, person=one) for one in "ab")
    greedy.wait(4)
    modest.wait(1)
    assert modest.is_mine(1, lambda: 3)
    assert not modest.is_mine(1, lambda: 4)


@pytest.mark.parametrize("seconds", [turns.PATIENCE_S + 0.1, turns.FRESH_S + 0.1])
def test_nobody_waits_long_for_who_does_not_take_the_slot(tmp_path, seconds):
    clock = [100.0]
    first, second = (
        turns.Turns(tmp_path, "heavy", run_id=one, person=one, now=lambda: clock[0]) for one in "ab"
    )
    first.wait(1)
    assert not second.is_mine(1, lambda: 1)
    clock[0] += seconds
    assert second.is_mine(1, lambda: 1)


def test_a_ticket_that_is_damaged_is_nobodys(tmp_path):
    (tmp_path / "turns").mkdir()
    for number, text in enumerate(("", "{", "[]", '{"person": 1}', "\xff")):
        (tmp_path / "turns" / f"heavy-{number}").write_text(text, encoding="latin-1")
    assert turns.Turns(tmp_path, "heavy", run_id="a", person="a").is_mine(1, lambda: 1)
