from datetime import timedelta

import pytest

from imageloom.distributed.board import BEAT_S, Board
from imageloom.distributed.store import hosted_store, joined_store
from imageloom.errors import (
    EnvironmentUnsuitableError,
    RunInterruptedError,
    TimeoutOccuredError,
    WorkerLostError,
)
from imageloom.events import CancelToken


def joined(place, rank, timeout_s=5.0, cancel=None):
    return joined_store(place, rank, timeout_s=timeout_s, cancel=cancel or CancelToken())


@pytest.fixture
def boards():
    """The boards of two ranks."""
    with hosted_store() as place:
        yield [Board(joined(place, rank), rank, 2) for rank in (0, 1)]


def test_what_one_rank_writes_the_other_reads(boards):
    assert boards[1].heard("word", 0) is None
    assert boards[1].silent("word") == [0, 1]
    boards[0].tell("word", {"path": "é", "number": 2})
    assert boards[1].heard("word", 0) == {"path": "é", "number": 2}
    assert boards[1].told("word") == 1
    assert boards[1].silent("word") == [1]


def test_a_rank_that_beats_lives_and_one_that_does_not_is_silent(boards, monkeypatch):
    now = 100.0
    monkeypatch.setattr("imageloom.distributed.board.time.monotonic", lambda: now)
    boards[1].beat()
    assert boards[0].silent_for_s(1) == 0
    now = 104.0
    assert boards[0].silent_for_s(1) == 4
    boards[1].beat()
    assert boards[0].silent_for_s(1) == 0


@pytest.mark.slow
def test_a_rank_shows_that_it_lives_and_looks_around_while_it_works(boards, wait_until):
    looks = []
    with boards[1].living(lambda: looks.append(1)):
        wait_until(lambda: len(looks) >= 2, f"a look each {BEAT_S} s")
    assert boards[0]._store.add("beat/1", 0) >= 2


def test_nothing_of_an_earlier_run_or_start_is_found_in_the_same_store():
    with hosted_store() as place:
        first = Board(joined(place, 0), 0, 2)
        first.tell("word", {})
        assert Board(joined(place, 1), 1, 2).heard("word", 0) == {}
        for environment in (place, {**place, "TORCHELASTIC_RESTART_COUNT": "1"}):
            assert Board(joined(environment, 1), 1, 2).heard("word", 0) is None


def test_a_store_that_is_gone_is_the_loss_of_another_rank():
    from torch.distributed import TCPStore

    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    away = TCPStore("127.0.0.1", store.port, is_master=False, timeout=timedelta(seconds=2))
    board = Board(away, 1, 2)
    del store
    with pytest.raises(WorkerLostError, match="The store in which the ranks meet is gone") as error:
        board.tell("word", {})
    assert error.value.reason == "rank-lost"


def test_rank_0_keeps_the_store_where_what_started_the_ranks_does_not():
    with hosted_store() as place:
        free = place["MASTER_PORT"]  # until the store is closed nobody else is given this one
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free}
    # Agents of two machines count differently when one starts again because the other one does.
    places = place, place | {"TORCHELASTIC_RESTART_COUNT": "1"}
    boards = [Board(joined(places[rank], rank), rank, 2) for rank in (0, 1)]
    boards[1].tell("word", {})
    assert boards[0].heard("word", 1) == {}


@pytest.mark.parametrize("port", ["", "http", "0", "65536"])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(EnvironmentUnsuitableError, match=f"MASTER_PORT is '{port}'"):
        joined({"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}, 0)


def test_a_store_that_nobody_keeps_is_waited_for_as_long_as_asked(monkeypatch):
    monkeypatch.setattr("imageloom.distributed.store._TRY", timedelta(milliseconds=50))
    with hosted_store() as place:
        pass
    with pytest.raises(TimeoutOccuredError, match=f"at 127.0.0.1:{place['MASTER_PORT']} .* 0.01 s"):
        joined(place, 1, timeout_s=0.01)
    cancel = CancelToken()
    cancel.set("SIGTERM")
    with pytest.raises(RunInterruptedError, match="SIGTERM"):
        joined(place, 1, timeout_s=60.0, cancel=cancel)
