"""Everybody can use every view: contrast, names, targets, and no view wider than a phone."""

from pathlib import Path

import pytest

from .scene import begin
from .views import VIEWS, bring_to, settle

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
PHONE = {"width": 390, "height": 844}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def scene(studio):
    """What there is to look at; views bring it on, and stand in the order in which they may."""
    pytest.importorskip("sklearn", reason="scikit-learn has the digits")
    return begin(studio)


@pytest.fixture
def reader(studio, scene, chromium):
    """A tab in which nothing moves, open at a run if there is one."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm ci in web/")
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(90_000)
    page = context.new_page()
    page.goto(studio.link)
    page.goto(f"{studio.address}runs/{scene.runs.get('finished', '')}")
    page.get_by_role("heading", level=1).wait_for()
    yield page
    context.close()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_has_contrast_names_and_targets_and_fits_a_phone(view, scene, reader):
    bring_to(scene, view.stage)
    view.show(reader, scene)
    settle(reader)
    reader.evaluate(AXE.read_text(encoding="utf-8"))
    assert faults(reader) == []
    reader.emulate_media(color_scheme="dark")
    settle(reader)
    assert faults(reader, only=["color-contrast"]) == []
    if not view.is_wide:
        reader.set_viewport_size(PHONE)
        settle(reader)
        assert reader.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert faults(reader) == []


def faults(tab, *, only=()):
    """Return what axe finds that is serious or critical: rule, element and why."""
    rules = {"type": "rule", "values": only} if only else {"type": "tag", "values": RULES}
    found = tab.evaluate(
        "runOnly => axe.run(document, {runOnly, resultTypes: ['violations']})", rules
    )
    return [
        f"{one['id']} {node['target']}: {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
