"""Pipelines as files: opened by choosing or dropping one, to look at if newer, or refused (J14)."""

import json
import re

import pytest
from playwright.sync_api import expect

from . import canvas

pytestmark = pytest.mark.slow

DROP = """([text, name]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([text], name, {type: "application/json"}));
    const view = document.querySelector("main").firstElementChild;
    for (const kind of ["dragenter", "dragover", "drop"]) {
        view.dispatchEvent(new DragEvent(kind, {dataTransfer: carried, bubbles: true}));
    }
}"""


def open_file(tab, content, name="theirs.json"):
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    file = {"name": name, "mimeType": "application/json", "buffer": text}
    tab.get_by_label("Open a file").set_input_files(file)


def test_what_was_downloaded_opens_again_with_all_that_is_in_it(studio, seed, tab):
    seed["nodes"].append({"id": "odd", "component": "not_installed", "x_note": {"kept": [1, None]}})
    tab.goto(studio.address + canvas.keep(studio, seed))
    tab.get_by_role("button", name="More").first.click()
    with tab.expect_download() as saved:
        tab.get_by_role("menuitem", name="Download as a file").click()
    content = saved.value.path().read_bytes()
    tab.goto(studio.address)
    tab.get_by_role("heading", name="Begin with").wait_for()
    tab.evaluate(DROP, [content.decode(), "again.json"])
    tab.wait_for_url("**/pipelines/*")
    expect(canvas.node(tab, "odd")).to_contain_text("not_installed")
    assert studio.ask(tab.url.removeprefix(studio.address))["pipeline"] == json.loads(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no JSON", "theirs.json is no pipeline file."),
        (b"[" * 100_000, "theirs.json is no pipeline file."),
        (b" " * (10 * 1024 * 1024 + 1), "a pipeline file has at most 10 MiB"),
        ({"kind": "pipeline", "format_version": 2, "name": "n", "nodes": [{}]}, "component"),
    ],
    ids=["no JSON", "deep", "large", "no form"],
)
def test_a_file_that_is_none_is_refused_with_a_sentence(studio, tab, content, said):
    tab.goto(studio.address)
    before = len(studio.ask("pipelines"))
    open_file(tab, content)
    expect(tab.get_by_role("alert")).to_contain_text(said)
    assert len(studio.ask("pipelines")) == before


def require_only_to_be_looked_at(tab):
    expect(tab.get_by_role("status").filter(has_text="newer version")).to_be_visible()
    expect(canvas.node(tab, "train")).to_contain_text("Train PyTorch Model")
    canvas.node(tab, "train").click()
    expect(tab.get_by_role("textbox", name="Learning rate")).to_have_attribute("readonly", "")
    tab.keyboard.press("Delete")
    expect(canvas.node(tab, "train")).to_be_visible()
    expect(tab.get_by_role("button", name=re.compile("^(Run|Undo|Add|Make a copy)"))).to_have_count(
        0
    )


def saved_file(tab):
    with tab.expect_download() as saved:
        tab.get_by_role("link", name="Save the file as it is").click()
    return saved.value.path().read_bytes()


def newer(seed):
    """Return the seed as an Imageloom may write it one day."""
    seed["nodes"].append({"component": ["two", "at once"], "x": 2**60})
    return {**seed, "format_version": 3, "lanes": [{"id": 2**60, "width": 1.0}]}


def test_j14_a_file_of_a_newer_version_is_looked_at_and_kept_nowhere(studio, seed, tab):
    content = json.dumps(newer(seed), indent=7).encode() + b"\n\n"
    tab.goto(studio.address)
    before = len(studio.ask("pipelines"))
    open_file(tab, content)
    require_only_to_be_looked_at(tab)
    assert saved_file(tab) == content
    tab.get_by_role("button", name="All pipelines").click()
    expect(tab.get_by_role("heading", name="Begin with")).to_be_visible()
    assert len(studio.ask("pipelines")) == before


def test_j14_what_a_newer_version_drew_in_the_workspace_is_looked_at(studio, seed, tab):
    path = canvas.keep(studio, seed)
    file = studio.workspace / path / "000001.json"
    written = json.dumps({**json.loads(file.read_text()), "pipeline": newer(seed)})
    file.write_text(written)
    tab.goto(studio.address)
    row = tab.get_by_role("row").filter(has_text="to look at")
    row.get_by_role("link").click()
    require_only_to_be_looked_at(tab)
    assert saved_file(tab) == (json.dumps(newer_again(file), indent=2) + "\n").encode()
    assert file.read_text() == written


@pytest.mark.parametrize("name", ["constructor", "__proto__"])
def test_s11_a_node_called_like_what_every_object_has_is_drawn(studio, seed, tab, name):
    seed["nodes"].append({"id": name, "component": name})
    tab.goto(studio.address)
    open_file(tab, newer(seed))
    require_only_to_be_looked_at(tab)
    expect(canvas.node(tab, name)).to_contain_text("Not known yet")


def test_the_panel_beside_what_is_looked_at_reaches_all_of_a_node(studio, seed, tab):
    tab.goto(studio.address)
    open_file(tab, newer(seed))
    canvas.node(tab, "train").click()
    panel = tab.get_by_role("complementary")
    panel.get_by_role("textbox", name="Comment").scroll_into_view_if_needed()
    expect(panel.get_by_role("textbox", name="Comment")).to_be_in_viewport(ratio=1)
    assert tab.evaluate("window.scrollY") == 0
    free = "(box, side) => box.getBoundingClientRect().left - side.getBoundingClientRect().left"
    comment = panel.get_by_role("textbox", name="Comment")
    assert comment.evaluate(free, panel.element_handle()) >= 16


def newer_again(file):
    return json.loads(file.read_text())["pipeline"]
