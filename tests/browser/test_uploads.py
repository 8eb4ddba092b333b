"""Pictures of a person that come as an archive: from the file to a training."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PART_BYTES = 4 * 1024 * 1024


def packed(folder, archive):
    """Pack the files below a folder, as they are."""
    with zipfile.ZipFile(archive, "w") as made:
        for file in sorted(Path(folder).rglob("*.*")):
            made.write(file, file.relative_to(folder.parent))
    return archive


@pytest.fixture
def digits(tmp_path):
    """A zip of 1,797 real pictures in ten classes."""
    pytest.importorskip("sklearn", reason="scikit-learn has the digits")
    from imageloom.demo import write_digits
    from imageloom.events import Control

    (tmp_path / "digits").mkdir()
    write_digits(tmp_path / "digits", control=Control())
    return packed(tmp_path / "digits", tmp_path / "digits.zip")


@pytest.fixture
def large(tmp_path):
    """A zip of more than three parts: noise in two classes, which no program packs smaller."""
    generator = np.random.default_rng(1)
    for number in range(16):
        folder = tmp_path / "noise" / ("even", "odd")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = generator.integers(0, 256, (560, 560, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.bmp")
    archive = packed(tmp_path / "noise", tmp_path / "noise.zip")
    assert 3 * PART_BYTES < archive.stat().st_size < 4 * PART_BYTES
    return archive


def open_picker(studio, tab):
    tab.goto(studio.address)
    tab.get_by_role("button", name=re.compile("^My pictures")).click()
    tab.get_by_role("button", name="Take this folder").wait_for()


def choose(tab, archive):
    with tab.expect_file_chooser() as chooser:
        tab.get_by_role("button", name="Upload a zip").click()
    chooser.value.set_files(archive)


def test_from_a_zip_to_a_training_in_six_clicks(studio, digits, tab):
    open_picker(studio, tab)
    choose(tab, digits)
    source = tab.get_by_role("region", name="Pictures")
    source.get_by_text(re.compile("1,?797 pictures, 10 classes")).wait_for()
    assert source.get_by_role("alert").count() == 0
    tab.get_by_role("button", name="Open the pipeline").click()
    tab.locator(".react-flow__node").first.wait_for()
    draft = studio.ask(f"pipelines/{tab.url.split('/pipelines/')[1]}")
    (params,) = [
        node["params"] for node in draft["pipeline"]["nodes"] if node["component"] == "dataset"
    ]
    assert params == {"path": str(studio.workspace / "uploads" / "digits.zip")}
    assert studio.ask("check", {"pipeline": draft["pipeline"]})["problems"] == []
    tab.get_by_role("button", name="Run", exact=True).click()
    tab.wait_for_url("**/runs/*")
    tab.locator(".react-flow__node", has_text="Train PyTorch Model").click()
    tab.get_by_role("region", name="Loss").locator("canvas").wait_for(timeout=200_000)
    tab.get_by_role("button", name="Stop").click()
    studio.wait_for_run(tab.url.split("/runs/")[1].split("/")[0], ("cancelled",))


def test_after_a_cut_and_a_reload_the_same_file_goes_on(studio, large, tab):
    is_part = re.compile(r"/api/uploads/\w+/parts/(\d+)")
    sent = []

    def cut_from_the_third(route):
        offset = int(is_part.search(route.request.url)[1])
        if offset >= 2 * PART_BYTES:
            route.abort("connectionreset")
        else:
            sent.append(offset)
            route.continue_()

    tab.route(is_part, cut_from_the_third)
    open_picker(studio, tab)
    choose(tab, large)
    tab.get_by_text("It goes on by itself.").wait_for()
    assert sent == [0, PART_BYTES]
    assert studio.ask("uploads")["unfinished"][0]["there"] == 2 * PART_BYTES
    open_picker(studio, tab)  # a new page, which knows of no file
    tab.unroute_all()
    tab.on("request", lambda asked: is_part.search(asked.url) and sent.append(asked.url))
    sent.clear()
    tab.get_by_text(re.compile(r"noise\.zip: \d\d\.\d\s% of .* have arrived")).wait_for()
    choose(tab, large)
    tab.get_by_role("region", name="Pictures").get_by_text("16 pictures, 2 classes").wait_for()
    offsets = [int(is_part.search(url)[1]) for url in sent]
    assert offsets == [2 * PART_BYTES, 3 * PART_BYTES]
    uploads = studio.ask("uploads")
    assert uploads["unfinished"] == []
    assert (studio.workspace / "uploads" / "noise.zip").read_bytes() == large.read_bytes()


def test_an_upload_is_cancelled_and_nothing_of_it_stays(studio, large, tab):
    tab.route("**/parts/*", lambda route: route.abort("connectionreset"))
    open_picker(studio, tab)
    choose(tab, large)
    tab.get_by_text("It goes on by itself.").wait_for()
    tab.get_by_role("button", name="Cancel the upload").click()
    tab.get_by_role("button", name="Take this folder").wait_for()
    assert studio.ask("uploads")["unfinished"] == []


def test_what_is_no_archive_is_said_by_name_when_it_was_dropped_and_can_be_deleted(studio, tab):
    def names():
        return [one["name"] for one in studio.ask("uploads")["finished"]]

    open_picker(studio, tab)
    dropped = tab.evaluate_handle(
        "() => { const all = new DataTransfer();"
        "all.items.add(new File(['no archive at all'], 'bad.zip')); return all; }"
    )
    tab.get_by_text("Or drop it here").dispatch_event("drop", {"dataTransfer": dropped})
    alert = tab.get_by_role("alert")
    alert.get_by_text("no .zip archive, or a damaged one").wait_for()
    assert "InvalidDatasetError" in alert.inner_text()
    assert "bad.zip" in names()
    tab.get_by_role("button", name="Delete the upload").click()
    tab.get_by_role("button", name="Take this folder").wait_for()
    assert "bad.zip" not in names()


def test_what_is_no_archive_by_its_name_is_refused_before_it_is_sent(studio, tab, tmp_path):
    open_picker(studio, tab)
    (tmp_path / "photo.jpg").write_bytes(b"one picture")
    choose(tab, tmp_path / "photo.jpg")
    tab.get_by_role("alert").get_by_text("'photo.jpg' is no archive by its name.").wait_for()
    tab.get_by_role("button", name="Cancel the upload").click()
    tab.get_by_role("button", name="Take this folder").wait_for()
