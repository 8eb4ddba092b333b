"""Views are used with the keyboard alone: the focus is seen, and dialogs give it back (J22)."""

import pytest
from playwright.sync_api import expect

from . import canvas
from .scene import begin, seed_pipeline
from .views import settle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

# What a person can press or type in, as the browser finds it: not what is hidden or off, and of a
# group of tabs or of a list the one that holds the place of all.
CONTROLS = """() => [...document.querySelectorAll("a[href], button, input, textarea, [tabindex]")]
    .filter(one => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({
        visibilityProperty: true }) && !one.closest("[data-floating-ui-inert], [inert]"))"""
LOOK = """one => {
    const parts = [one, one.parentElement, one.nextElementSibling, one.querySelector("path")];
    const looks = parts.filter(Boolean).map(part => {
        const is = getComputedStyle(part);
        return [is.outline, is.boxShadow, is.borderColor, is.background, is.strokeWidth].join();
    });
    return looks.join();
}"""


@pytest.fixture(scope="module")
def drawing(studio):
    return canvas.keep(studio, seed_pipeline())


@pytest.fixture
def folders(studio):
    if not (studio.folder / "shapes").exists():
        begin(studio)
    return studio.folder / "shapes"


@pytest.mark.parametrize("path", ["", "runs", "runs/20260101-000000-0000", "drawing"])
def test_tab_reaches_every_control_in_the_order_of_the_page(studio, drawing, tab, path):
    tab.emulate_media(reduced_motion="reduce")  # a look that fades in is not there yet
    tab.goto(studio.address + (drawing if path == "drawing" else path))
    tab.get_by_role("main").locator("button, a").first.wait_for()
    if path == "drawing":
        expect(canvas.nodes(tab)).to_have_count(12)
        tab.get_by_text("What is missing").wait_for()
    elif path == "":
        tab.get_by_role("row").nth(1).wait_for()
    settle(tab)
    tab.evaluate("document.activeElement.blur()")
    controls = tab.evaluate_handle(CONTROLS)
    wanted = tab.evaluate("all => all.length", controls)
    places, unseen = [], []
    for _ in range(wanted):
        tab.keyboard.press("Tab")
        places.append(tab.evaluate("all => all.indexOf(document.activeElement)", controls))
        focused = tab.evaluate_handle("document.activeElement").as_element()
        with_focus = focused.evaluate(LOOK)
        focused.evaluate("one => one.blur()")
        if focused.evaluate(LOOK) == with_focus:
            unseen.append(focused.evaluate("one => one.outerHTML.slice(0, 150)"))
        focused.evaluate("one => one.focus({focusVisible: true})")
    assert places == list(range(wanted))
    assert unseen == [], "\n".join(unseen)


def holds_and_gives_back_the_focus(tab, dialog, opener):
    """Go round in a dialog, leave it with Escape, and look where the focus is."""
    expect(dialog).to_be_visible()
    inside = "one => one.contains(document.activeElement)"
    tab.wait_for_function(inside, arg=dialog.element_handle())
    for key in ["Tab"] * 12 + ["Shift+Tab"] * 15:
        tab.keyboard.press(key)
        assert dialog.evaluate(inside), f"{key} left the dialog"
    tab.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_the_dialog_before_a_deletion_holds_and_gives_back_the_focus(studio, drawing, tab):
    tab.goto(studio.address)
    opener = tab.get_by_role("button", name="Delete").first
    opener.press("Enter")
    holds_and_gives_back_the_focus(tab, tab.get_by_role("dialog"), opener)


def test_the_dialogs_of_a_folder_hold_and_give_back_the_focus(studio, folders, tab):
    tab.goto(studio.address)
    opener = tab.get_by_role("button", name="My pictures")
    opener.press("Enter")
    dialog = tab.get_by_role("dialog")
    dialog.get_by_role("button", name="shapes", exact=True).wait_for()
    holds_and_gives_back_the_focus(tab, dialog, opener)


@pytest.mark.parametrize("key", ["?", "c"])
def test_a_dialog_of_the_canvas_gives_the_focus_back_to_the_node(studio, drawing, tab, key):
    tab.goto(studio.address + drawing)
    node = canvas.node(tab, "train")
    node.focus()
    node.press("Enter")
    node.press(key)
    holds_and_gives_back_the_focus(tab, tab.get_by_role("dialog"), node)


def test_the_list_of_components_gives_the_focus_back(studio, drawing, tab):
    tab.goto(studio.address + drawing)
    opener = tab.get_by_role("button", name="Add a node (/)")
    for key in ("Escape", "Tab"):
        opener.press("Enter")
        expect(tab.get_by_role("combobox", name="Add a node")).to_be_focused()
        tab.keyboard.press(key)
        expect(tab.get_by_role("dialog")).to_have_count(0)
        expect(opener).to_be_focused()


def test_versions_are_opened_from_the_menu_with_the_keyboard_and_left_with_escape(
    studio, drawing, tab
):
    tab.goto(studio.address + drawing)
    opener = tab.get_by_role("button", name="More").first
    opener.press("Enter")
    expect(tab.get_by_role("menuitem", name="Versions")).to_be_focused()
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("menu")).to_have_count(0)
    expect(opener).to_be_focused()
    opener.press("Enter")
    tab.get_by_role("menuitem", name="Versions").press("Enter")
    holds_and_gives_back_the_focus(tab, tab.get_by_role("dialog"), opener)
