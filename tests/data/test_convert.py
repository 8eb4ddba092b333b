import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from imageloom.data import convert as convert_module
from imageloom.data.convert import convert
from imageloom.data.decoding import pool as decode_pool
from imageloom.data.decoding.decode import decode_picture
from imageloom.data.images.directory import load_image_directory
from imageloom.data.params import ConvertParams
from imageloom.data.sources.kind import find_source
from imageloom.errors import (
    CouldNotOpenFileError,
    FailedToWriteOutputsError,
    ImageloomError,
    InvalidDatasetError,
    RunInterruptedError,
)
from imageloom.events import CancelToken, Notice, Progress

from .made_pictures import gif, jpeg, photo, png, saved
from .test_archive import a_tar, a_zip
from .test_decode_pool import STUB


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def run(tree, sealed, out):
    """Convert a folder of these files; the folder must stay exactly as it is."""

    def do(files, *, source=None, events=None, **params):
        tree.write(files)
        sink = (lambda _: None) if events is None else events.append
        with sealed():
            return convert(source or tree.root, out, params=ConvertParams(**params), on_event=sink)

    return do


def good(count, name="a"):
    return {f"{name}/{number}.png": png(hash((name, number)) % 10_000) for number in range(count)}


def test_a_folder_is_referenced_and_every_fact_is_written_down(run, tree, out):
    images = run({"b/1.jpg": jpeg(orientation=6), "a/2.png": png()})
    assert images.classes == ("a", "b")
    assert images.root == tree.root
    row = images.index.to_pylist()[1]
    assert {key: row[key] for key in ("path", "width", "height", "orientation", "format")} == {
        "path": b"b/1.jpg",
        "width": 24,
        "height": 32,
        "orientation": 6,
        "format": "JPEG",
    }
    assert row["size_bytes"] == len(jpeg(orientation=6))
    assert load_image_directory(out).digest == images.digest
    assert sorted(path.name for path in out.iterdir()) == [
        "MANIFEST.json",
        "image_directory.json",
        "index.arrow",
        "rejected.jsonl",
    ]


def test_what_is_left_out_is_listed_with_its_reason(run, out):
    images = run(good(4) | {"a/bad.jpg": b"<html>", "a/anim.gif": gif()}, max_rejected_fraction=0.5)
    reasons = {one.file: one.reason for one in load_image_directory(out).rejected}
    assert reasons == {
        "a/bad.jpg": "is an HTML page",
        "a/anim.gif": "is a picture of the format GIF, which is not accepted",
    }
    assert len(images) == 4
    assert {one.label for one in images.rejected} == {"a"}


def test_a11_and_a24_unusual_pictures_are_accepted_with_a_notice_that_names_them(run):
    events = []
    frames = saved(photo(), "PNG", save_all=True, append_images=[photo_image(1)])
    images = run({"a/1.jpg": png(), "a/2.png": frames, "a/3.jpg": jpeg()[:-2]}, events=events)
    text = "\n".join(images.notices)
    assert "a/1.jpg is named .jpg but is a PNG file" in text
    assert "1 picture has several frames, of which the first is used: a/2.png (2)" in text
    assert "a/3.jpg lacks only its end marker; all pixels are there." in text
    assert [event.message for event in events if isinstance(event, Notice)] == list(images.notices)


def photo_image(seed):
    from PIL import Image

    return Image.fromarray(photo(seed=seed))


def test_progress_ends_with_every_picture_done_and_tells_the_rate(run):
    events = []
    run(good(30), events=events)
    last = [event for event in events if isinstance(event, Progress)][-1]
    assert (last.stage, last.done, last.total) == ("Decoding pictures", 30, 30)
    assert "images/s" in last.text


def test_a46_a_class_that_loses_all_its_pictures_is_named(run):
    with pytest.raises(InvalidDatasetError, match=r"class 'b' .* has no usable image") as refused:
        run(good(200) | {"b/1.png": b"", "b/2.png": b"\xff"})
    assert refused.value.details["rejected"] == [
        "b/1.png: is empty",
        refused.value.details["rejected"][1],
    ]


def test_a47_more_than_the_allowed_share_is_refused_with_the_list(run, out):
    bad = {f"a/bad{number}.png": b"\xff" for number in range(2)}
    with pytest.raises(
        InvalidDatasetError, match=r"2 of 100 pictures .* \(2 %\).* 1 % allowed"
    ) as refused:
        run(good(98) | bad)
    assert refused.value.reason == "too-many-rejected"
    assert len(refused.value.details["rejected"]) == 2
    assert not out.exists()


def test_a48_exactly_the_allowed_share_passes_with_its_list(run):
    images = run(good(99) | {"a/bad.png": b"\xff"})
    assert (len(images), len(images.rejected)) == (99, 1)


