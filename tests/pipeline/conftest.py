"""The engine needs no torch, so its tests start at once."""

import sys

import pytest


@pytest.fixture(autouse=True, scope="module")
def _no_torch():
    """Whatever a module of tests here makes the engine do does not load torch."""
    before = "torch" in sys.modules
    yield
    assert ("torch" in sys.modules) == before
