"""How the process of a rank says how its work ended."""

import pytest

from imageloom.errors import InvalidDatasetError, LibraryError, WorkerLostError
from imageloom.events import CancelToken, Control, Notice
from imageloom.files.event_lines import EventTail
from imageloom.launch.local.report import EVENTS_FILE, error_of, read_answer
from imageloom.launch.rank import answer_for


def lost_rank_error():
    try:
        raise RuntimeError("Connection closed by peer [127.0.0.1]:34567")
    except RuntimeError as problem:
        raise LibraryError("RuntimeError: see below") from problem


@pytest.fixture
def answer_of(tmp_path):
    """Return a function that gives the answer of a rank to an error that its work raises."""

    def answer(problem):
        def work(control):
            if callable(problem):
                problem()
            raise problem

        given = answer_for(work, tmp_path, 1, cancel=CancelToken())
        assert read_answer(tmp_path, 1) == given
        return given

    return answer


@pytest.mark.parametrize(
    ("problem", "blames_others"),
    [
        (ValueError("too many gloops"), False),
        (InvalidDatasetError("no pictures"), False),
        (WorkerLostError("A reading process died.", reason="loader"), False),
        (WorkerLostError("Rank 0 lost another rank.", reason="rank-lost"), True),
        (RuntimeError("[../gloo/transport/tcp/pair.cc:534] Connection closed by peer"), True),
        (RuntimeError("NCCL communicator was aborted on rank 1."), True),
        (RuntimeError("Application timeout caused pair closure"), True),
        (RuntimeError("ncclRemoteError: a remote process exiting prematurely"), True),
        (RuntimeError("Duplicate GPU detected. NCCL error in: ProcessGroupNCCL.cpp"), False),
        (RuntimeError("[../gloo/device.cc] Unable to find address for: eth9"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (lost_rank_error, True),
        (SystemExit(3), False),
    ],
)
def test_an_error_says_whether_it_comes_from_another_rank(answer_of, problem, blames_others):
    answer = answer_of(problem)
    assert (answer.state, answer.blames_others) == ("failed", blames_others)


def test_errors_of_torch_distributed_come_from_another_rank(answer_of):
    from torch.distributed import DistNetworkError

    assert answer_of(DistNetworkError("The client socket has timed out")).blames_others


def test_an_error_is_the_same_after_its_way_through_a_file(answer_of, tmp_path):
    before = InvalidDatasetError("2 are empty.", hint="Look.", reason="x", details={"n": ["a"]})
    after = error_of(answer_of(before), rank_name="Rank 1 of 2")
    assert type(after) is InvalidDatasetError
    expected = before.to_json() | {"message": "Rank 1 of 2: 2 are empty."}
    assert after.to_json() == expected


def test_work_that_stopped_when_asked_to_is_interrupted(tmp_path):
    cancel = CancelToken()
    cancel.set("SIGTERM")
    answer = answer_for(Control.raise_if_cancelled, tmp_path, 0, cancel=cancel)
    assert (answer.state, answer.reason) == ("interrupted", "SIGTERM")


@pytest.mark.parametrize(("rank", "events"), [(0, [Notice("info", "here")]), (1, [])])
def test_rank_0_alone_is_heard(tmp_path, rank, events):
    def work(control):
        control.tell(Notice("info", "here"))

    assert answer_for(work, tmp_path, rank, cancel=CancelToken()).state == "completed"
    assert EventTail(tmp_path / EVENTS_FILE).read() == events


@pytest.mark.parametrize("content", ["", "{", '{"state": "asleep", "time": 1.0}', "[]"])
def test_an_answer_that_cannot_be_read_is_none(tmp_path, content):
    (tmp_path / "answer_0.json").write_text(content, encoding="utf-8")
    assert read_answer(tmp_path, 0) is None
