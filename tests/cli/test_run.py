"""``imageloom run``: what a person sees, what programs get, and how it ends."""

import json
import re
from pathlib import Path

import pytest

from imageloom.cli.root import run
from imageloom.events import Metric
from imageloom.files.event_lines import EventWriter
from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.job import EVENTS_FILE
from imageloom.spec.node_state import NodeState, RunState

pytestmark = pytest.mark.usefixtures("toys", "workspace")

SUM = {"a": ("number", {"value": 3}), "b": ("number", {"value": 4}), "add": "add"}
SUM_EDGES = ["a.value -> add.left", "b.value -> add.right"]


def run_json(capsys, *words: str) -> tuple[int, dict]:
    code = run([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def rows_of(text: str) -> dict[str, str]:
    """Return the rows of the table of nodes by their first cell."""
    return {line.split()[0]: line for line in text.splitlines() if line[:1].isalpha()}


def test_a_run_tells_each_change_of_a_state_and_ends_with_a_table(write, workspace, capsys):
    assert run(["run", write(SUM_EDGES, **SUM)]) == 0
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    for node in ("a  ", "b  ", "add"):
        assert f"{node}  running" in lines
        assert f"{node}  completed in 0 s" in lines
    assert lines.index("add  running") > lines.index("b    completed in 0 s")
    assert re.search(r"^add +add +completed", captured.out, re.MULTILINE)
    (folder,) = (workspace / "runs").iterdir()
    assert lines[0] == f"Run {folder.name} in {folder}", "so that it can be cancelled"
    assert f"Run      {folder.name} completed, 3 of 3 nodes done" in captured.out
    assert f"Report   {folder / 'report.html'}" in captured.out
    assert f"Output   {folder / 'nodes/add/outputs/sum'}" in captured.out
    assert (folder / "nodes/add/outputs/sum/value.txt").read_text(encoding="utf-8") == "7.0"
    assert "add" in (folder / "report.html").read_text(encoding="utf-8")


def test_the_second_run_is_answered_from_the_cache_and_names_the_first(write, capsys):
    path = write(SUM_EDGES, **SUM)
    assert run(["run", path]) == 0
    _, first = (capsys.readouterr(), run_json(capsys, "runs", "show", "last")[1])
    assert run(["run", path]) == 0
    captured = capsys.readouterr()
    assert f"add  cached from {first['run']}" in captured.err
    assert captured.out.count(f"from {first['run']}") == 3


def test_a_failed_node_is_told_with_reason_hint_and_the_command_that_goes_on(
    write, workspace, capsys
):
    edges = [
        "a.value -> explode.number",
        "explode.value -> after.number",
        "a.value -> spell.number",
    ]
    nodes = {"a": "number", "explode": "fail", "after": "spell", "spell": "spell"}
    assert run(["run", write(edges, **nodes)]) == 1
    captured = capsys.readouterr()
    (folder,) = (workspace / "runs").iterdir()
    rows = rows_of(captured.out)
    assert "failed" in rows["explode"]
    assert "InvalidDatasetError (0018)" in rows["explode"]
    assert rows["after"].rstrip().endswith("not run            because explode failed")
    assert "completed" in rows["spell"], "a branch that does not depend on it goes on"
    assert captured.err.endswith(
        "NodeFailedError (RUN-006)\n"
        "  explode: InvalidDatasetError (0018)\n"
        "    It failed.\n"
        "    Remove this node.\n"
        "  Resume the run once the cause is gone. After a change of the pipeline or "
        "of the files it reads, run it anew: what did not change is taken from the cache.\n"
        f"Resume   imageloom run --resume {folder.name}\n"
    )


def test_a_failure_as_json_is_one_object_with_all_nodes_and_the_error(write, capsys):
    edges = ["a.value -> explode.number"]
    code, content = run_json(capsys, "run", write(edges, a="number", explode="fail"))
    assert code == 1
    assert content["state"] == "failed"
    assert content["nodes"]["a"]["state"] == "completed"
    assert Path(content["nodes"]["a"]["outputs"]["value"]).is_dir()
    assert content["nodes"]["explode"]["error"]["message"] == "It failed."
    assert content["error"]["code"] == "RUN-006"
    assert content["error"]["details"]["nodes"] == ["explode"]
    assert content["error"]["resume_command"] == f"imageloom run --resume {content['run']}"


def test_what_failed_is_done_again_when_the_run_is_resumed(write, tmp_path, capsys):
    path = write(["number.value -> add.left"], number=("read", {"path": "n.txt"}), add="add")
    code, first = run_json(capsys, "run", path)
    assert (code, first["nodes"]["number"]["state"]) == (1, "failed")
    (tmp_path / "n.txt").write_text("5", encoding="utf-8")
    code, second = run_json(capsys, "run", "--resume", "last")
    assert (code, second["state"], second["run"]) == (0, "completed", first["run"])


def test_a_resumed_run_shows_earlier_epochs_so_that_best_is_best_of_all(
    write, workspace, tmp_path, capsys
):
    path = write(number=("read", {"path": "n.txt"}))
    code, first = run_json(capsys, "run", path)
    assert code == 1
    writer = EventWriter(workspace / "runs" / first["run"] / "nodes" / "number" / EVENTS_FILE)
    writer(Metric("Valid loss", 0.25, 1, 10))
    writer.close()
    (tmp_path / "n.txt").write_text("5", encoding="utf-8")
    assert run(["run", "--resume", "last"]) == 0
    epochs = [line for line in capsys.readouterr().err.splitlines() if line.endswith("best")]
    assert [line.split() for line in epochs] == [["number", "1", "-", "0.2500", *"---", "best"]]


def test_the_command_that_goes_on_names_the_workspace_when_one_was_named(write, tmp_path, capsys):
    place = tmp_path / "my place"
    assert run(["run", write(explode="fail"), "--workspace", str(place)]) == 1
    (folder,) = (place / "runs").iterdir()
    expected = f"imageloom run --resume {folder.name} --workspace '{place}'"
    assert f"Resume   {expected}\n" in capsys.readouterr().err


def test_set_changes_a_parameter_for_one_run_only(write, capsys):
    path = write(SUM_EDGES, **SUM)
    before = Path(path).read_bytes()
    code, content = run_json(capsys, "run", path, "--set", "add.plus=10", "--set", "a.value=1")
    total = Path(content["nodes"]["add"]["outputs"]["sum"]) / "value.txt"
    assert (code, total.read_text(encoding="utf-8")) == (0, "15.0")
    assert Path(path).read_bytes() == before


def test_only_leaves_out_what_comes_after(write, capsys):
    path = write([*SUM_EDGES, "add.sum -> spell.number"], **SUM, spell="spell")
    code, content = run_json(capsys, "run", path, "--only", "add")
    assert (code, set(content["nodes"])) == (0, {"a", "b", "add"})


@pytest.mark.parametrize(
    ("flag", "states"),
    [
        ("--from", {"a": "cached", "add": "completed", "spell": "completed"}),
        ("--fresh", {"a": "cached", "add": "completed", "spell": "cached"}),
    ],
)
def test_from_makes_all_after_it_anew_and_fresh_only_the_node(write, capsys, flag, states):
    edges = ["a.value -> add.left", "add.sum -> spell.number"]
    path = write(edges, a="number", add="add", spell="spell")
    assert run(["run", path]) == 0
    capsys.readouterr()
    _, content = run_json(capsys, "run", path, flag, "add")
    assert {node: facts["state"] for node, facts in content["nodes"].items()} == states


def test_an_invalid_pipeline_lists_every_problem_and_starts_nothing(write, workspace, capsys):
    path = write(["a.value -> add.right", "a.value -> add.middle"], a="nummer", add="add")
    assert run(["run", path]) == 1
    text = capsys.readouterr().err
    assert text.startswith("InvalidPipelineError (PIPE-001)\n")
    for words in ("'nummer'", "left", "middle"):
        assert words in text
    assert not (workspace / "runs").exists()


def test_b01_names_and_messages_cannot_command_the_terminal(write, capsys):
    message = {"message": "It\x1b[2J failed\rby\u202eitself."}
    assert run(["run", write(name="\x1b]0;owned\x07", explode=("fail", message))]) == 1
    captured = capsys.readouterr()
    text = captured.out + captured.err
    assert "It\\x1b[2J failed\\x0dby\\x202eitself." in text
    assert not {"\x1b", "\r", "\u202e", "\x07"} & set(text)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Missing argument 'PIPELINE', or --resume RUN"),
        (["--resume", "last", "--set", "a.value=1"], "cannot be joined with --set"),
        (["p.json", "--resume", "last"], "cannot be joined with PIPELINE"),
        (["--resume", "last", "--from", "a", "--only", "b"], "--from, --only"),
    ],
)
def test_a_command_line_that_cannot_be_understood_is_exit_2(words, message, capsys):
    assert run(["run", *words]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_file_that_is_not_there_and_a_run_that_is_not_there_have_their_errors(tmp_path, capsys):
    assert run(["run", str(tmp_path / "none.json")]) == 1
    assert capsys.readouterr().err.startswith("InvalidPipelineError (PIPE-001)")
    assert run(["run", "--resume", "20200101-000000-0000"]) == 1
    assert capsys.readouterr().err.startswith("NoSuchRunError (RUN-005)")


def test_j02_a_database_that_does_not_answer_is_told_once_and_the_run_goes_on(
    write, monkeypatch, capsys
):
    pytest.importorskip("psycopg")
    monkeypatch.setenv("IMAGELOOM_DATABASE_URL", "postgresql://nobody:pw-55120@127.0.0.1:1/none")
    code, content = run_json(capsys, "run", write(SUM_EDGES, **SUM))
    assert (code, content["state"]) == (0, "completed")
    (told,) = [one["message"] for one in content["notices"] if one["level"] == "warning"]
    assert "does not answer" in told
    assert "The run goes on" in told
    assert "pw-55120" not in told


def test_an_unknown_target_and_an_unknown_node_name_the_nearest(write, capsys):
    path = write(SUM_EDGES, **SUM)
    assert run(["run", path, "--target", "lokal"]) == 1
    assert "Did you mean local?" in capsys.readouterr().err
    assert run(["run", path, "--only", "ad"]) == 1
    assert "Did you mean add or a?" in capsys.readouterr().err


def test_a_run_that_cannot_be_written_names_the_command_that_goes_on(write, workspace, capsys):
    assert run(["run", write(a="number")]) == 0
    (folder,) = (workspace / "runs").iterdir()
    (folder / "executor.lock").unlink()
    (folder / "executor.lock").mkdir()  # as on a full disk, but without filling one
    capsys.readouterr()
    assert run(["run", "--resume", "last"]) == 1
    shown = " ".join(capsys.readouterr().err.split())
    assert "could not be written: Is a directory" in shown
    assert f"imageloom run --resume {folder.name} --workspace {workspace}" in shown
    (folder / "executor.lock").rmdir()
    assert run(["run", "--resume", "last"]) == 0


def test_a_disk_that_fills_during_a_run_names_the_command_that_goes_on(
    write, workspace, monkeypatch, capsys
):
    def full(_folder, _outputs, _store):
        raise OSError(28, "No space left on device", "outputs/value")

    # Links are made by the executor, after the worker published; no disk can be filled just then.
    monkeypatch.setattr("imageloom.pipeline.run.node_states.link_outputs", full)
    assert run(["run", write(a="number"), "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    (folder,) = (workspace / "runs").iterdir()
    assert error["message"] == "outputs/value could not be written: No space left on device."
    assert error["hint"].endswith(f"imageloom run --resume {folder.name} --workspace {workspace}")


def test_a_run_takes_no_look_at_other_runs(write, workspace, capsys):
    from pipeline.made_runs import make_run

    place = Workspace(workspace)
    lost = make_run(place, "20260101-000000-0000", state=RunState.RUNNING)
    lost.append_node("split", NodeFacts(state=NodeState.WAITING, time=1.0, message="waiting"))
    unreadable = make_run(place, "20260101-000000-0001", state=None)
    unreadable.states_file.mkdir()
    assert run(["run", write(a="number")]) == 0
    assert "Warning" not in capsys.readouterr().err
    assert lost.states()["split"].message == "waiting", "whoever lists runs looks after it"
    assert run(["runs", "list"]) == 0
    assert lost.states()["split"].message == ""
