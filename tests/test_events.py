"""A cancel token says whether, why and how often somebody asked to stop."""

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
