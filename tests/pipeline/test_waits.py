"""What a node waits for, and what a person should see of a run, stands in its files."""

import pytest

from imageloom.errors import FailedToWriteOutputsError
from imageloom.events import CancelToken, Notice
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.run.changes import read_changes
from imageloom.pipeline.run.events import RunNotice
from imageloom.pipeline.run.notices import keeping_notices
from imageloom.pipeline.run.recover import find_truth
from imageloom.pipeline.run_folder import RunFolder
from imageloom.pipeline.run_record import NodeFacts, Wait
from imageloom.spec.node_state import NodeState, RunState
from imageloom.spec.target import JobStatus

from .engine import ThreadTarget, ToyEngine, pipeline, states, wait_until
from .made_runs import make_run

QUEUED = "Job 7 waits in the queue of target lab: Priority."
GATED = pipeline(Node("odd", "odd", {"how": "gate", "gate": "go"}))
WARNING = RunNotice(Notice("warning", "An input is damaged."), "train")


class TellingTarget(ThreadTarget):
    """A target that says something of a job that has not ended."""

    note = QUEUED

    def status(self, folder):
        status = super().status(folder)
        return JobStatus("running", note=self.note) if status.state == "running" else status


@pytest.fixture
def engine(tmp_path):
    return ToyEngine(tmp_path)


@pytest.fixture
def telling(engine, monkeypatch) -> TellingTarget:
    target = TellingTarget(engine.components)
    monkeypatch.setattr(engine.targets, "_items", {"local": target})
    return target


def waits(run: RunFolder, node: str = "odd") -> list[tuple[str, Wait | None]]:
    """Return what the file of states says of a node that runs, in order."""
    lines = (one.line for one in read_changes(run, 0).changes)
    return [
        (line.facts.message, line.facts.wait)
        for line in lines
        if line.facts and line.node == node and line.facts.state is NodeState.RUNNING
    ]


def test_what_a_target_says_of_a_job_is_written_once_and_taken_back_when_it_begins(engine, telling):
    run = engine.new_run(GATED)
    with engine.executing(run, CancelToken()):
        wait_until(lambda: states(run).get("odd") == "running" and run.states()["odd"].wait)
        assert run.states()["odd"].message == QUEUED
        assert run.states()["odd"].started is not None
        telling.note = "Job 7 waits in the queue of target lab: Resources."
        wait_until(lambda: run.states()["odd"].message == telling.note)
        telling.note = ""
        wait_until(lambda: run.states()["odd"].wait is None)
        (engine.base / "go").touch()
    target = Wait(kind="target")
    said = [QUEUED, "Job 7 waits in the queue of target lab: Resources."]
    assert waits(run) == [("", None), (said[0], target), (said[1], target), ("", None)]
    assert run.states()["odd"].state is NodeState.COMPLETED


def test_a_job_that_ends_waits_for_nothing(engine, telling):
    run = engine.new_run(GATED)
    with engine.executing(run, CancelToken()):
        wait_until(lambda: states(run).get("odd") == "running" and run.states()["odd"].wait)
        (engine.base / "go").touch()
    assert run.states()["odd"].wait is None
    assert run.states()["odd"].message == ""


def test_the_wait_of_a_job_is_looked_at_again_when_its_executor_is_gone(
    engine, telling, monkeypatch
):
    run = engine.new_run(GATED)
    with engine.executing(run, CancelToken()):
        wait_until(lambda: states(run).get("odd") == "running" and run.states()["odd"].wait)
        text = run.states_file.read_bytes()
        (engine.base / "go").touch()
    run.states_file.write_bytes(text)  # as if the executor had been killed when this was written
    monkeypatch.setattr(telling, "status", lambda _: JobStatus("running", note="Almost."))
    find_truth(run, workspace=engine.workspace, targets=engine.targets)
    assert (run.states()["odd"].message, waits(run)[-1][1]) == ("Almost.", Wait(kind="target"))
    monkeypatch.setattr(telling, "status", lambda _: JobStatus("running"))
    for _ in range(2):
        find_truth(run, workspace=engine.workspace, targets=engine.targets)
    assert [wait for _, wait in waits(run)][-2:] == [Wait(kind="target"), None], "written once"


def test_who_waits_for_a_result_that_another_run_makes_says_for_which(engine):
    first, second = engine.new_run(GATED), engine.new_run(GATED)
    with engine.executing(first, CancelToken()):
        wait_until(lambda: states(first).get("odd") == "running")
        with engine.executing(second, CancelToken()):
            wait_until(lambda: states(second).get("odd") == "running")
            facts = second.states()["odd"]
            assert facts.wait == Wait(kind="result", run=first.id, node="odd")
            assert facts.message == f"waiting for node odd of run {first.id}, which makes the same"
            (engine.base / "go").touch()
    assert second.states()["odd"].wait is None
    assert states(second) == {"odd": "cached"}


def test_lines_of_an_earlier_version_have_no_wait():
    old = '{"state":"waiting","time":1.5,"message":"waiting for run X"}'
    assert NodeFacts.model_validate_json(old).wait is None


@pytest.fixture
def run(engine):
    return make_run(engine.workspace, state=None)


def test_a_notice_is_written_with_its_node_and_passed_on(run):
    heard = []
    keeping_notices(run, heard.append)(WARNING)
    assert heard == [WARNING]
    (change,) = read_changes(run, 0).changes
    assert (change.line.node, change.line.notice) == ("train", WARNING.notice)
    assert (change.line.run, change.line.facts) == (None, None)
    assert run.states() == {}


def test_notices_are_those_since_the_run_last_went_on(run):
    run.append_run(RunState.RUNNING)
    run.append_notice(Notice("info", "before"))
    assert [one.notice.message for one in run.history().notices] == ["before"]
    run.append_run(RunState.RUNNING)
    run.append_notice(Notice("info", "now"))
    run.append_run(RunState.COMPLETED)
    run.append_notice(Notice("info", "after"))
    assert [one.notice.message for one in run.history().notices] == ["now", "after"]
    assert run.state() is RunState.COMPLETED


def test_a_full_disk_keeps_nobody_from_hearing(run, monkeypatch):
    def full(*_):
        raise FailedToWriteOutputsError("full", hint="Free space.")

    monkeypatch.setattr(RunFolder, "append_notice", full)
    heard = []
    keeping_notices(run, heard.append)(WARNING)
    assert heard == [WARNING]
