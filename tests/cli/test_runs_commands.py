"""``imageloom runs``: list, show, logs, compare, delete and cancel."""

import csv
import json
import math
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from imageloom.cli import screen
from imageloom.cli.root import run
from imageloom.cli.runs.compare import _figures
from imageloom.cli.tails import Tail, printable_lines
from imageloom.errors import CannotResumeError
from imageloom.events import Metric
from imageloom.files.event_lines import EventWriter
from imageloom.files.series.names import SeriesName
from imageloom.files.series.writer import SeriesWriter
from imageloom.pipeline.run_record import NodeFacts, Wait
from imageloom.pipeline.workspace import Workspace
from imageloom.run_report.evaluation_figures import EvaluationFigures
from imageloom.settings import read_settings
from imageloom.spec.job import EVENTS_FILE, JOB_FILE, LOG_FILE
from imageloom.spec.node_state import NodeState, RunState

pytestmark = pytest.mark.usefixtures("toys", "workspace")


def output_of(capsys, *words: str, code: int = 0) -> str:
    capsys.readouterr()
    assert run(list(words)) == code
    return capsys.readouterr().out


def json_of(capsys, *words: str, code: int = 0) -> dict:
    return json.loads(output_of(capsys, *words, "--json", code=code))


@pytest.fixture
def two_runs(write, capsys) -> tuple[str, str]:
    """A run that completed, and one of the same pipeline with other values."""
    path = write(
        ["a.value -> add.left", "add.sum -> spell.number"], a="number", add="add", spell="spell"
    )
    first = json_of(capsys, "run", path)["run"]
    second = json_of(capsys, "run", path, "--set", "add.plus=5", "--only", "add")["run"]
    return first, second


def test_the_list_is_empty_at_first_and_says_how_to_begin(capsys):
    text = output_of(capsys, "runs", "list")
    assert "none in" in text
    assert "imageloom run pipeline.json" in text


def test_a_narrow_list_keeps_ids_and_states_whole(two_runs, write, capsys, monkeypatch):
    failed = json_of(capsys, "run", write(name="Bad toys", explode="fail"), code=1)["run"]
    monkeypatch.setattr(screen, "_WIDTH_OF_A_FILE", 52)
    text = output_of(capsys, "runs", "list")
    for run_id, state in ((failed, "failed"), (two_runs[0], "completed")):
        assert any(line.split()[:2] == [run_id, state] for line in text.splitlines())
    assert "Bad toys:" in text
    assert max(map(len, text.splitlines())) <= 52


def test_the_list_has_the_newest_first_with_state_and_what_is_done(two_runs, write, capsys):
    first, second = two_runs
    failed = json_of(capsys, "run", write(name="Bad toys", explode="fail"), code=1)["run"]
    lines = output_of(capsys, "runs", "list").splitlines()
    assert [line.split()[0] for line in lines[2:5]] == sorted((first, second, failed))[::-1]
    row = next(line for line in lines if line.startswith(failed))
    for words in ("failed", "0/1", "Bad toys", "explode: It failed."):
        assert words in row
    assert "completed" in next(line for line in lines if line.startswith(first))
    assert lines[-1].startswith("Next     imageloom runs show ")


def test_the_list_has_the_beginning_of_a_long_failure_and_show_has_all(write, capsys, monkeypatch):
    monkeypatch.setattr(screen, "_WIDTH_OF_A_FILE", 250)
    failed = write(explode="fail")
    long = "The pictures are gone. " + "They lay in a folder far away. " * 20 + "Last words."
    assert run(["run", failed, "--set", f"explode.message={long}"]) == 1
    row = next(line for line in output_of(capsys, "runs", "list").splitlines() if "gone" in line)
    assert row.rstrip().endswith(" ...")
    assert len(row[row.index("explode:") :].rstrip()) <= 120
    assert "Last words." in output_of(capsys, "runs", "show", "last")


def test_the_list_can_be_cut_and_filtered(two_runs, write, capsys):
    assert run(["run", write(name="Bad toys", explode="fail")]) == 1
    assert len(json_of(capsys, "runs", "list", "--limit", "1")["runs"]) == 1
    assert json_of(capsys, "runs", "list", "--limit", "1")["more"] is True
    (found,) = json_of(capsys, "runs", "list", "bad", "--state", "failed")["runs"]
    assert (found["name"], found["state"]) == ("Bad toys", "failed")


