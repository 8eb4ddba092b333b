"""Two people, or tabs, draw on one pipeline."""

import pytest
from playwright.sync_api import expect

from . import canvas

pytestmark = pytest.mark.slow


def both(tab, address):
    """Open a view in two tabs of one browser."""
    tabs = tab, tab.context.new_page()
    for one in tabs:
        one.goto(address)
    return tabs


def test_who_saves_second_sees_both_and_loses_nothing(studio, seed, tab):
    path = canvas.keep(studio, seed)
    first, second = both(tab, studio.address + path)
    for one in (first, second):
        expect(canvas.nodes(one)).to_have_count(12)
    canvas.node(first, "densenet").click()
    first.keyboard.press("Delete")
    expect(first.get_by_text("Saved as version 2")).to_be_visible()
    canvas.node(second, "evaluate").click()
    second.keyboard.press("Delete")

    dialog = second.get_by_role("dialog")
    expect(dialog).to_contain_text("You drew on version 1.")
    expect(dialog).to_contain_text("Remove Evaluate Model")
    expect(dialog).to_contain_text("Remove DenseNet")
    dialog.get_by_role("button", name="Take theirs, keep mine as a copy").click()
    expect(dialog).to_have_count(0)
    expect(canvas.node(second, "evaluate")).to_have_count(1)
    expect(canvas.node(second, "densenet")).to_have_count(0)

    rows = {row["name"]: row["num_nodes"] for row in studio.ask("pipelines")}
    assert rows[f"{seed['name']} (my copy)"] == 11
    kept = studio.ask(path)
    assert kept["version"] == 2


def test_mine_on_top_keeps_theirs_among_the_versions(studio, seed, tab):
    path = canvas.keep(studio, seed)
    first, second = both(tab, studio.address + path)
    for one, gone in ((first, "densenet"), (second, "evaluate")):
        canvas.node(one, gone).click()
    first.keyboard.press("Delete")
    expect(first.get_by_text("Saved as version 2")).to_be_visible()
    second.keyboard.press("Delete")
    second.get_by_role("button", name="Save mine on top").click()
    expect(second.get_by_text("Saved as version 3")).to_be_visible()
    ids = {one["id"] for one in studio.ask(path)["pipeline"]["nodes"]}
    assert "densenet" in ids
    assert "evaluate" not in ids
    second.get_by_role("button", name="More").first.click()
    second.get_by_role("menuitem", name="Versions").click()
    expect(second.get_by_role("dialog")).to_contain_text("Remove DenseNet")
