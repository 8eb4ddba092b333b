"""``imageloom logs``."""

import json
from types import SimpleNamespace

import pytest

from imageloom.cli import logs
from imageloom.cli.root import run
from imageloom.launch.meeting import MeetingPlace
from imageloom.publish import write_json

LAUNCHER = "2026-11-23 08:00:00,000 INFO Starting 2 ranks.\n"
RANKS = (
    "printed at the start\n2026-11-23 08:00:03,000 INFO zero\n",
    "2026-11-23 08:00:02,000 ERROR one\nTraceback\x1b[2J\n",
)
ALL = (
    "rank 0:   printed at the start\n"
    "launcher: 2026-11-23 08:00:00,000 INFO Starting 2 ranks.\n"
    "rank 1:   2026-11-23 08:00:02,000 ERROR one\n"
    "rank 1:   Traceback\\x1b[2J\n"
    "rank 0:   2026-11-23 08:00:03,000 INFO zero\n"
)


@pytest.fixture
def ended(tmp_path):
    """The folder of a run on two processes that has failed."""
    folder = tmp_path / "run"
    (folder / "logs").mkdir(parents=True)
    write_json(folder / "run.json", {"state": "failed"})
    (folder / "logs" / "70_mpi_log.txt").write_text(LAUNCHER, encoding="utf-8")
    for rank, text in enumerate(RANKS):
        (folder / "logs" / f"70_driver_log_{rank}.txt").write_text(text, encoding="utf-8")
    return folder


def output_of(capsys, *words, code=0):
    capsys.readouterr()
    assert run(["logs", *map(str, words)]) == code
    return capsys.readouterr().out


def test_all_logs_are_joined_by_time_with_the_name_of_each_process(ended, capsys):
    assert output_of(capsys, ended) == ALL
    assert output_of(capsys, ended, "--follow") == ALL
    content = json.loads(output_of(capsys, ended, "--json"))
    assert content["text"] == ALL
    assert content["logs"]["launcher"]["path"] == str(ended / "logs" / "70_mpi_log.txt")


def test_one_rank_is_shown_as_it_wrote(ended, capsys):
    expected = "2026-11-23 08:00:02,000 ERROR one\nTraceback\\x1b[2J\n"
    assert output_of(capsys, ended, "--rank", 1) == expected
    assert output_of(capsys, ended, "--rank", 1, "-f") == expected


def test_a_rank_that_wrote_nothing_is_refused_with_those_that_did(ended, capsys):
    assert run(["logs", str(ended), "--rank", "7"]) == 1
    said = capsys.readouterr().err
    assert "has no log of rank 7" in said
    assert "launcher, rank 0, rank 1" in said


def test_a_folder_that_is_no_run_is_refused(tmp_path, capsys):
    assert run(["logs", str(tmp_path)]) == 1
    assert "is not a run directory" in capsys.readouterr().err


def test_a_run_that_wrote_nothing_says_so(tmp_path, capsys):
    write_json(tmp_path / "run.json", {"state": "running"})
    assert "nothing was written" in output_of(capsys, tmp_path)


def test_following_cannot_be_joined_with_json(ended, capsys):
    assert run(["logs", str(ended), "--follow", "--json"]) == 2


def test_following_shows_what_is_written_until_the_run_ends(ended, capsys, monkeypatch):
    write_json(ended / "run.json", {"state": "running"})

    def go_on(_seconds):
        # Instead of waiting: so the run ends when all that was there has been shown.
        late = ended / "logs" / "70_driver_log_2.txt"  # of a rank that starts later
        late.write_text("2026-11-23 08:00:09,000 INFO two\n", encoding="utf-8")
        with (ended / "logs" / "70_driver_log_1.txt").open("a", encoding="utf-8") as log:
            log.write("  of one\n")
        write_json(ended / "run.json", {"state": "completed"})

    monkeypatch.setattr(logs, "time", SimpleNamespace(sleep=go_on))
    shown = output_of(capsys, ended, "--follow")
    more = "rank 1:     of one\nrank 2:   2026-11-23 08:00:09,000 INFO two\n"
    assert shown == ALL + more


def test_following_does_not_end_between_two_starts_of_the_ranks(ended, capsys, monkeypatch):
    led = [True, True, False]
    looks = []
    monkeypatch.setattr(MeetingPlace, "is_led", property(lambda _: looks.append(1) or led.pop(0)))
    assert output_of(capsys, ended, "--follow") == ALL
    assert len(looks) == 3, "it looked on while somebody led"