def test_the_list_can_be_sorted_and_turned_round(two_runs, write, capsys):
    json_of(capsys, "run", write(name="Bad toys", explode="fail"), code=1)
    listed = {
        order: [one["name"] for one in json_of(capsys, "runs", "list", *order.split())["runs"]]
        for order in ("--sort name", "--sort name --reverse", "--reverse", "--sort state")
    }
    names = [one["name"] for one in json_of(capsys, "runs", "list")["runs"]]
    assert names[0] == "Bad toys"
    assert listed["--sort name"] == sorted(names)
    assert listed["--sort name --reverse"] == sorted(names)[::-1]
    assert listed["--reverse"] == names[::-1]
    assert listed["--sort state"][2] == "Bad toys"


def test_show_repeats_the_end_of_a_run_and_tells_failures(write, capsys):
    run_id = json_of(capsys, "run", write(explode="fail"), code=1)["run"]
    text = output_of(capsys, "runs", "show", "last")
    assert f"Run      {run_id} failed, 0 of 1 node done" in text
    assert "explode: InvalidDatasetError (0018)\n  It failed.\n  Remove this node." in text
    assert text.endswith(f"Resume   imageloom run --resume {run_id}\n")


def test_show_says_who_asked_for_a_run(two_runs, workspace, capsys):
    asked_by = json_of(capsys, "runs", "show", "last")["asked_by"]
    assert f"Asked by {asked_by}\n" in output_of(capsys, "runs", "show", "last")
    old = Workspace(workspace).run(two_runs[1]).record_file
    content = json.loads(old.read_text(encoding="utf-8")) | {"format_version": 1}
    assert content.pop("asked_by") == asked_by != ""
    old.write_text(json.dumps(content), encoding="utf-8")
    assert "Asked by" not in output_of(capsys, "runs", "show", "last")


def test_show_of_a_node_has_its_values_and_its_places(two_runs, workspace, capsys):
    _, second = two_runs
    text = output_of(capsys, "runs", "show", second, "add")
    assert "plus 5" in [" ".join(line.split()) for line in text.splitlines()]
    folder = workspace / "runs" / second / "nodes" / "add"
    assert f"Output   {folder / 'outputs/sum'}" in text
    content = json_of(capsys, "runs", "show", second, "add")
    assert (content["component"], content["params"]["plus"]) == ("add", 5)
    assert content["facts"]["state"] == "completed"


def test_a_node_that_the_run_does_not_have_is_named_with_those_it_has(two_runs, capsys):
    for words in (["runs", "show", two_runs[1], "spell"], ["runs", "logs", two_runs[1], "spell"]):
        assert run(words) == 1
        text = capsys.readouterr().err
        assert text.startswith("NoSuchRunError (RUN-005)")
        assert "It has: a, add." in text


