"""Ranks that find out among themselves whose error it was; threads stand for them."""

import pytest
from tests.launch.boards import boards

from imageloom.errors import InvalidDatasetError, RunInterruptedError, WorkerLostError
from imageloom.launch.external import verdict
from imageloom.launch.external.verdict import (
    BYE,
    first_error,
    has_rank_0_answered,
    see_off,
    tell_answer,
)
from imageloom.launch.local.report import answer_to, completed
from imageloom.training.run.directory import RunDirectory

LOSS = RuntimeError("[../gloo/transport/tcp/pair.cc:534] Connection closed by peer")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name, value in {
        "_HEAR_S": 0.6,
        "_SILENT_S": 0.2,
        "_OTHERS_S": 0.05,
        "_LOOK_S": 0.01,
    }.items():
        monkeypatch.setattr(verdict, name, value)


def answer(problem):
    return answer_to(problem, reason="")


def test_the_error_of_the_rank_that_has_one_is_the_runs(tmp_path):
    with boards(3) as ranks:
        tell_answer(ranks[2], answer(InvalidDatasetError("A picture is gone.", hint="Restore it.")))
        tell_answer(ranks[1], answer(LOSS))
        error = first_error(ranks[0], answer(LOSS), RunDirectory(tmp_path))
    assert isinstance(error, InvalidDatasetError)
    assert str(error) == "Rank 2 of 3: A picture is gone. Restore it."
    assert error.details["rank"] == 2
    assert error.details["log"] == str(tmp_path / "logs" / "70_driver_log_2.txt")


def test_of_two_errors_the_earlier_one_counts(tmp_path):
    with boards(2) as ranks:
        early, late = (answer(InvalidDatasetError(text)) for text in ("early", "late"))
        tell_answer(ranks[1], early)
        error = first_error(ranks[0], late, RunDirectory(tmp_path))
    assert error is not None
    assert error.message == "Rank 1 of 2: early"


def test_a_rank_that_says_nothing_and_shows_no_life_was_lost(tmp_path):
    with boards(3) as ranks, ranks[1].living(lambda: None):
        tell_answer(ranks[1], answer(LOSS))
        error = first_error(ranks[0], answer(LOSS), RunDirectory(tmp_path))
    assert isinstance(error, WorkerLostError)
    assert error.message.startswith("Rank 2 of 3 fell silent without a word: it was killed or")


def test_a_rank_that_waits_in_a_library_is_not_blamed(tmp_path, monkeypatch):
    monkeypatch.setattr("imageloom.distributed.board.BEAT_S", 0.02)
    with boards(3) as ranks, ranks[1].living(lambda: None):
        error = first_error(ranks[0], answer(LOSS), RunDirectory(tmp_path))
    assert error is not None
    assert error.details["rank"] == 2


def test_who_finds_the_board_gone_names_rank_0(tmp_path):
    class Gone:
        rank, world_size = 1, 2

        def heard(self, _word, _rank):
            raise WorkerLostError("The store is gone.")

    error = first_error(Gone(), answer(LOSS), RunDirectory(tmp_path))
    assert error is not None
    assert error.message.startswith("Rank 0 of 2 fell silent")
    assert not has_rank_0_answered(Gone())


def test_without_a_run_no_log_is_named():
    with boards(2) as ranks:
        error = first_error(ranks[0], answer(LOSS), None)
    assert error is not None
    assert "log" not in error.details
    assert "stands in" not in error.hint


def test_rank_0_is_waited_for_while_it_lives():
    with boards(2) as ranks:
        assert not has_rank_0_answered(ranks[1])
        tell_answer(ranks[0], completed())
        assert has_rank_0_answered(ranks[1])


def test_the_answer_of_a_rank_that_was_stopped_is_no_failure(tmp_path):
    stopped = answer_to(RunInterruptedError("Stopped by SIGTERM."), reason="SIGTERM")
    with boards(2) as ranks:
        tell_answer(ranks[1], stopped)
        error = first_error(ranks[0], answer(LOSS), RunDirectory(tmp_path))
    assert error is not None
    assert error.details["rank"] == 0


def test_rank_0_leaves_when_all_that_live_need_the_board_no_more():
    with boards(3) as ranks:
        ranks[1].tell(BYE, {})
        see_off(ranks[0])  # the third shows no life
        assert ranks[0].told(BYE) == 1
