"""Nodes in the queue of a real Slurm: they outlive their executor, and are made once."""

import sys

import pytest

from imageloom.events import CancelToken
from imageloom.pipeline.graph.graph import Node
from imageloom.pipeline.run.recover import find_truth
from imageloom.pipeline.run_record import Wait
from imageloom.remote.target_file import load_targets
from imageloom.settings import Settings
from imageloom.spec.node_state import NodeState, RunState
from imageloom.targets.slurm.submission import read_submission

from .engine import ToyEngine, pipeline, states, value, wait_until
from .executor_process import start_executor, toy_extensions

pytestmark = pytest.mark.processes
HELD = pipeline(
    Node("odd", "odd", {"how": "gate", "gate": "go"}, settings={"target": "lab"}),
    Node("words", "spell"),
    edges=("odd.value > words.number",),
)


@pytest.fixture
def engine(slurm, tmp_path, monkeypatch):
    """An engine that knows a Slurm whose jobs wait until they are released."""
    file = tmp_path / "targets.toml"
    table = f'[lab]\nkind = "slurm"\nqueue = ["--hold"]\npython = "{sys.executable}"\n'
    file.write_text(table, encoding="utf-8")
    extensions = toy_extensions(tmp_path / "extensions")
    monkeypatch.setenv("IMAGELOOM_TARGETS", str(file))
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(extensions))
    engine = ToyEngine(tmp_path / "workspace")
    engine.targets = load_targets(Settings(home=tmp_path, workspace=tmp_path, targets=file))
    return engine


def job_of(run):
    return read_submission(run.node_folder("odd"))


def test_a_job_in_the_queue_outlives_its_executor_and_is_picked_up(engine, slurm, tmp_path):
    run = engine.new_run(HELD)
    executor = start_executor(run, tmp_path / "extensions")
    wait_until(lambda: states(run).get("odd") == "running" and job_of(run).id)
    executor.kill()
    executor.wait()
    find_truth(run, workspace=engine.workspace, targets=engine.targets)
    assert states(run)["odd"] == "running", "it waits, and holds no lock"
    note = f"Job {job_of(run).id} waits in the queue of target lab: JobHeldUser."
    with engine.executing(run, CancelToken()) as ends:
        wait_until(lambda: run.states()["odd"].message == note)
        assert run.states()["odd"].wait == Wait(kind="target")
        slurm.ask("scontrol", "release", job_of(run).id)
        (engine.base / "go").touch()
    assert ends == [RunState.COMPLETED]
    assert value(run, "odd", "value") == "1", "it was made once"
    assert run.states()["odd"].wait is None


def test_a_cancelled_run_takes_its_job_out_of_the_queue(engine, slurm):
    run, token = engine.new_run(HELD), CancelToken()
    with engine.executing(run, token) as ends:
        wait_until(lambda: states(run).get("odd") == "running")
        token.set("Ctrl+C")
    assert ends == [RunState.CANCELLED]
    assert run.states()["odd"].state is NodeState.CANCELLED
    assert "CANCELLED" in slurm.ask("scontrol", "show", "job", job_of(run).id)
