import json

import pytest
from PIL import Image

from imageloom.data.convert import convert
from imageloom.data.images.check import check, compare
from imageloom.data.images.verify import changed_files, verify_pictures
from imageloom.data.params import ConvertParams
from imageloom.errors import InvalidDatasetError, RunInterruptedError
from imageloom.events import CancelToken, Control, Progress

from .made_index import images_of
from .made_pictures import jpeg, png


@pytest.fixture
def images(tree, tmp_path):
    files = {
        "a/1.png": png(1),
        "a/2.jpg": jpeg(orientation=6),
        "b/3.png": png(1),
        "b/4.png": png(4),
        "b/bad.png": b"",
    }
    return convert(
        tree.write(files), tmp_path / "out", params=ConvertParams(max_rejected_fraction=0.5)
    )


def test_the_report_counts_what_is_there_and_names_what_is_wrong(images):
    report = check(images)
    assert (report.images, report.images_per_class) == (4, {"a": 2, "b": 2})
    assert report.formats == {"PNG": 3, "JPEG": 1}
    assert report.turned == 1
    assert (report.width.smallest, report.width.median, report.width.largest) == (8, 8, 24)
    assert report.size_bytes == sum(map(len, (png(1), jpeg(orientation=6), png(1), png(4))))
    assert [(one.file, one.reason) for one in report.rejected] == [("b/bad.png", "is empty")]
    assert report.duplicates == report.contradictions == (("a/1.png", "b/3.png"),)
    assert report.changed == ()


def test_the_report_is_plain_json(images):
    content = json.loads(json.dumps(check(images, images).to_json()))
    assert content["images_per_class"] == {"a": 2, "b": 2}
    assert content["rejected"][0]["file"] == "b/bad.png"
    assert content["comparison"]["leaks"][0] == ["a/1.png", "a/1.png"]
    assert content["comparison"]["shared_groups"] == []
    assert content["counts"] == {
        "rejected": 1,
        "changed": 0,
        "duplicates": 1,
        "files_in_duplicates": 2,
        "contradictions": 1,
        "leaks": 4,
    }


def test_c11_pictures_in_both_directories_are_paired_by_their_bytes():
    here = images_of(["a"] * 4, contents=["p", "q", "r", "p"])
    there = images_of(["a"] * 3 + ["x"], contents=["s", "p", "t", "r"])
    leaks = compare(here, there).leaks
    assert set(leaks) == {("a/0.png", "a/1.png"), ("a/3.png", "a/1.png"), ("a/2.png", "x/3.png")}
    assert compare(here, images_of(["a"], contents=["other"])).leaks == ()


def test_c03_and_c04_classes_that_only_one_side_has_are_named():
    comparison = compare(images_of(["a", "b"]), images_of(["b", "c"]))
    assert (comparison.missing_classes, comparison.extra_classes) == (("a",), ("c",))


def test_c14_only_sets_with_several_labels_are_contradictions():
    report_of = images_of(["a", "a", "b", "b", "c"], contents=["p", "p", "q", "p", "p"])
    from imageloom.data.images.findings import contradictions

    assert list(contradictions(report_of)) == [[0, 3, 4, 1]]


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(bytes(content))


def test_a07_a_flipped_bit_decodes_without_complaint_and_is_caught_by_its_hash(images, tree):
    victim = tree.root / "a" / "2.jpg"
    flip_a_bit(victim)
    Image.open(victim).load()  # the naive check: it decodes
    with pytest.raises(InvalidDatasetError, match=r"'a/2.jpg' has other bytes") as refused:
        verify_pictures(images, control=Control())
    assert refused.value.details["files"] == ["a/2.jpg"]


def test_files_that_are_gone_longer_or_links_are_named(images, tree):
    (tree.root / "a" / "1.png").unlink()
    (tree.root / "a" / "2.jpg").write_bytes(jpeg() * 2)
    (tree.root / "b" / "3.png").rename(tree.root / "b" / "moved.png")
    (tree.root / "b" / "3.png").symlink_to("moved.png")
    reasons = {one.file: one.reason for one in changed_files(images, control=Control())}
    assert reasons["a/1.png"].startswith("is gone")
    assert "bytes, but had" in reasons["a/2.jpg"]
    assert set(reasons) == {"a/1.png", "a/2.jpg", "b/3.png"}


def test_checking_tells_its_progress_and_can_be_cancelled(images):
    events = []
    changed_files(images, control=Control(events.append))
    assert events[-1] == Progress("Checking files", 4, 4, "images")
    cancel = CancelToken()
    cancel.set("Ctrl+C")
    with pytest.raises(RunInterruptedError, match="Ctrl"):
        changed_files(images, control=Control(cancel=cancel))
