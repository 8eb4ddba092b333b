"""A studio that was started before something changed."""

import pytest

from imageloom.pipeline.run_record import NodeFacts
from imageloom.server.upkeep import look_once, tidy_once
from imageloom.spec.node_state import NodeState, RunState

from .made_run import made_run


@pytest.fixture
def targets(tmp_path, monkeypatch):
    """The person's file of targets, which is empty at first."""
    file = tmp_path / "targets.toml"
    file.touch()
    monkeypatch.setenv("IMAGELOOM_TARGETS", str(file))
    return file


def test_a_target_that_was_added_is_there_after_the_next_look(targets, studio, page):
    def names():
        return [one["name"] for one in page.get("/api/targets").json()]

    assert "lab" not in names()
    targets.write_text('[lab]\nkind = "machines"\n')
    assert "lab" not in names()
    look_once(studio.engine)
    assert "lab" in names()


def test_a_run_whose_process_was_lost_is_told_with_its_nodes_after_the_next_look(studio, page):
    run = made_run(studio)
    run.append_run(RunState.RUNNING)
    run.append_node("a", NodeFacts(state=NodeState.WAITING, time=3.0, message="waiting for you"))
    look_once(studio.engine)
    detail = page.get(f"/api/runs/{run.id}").json()
    assert detail["state"] == "interrupted"
    assert run.states()["a"].state is not NodeState.RUNNING


def test_what_cannot_be_tidied_up_is_tried_again_the_next_time(studio, tmp_path, caplog):
    folder = tmp_path / "home" / "studio" / "thumbnails"
    folder.parent.mkdir(parents=True)
    folder.touch()  # no folder: it cannot be read
    tidy_once(studio)
    assert "Could not tidy up" in caplog.text
    folder.unlink()
    caplog.clear()
    tidy_once(studio)
    assert caplog.text == ""
