"""Browsers without JavaScript, as narrow as 320 pixels, or with a wrong clock (J22, J23)."""

import pytest

from .made_run import made_run
from .windows import open_window

NARROWEST = {"width": 320, "height": 568}
YEAR_AHEAD = """
const now = Date.now;
Date.now = () => now.call(Date) + 365 * 86_400_000;
"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def window(chromium):
    """One window for all tests: compiling the page's code once saves a second for each."""
    with open_window(chromium) as context:
        yield context


def test_without_javascript_a_person_is_told_what_to_do(studio, chromium):
    context = chromium.new_context(java_script_enabled=False, viewport=NARROWEST)
    page = context.new_page()
    page.goto(studio.link)
    said, french = page.locator("main p").all()
    assert "Allow it for this address" in said.inner_text()
    assert "a besoin de JavaScript" in french.inner_text()
    for text in (page.get_by_role("heading", name="Imageloom needs JavaScript."), said, french):
        assert text.is_visible()
        box = text.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= NARROWEST["width"]
    context.close()


def test_where_the_page_cannot_start_a_person_is_told_what_to_do(studio, chromium):
    context = chromium.new_context(viewport=NARROWEST, reduced_motion="reduce")
    context.route("**/assets/*.js", lambda route: route.abort())
    page = context.new_page()
    page.goto(studio.link)
    for text in ("The page did not start.", "pas démarré"):
        said = page.get_by_text(text)
        said.wait_for()
        box = said.bounding_box()
        assert box["x"] + box["width"] <= NARROWEST["width"]
    context.close()


@pytest.mark.parametrize("view", ["", "runs", "run", "node", "drawing", "bin", "new"])
def test_a_view_fits_into_320_pixels(studio, seed, tab, view):
    run = "20261101-120000-0001"
    if not (studio.workspace / "runs" / run).exists():
        made_run(studio, "Beans")
    draft = studio.ask("pipelines", {"pipeline": seed})["id"]
    addresses = {"run": f"runs/{run}", "node": f"runs/{run}/nodes/a", "new": "data"}
    addresses |= {"drawing": f"pipelines/{draft}"}
    tab.set_viewport_size(NARROWEST)
    tab.goto(f"{studio.address}{addresses.get(view, view)}")
    tab.get_by_role("heading").first.wait_for()
    tab.wait_for_load_state("networkidle")
    assert tab.evaluate("document.documentElement.scrollWidth") <= NARROWEST["width"]


def test_a_browser_a_year_ahead_tells_times_by_the_server(studio, seed, tab):
    studio.ask("pipelines", {"pipeline": {**seed, "name": "Saved at this moment"}})
    tab.add_init_script(YEAR_AHEAD)
    tab.goto(studio.address)
    row = tab.get_by_role("row").filter(has_text="Saved at this moment")
    row.get_by_text("just now").wait_for()
