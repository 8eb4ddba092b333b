"""Every view of the studio's page and every state worth a look, with the way to it.

The pictures of ``screens.py`` and the tests of contrast and names both walk this list: a new view
belongs here once.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from playwright.sync_api import Page

from . import canvas
from .scene import Scene, fill, keep_busy, seed_pipeline

NARROW = 700
_QUIET_MS = 400  # so long without a change of the page is still enough for a picture


class Stage(IntEnum):
    """What is there when a view is looked at; a later one has all of those before it."""

    BEGUN = 0
    FILLED = 1
    BUSY = 2
    GONE = 3


@dataclass(frozen=True)
class View:
    """One thing to look at.

    Attributes:
        name: Of its picture.
        stage: What must be there.
        show: Leads a tab there.
        is_wide: It is there on wide screens alone.
    """

    name: str
    stage: Stage
    show: Callable[[Page, Scene], None]
    is_wide: bool = False


VIEWS: list[View] = []


def bring_to(scene: Scene, stage: Stage) -> None:
    """Bring the scene as far as a stage. Tabs that are open stay: what is gone is seen in them."""
    steps = {
        Stage.FILLED: fill,
        Stage.BUSY: keep_busy,
        Stage.GONE: lambda scene: scene.studio.kill(),
    }
    while scene.stage < stage:
        scene.stage += 1
        steps[Stage(scene.stage)](scene)


def speak(tab: Page, language: str) -> None:
    """Switch what is shown to another language, as its button does, also behind a dialog."""
    tab.evaluate("one => document.querySelector(`button[lang=${one}]`)?.click()", language)
    settle(tab)


def settle(tab: Page) -> None:
    """Wait until all pictures are there and the page has not changed for a moment."""
    tab.evaluate(
        """quiet => new Promise(done => {
            const isThere = one => one.complete || one.loading === "lazy";
            const loaded = () => [...document.images].every(isThere);
            let timer;
            const again = () => {
                clearTimeout(timer);
                timer = setTimeout(() => loaded() ? done() : again(), quiet);
            };
            new MutationObserver(again).observe(document, {subtree: true, childList: true});
            setTimeout(done, 5 * quiet);
            again();
        })""",
        _QUIET_MS,
    )


def _view(stage: Stage, *, is_wide: bool = False) -> Callable[[Any], Any]:
    def add(show: Callable[[Page, Scene], None]) -> Callable[[Page, Scene], None]:
        VIEWS.append(View(show.__name__.replace("_", "-"), stage, show, is_wide))
        return show

    return add


def _is_narrow(tab: Page) -> bool:
    size = tab.viewport_size
    assert size is not None
    return size["width"] < NARROW


def _open(tab: Page, scene: Scene, path: str = "") -> None:
    tab.goto(scene.studio.address + path)


def _open_draft(tab: Page, scene: Scene, name: str) -> None:
    _open(tab, scene, scene.drafts[name])
    tab.get_by_role("toolbar").wait_for()
    if name != "empty":
        canvas.nodes(tab).first.wait_for()


def _open_run(tab: Page, scene: Scene, name: str, node: str = "") -> None:
    _open(tab, scene, f"runs/{scene.runs[name]}" + (f"/nodes/{node}" if node else ""))
    tab.get_by_role("heading", level=1).wait_for()


def _choose(tab: Page, name: str) -> None:
    """Select a node with the keyboard, which reaches it also where others lie on it."""
    node = canvas.node(tab, name)
    node.focus()
    node.press("Enter")
    tab.get_by_role("textbox", name="Title").wait_for()


# Begun: nothing is drawn or run.


@_view(Stage.BEGUN)
def first_visit(tab: Page, scene: Scene) -> None:
    _open(tab, scene)
    tab.get_by_text("No pipelines yet").wait_for()


@_view(Stage.BEGUN)
def folder_dialog(tab: Page, scene: Scene) -> None:
    first_visit(tab, scene)
    tab.get_by_role("button", name="My pictures").click()
    tab.get_by_role("dialog").get_by_role("button", name="shapes", exact=True).wait_for()


@_view(Stage.BEGUN)
def folder_described(tab: Page, scene: Scene) -> None:
    folder_dialog(tab, scene)
    tab.get_by_role("button", name="shapes", exact=True).click()
    tab.get_by_text(str(scene.shapes)).first.wait_for()
    tab.get_by_role("button", name="Take this folder").click()
    tab.get_by_text("3 classes").wait_for()


@_view(Stage.BEGUN)
def folder_without_pictures(tab: Page, scene: Scene) -> None:
    folder_dialog(tab, scene)
    tab.get_by_role("button", name="home", exact=True).click()
    tab.get_by_text("studio", exact=True).first.wait_for()
    tab.get_by_role("button", name="Take this folder").click()
    tab.get_by_role("alert").wait_for()


@_view(Stage.BEGUN)
def no_runs(tab: Page, scene: Scene) -> None:
    _open(tab, scene, "runs")
    tab.get_by_role("heading", name="No runs yet").wait_for()


@_view(Stage.BEGUN)
def run_that_is_gone(tab: Page, scene: Scene) -> None:
    _open(tab, scene, "runs/20260101-000000-0000")
    tab.get_by_text("not there any more").wait_for()


@_view(Stage.BEGUN)
def pipeline_that_is_gone(tab: Page, scene: Scene) -> None:
    _open(tab, scene, "pipelines/20260101-000000-0000")
    tab.get_by_role("button", name="All pipelines").wait_for()


@_view(Stage.BEGUN)
def not_signed_in(tab: Page, scene: Scene) -> None:
    tab.context.clear_cookies()
    _open(tab, scene)


@_view(Stage.BEGUN)
def reference(tab: Page, scene: Scene) -> None:
    _open(tab, scene, "docs")


# Filled: there are drawings, and runs that ended.


@_view(Stage.FILLED)
def pipelines(tab: Page, scene: Scene) -> None:
    _open(tab, scene)
    tab.get_by_role("table").wait_for()


@_view(Stage.FILLED)
def pipeline_deletion(tab: Page, scene: Scene) -> None:
    pipelines(tab, scene)
    tab.get_by_role("button", name="Delete").first.click()
    tab.get_by_role("dialog").wait_for()


@_view(Stage.FILLED)
def canvas_empty(tab: Page, scene: Scene) -> None:
    _open_draft(tab, scene, "empty")


@_view(Stage.FILLED)
def canvas_drawn(tab: Page, scene: Scene) -> None:
    _open_draft(tab, scene, "shapes")
    tab.get_by_text("Nothing is missing").wait_for()


@_view(Stage.FILLED)
def canvas_of_a_newer_version(tab: Page, scene: Scene) -> None:
    _open(tab, scene, scene.drafts["newer"])
    tab.get_by_text("A newer version of Imageloom wrote this").wait_for()
    canvas.nodes(tab).first.wait_for()


@_view(Stage.FILLED)
def canvas_done(tab: Page, scene: Scene) -> None:
    _open_draft(tab, scene, "digits")
    tab.get_by_text("Done already").first.wait_for()


@_view(Stage.FILLED)
def canvas_with_mistakes(tab: Page, scene: Scene) -> None:
    _open_draft(tab, scene, "faulty")
    tab.locator("[data-light=incomplete]").first.wait_for()


@_view(Stage.FILLED)
def node_parameters(tab: Page, scene: Scene) -> None:
    canvas_drawn(tab, scene)
    _choose(tab, "train")


@_view(Stage.FILLED)
def node_value_out_of_range(tab: Page, scene: Scene) -> None:
    canvas_with_mistakes(tab, scene)
    _choose(tab, "train")
    tab.get_by_text("3 is out of range").first.scroll_into_view_if_needed()


@_view(Stage.FILLED)
def node_run_settings(tab: Page, scene: Scene) -> None:
    node_parameters(tab, scene)
    tab.get_by_role("tab", name="Run settings").click()


@_view(Stage.FILLED)
def node_about(tab: Page, scene: Scene) -> None:
    node_parameters(tab, scene)
    tab.get_by_role("tab", name="About").click()


@_view(Stage.FILLED)
def node_with_pictures(tab: Page, scene: Scene) -> None:
    canvas_drawn(tab, scene)
    _choose(tab, "pictures")
    tab.get_by_text("3 classes").wait_for()


@_view(Stage.FILLED)
def node_not_installed(tab: Page, scene: Scene) -> None:
    canvas_with_mistakes(tab, scene)
    _choose(tab, "densenet")


@_view(Stage.FILLED)
def several_nodes(tab: Page, scene: Scene) -> None:
    canvas_drawn(tab, scene)
    tab.keyboard.press("Control+a")
    tab.get_by_text("nodes are selected").wait_for()


@_view(Stage.FILLED)
def node_renamed(tab: Page, scene: Scene) -> None:
    node_parameters(tab, scene)
    canvas.node(tab, "train").press("F2")


@_view(Stage.FILLED, is_wide=True)
def palette_search(tab: Page, scene: Scene) -> None:
    canvas_drawn(tab, scene)
    tab.get_by_label("Search components").fill("image")


@_view(Stage.FILLED)
def quick_add(tab: Page, scene: Scene) -> None:
    canvas_drawn(tab, scene)
    tab.get_by_role("button", name="Add a node (/)").click()
    tab.get_by_role("option").first.wait_for()


@_view(Stage.FILLED)
def connect_to(tab: Page, scene: Scene) -> None:
    node_parameters(tab, scene)
    canvas.node(tab, "train").press("c")
    tab.get_by_role("dialog").wait_for()


@_view(Stage.FILLED)
def node_menu(tab: Page, scene: Scene) -> None:
    node_parameters(tab, scene)
    canvas.node(tab, "train").press("Shift+F10")
    tab.get_by_role("menuitem", name="Connect to").wait_for()


@_view(Stage.FILLED)
def keys(tab: Page, scene: Scene) -> None:
    canvas_drawn(tab, scene)
    tab.keyboard.press("?")
    tab.get_by_role("dialog").wait_for()


@_view(Stage.FILLED)
def menu(tab: Page, scene: Scene) -> None:
    canvas_drawn(tab, scene)
    tab.get_by_role("button", name="More").first.click()
    tab.get_by_role("menu").wait_for()


@_view(Stage.FILLED)
def run_menu(tab: Page, scene: Scene) -> None:
    node_parameters(tab, scene)
    tab.locator("[aria-haspopup=menu]").last.click()
    tab.get_by_role("menuitem", name="Run all").wait_for()


@_view(Stage.FILLED)
def run_refused(tab: Page, scene: Scene) -> None:
    canvas_with_mistakes(tab, scene)
    tab.get_by_role("button", name="Run", exact=True).click()
    tab.get_by_role("alert").wait_for()


@_view(Stage.FILLED, is_wide=True)
def wire_refused(tab: Page, scene: Scene) -> None:
    canvas_drawn(tab, scene)
    canvas.draw_wire(
        tab, canvas.output(tab, "pictures.dataset"), canvas.taken(tab, "train.training")
    )
    tab.get_by_text("Join ports of the same shape").wait_for()


@_view(Stage.FILLED)
def conflict(tab: Page, scene: Scene) -> None:
    scene.drafts["twice"] = canvas.keep(scene.studio, seed_pipeline())
    _open_draft(tab, scene, "twice")
    theirs = tab.context.new_page()
    _open_draft(theirs, scene, "twice")
    for one, gone in ((theirs, "densenet"), (tab, "evaluate")):
        _choose(one, gone)
        canvas.node(one, gone).press("Delete")
        if one is theirs:
            one.get_by_text("Saved as version 2").wait_for(state="attached")
    theirs.close()
    tab.get_by_role("dialog").wait_for()


@_view(Stage.FILLED)
def versions(tab: Page, scene: Scene) -> None:
    scene.drafts["kept"] = canvas.keep(scene.studio, seed_pipeline())
    _open_draft(tab, scene, "kept")
    _choose(tab, "evaluate")
    canvas.node(tab, "evaluate").press("Delete")
    tab.get_by_text("Saved as version").first.wait_for(state="attached")
    tab.keyboard.press("Control+z")
    tab.get_by_role("button", name="More").first.click()
    tab.get_by_role("menuitem", name="Versions").click()
    tab.get_by_role("dialog").get_by_role("listitem").first.wait_for()


@_view(Stage.FILLED)
def runs(tab: Page, scene: Scene) -> None:
    _open(tab, scene, "runs")
    tab.get_by_role("table").get_by_role("link").first.wait_for()


@_view(Stage.FILLED)
def runs_none_fits(tab: Page, scene: Scene) -> None:
    runs(tab, scene)
    tab.get_by_label("Search by name or id").fill("no such run")
    tab.get_by_text("No run fits").wait_for()


@_view(Stage.FILLED)
def run_finished(tab: Page, scene: Scene) -> None:
    _open_run(tab, scene, "finished")
    tab.get_by_text("Choose a node").wait_for()


@_view(Stage.FILLED)
def run_deletion(tab: Page, scene: Scene) -> None:
    _open_run(tab, scene, "finished")
    tab.get_by_role("button", name="Delete").click()
    tab.get_by_role("dialog").wait_for()


@_view(Stage.FILLED)
def node_overview(tab: Page, scene: Scene) -> None:
    _open_run(tab, scene, "finished", "train")
    tab.get_by_role("tab", name="Overview").click()


@_view(Stage.FILLED)
def curves(tab: Page, scene: Scene) -> None:
    _open_run(tab, scene, "finished", "train")
    tab.get_by_role("region", name="Loss").locator("canvas").wait_for()


@_view(Stage.FILLED)
def curves_of_two_processes(tab: Page, scene: Scene) -> None:
    _open_run(tab, scene, "two", "train")
    tab.get_by_role("region", name="Loss").locator("canvas").wait_for()


@_view(Stage.FILLED)
def model(tab: Page, scene: Scene) -> None:
    _open_run(tab, scene, "finished", "train")
    tab.get_by_role("tab", name="Model").click()
    tab.get_by_role("heading", name="Measured").wait_for()


@_view(Stage.FILLED)
def log(tab: Page, scene: Scene) -> None:
    _open_run(tab, scene, "finished", "train")
    tab.get_by_role("tab", name="Logs").click()
    tab.get_by_role("log").wait_for()


@_view(Stage.FILLED)
def log_search(tab: Page, scene: Scene) -> None:
    log(tab, scene)
    tab.get_by_label("Search in this log").fill("epoch")
    tab.get_by_text("lines", exact=False).first.wait_for()


@_view(Stage.FILLED)
def node_failed(tab: Page, scene: Scene) -> None:
    _open_run(tab, scene, "failed")
    tab.get_by_role("alert").wait_for()


@_view(Stage.FILLED)
def log_of_an_error(tab: Page, scene: Scene) -> None:
    node_failed(tab, scene)
    tab.get_by_role("button", name="Show its line in the log").click()
    tab.get_by_role("log").locator("[data-target]").wait_for()


@_view(Stage.FILLED)
def evaluation(tab: Page, scene: Scene) -> None:
    _open_run(tab, scene, "finished", "evaluate")
    tab.get_by_role("heading", name="Confusion matrix").wait_for()


@_view(Stage.FILLED)
def evaluation_of_a_cell(tab: Page, scene: Scene) -> None:
    evaluation(tab, scene)
    tab.get_by_role("button", name="named rightly").first.click()
    tab.get_by_role("heading", name="named rightly").scroll_into_view_if_needed()


@_view(Stage.FILLED)
def evaluation_of_classes(tab: Page, scene: Scene) -> None:
    evaluation(tab, scene)
    tab.get_by_role("heading", name="Figures").scroll_into_view_if_needed()


@_view(Stage.FILLED)
def evaluation_why(tab: Page, scene: Scene) -> None:
    evaluation(tab, scene)
    tab.locator("section[aria-live] li[data-row]").first.get_by_role("button").click()
    panel = tab.get_by_role("dialog")
    panel.get_by_role("img", name="Where it finds").wait_for()
    panel.locator("li:has(img)").first.wait_for()


@_view(Stage.FILLED)
def evaluation_suspicions(tab: Page, scene: Scene) -> None:
    evaluation(tab, scene)
    tab.get_by_role("heading", name="Try a picture").scroll_into_view_if_needed()


@_view(Stage.FILLED)
def evaluation_thresholds(tab: Page, scene: Scene) -> None:
    evaluation(tab, scene)
    heading = tab.get_by_role("heading", name="Thresholds")
    heading.scroll_into_view_if_needed()
    tab.get_by_role("table", name="Thresholds").wait_for()


@_view(Stage.FILLED)
def compare(tab: Page, scene: Scene) -> None:
    _open(tab, scene, f"compare/{scene.runs['finished']}/{scene.runs['two']}")
    tab.get_by_role("heading", name="How good they are").wait_for()


@_view(Stage.FILLED)
def compare_curves(tab: Page, scene: Scene) -> None:
    compare(tab, scene)
    tab.get_by_role("heading", name="Curves over each other").scroll_into_view_if_needed()
    tab.locator("canvas").first.wait_for()


@_view(Stage.FILLED)
def runs_chosen(tab: Page, scene: Scene) -> None:
    runs(tab, scene)
    for box in tab.get_by_role("checkbox").all()[:2]:
        box.check()


# Busy: one training runs, another waits for it.


def _open_data(tab: Page, scene: Scene, view: str = "") -> None:
    """Show the pictures that were converted for the run that completed."""
    run = scene.runs["finished"]
    facts = scene.studio.ask(f"runs/{run}")["nodes"]
    node = next(name for name, one in facts.items() if "images" in one["outputs"])
    _open(tab, scene, f"data/{run}/{node}/images")
    tab.get_by_role("listbox").wait_for()
    if view:
        tab.get_by_role("tab", name=view).click()


@_view(Stage.FILLED)
def data_pictures(tab: Page, scene: Scene) -> None:
    """The pictures of a run, some of them chosen and left out."""
    _open_data(tab, scene)
    options = tab.get_by_role("option")
    options.nth(1).click()
    options.nth(4).click(modifiers=["Shift"])
    tab.get_by_role("button", name="Leave out").click()
    tab.get_by_role("region", name="What the network sees").locator("img").wait_for()


@_view(Stage.FILLED)
def data_duplicates(tab: Page, scene: Scene) -> None:
    """Pictures that look alike, side by side."""
    _open_data(tab, scene, "Duplicates")
    search = tab.get_by_role("button", name="Search", exact=True)
    found = tab.get_by_role("region", name="Look alike")
    clean = tab.get_by_text("No picture stands twice.")
    search.or_(found).or_(clean).first.wait_for()
    if search.count():
        search.click()
    found.or_(clean).first.wait_for()


@_view(Stage.FILLED)
def data_sizes(tab: Page, scene: Scene) -> None:
    """Histograms of sizes and brightness."""
    _open_data(tab, scene, "Sizes and brightness")


@_view(Stage.FILLED)
def data_corrections(tab: Page, scene: Scene) -> None:
    """Corrections that were made, and the way into a pipeline."""
    _open_data(tab, scene)
    options = tab.get_by_role("option")
    options.nth(0).click()
    options.nth(2).click(modifiers=["Shift"])
    tab.get_by_role("button", name="Leave out").click()
    tab.get_by_role("tab", name="Corrections").click()


@_view(Stage.BUSY)
def runs_of_every_state(tab: Page, scene: Scene) -> None:
    runs(tab, scene)
    tab.get_by_text("running").first.wait_for()


@_view(Stage.BUSY)
def run_running(tab: Page, scene: Scene) -> None:
    _open_run(tab, scene, "running", "train")
    epoch = re.compile(r"Epoch ([4-9]|\d\d+)/")  # there are curves then
    tab.get_by_text(epoch).first.wait_for(timeout=120_000)
    tab.get_by_role("region", name="Loss").locator("canvas").wait_for()


@_view(Stage.BUSY)
def run_waiting(tab: Page, scene: Scene) -> None:
    _open_run(tab, scene, "waiting", "train")
    tab.get_by_text("waiting for run").first.wait_for()


# Gone: the studio was killed.


@_view(Stage.GONE)
def studio_gone(tab: Page, scene: Scene) -> None:
    tab.get_by_text("does not answer").first.wait_for()
