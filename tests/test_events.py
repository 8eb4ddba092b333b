"""A cancel token says whether, why and how often somebody asked to stop."""

import threading

import pytest

from imageloom.errors import RunInterruptedError
from imageloom.events import CancelToken


def test_a_token_that_nobody_set_lets_go_on():
    token = CancelToken()
    token.raise_if_set()
    assert (token.is_set, token.reason, token.asked) == (False, "", 0)


def test_a_token_that_was_set_says_why_and_how_often():
    token = CancelToken()
    token.set("Ctrl+C")
    token.set("SIGTERM")
    assert (token.is_set, token.asked) == (True, 2)
    with pytest.raises(RunInterruptedError, match=r"Stopped by SIGTERM\."):
        token.raise_if_set()


def test_two_threads_that_reach_one_number_do_not_ask_more_often():
    class Interrupted(CancelToken):
        """Lets the other thread run in the middle of the first asking, as long as it can."""

        def set(self, reason):
            if not others:
                others.append(threading.Thread(target=self.reach, args=(1, "the other")))
                others[0].start()
                others[0].join(0.2)
            super().set(reason)

    others = []
    token = Interrupted()
    token.reach(1, "the one")
    others[0].join()
    assert (token.asked, token.reason) == (1, "the one")
