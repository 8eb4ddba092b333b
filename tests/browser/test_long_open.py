"""A page that stays open for long keeps its size, and shows what came last (J24)."""

import pytest

from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.node_state import NodeState

from .made_run import RUN, made_run

CHANGES = 600
EVERY = 20  # of them is waited for, so that many are seen one by one
MOST_GROWTH_BYTES = 20 * 1024**2
pytestmark = [pytest.mark.slow, pytest.mark.timeout(580)]


def used_bytes(session):
    """Return what scripts of the page keep, once what nobody needs is gone."""
    session.send("HeapProfiler.collectGarbage")
    return session.send("Runtime.getHeapUsage")["usedSize"]


def test_many_changes_are_all_seen_and_the_page_grows_by_little(studio, tab):
    made_run(studio, "Beans")
    run = Workspace(studio.workspace).run(RUN)
    tab.goto(f"{studio.address}runs/{RUN}/nodes/a")
    tab.get_by_role("heading", level=1).wait_for()
    session = tab.context.new_cdp_session(tab)
    before = None
    for number in range(CHANGES):
        text = f"change {number} of {CHANGES}"
        run.append_node("a", NodeFacts(state=NodeState.WAITING, time=3.0, message=text))
        if number % EVERY == EVERY - 1:
            tab.get_by_text(text).first.wait_for()
            before = before or used_bytes(session)  # once all is loaded
    assert used_bytes(session) - before < MOST_GROWTH_BYTES
