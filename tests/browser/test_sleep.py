"""J09: a computer sleeps for eight hours, and what happened meanwhile is there once it wakes."""

import pytest
from playwright.sync_api import expect

from imageloom.pipeline.run_record import NodeFacts
from imageloom.pipeline.workspace import Workspace
from imageloom.spec.job import LOG_FILE
from imageloom.spec.node_state import NodeState

from .made_run import RUN, made_run

NIGHT = "08:00:00"
LINES = 300
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def log(run, *numbers):
    file = run.node_folder("a") / LOG_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lines:
        lines.writelines(f"line {number:03} of the log\n" for number in numbers)


def shown_lines(tab):
    return tab.get_by_role("log").get_by_text("of the log").all_inner_texts()


def test_j09_after_a_night_the_page_goes_on_without_a_gap_and_tells_nothing_twice(studio, tab):
    """While it sleeps nothing of the page runs; then its connection is dead and its clock ahead."""
    tab.clock.install()
    made_run(studio, "Beans")
    run = Workspace(studio.workspace).run(RUN)
    log(run, *range(3))
    tab.goto(f"{studio.address}runs/{RUN}/nodes/a")
    tab.get_by_role("heading", level=1).wait_for()
    tab.get_by_role("tab", name="Log").click()
    expect(tab.get_by_role("log").get_by_text("line 002")).to_be_visible()
    session = tab.context.new_cdp_session(tab)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    studio.kill()  # the connection goes, and whatever the server knew of the page
    studio.start()
    for number in range(3, LINES):
        log(run, number)
        text = f"change {number} of {LINES}"
        run.append_node("a", NodeFacts(state=NodeState.RUNNING, time=3.0, message=text))
    session.send("Page.setWebLifecycleState", {"state": "active"})
    tab.clock.fast_forward(NIGHT)
    tab.get_by_text(f"change {LINES - 1} of {LINES}").first.wait_for()
    expect(tab.get_by_text("does not answer")).to_have_count(0)
    last = f"line {LINES - 1:03} of the log"
    expect(tab.get_by_role("log").get_by_text(last)).to_have_count(1)
    log(run, LINES)
    run.append_node("a", NodeFacts(state=NodeState.RUNNING, time=4.0, message="in the morning"))
    tab.get_by_text("in the morning").first.wait_for()
    expect(tab.get_by_role("log").get_by_text(f"line {LINES:03} of the log")).to_have_count(1)
    box = tab.get_by_role("log")
    seen = set()
    for place in range(0, 20 * (LINES + 1), 200):  # only the lines in view are drawn
        box.evaluate("(box, place) => box.scrollTo(0, place)", place)
        lines = shown_lines(tab)
        assert len(lines) == len(set(lines))
        seen |= set(lines)
    assert sorted(seen) == [f"line {number:03} of the log" for number in range(LINES + 1)]
