"""Pipelines as files: opened by choosing or dropping one, and refused with the engine's words."""

import json

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
        ({"kind": "pipeline", "format_version": 99, "name": "n", "nodes": []}, "version 99"),
        ({"kind": "pipeline", "format_version": 2, "name": "n", "nodes": [{}]}, "component"),
    ],
    ids=["no JSON", "deep", "large", "newer", "no form"],
)
def test_a_file_that_is_none_is_refused_with_a_sentence(studio, tab, content, said):
    tab.goto(studio.address)
    before = len(studio.ask("pipelines"))
    open_file(tab, content)
    expect(tab.get_by_role("alert")).to_contain_text(said)
    assert len(studio.ask("pipelines")) == before
