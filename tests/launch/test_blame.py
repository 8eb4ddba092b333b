"""Which of several ends is the cause of the others."""

import dataclasses
import itertools
import signal

import pytest

from imageloom.launch.local.blame import RankEnd, first_failure
from imageloom.launch.local.report import Answer


def raised(rank, time, *, blames_others=False, seen=None):
    answer = Answer(state="failed", time=time, error={}, blames_others=blames_others)
    return RankEnd(rank=rank, time=seen or time, exit_code=1, answer=answer)


def killed(rank, time, number=signal.SIGKILL):
    return RankEnd(rank=rank, time=time, exit_code=-number, answer=None)


def answered(rank, state):
    code = 0 if state == "completed" else 143
    return RankEnd(rank=rank, time=1.0, exit_code=code, answer=Answer(state=state, time=1.0))


def ended_by_us(rank, *, hangs=False):
    return RankEnd(rank=rank, time=9.0, exit_code=None, answer=None, hangs=hangs)


def woken(rank):
    """A rank that hung, and said that others were gone when it was woken to show its stacks."""
    return dataclasses.replace(raised(rank, 8.0, blames_others=True), exit_code=None, hangs=True)


@pytest.mark.parametrize(
    ("cause", "others"),
    [
        (killed(1, 5.02), [raised(0, 5.01, blames_others=True), ended_by_us(2)]),
        (raised(1, 5.0, seen=5.3), [killed(0, 5.1), raised(2, 5.2)]),
        (raised(1, 7.0), [raised(0, 5.0, blames_others=True), killed(2, 6.0, signal.SIGABRT)]),
        (killed(1, 6.0, signal.SIGABRT), [raised(0, 5.0, blames_others=True)]),
        (ended_by_us(1, hangs=True), [raised(0, 5.0, blames_others=True)]),
        (raised(1, 5.0, blames_others=True), [raised(0, 5.1, blames_others=True)]),
        (woken(1), [raised(0, 5.0, blames_others=True), ended_by_us(2)]),
        (killed(1, 5.0), [killed(0, 5.001), killed(2, 5.002)]),
        (killed(1, 5.0), [answered(0, "completed"), answered(2, "interrupted")]),
    ],
)
def test_the_cause_is_named_in_whatever_order_ends_are_seen(cause, others):
    for order in itertools.permutations([cause, *others]):
        assert first_failure(order) is cause


def test_ranks_that_did_their_work_stopped_or_were_ended_by_us_did_not_fail():
    ends = [answered(0, "completed"), answered(1, "interrupted"), ended_by_us(2)]
    assert first_failure(ends) is None


def test_a_rank_that_leaves_without_a_word_failed():
    end = RankEnd(rank=0, time=1.0, exit_code=0, answer=None)
    assert first_failure([end]) is end
