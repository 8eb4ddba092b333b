"""Everybody can use every view: contrast, names, targets, and no view wider than a phone."""

from pathlib import Path

import pytest

from .scene import begin
from .views import VIEWS, Stage, bring_to, settle, speak

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
PHONE = {"width": 390, "height": 844}
ZOOMED = {"width": 720, "height": 450}  # a screen of 1440 x 900 at 200 %
# Views with the most words: they are looked at in French and with still longer words, too.
WORDY = (
    "pipelines",
    "canvas-with-mistakes",
    "node-parameters",
    "node-with-pictures",
    "runs",
    "node-overview",
    "model",
    "curves",
    "evaluation",
)
# Lengthens each word by a third, as languages are longer than others.
LENGTHEN = """() => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let one = walk.nextNode(); one; one = walk.nextNode())
        if (!one.parentElement.closest("style, script"))
            one.data = one.data.replace(/\\p{L}{3,}/gu,
                word => word + word.slice(0, Math.ceil(word.length / 3)));
}"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def scene(studio):
    """What there is to look at; views bring it on, and stand in the order in which they may."""
    pytest.importorskip("sklearn", reason="scikit-learn has the digits")
    return begin(studio)


@pytest.fixture(scope="module")
def window(chromium):
    """A window for all tabs: that the page's code is compiled once saves a second for each."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm ci in web/")
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(90_000)
    yield context
    context.close()


@pytest.fixture
def reader(studio, window):
    """A new tab in which nothing moves, signed in; what others had kept is forgotten."""
    page = window.new_page()
    kept = {"origin": studio.address.rstrip("/"), "storageTypes": "indexeddb,local_storage"}
    window.new_cdp_session(page).send("Storage.clearDataForOrigin", kept)
    if not window.cookies():
        page.goto(studio.link)
        page.get_by_role("heading", level=1).wait_for()
    yield page
    page.close()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_has_contrast_names_and_targets_and_fits_a_phone(view, scene, reader):
    if view.stage is Stage.GONE:
        bring_to(scene, Stage.BUSY)
        reader.goto(f"{scene.studio.address}runs/{scene.runs['finished']}")
        reader.get_by_role("heading", level=1).wait_for()
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
        if view.name in WORDY:
            speak(reader, "fr")
            assert reader.locator("html").get_attribute("lang") == "fr"
            assert faults(reader) == []
            for size in (PHONE, ZOOMED):
                reader.set_viewport_size(size)
                settle(reader)
                assert reader.evaluate("document.documentElement.scrollWidth") <= size["width"]
            reader.evaluate(LENGTHEN)
            for size in (ZOOMED, PHONE):
                reader.set_viewport_size(size)
                assert reader.evaluate("document.documentElement.scrollWidth") <= size["width"]


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