@pytest.mark.parametrize(
    "words", [("show",), ("logs",), ("compare", "last"), ("cancel",), ("delete",)]
)
def test_a_run_of_train_is_told_as_such_with_what_there_is_for_it(
    words, two_runs, workspace, tmp_path, monkeypatch, capsys
):
    training = tmp_path / "my run"
    training.mkdir()
    (training / "run.json").write_text("{}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(["runs", *words, "my run"]) == 1
    text = capsys.readouterr().err
    assert "'my run' is a run of 'imageloom train', but here runs of pipelines" in text
    assert "imageloom evaluate 'my run/validation_scores.parquet' OTHER/" in text
    assert all((workspace / "runs" / one / "run.json").is_file() for one in two_runs)


def write_log(workspace, run_id: str, node: str, text: str) -> None:
    log = workspace / "runs" / run_id / "nodes" / node / LOG_FILE
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(text, encoding="utf-8")


def test_logs_of_all_nodes_stand_below_each_other_and_those_of_cached_ones_are_found(
    two_runs, workspace, capsys
):
    first, second = two_runs
    write_log(workspace, first, "a", "made\x1b[2J a\n\tindented\n")
    write_log(workspace, second, "add", "added\n")
    assert output_of(capsys, "runs", "logs", second) == (
        f"== a  from run {first}\nmade\\x1b[2J a\n        indented\n== add\nadded\n"
    )
    assert output_of(capsys, "runs", "logs", second, "add") == "added\n"
    made_by_the_first = workspace / "runs" / first / "nodes" / "a" / LOG_FILE
    shown = json_of(capsys, "runs", "show", second)
    assert shown["nodes"]["a"]["log"] == str(made_by_the_first)
    content = json_of(capsys, "runs", "logs", second)
    assert content["logs"]["add"]["text"] == "added\n"
    assert content["logs"]["a"]["path"].endswith(f"{first}/nodes/a/{LOG_FILE}")


def test_lines_are_found_in_the_logs_of_nodes_with_their_places(two_runs, workspace, capsys):
    first, second = two_runs
    log = Path(workspace) / "runs" / first / "nodes" / "a" / LOG_FILE
    log.parent.mkdir()
    log.write_text("one\nTwo \x1b[2J\n", encoding="utf-8")
    assert output_of(capsys, "runs", "logs", second, "--search", "two") == (
        f"== a  {log}\n      2  Two \\x1b[2J\n"
    )
    (found,) = json_of(capsys, "runs", "logs", second, "a", "--search", "TWO")["found"]
    assert (found["line"], found["offset"], found["path"]) == (2, 4, str(log))
    assert output_of(capsys, "runs", "logs", second, "a", "--tail", "1") == "Two \\x1b[2J\n"


def test_following_a_run_that_has_ended_shows_its_logs_and_leaves(two_runs, workspace, capsys):
    write_log(workspace, two_runs[1], "add", "one\ntwo\n")
    assert output_of(capsys, "runs", "logs", two_runs[1], "--follow") == "add: one\nadd: two\n"
    assert run(["runs", "logs", two_runs[1], "--follow", "--json"]) == 2


def test_logs_of_ranks_are_joined_while_they_train_and_when_they_have(two_runs, workspace, capsys):
    run_id = two_runs[1]
    node = workspace / "runs" / run_id / "nodes" / "add"
    write_log(workspace, run_id, "add", "2026-11-23 08:00:00,000 INFO Starting 2 ranks.\n")
    key = json.loads((node / JOB_FILE).read_text(encoding="utf-8"))["key"]
    training = Workspace(workspace).work_scratch(key) / "run" / "logs"
    ranks = (
        "2026-11-23 08:00:02,000 INFO zero\n",
        "2026-11-23 08:00:01,000 ERROR one\nTraceback\n",
    )
    training.mkdir(parents=True)
    for rank, text in enumerate(ranks):
        (training / f"70_driver_log_{rank}.txt").write_text(text, encoding="utf-8")
    (training / "70_mpi_log.txt").write_text("the same as the worker's", encoding="utf-8")
    expected = (
        "worker:   2026-11-23 08:00:00,000 INFO Starting 2 ranks.\n"
        "rank 1:   2026-11-23 08:00:01,000 ERROR one\n"
        "rank 1:   Traceback\n"
        "rank 0:   2026-11-23 08:00:02,000 INFO zero\n"
    )
    assert output_of(capsys, "runs", "logs", run_id, "add") == expected
    shutil.rmtree(training)  # the component keeps copies beside the worker's log
    (node / "logs" / "70_driver_log_1.txt").write_text(ranks[1], encoding="utf-8")
    (node / "train.log").write_text(ranks[0], encoding="utf-8")
    assert output_of(capsys, "runs", "logs", run_id, "add", "--follow") == expected
    assert json_of(capsys, "runs", "logs", run_id)["logs"]["add"]["text"] == expected


@pytest.fixture
def curves(two_runs, workspace):
    """Curves of two processes in the node ``add`` of the second run."""
    loss, unset = SeriesName("Train loss", "nats", "step"), SeriesName("Valid loss", "", "epoch")
    folder = workspace / "runs" / two_runs[1] / "nodes" / "add" / "series"
    for rank in (0, 1):
        with SeriesWriter(folder, [loss, unset], rank=rank, error=CannotResumeError) as writer:
            for step, value in enumerate((0.5, 0.125, 9.25, math.nan)[: 4 - rank], start=1):
                writer.append({loss: value}, step=step, epoch=step / 4)
    return two_runs[1]


def test_curves_of_a_node_are_shown_with_their_ends(curves, capsys):
    lines = output_of(capsys, "runs", "series", curves, "add").splitlines()
    found = [line.split() for line in lines if line.startswith("Train loss")]
    assert found == [
        ["Train", "loss", "step", "0", "4", "nan", "0.125", "9.25", "nats"],
        ["Train", "loss", "step", "1", "3", "9.25", "0.125", "9.25", "nats"],
    ]
    content = json_of(capsys, "runs", "series", curves, "add")["series"]
    ends = [(one["name"], one["num_rows"], one["last"], one["min"], one["max"]) for one in content]
    assert ends == [
        ("Train loss", 4, None, 0.125, 9.25),
        ("Valid loss", 0, None, None, None),
        ("Train loss", 3, 9.25, 0.125, 9.25),
        ("Valid loss", 0, None, None, None),
    ]


def test_curves_of_a_node_come_as_csv_with_every_row(curves, capsys):
    text = output_of(capsys, "runs", "series", curves, "add", "--csv")
    rows = list(csv.DictReader(text.splitlines()))
    assert [(one["rank"], one["step"], one["value"]) for one in rows] == [
        ("0", "1", "0.5"),
        ("0", "2", "0.125"),
        ("0", "3", "9.25"),
        ("0", "4", "nan"),
        ("1", "1", "0.5"),
        ("1", "2", "0.125"),
        ("1", "3", "9.25"),
    ]
    assert {one["epoch"] for one in rows} == {"0.25", "0.5", "0.75", "1.0"}
    assert run(["runs", "series", curves, "add", "--csv", "--json"]) == 2


def test_a_node_without_curves_says_so(two_runs, capsys):
    text = output_of(capsys, "runs", "series", two_runs[1], "add")
    assert text == "Series   nothing was recorded\n"
    assert output_of(capsys, "runs", "series", two_runs[1], "nowhere", code=1) == ""


def test_of_a_worker_that_never_began_the_log_of_its_scheduler_is_shown(
    two_runs, workspace, capsys
):
    node = workspace / "runs" / two_runs[1] / "nodes" / "add"
    (node / LOG_FILE).unlink(missing_ok=True)
    (node / "logs").mkdir(exist_ok=True)
    (node / "logs" / "70_mpi_log.txt").write_text("slurmstepd: no such folder\n", encoding="utf-8")
    assert output_of(capsys, "runs", "logs", two_runs[1], "add") == "slurmstepd: no such folder\n"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs Linux's /dev/full")
def test_following_survives_a_reader_that_goes_and_names_a_full_disk(two_runs, workspace, python):
    write_log(workspace, two_runs[1], "add", "one\ntwo\n")
    words = [python, "-m", "imageloom", "runs", "logs", two_runs[1], "--follow"]
    gone, stdout = os.pipe()
    os.close(gone)
    done = subprocess.run(words, stdout=stdout, stderr=subprocess.PIPE, text=True)
    os.close(stdout)
    assert (done.returncode, done.stderr) == (0, "")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "The result could not be printed: No space left on device." in done.stderr


def test_a_tail_gives_whole_lines_once_and_survives_a_log_that_was_cut_back(tmp_path):
    log = tmp_path / "log"
    tail = Tail(log)
    assert tail.read() == []
    log.write_bytes(b"one\ntw")
    assert tail.read() == ["one"]
    log.write_bytes(b"one\ntwo\nthree\n")
    assert tail.read() == ["two", "three"]
    log.write_bytes(b"one\n")
    assert tail.read() == []
    log.write_bytes(b"one\nfour\n")
    assert tail.read() == ["four"]


def test_a_log_that_is_not_utf_8_is_shown_escaped():
    assert printable_lines(b"caf\xe9\r\x1b[1m\n") == "caf\\xe9\\x0d\\x1b[1m\n"


def test_compare_shows_what_differs_and_leaves_out_what_does_not(two_runs, workspace, capsys):
    first, second = two_runs
    for run_id, value in ((first, 0.5), (second, 0.25)):
        writer = EventWriter(workspace / "runs" / run_id / "nodes" / "add" / EVENTS_FILE)
        for epoch in (1, 2):
            writer(Metric("Valid loss", value / epoch, epoch, epoch))
        writer.close()
    text = output_of(capsys, "runs", "compare", first, second)
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert "add.plus 0 5" in rows
    assert "add: Valid loss 0.25 (epoch 2) 0.125 (epoch 2)" in rows
    assert "spell completed, 0 s" in rows  # the second run left it out
    assert not [row for row in rows if row.startswith("a.value")]
    content = json_of(capsys, "runs", "compare", first, second)
    assert {"name": "add.plus", "values": ["0", "5"]} in content["different"]
    assert content["metrics"] == [{"name": "add: Valid loss", "values": [0.25, 0.125]}]


def test_compare_takes_any_number_of_runs_and_shows_how_sure_their_figures_are(
    two_runs, workspace, capsys
):
    first, second = two_runs
    evaluation = {
        "name": "scores",
        "images": 200,
        "accuracy_interval_95": [0.84, 0.93],
        "figures": {"Overall_Accuracy": 0.89, "Macro_F1": 0.875, "Log_Loss": 0.5},
    }
    (folder,) = (workspace / "runs" / second / "nodes" / "add" / "outputs").iterdir()
    real = folder.resolve()
    folder.unlink()
    shutil.copytree(real, folder) if real.is_dir() else folder.mkdir()
    (folder / "evaluation.json").write_text(json.dumps({"evaluations": [evaluation]}))
    content = json_of(capsys, "runs", "compare", first, second, first)
    assert content["runs"] == [first, second, first]
    assert {"name": "add.plus", "values": ["0", "5", "0"]} in content["different"]
    (figures,) = content["figures"]
    assert (figures["run"], figures["node"], figures["low"]) == (second, "add", 0.84)
    text = output_of(capsys, "runs", "compare", first, second)
    assert "84.0 % to 93.0 %" in text
    (folder / "evaluation.json").write_text('{"evaluations": [{}]}')
    assert run(["runs", "compare", first, second]) == 1
    assert "does not hold the figures of an evaluation" in capsys.readouterr().err


def test_compare_of_one_run_asks_for_another(two_runs, capsys):
    assert run(["runs", "compare", two_runs[0]]) == 2
    assert "Name two runs or more." in capsys.readouterr().err


def test_compare_of_equal_runs_says_so(two_runs, capsys):
    text = output_of(capsys, "runs", "compare", two_runs[0], two_runs[0])
    assert "Same     all parameters, run settings and versions" in text


def test_an_output_that_was_cleaned_away_is_not_shown_as_if_it_were_there(two_runs, capsys):
    first, _ = two_runs
    shown = output_of(capsys, "runs", "show", first)
    assert "outputs/text" in shown
    assert "cleaned away" not in shown
    assert run(["store", "clean", "--limit", "0"]) == 0
    shown = output_of(capsys, "runs", "show", first)
    assert "outputs/text was cleaned away; a new run makes it again" in shown


def test_deleted_runs_are_gone_and_nothing_is_deleted_when_one_is_not_there(two_runs, capsys):
    first, second = two_runs
    assert run(["runs", "delete", first, "nosuch"]) == 1
    assert len(json_of(capsys, "runs", "list")["runs"]) == 2
    assert json_of(capsys, "runs", "delete", first, first[:-1])["deleted"] == [first]
    assert [one["id"] for one in json_of(capsys, "runs", "list")["runs"]] == [second]


def test_cancelling_a_run_that_has_ended_changes_nothing(two_runs, capsys):
    text = output_of(capsys, "runs", "cancel", two_runs[0])
    assert f"Run      {two_runs[0]} completed, 3 of 3 nodes done" in text
    assert "Resume" not in text


def test_a_run_that_goes_on_though_it_was_asked_to_stop_says_so(two_runs, workspace, capsys):
    run = Workspace(workspace).run(two_runs[1])
    assert json_of(capsys, "runs", "show", run.id)["is_stopping"] is False
    run.append_run(RunState.RUNNING)
    with run.execution_lock():
        run.ask_to_cancel()
        assert f"{run.id} running, asked to stop, " in output_of(capsys, "runs", "show", run.id)
        assert json_of(capsys, "runs", "show", run.id)["is_stopping"] is True


def test_a_job_on_a_target_that_is_gone_is_named_by_who_cancels(two_runs, workspace, capsys):
    left = Workspace(workspace).run(two_runs[0])
    record = json.loads(left.record_file.read_text(encoding="utf-8"))
    record["resolved"]["add"]["settings"]["target"] = "gone"
    left.record_file.write_text(json.dumps(record), encoding="utf-8")
    left.append_run(RunState.RUNNING)
    left.append_node("add", NodeFacts(state=NodeState.RUNNING, time=1.0, started=1.0, key="key"))
    error = json_of(capsys, "runs", "cancel", left.id, code=1)["error"]
    assert error["message"] == (
        f"Run {left.id} was asked to stop, but jobs that it left behind did not end: add."
    )
    assert "imageloom targets" in error["hint"]


def test_a_run_that_was_created_is_queued_until_it_is_resumed(write, capsys):
    from imageloom.app import Engine
    from imageloom.pipeline.graph.json_format import read_pipeline
    from imageloom.pipeline.run.request import Asked

    path = Path(write(a="number"))
    engine = Engine(read_settings(os.environ))
    created = engine.create(read_pipeline(path), Asked(base=path.parent))
    assert {one.name for one in created.path.iterdir()} == {"run.json"}, "nothing was started"
    (listed,) = json_of(capsys, "runs", "list", "--state", "queued")["runs"]
    assert (listed["id"], listed["state"], listed["began"]) == (created.id, "queued", None)
    shown = output_of(capsys, "runs", "show", "last")
    assert f"Run      {created.id} queued, 0 of 1 node done" in shown
    assert f"Begin    imageloom run --resume {created.id}\n" in shown
    assert json_of(capsys, "run", "--resume", created.id)["state"] == "completed"
    assert json_of(capsys, "runs", "list", "--state", "queued")["runs"] == []


def test_a_node_that_waits_for_another_run_is_shown_with_whom_it_waits_for(
    two_runs, workspace, capsys
):
    message = "waiting for run X (node 'train'), which uses the only slot"
    wait = Wait(kind="slot", run="X", node="train")
    waiting = NodeFacts(state=NodeState.WAITING, time=1.0, message=message, wait=wait)
    Workspace(workspace).run(two_runs[1]).append_node("add", waiting)
    shown = json_of(capsys, "runs", "show", "last")["nodes"]
    assert shown["add"]["message"] == message
    assert shown["add"]["waits_for"] == {
        "kind": "slot",
        "run": "X",
        "node": "train",
        "text": message,
    }
    assert shown["a"]["waits_for"] is None
    assert "waiting for run X" in output_of(capsys, "runs", "show", "last")


def test_what_was_told_of_a_run_while_nobody_watched_is_shown(two_runs, workspace, capsys):
    first, _ = two_runs
    made = Workspace(workspace).run(first).node_folder("spell") / "outputs" / "text"
    shutil.rmtree(made.resolve())
    Workspace(workspace).run(first).append_run(RunState.RUNNING)  # as if it was killed at its end
    output_of(capsys, "run", "--resume", first)
    text = "Output 'text' of node 'spell' is damaged or gone, so it is made again."
    assert f"Warning  {text}\n" in output_of(capsys, "runs", "show", first)
    (notice,) = json_of(capsys, "runs", "show", first)["run_notices"]
    assert (notice["node"], notice["level"], notice["message"]) == ("spell", "warning", text)


@pytest.mark.parametrize(
    ("micro", "title"),
    [((None,), "Accuracy"), ((0.8,), "Exact match"), ((None, 0.8), "Accuracy or exact match")],
)
def test_an_exact_match_is_not_called_accuracy(micro, title):
    figures = [
        EvaluationFigures("r", "n", "t", 9, 0.5, 0.2, 0.8, 0.7, 1.0, micro_f1=one) for one in micro
    ]
    columns = [one.header for one in _figures(figures).columns]
    assert columns[2] == title
    assert ("Mean average precision" in columns) == (0.8 in micro)
