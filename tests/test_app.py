"""An engine that lives long sees what changes on disk, and looks after lost runs when told to."""

import logging

import pytest

from imageloom import app
from imageloom.app import Engine
from imageloom.pipeline.run_record import NodeFacts
from imageloom.settings import Settings
from imageloom.spec.node_state import NodeState, RunState

from .pipeline.made_runs import make_run

LAB = '[lab]\nkind = "slurm"\n'


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path, workspace=tmp_path / "ws", targets=tmp_path / "targets.toml")


@pytest.fixture
def engine(settings) -> Engine:
    return Engine(settings)


def test_targets_and_their_limits_are_read_anew_when_their_file_changed(engine, settings):
    assert "lab" not in engine.targets
    assert "lab" not in engine.limits
    settings.targets.write_text(LAB, encoding="utf-8")
    assert "lab" not in engine.targets, "nobody told it to look"
    assert engine.refresh().targets_changed
    assert "lab" in engine.targets
    assert "lab" in engine.limits
    settings.targets.write_text(LAB + "max_nodes = 7\n", encoding="utf-8")
    assert engine.refresh().targets_changed
    assert engine.limits["lab"].nodes == 7
    settings.targets.unlink()
    assert engine.refresh().targets_changed
    assert "lab" not in engine.targets


def test_targets_stay_what_they_are_while_their_file_does(engine, settings):
    settings.targets.write_text(LAB, encoding="utf-8")
    before = engine.targets
    assert not engine.refresh().targets_changed
    assert engine.targets is before


def test_what_was_never_needed_did_not_change(engine, settings):
    settings.targets.write_text(LAB, encoding="utf-8")
    assert not engine.refresh().targets_changed


def test_limits_follow_the_machine(engine, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert engine.limits["local"].heavy_jobs == 1
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    engine.refresh()
    assert engine.limits["local"].heavy_jobs == 3


def test_extensions_that_changed_need_a_new_process(engine, tmp_path, monkeypatch):
    file = tmp_path / "extensions" / "components" / "mine.py"
    file.parent.mkdir(parents=True)
    file.write_text("", encoding="utf-8")
    monkeypatch.setenv("IMAGELOOM_EXTENSIONS", str(tmp_path / "extensions"))
    assert not engine.refresh().needs_restart
    file.write_text("# changed\n", encoding="utf-8")
    assert engine.refresh().needs_restart
    file.write_text("", encoding="utf-8")
    assert not engine.refresh().needs_restart
    file.with_name("more.txt").touch()
    assert engine.refresh().needs_restart


def test_an_index_that_went_into_memory_is_opened_again(engine, caplog):
    make_run(engine.workspace)
    engine.workspace.database.mkdir()
    caplog.set_level(logging.CRITICAL)
    assert len(engine.index.list()) == 1
    assert engine.index.is_in_memory
    engine.workspace.database.rmdir()
    engine.refresh()
    assert len(engine.index.list()) == 1
    assert not engine.index.is_in_memory
    opened = engine.index
    engine.refresh()
    assert engine.index is opened


def lost_run(engine: Engine, run_id: str = ""):
    """Return a run that was waiting for another one when its executor was killed."""
    run = make_run(engine.workspace, run_id, state=RunState.RUNNING)
    waiting = NodeFacts(state=NodeState.WAITING, time=1.0, message="waiting for run X")
    run.append_node("split", waiting)
    return run


def test_what_became_of_lost_runs_is_found_out_at_first_use_or_when_asked(engine, settings):
    run = lost_run(engine)
    server = Engine(settings, sweeps_first=False)
    assert [one.state for one in server.index.list()] == [RunState.INTERRUPTED]
    assert run.states()["split"].message == "waiting for run X"
    server.sweep()
    assert run.states()["split"].message == ""
    other = lost_run(engine, "20260101-000000-0000")
    assert len(engine.index.list()) == 2
    assert other.states()["split"].message == ""


def test_one_run_that_cannot_be_read_keeps_no_other_from_being_looked_at(engine):
    damaged = lost_run(engine, "20260101-000000-0001")
    damaged.record_file.write_text("{", encoding="utf-8")
    run = lost_run(engine, "20260101-000000-0000")
    problems = {one.id: one.problem for one in engine.index.list()}
    assert "is not valid JSON" in problems[damaged.id]
    assert run.states()["split"].message == ""


def test_a_run_that_is_deleted_while_they_are_looked_at_does_no_harm(engine, monkeypatch):
    run = lost_run(engine)
    real = app.find_truth

    def after_a_deletion(run, **named):
        run.path.rename(engine.workspace.root / "elsewhere")
        real(run, **named)

    monkeypatch.setattr(app, "find_truth", after_a_deletion)
    assert engine.index.list() == ()
    assert not run.path.exists()
