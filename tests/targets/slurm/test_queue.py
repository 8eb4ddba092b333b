"""The queue with a toy squeue: slow, silent and forgetful."""

import threading

import pytest

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.targets.slurm import queue
from imageloom.targets.slurm.queue import Queue


class Squeue:
    """A squeue that answers when it may; it remembers how it was asked."""

    def __init__(self) -> None:
        self.jobs: list[str] = []
        self.refusal = ""
        self.asked: list[tuple[str, ...]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, *words):
        self.asked.append(words)
        jobs, refusal = list(self.jobs), self.refusal
        self.may_answer.wait(60.0)
        if refusal:
            raise EnvironmentUnsuitableError(refusal, reason="slurm-refused")
        return "\n".join(jobs)


@pytest.fixture
def squeue(monkeypatch):
    squeue = Squeue()
    monkeypatch.setattr(queue, "ask_slurm", squeue)
    monkeypatch.setattr(queue, "LOOK_S", 0.0)
    yield squeue
    squeue.may_answer.set()


def finish(jobs, squeue):
    squeue.may_answer.set()
    jobs._look.join(60.0)


def test_a_slow_answer_is_awaited_while_the_last_one_holds(squeue, monkeypatch):
    monkeypatch.setattr(queue, "ANSWER_S", 60.0)  # so that waiting for it would fail the test
    jobs = Queue()
    squeue.jobs = ["7|PENDING|Resources|one"]
    assert jobs.find("7", "one").state == "PENDING"
    squeue.may_answer.clear()
    squeue.jobs = ["7|RUNNING|None|one"]
    assert [jobs.find("7", "one").state for _ in range(3)] == ["PENDING"] * 3
    assert len(squeue.asked) == 2
    finish(jobs, squeue)
    assert jobs.find("7", "one").state == "RUNNING"


def test_an_answer_that_is_too_old_says_nothing_any_more(squeue, monkeypatch):
    monkeypatch.setattr(queue, "ANSWER_S", 0.01)
    jobs = Queue()
    squeue.jobs = ["7|RUNNING|None|one"]
    finish_first = jobs._begin_look()
    finish_first.join(60.0)
    assert jobs.find("7", "one").state == "RUNNING"
    squeue.may_answer.clear()
    monkeypatch.setattr(queue, "TRUSTED_S", 0.0)
    with pytest.raises(EnvironmentUnsuitableError, match="has not answered for more than"):
        jobs.find("7", "one")


def test_a_job_is_missed_only_in_an_answer_to_a_later_question(squeue, monkeypatch):
    monkeypatch.setattr(queue, "LOOK_S", 60.0)
    jobs = Queue()
    assert jobs.find("7", "one") is None
    squeue.jobs = ["7|RUNNING|None|one", "8|RUNNING|None|two"]  # another process submitted it
    assert jobs.find("8", "two").state == "RUNNING"
    assert jobs.find("", "two").id == "8"
    assert jobs.find("9", "three") is None
    asked = len(squeue.asked)
    assert jobs.find("9", "three") is None
    assert len(squeue.asked) == asked


def test_while_one_answer_is_awaited_a_new_job_waits_for_the_next(squeue, monkeypatch):
    jobs = Queue()
    squeue.jobs = ["7|RUNNING|None|one"]
    jobs.find("7", "one")
    squeue.may_answer.clear()
    jobs.find("7", "one")
    monkeypatch.setattr(queue, "ANSWER_S", 0.0)
    squeue.jobs += ["8|PENDING|None|two"]
    with pytest.raises(EnvironmentUnsuitableError, match="has not answered for more than"):
        jobs.find("8", "two")
    finish(jobs, squeue)
    monkeypatch.setattr(queue, "ANSWER_S", 60.0)
    assert jobs.find("8", "two").state == "PENDING"


def test_a_slurm_that_is_away_is_said_to_be_until_it_answers(squeue, monkeypatch):
    jobs = Queue()
    squeue.jobs = ["7|RUNNING|None|one"]
    jobs.find("7", "one")
    squeue.refusal = "squeue refuses: away"
    jobs.forget()
    jobs.find("7", "one")
    finish(jobs, squeue)
    for _ in range(3):
        with pytest.raises(EnvironmentUnsuitableError, match="away"):
            jobs.find("7", "one")
    assert len(squeue.asked) == 2, "it is left in peace for some seconds"
    monkeypatch.setattr(queue, "SILENCE_S", 0.0)
    squeue.refusal = ""
    squeue.may_answer.clear()
    with pytest.raises(EnvironmentUnsuitableError, match="away"):
        jobs.find("7", "one")
    finish(jobs, squeue)
    assert jobs.find("7", "one").state == "RUNNING"


def test_another_cluster_is_named_to_squeue(squeue):
    squeue.jobs = ["CLUSTER: big", "7|RUNNING|None|one"]
    assert Queue("big").find("7", "one").cluster == "big"
    assert "--clusters=big" in squeue.asked[0]
    Queue().find("7", "one")
    assert not any("--clusters" in word for word in squeue.asked[1])
