"""A first visit: from the start page to the curve of a training."""

import re

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_from_the_first_page_to_a_curve_in_four_clicks(studio, tab):
    pytest.importorskip("sklearn", reason="scikit-learn has the digits")
    tab.goto(studio.address)
    tab.get_by_role("button", name=re.compile("^Handwritten digits")).click()
    tab.locator(".react-flow__node").first.wait_for()
    tab.get_by_role("button", name="Run", exact=True).click()
    tab.wait_for_url("**/runs/*")
    tab.locator(".react-flow__node", has_text="Train PyTorch Model").click()
    loss = tab.get_by_role("region", name="Loss")
    loss.locator("canvas").wait_for(timeout=200_000)  # a worker loads torch before
    run = tab.url.split("/runs/")[1].split("/")[0]
    tab.get_by_role("button", name="Stop").click()
    found = studio.wait_for_run(run, ("cancelled",))
    assert found["asked_by"]
    tab.get_by_text("cancelled").first.wait_for()
    tab.get_by_role("button", name="Go on").wait_for()


def test_the_end_of_the_demo_opens_its_run(studio, tab):
    """``imageloom studio RUN`` prints a link that leads to the run."""
    draft = studio.ask("pipelines/templates/digits", {})
    run = studio.ask("runs", {"pipeline": draft["pipeline"], "only": ["pictures"]})["id"]
    studio.wait_for_run(run)
    tab.context.clear_cookies()
    tab.goto(f"{studio.address}runs/{run}?token={studio.token}")
    tab.get_by_role("heading", name="Handwritten digits").wait_for()
    assert "token" not in tab.url
