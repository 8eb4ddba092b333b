"""``imageloom logs``."""

import json
from types import SimpleNamespace

import pytest

from imageloom.cli.root import run
from imageloom.cli.train import logs
from imageloom.files.locks import release, try_lock
from imageloom.files.publish import write_json
from imageloom.launch.cluster.rendezvous import LeaderAddress, MeetingPlace
from imageloom.launch.params import LaunchParams
from imageloom.remote import follow_training as target_training
from imageloom.remote.train_job import TrainJob
from imageloom.training.run.directory import RunDirectory

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


def test_lines_are_found_in_all_logs_with_their_places(ended, capsys):
    text = output_of(capsys, ended, "--search", "TRACEBACK")
    assert text == (
        f"== rank 1  {ended / 'logs' / '70_driver_log_1.txt'}\n      2  Traceback\\x1b[2J\n"
    )
    content = json.loads(output_of(capsys, ended, "--search", "2026", "--json"))
    places = [(one["log"], one["line"], one["offset"]) for one in content["found"]]
    assert sorted(places) == [("launcher", 1, 0), ("rank 0", 2, 21), ("rank 1", 1, 0)]
    assert content["more"] is False
    assert "nothing that contains 'blue'" in output_of(capsys, ended, "--search", "blue")


def test_so_many_finds_are_shown_and_that_there_are_more(ended, capsys):
    log = ended / "logs" / "70_driver_log_0.txt"
    log.write_text("again\n" * 1_001, encoding="utf-8")
    content = json.loads(output_of(capsys, ended, "--search", "again", "--json"))
    assert (len(content["found"]), content["more"]) == (1_000, True)
    assert "more than 1,000 lines" in output_of(capsys, ended, "--search", "again")


def test_the_last_lines_of_all_logs_are_those_of_the_joined_one(ended, capsys):
    assert output_of(capsys, ended, "--tail", 2) == "".join(ALL.splitlines(keepends=True)[-2:])
    assert output_of(capsys, ended, "--rank", 1, "--tail", 1) == "Traceback\\x1b[2J\n"


def test_what_excludes_each_other_is_refused(ended, capsys):
    for words in (["--search", "x", "--tail", 1], ["--tail", 1, "--follow"]):
        output_of(capsys, ended, *words, code=2)


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

    monkeypatch.setattr(logs, "time", SimpleNamespace(sleep=go_on, monotonic=float))
    shown = output_of(capsys, ended, "--follow")
    more = "rank 1:     of one\nrank 2:   2026-11-23 08:00:09,000 INFO two\n"
    assert shown == ALL + more


def test_following_ends_with_the_process_and_says_that_it_was_killed(ended, capsys):
    write_json(ended / "run.json", {"state": "running"})
    release(try_lock(RunDirectory(ended).lock, "process 77 on node5"))
    assert run(["logs", str(ended), "--follow"]) == 0
    shown = capsys.readouterr()
    assert shown.out == ALL
    assert "process 77 on node5) was killed" in shown.err
    assert RunDirectory(ended).read().state == "failed"


def test_the_log_of_a_run_that_was_killed_ends_with_that(ended, capsys):
    write_json(ended / "run.json", {"state": "running"})
    release(try_lock(RunDirectory(ended).lock, "process 77 on node5"))
    assert "WorkerLostError (RUN-002) The process that trained" in output_of(capsys, ended)


def test_following_does_not_end_between_two_starts_of_the_ranks(ended, capsys, monkeypatch):
    led = [True, True, False]
    looks = []
    monkeypatch.setattr(MeetingPlace, "is_led", property(lambda _: looks.append(1) or led.pop(0)))
    assert output_of(capsys, ended, "--follow") == ALL
    assert len(looks) == 3, "it looked on while somebody led"