@pytest.mark.parametrize("change", ["vanishes", "grows", "is replaced"])
def test_a45_a_file_that_changes_between_listing_and_reading_is_named(tree, out, change):
    victim = tree.write({"a/1.png": png(1), "a/2.png": png(2)}) / "a" / "2.png"

    def meddle(_event):
        if change == "vanishes":
            victim.unlink(missing_ok=True)
        elif change == "grows":
            victim.write_bytes(png(2) + b"more")
        else:
            victim.unlink(missing_ok=True)
            victim.symlink_to("1.png")

    listed = convert_module.list_source

    def list_then_meddle(*arguments, **options):
        listing = listed(*arguments, **options)
        meddle(None)
        return listing

    with pytest.MonkeyPatch.context() as patch:  # the moment between the two cannot be hit else
        patch.setattr(convert_module, "list_source", list_then_meddle)
        with pytest.raises(InvalidDatasetError, match=r"'a/2.png'") as refused:
            convert(tree.root, out)
    assert refused.value.reason == "changed-while-reading"


def test_a43_a_crash_of_the_decoder_is_one_line_of_the_report(run, monkeypatch):
    monkeypatch.setattr(decode_pool, "worker_command", lambda: [sys.executable, "-P", str(STUB)])
    files = {f"a/{number}.png": b"fine %d" % number for number in range(4)}
    images = run(files | {"a/bad.png": b"crash"}, max_rejected_fraction=0.2)
    assert [one.reason for one in images.rejected] == ["crashed the decoder (signal 11)"]


def test_b01_a_name_that_is_not_utf_8_can_be_converted_and_opened(run, out):
    run({b"caf\xe9/\xff.png": png()})
    images = load_image_directory(out)
    assert Path(os.fsdecode(images.path(0))).read_bytes() == png()
    assert images.file(0) == "caf\\xe9/\\xff.png"


def test_b13_a_flat_folder_becomes_unlabelled_pictures(run):
    images = run({"1.png": png(), "2.png": png(2)})
    assert not images.is_labelled


def test_b22_a_read_only_source_works(run, tree):
    tree.write(good(2))
    for path in [*tree.root.rglob("*"), tree.root]:
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        assert len(run({})) == 2
    finally:
        for path in [tree.root, *tree.root.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)


@pytest.mark.parametrize("path", ["source", "./source//", "~/source", "$PICTURES", "x/../source"])
def test_b24_a_path_is_resolved_once_and_shown_absolute(tree, monkeypatch, path):
    monkeypatch.chdir(tree.root.parent)
    monkeypatch.setenv("HOME", str(tree.root.parent))
    monkeypatch.setenv("PICTURES", str(tree.root))
    assert find_source(path).path == tree.root


def test_b24_a_folder_whose_name_holds_a_dollar_sign_is_taken_literally(tree, monkeypatch):
    monkeypatch.setenv("PICTURES", "/elsewhere")
    tree.write({"$PICTURES": None})
    assert find_source(tree.root / "$PICTURES").path == tree.root / "$PICTURES"


def test_c14_one_picture_under_two_labels_is_noted(run):
    images = run({"a/1.png": png(1), "b/7.png": png(1), "a/2.png": png(2), "a/3.png": png(2)})
    notice = next(notice for notice in images.notices if "more than one label" in notice)
    assert notice.startswith("1 picture stands")
    assert "a/1.png as 'a', b/7.png as 'b'." in notice


def test_c18_a_great_imbalance_is_noted(run):
    images = run(good(100) | good(1, "b"))
    assert any("'a' has 100 pictures and 'b' has 1" in notice for notice in images.notices)


def test_an_output_that_exists_is_left_alone(run, out):
    out.mkdir()
    (out / "mine").write_text("x")
    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        run(good(1))
    assert (out / "mine").read_text() == "x"


def test_an_output_inside_the_source_is_refused(tree, sealed):
    tree.write(good(1))
    with sealed(), pytest.raises(FailedToWriteOutputsError, match="lies inside"):
        convert(tree.root, tree.root / "converted")


def test_an_image_directory_is_not_converted_again(run, out, tmp_path):
    run(good(1))
    with pytest.raises(InvalidDatasetError, match="an image directory already"):
        convert(out, tmp_path / "again")


def test_nothing_at_the_source_is_told(out, tmp_path):
    with pytest.raises(CouldNotOpenFileError, match="There is nothing at"):
        convert(tmp_path / "missing", out)


def test_cancelling_leaves_nothing_behind(tree, out, tmp_path):
    tree.write(good(5))
    cancel = CancelToken()
    with pytest.raises(RunInterruptedError, match="Ctrl"):
        convert(tree.root, out, cancel=cancel, on_event=lambda _: cancel.set("Ctrl+C"))
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


ARCHIVED = {"top/a/1.png": png(1), "top/b/2.png": png(2), "top/README.md": b"x", "__MACOSX/x": b"x"}


@pytest.mark.parametrize("make", [a_zip, a_tar], ids=["zip", "tar"])
def test_an_archive_is_unpacked_into_the_image_directory(tree, sealed, out, tmp_path, make):
    archive = tree.root / "pictures.bin"
    archive.write_bytes(make(ARCHIVED))
    with sealed():
        images = convert(archive, out)
    assert images.classes == ("a", "b")
    assert images.root == out / "images"
    assert Path(os.fsdecode(images.path(1))).read_bytes() == png(2)
    assert not (out / "images" / "README.md").exists() or images.rejected == ()
    moved = out.rename(tmp_path / "elsewhere")
    assert load_image_directory(moved).root == moved / "images"  # it carries its pictures along


