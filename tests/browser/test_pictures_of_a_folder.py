"""A person's own folder: what is in it, before anything runs."""

import re

import pytest
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def photos(studio):
    """Three ants and two bees, of which one is broken, and notes that are no picture."""
    folder = studio.folder / "photos"
    for name, count in (("ants", 3), ("bees", 1)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.new("RGB", (40, 30), (40 * number, 90, 120)).save(folder / name / f"{number}.png")
    (folder / "bees" / "broken.png").write_bytes(b"no picture")
    (folder / "bees" / "notes.doc").write_text("nothing to see")
    return folder


def test_a_folder_is_described_before_its_pipeline_opens_and_runs(studio, photos, tab):
    tab.goto(studio.address)
    tab.get_by_role("button", name=re.compile("^My pictures")).click()
    picker = tab.get_by_role("dialog")
    picker.get_by_role("button", name="photos", exact=True).click()
    picker.get_by_text(str(photos)).first.wait_for()
    picker.get_by_role("button", name="Take this folder").click()
    source = tab.get_by_role("region", name="Pictures")
    source.get_by_text("2 classes").wait_for()
    source.locator("img").first.wait_for()
    rows = [
        text.split("\n")[:2] for text in source.locator("ul").first.locator("li").all_inner_texts()
    ]
    assert rows == [["ants", "3"], ["bees", "2"]]
    pictures = source.locator("img").all()
    assert len(pictures) == 4  # the broken one is shown as such
    assert all(one.evaluate("img => img.complete && img.naturalWidth > 0") for one in pictures)
    source.get_by_title("bees/broken.png").wait_for()
    source.get_by_text("Not looked at: 1 file that is a document by name (1 .doc).").wait_for()
    tab.get_by_role("button", name="Open the pipeline").click()
    tab.locator(".react-flow__node", has_text="Dataset").click()
    tab.get_by_role("region", name="Pictures").get_by_text("2 classes").wait_for()
    path = tab.url.split("/pipelines/")[1]
    kept = studio.ask(f"pipelines/{path}")["pipeline"]["nodes"]
    assert {"path": str(photos)} in [node.get("params") for node in kept]
