"""Why a model decides as it does, and what differs between two runs, looked at in the page."""

import io
import json

import pytest
from PIL import Image

from .scene import small_training

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True, scope="module")
def _digits():
    pytest.importorskip("sklearn", reason="scikit-learn has the digits")


@pytest.fixture(scope="module")
def two(studio):
    """Two runs of the digits that differ in their rate."""
    runs = [
        studio.ask("runs", {"pipeline": small_training(studio, epochs=2, learning_rate=rate)})["id"]
        for rate in (0.02, 0.05)
    ]
    return [studio.wait_for_run(run) for run in runs]


def evaluation_of(studio, run):
    folder = studio.workspace / "runs" / run["id"] / "nodes" / "evaluate" / "outputs" / "evaluation"
    return folder, json.loads((folder / "evaluation.json").read_text())["evaluations"][0]


def test_a_picture_of_an_evaluation_opens_what_the_model_says_and_where_it_looks(studio, two, tab):
    tab.goto(f"{studio.address}runs/{two[1]['id']}/nodes/evaluate")
    card = tab.locator("section[aria-live] li[data-row]").first
    file = card.locator("img").get_attribute("alt")
    card.get_by_role("button").click()
    panel = tab.get_by_role("dialog", name="Why this class?")
    panel.get_by_text(file).wait_for()
    maps = panel.get_by_role("img", name="Where it finds")
    maps.wait_for()
    for image in (maps, panel.get_by_role("img", name="What the network sees")):
        tab.wait_for_function(
            "img => img.complete && img.naturalWidth === 256", arg=image.element_handle()
        )
    assert panel.get_by_role("listitem").first.inner_text().endswith("%")
    # The slider lays the map over the picture, or takes it away.
    slider = panel.get_by_role("slider", name="How much of the map")
    slider.press("Home")
    assert maps.evaluate("img => getComputedStyle(img).opacity") == "0"
    slider.press("End")
    assert maps.evaluate("img => getComputedStyle(img).opacity") == "1"
    # Of the training pictures, as many as are named, each with its class.
    alike = panel.locator("li:has(img)")
    alike.nth(7).wait_for()
    assert alike.count() == 8
    assert all("/" in one.get_attribute("alt") for one in alike.locator("img").all())
    # Another class is looked for elsewhere.
    before = maps.get_attribute("src")
    panel.get_by_role("combobox", name="Look for").click()
    tab.get_by_role("option").nth(1).click()
    tab.wait_for_function(
        "([img, was]) => img.src.endsWith('.png') && !img.src.endsWith(was)",
        arg=[maps.element_handle(), before],
    )
    tab.keyboard.press("Escape")
    panel.wait_for(state="detached")


def test_a_picture_that_is_chosen_is_named_and_one_that_is_none_is_said_so(studio, two, tab):
    tab.goto(f"{studio.address}runs/{two[1]['id']}/nodes/evaluate")
    area = tab.locator("section", has=tab.get_by_role("heading", name="Try a picture"))
    buffer = io.BytesIO()
    Image.new("L", (40, 40), 200).save(buffer, "PNG")
    for name, content in (("grey.png", buffer.getvalue()), ("none.png", b"<html>")):
        with tab.expect_file_chooser() as chooser:
            area.get_by_role("button", name="Choose a picture").click()
        chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": content})
        if name == "grey.png":
            area.get_by_role("listitem").nth(4).wait_for()
            area.get_by_role("button", name="Why?").click()
            tab.get_by_role("dialog").get_by_role("img", name="Where it finds").wait_for()
            tab.keyboard.press("Escape")
        else:
            area.get_by_role("alert").get_by_text("InvalidDatasetError").wait_for()


def test_the_threshold_and_the_suspicious_labels_are_those_of_the_files(studio, two, tab):
    folder, evaluation = evaluation_of(studio, two[1])
    tab.goto(f"{studio.address}runs/{two[1]['id']}/nodes/evaluate")
    slider = tab.get_by_role("slider", name="Threshold")
    table = tab.get_by_role("table", name="Thresholds")
    thresholds = json.loads((folder / "thresholds.json").read_text())["classes"][3]
    for key, place in (("Home", 0), ("ArrowRight", 1)):
        slider.press(key)
        cells = table.get_by_role("row").nth(4).get_by_role("cell").all_inner_texts()
        assert cells[:2] == ["3", str(thresholds["reached"][place])]
        assert cells[3] == f"{thresholds['found'][place] / thresholds['support']:.3f}"
    listed = evaluation["possible_label_errors"]["listed"]
    shown = tab.get_by_role("list", name="Possible label errors").locator("img")
    assert [one.get_attribute("alt") for one in shown.all()] == [one["file"] for one in listed[:24]]


def test_two_runs_that_are_chosen_stand_side_by_side(studio, two, tab):
    tab.goto(f"{studio.address}runs")
    for run in two:
        tab.get_by_role("checkbox", name=run["id"]).check()
    tab.get_by_role("button", name="Compare 2 runs").click()
    tab.get_by_role("heading", name="Compare runs").wait_for()
    different = tab.get_by_role("row", name="train.learning_rate")
    assert different.get_by_role("cell").all_inner_texts() == ["0.02", "0.05"]
    for run in two:
        _, evaluation = evaluation_of(studio, run)
        share = f"{100 * evaluation['figures']['Overall_Accuracy']:.1f}\u00a0%"
        tab.get_by_role("cell", name=share).first.wait_for()
        low, high = (f"{100 * one:.1f}\u00a0%" for one in evaluation["accuracy_interval_95"])
        tab.get_by_role("img", name=f"{low} to {high}").first.wait_for()
    loss = tab.get_by_role("region", name="train: Train loss")
    loss.scroll_into_view_if_needed()
    loss.locator("canvas").wait_for()
    # The chart is drawn anew when the second curve comes, so its legend is looked for each time.
    tab.wait_for_function(
        "loss => loss.querySelector('.u-legend')?.innerText.split('…').length === 3",
        arg=loss.element_handle(),
    )
    # The pictures that changed sides are those whose 'correct' differs in the two evaluations.
    rights = []
    for run in two:
        asked = f"runs/{run['id']}/nodes/evaluate/pictures?limit=500"
        pictures = studio.ask(asked)["pictures"]
        rights.append({one["file"] for one in pictures if one["correct"]})
    changed = tab.get_by_role("list", name="Pictures that changed sides").locator("img")
    expected = rights[0] ^ rights[1]
    if expected:
        changed.first.wait_for()
    shown = {one.get_attribute("alt") for one in changed.all()}
    assert shown <= expected
    assert len(shown) == min(48, len(expected))  # a page