def test_rejected_files_of_an_archive_are_not_kept(tree, out):
    archive = tree.root / "x.zip"
    archive.write_bytes(a_zip({"a/1.png": png(1), "a/bad.png": b"<html>", "a/x.zip": a_zip({})}))
    images = convert(archive, out, params=ConvertParams(max_rejected_fraction=0.5))
    assert [one.file for one in images.rejected] == ["a/bad.png"]
    assert not (out / "images" / "a" / "bad.png").exists()


@pytest.mark.parametrize(
    "members", [{}, {"__MACOSX/._x": b"x", ".DS_Store": b"x"}, {"a.txt": b"x"}]
)
def test_d19_an_archive_without_pictures_is_refused_by_its_own_name(tree, out, tmp_path, members):
    archive = tree.root / "x.zip"
    archive.write_bytes(a_zip(members))
    with pytest.raises(InvalidDatasetError, match=r"no pictures in .*source/x.zip\b"):
        convert(archive, out)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


PARTED = {"d/train/a/1.png": png(1), "d/val/a/2.png": png(2)}
BAD = {"d/a/1.png": png(1), "d/b/bad.png": b"<html>", "d/b/2.png": png(2)}


@pytest.mark.parametrize(
    ("members", "params", "place", "reason"),
    [
        (PARTED, {}, "/d", "several-parts"),
        (PARTED, {"folder": "dev"}, "", "no-such-folder"),
        (PARTED, {"folder": "../up"}, "", "folder-outside"),
        ({"d/a/1.png": png(1), "d/a/in/2.png": png(2)}, {}, "/d", "nested-classes"),
        ({"d/a/1.png": png(1), "d/b/": b""}, {}, "/d", "empty-class"),
        ({"d/a/1.png": png(1), "d/b/x.png": b"<html>"}, {}, "/d", "class-without-images"),
        (BAD, {}, "/d", "too-many-rejected"),
        ({"1.png": b"<html>"}, {"labels": "none"}, "", "too-many-rejected"),
        ({"1.png": png(1)}, {"part": "train"}, "", "no-such-part"),
    ],
)
def test_d19_every_error_names_the_archive_and_not_where_it_lies_unpacked(
    tree, out, members, params, place, reason
):
    archive = tree.root / "x.zip"
    archive.write_bytes(a_zip(members))
    with pytest.raises(ImageloomError) as caught:
        convert(archive, out, params=ConvertParams(**params))
    error = caught.value
    assert error.reason == reason
    assert re.search(rf"{archive}{place}\b(?!/)", error.message)
    assert "unpacked" not in f"{error.message} {error.hint} {error.details}"
    assert str(out) not in f"{error.message} {error.hint} {error.details}"


def test_d23_parts_in_an_archive_are_converted_one_at_a_time(tree, out):
    archive = tree.root / "x.zip"
    archive.write_bytes(a_zip({"d/train/a/1.png": png(1), "d/val/a/2.png": png(2)}))
    with pytest.raises(InvalidDatasetError, match="parts of a dataset"):
        convert(archive, out)
    images = convert(archive, out, params=ConvertParams(folder="val"))
    assert Path(os.fsdecode(images.path(0))).read_bytes() == png(2)


def test_d22_a_full_disk_half_way_leaves_no_output(tree, out, tmp_path, monkeypatch):
    archive = tree.root / "x.zip"
    archive.write_bytes(a_zip(ARCHIVED))

    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device", "images/a/1.png")

    monkeypatch.setattr(
        "imageloom.data.sources.archive.unpack._write_one", full
    )  # no test may fill the disk
    with pytest.raises(FailedToWriteOutputsError, match="No space left"):
        convert(archive, out)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_d22_a_killed_conversion_leaves_no_output_and_the_next_one_cleans_up(
    tree, out, tmp_path, python
):
    tree.write({"a/1.png": b"fine", "a/2.png": b"hang"})
    code = (
        "import sys; from imageloom.data.decoding import pool; "
        f"pool.worker_command = lambda: [sys.executable, '-P', {str(STUB)!r}]; "
        "from imageloom.data.convert import convert; convert(*sys.argv[1:])"
    )
    process = subprocess.Popen([python, "-c", code, tree.root, out])
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".out.*.partial")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    assert len(list(tmp_path.glob(".out.*.partial"))) == 1
    shutil.rmtree(tree.root)
    tree.root.mkdir()
    tree.write(good(1))
    convert(tree.root, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source"]


def test_a_picture_reads_back_as_it_was_converted(run):
    images = run({"a/1.png": png(5)})
    content = Path(os.fsdecode(images.path(0))).read_bytes()
    np.testing.assert_array_equal(decode_picture(content).pixels_HWC, photo(6, 8, 5))


def test_a_folder_with_classes_can_be_taken_without_labels(run):
    images = run({"a/1.png": png(1), "b/2.png": png(2)}, labels="none")
    assert images.classes == ()
    assert not images.is_labelled
    assert len(images) == 2