@pytest.mark.parametrize("state", ["running", "interrupted"])
def test_following_goes_on_until_another_machine_may_have_taken_the_lead(
    ended, capsys, monkeypatch, state
):
    write_json(ended / "run.json", {"state": "running"})
    place = MeetingPlace(ended)
    place.announce(LeaderAddress(address="10.0.0.4", port=29400, token="key"))
    lock = try_lock(place.folder / "lock", "process 7 at 10.0.0.4")
    clock = [0.0]

    def go_on(_seconds):
        clock[0] += 10.0
        if clock[0] == 10.0:  # the machine that leads is lost, and no other one leads
            release(lock)
            write_json(ended / "run.json", {"state": state})
        if clock[0] == 30.0:  # nobody knew yet that another one came
            with (ended / "logs" / "70_mpi_log.txt").open("a", encoding="utf-8") as log:
                log.write("2026-11-23 08:00:40,000 INFO It goes on.\n")

    monkeypatch.setattr(logs, "time", SimpleNamespace(sleep=go_on, monotonic=lambda: clock[0]))
    assert "It goes on." in output_of(capsys, ended, "--follow")
    assert clock[0] == 30.0, "it waited for as long as another machine may come"


def test_a_run_that_was_stopped_before_is_not_followed(ended, capsys, monkeypatch):
    write_json(ended / "run.json", {"state": "interrupted"})
    MeetingPlace(ended).announce(LeaderAddress(address="10.0.0.4", port=29400, token="key"))
    never = SimpleNamespace(sleep=lambda _: pytest.fail("it waited"), monotonic=float)
    monkeypatch.setattr(logs, "time", never)
    assert output_of(capsys, ended, "--follow") == ALL


@pytest.fixture
def on_target(ended):
    """The run after a job on a target that is gone; the job printed what its ranks wrote, too."""
    job = TrainJob(run=str(ended), launch=LaunchParams(), target="machines")
    write_json(ended / "job" / "train_job.json", job.model_dump())
    (ended / "job" / "logs").mkdir()
    outer = "Mon Nov 23 08:00:00 UTC 2026 job 7 on n1, start 1\n"
    (ended / "job" / "logs" / "70_mpi_log.txt").write_text(outer, encoding="utf-8")
    printed = f"{RANKS[1]}ModuleNotFoundError\n{LAUNCHER}Fatal error\n"
    log = ended / "job" / "logs" / "70_driver_log_0.txt"
    log.write_text(printed, encoding="utf-8")
    return ended


def test_the_log_of_a_job_is_joined_with_the_others_and_repeats_none(on_target, capsys):
    queue = "queue:    Mon Nov 23 08:00:00 UTC 2026 job 7 on n1, start 1\n"
    for words in ((), ("--follow",)):
        shown = output_of(capsys, on_target, *words)
        assert sorted(shown.splitlines(True)) == sorted(
            [
                *ALL.splitlines(True),
                queue,
                "job:      ModuleNotFoundError\n",
                "job:      Fatal error\n",
            ]
        )


def test_following_goes_on_while_a_job_waits_to_go_on(on_target, capsys, monkeypatch):
    write_json(on_target / "run.json", {"state": "interrupted"})
    jobs = [object(), object(), None]
    monkeypatch.setattr(target_training, "running_job", lambda *_: jobs.pop(0))
    assert "ModuleNotFoundError" in output_of(capsys, on_target, "--follow")
    assert jobs == [], "it looked on while the job waited"


def test_following_ends_when_the_job_is_gone_although_the_record_calls_it_running(
    on_target, capsys
):
    write_json(on_target / "run.json", {"state": "running"})
    assert "start 1" in output_of(capsys, on_target, "--follow")


def test_following_goes_on_while_the_run_is_trained_without_its_target(
    on_target, capsys, monkeypatch
):
    lock, sleeps = try_lock(RunDirectory(on_target).lock, "process 1"), []

    def end_the_training(_seconds):
        sleeps.append(_seconds)
        release(lock)

    monkeypatch.setattr(logs, "time", SimpleNamespace(sleep=end_the_training, monotonic=float))
    output_of(capsys, on_target, "--follow")
    assert len(sleeps) == 1
