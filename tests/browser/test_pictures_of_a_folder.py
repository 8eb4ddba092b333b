"""A person's own folder: what is in it, before anything runs."""

import re

import pytest
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def photos(studio):
    """Three ants, two bees of which one is broken, one picture of no class, and notes."""
    folder = studio.folder / "photos"
    for name, count in (("ants", 3), ("bees", 1)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.new("RGB", (40, 30), (40 * number, 90, 120)).save(folder / name / f"{number}.png")
    Image.new("RGB", (40, 30)).save(folder / "loose.png")
    (folder / "bees" / "broken.png").write_bytes(b"no picture")
    (folder / "bees" / "notes.txt").write_text("nothing to see")
    return folder


@pytest.fixture
def flags(studio):
    """One picture in each of 40 classes."""
    folder = studio.folder / "flags"
    for number in range(40):
        (folder / f"flag-{number:02}").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (6 * number, 90, 120)).save(
            folder / f"flag-{number:02}" / "0.png"
        )
    return folder


def test_a_folder_is_described_before_its_pipeline_opens_and_in_its_panel(studio, photos, tab):
    _choose(studio, photos, tab)
    _has_the_photos(tab)
    tab.get_by_role("button", name="Open the pipeline").click()
    tab.locator(".react-flow__node", has_text="Dataset").click()
    _has_the_photos(tab)
    path = tab.url.split("/pipelines/")[1]
    kept = studio.ask(f"pipelines/{path}")["pipeline"]["nodes"]
    assert {"path": str(photos)} in [node.get("params") for node in kept]


def test_the_way_on_is_in_view_however_many_classes_there_are(studio, flags, tab):
    expect = pytest.importorskip("playwright.sync_api").expect
    _choose(studio, flags, tab)
    tab.get_by_role("region", name="Pictures").get_by_text("40 classes").wait_for()
    expect(tab.get_by_role("button", name="Open the pipeline")).to_be_in_viewport(ratio=1)
    tab.get_by_role("button", name="Another folder").click()
    tab.get_by_role("button", name="Take this folder").wait_for()


def test_a_folder_is_looked_at_again_only_when_a_person_asks(studio, photos, tab):
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.clock.install()
    _choose(studio, photos, tab)
    tab.get_by_role("region", name="Pictures").get_by_text("2 classes").wait_for()
    tab.get_by_role("button", name="Open the pipeline").click()
    tab.locator(".react-flow__node").first.wait_for()
    tab.clock.fast_forward(120_000)
    tab.locator(".react-flow__node", has_text="Dataset").click()
    tab.get_by_role("region", name="Pictures").get_by_text("2 classes").wait_for()
    with tab.expect_response(re.compile("/api/places/description")):
        tab.get_by_role("button", name="Look again").click()
    assert len([url for url in asked if "/api/places/description" in url]) == 2


def _choose(studio, folder, tab):
    """Go from the first page to the description of a folder below the studio's."""
    tab.goto(studio.address)
    tab.get_by_role("button", name=re.compile("^My pictures")).click()
    picker = tab.get_by_role("dialog")
    picker.get_by_role("button", name=folder.name, exact=True).click()
    picker.get_by_text(str(folder)).first.wait_for()
    picker.get_by_role("button", name="Take this folder").click()


def _has_the_photos(tab):
    """Hold what is shown against what the fixture wrote."""
    source = tab.get_by_role("region", name="Pictures")
    source.get_by_text("2 classes").wait_for()
    rows = [
        text.split("\n")[:2] for text in source.locator("ul").first.locator("li").all_inner_texts()
    ]
    assert rows == [["ants", "3"], ["bees", "1"]]  # the broken one is no picture of its class
    tab.wait_for_function(
        "[...document.querySelectorAll('section img')].every(one => one.complete)"
    )
    widths = source.locator("img").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert widths == [40] * 4  # small ones are not made larger
    source.get_by_text("Not looked at: 1 file that is a document by name (1 .txt).").wait_for()
    warning = source.get_by_role("alert").inner_text()
    assert "2 of 6 pictures (33.3 %) would be left out, more than the 1 % allowed" in warning
    assert "to 0.334 or more" in warning
    source.get_by_text("2 files are left out:").wait_for()
    source.get_by_text("Looked at: the header of every file").wait_for()
    source.get_by_role("button", name="Show the files").click()
    hint = source.get_by_text("Move it into the folder of its class.")
    hint.wait_for()
    assert "loose.png" in hint.locator("..").inner_text()
    source.get_by_text("bees/broken.png").wait_for()
