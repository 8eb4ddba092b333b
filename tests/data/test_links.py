import os
from pathlib import Path

import pytest

from imageloom.data.convert import convert
from imageloom.data.images.directory import load_image_directory
from imageloom.data.images.verify import changed_files
from imageloom.data.links import look_behind
from imageloom.data.loading.picture_reader import PictureReader
from imageloom.data.open import open_images
from imageloom.data.params import ConvertParams
from imageloom.data.sources.folder.scan import scan_folder
from imageloom.errors import InvalidDatasetError
from imageloom.events import Control
from imageloom.settings import Settings

from .made_pictures import png

X = b"not decoded here"
FOLLOW = ConvertParams(follow_links=True)


@pytest.fixture
def store(tmp_path):
    """A place outside the source, where what links lead to lies."""
    folder = tmp_path / "store"
    (folder / "ants").mkdir(parents=True)
    for number in range(3):
        (folder / "ants" / f"{number}.png").write_bytes(png(number))
    return folder


@pytest.fixture
def linked_class(tree, store):
    """Two real class folders, and one that is a link to a folder outside the source."""
    tree.write({f"b/{number}.png": png(10 + number) for number in range(2)})
    tree.write({f"c/{number}.png": png(20 + number) for number in range(2)})
    (tree.root / "ants").symlink_to(store / "ants")
    return tree.root


def refused(root, match, params=None):
    with pytest.raises(InvalidDatasetError, match=match) as problem:
        scan_folder(root, params or ConvertParams(), control=Control())
    return problem.value


def names(listing):
    return [path.decode() for path in listing.files.column("path").to_pylist()]


def test_a_class_folder_that_is_a_link_is_refused_with_its_target_and_the_way_out(
    linked_class, store
):
    problem = refused(linked_class, f"'ants' to {store}/ants. Its pictures would be left out")
    assert problem.reason == "linked-folders"
    assert "--follow-links" in problem.hint


def test_a_linked_class_folder_is_read_on_request_and_its_target_is_recorded(
    linked_class, store, sealed, tmp_path
):
    with sealed():
        images = convert(linked_class, tmp_path / "out", params=FOLLOW)
    assert images.counts == {"ants": 3, "b": 2, "c": 2}
    assert images.file(0) == "ants/0.png"  # as the user calls it, not as the store does
    assert any(f"'ants' to {store}/ants" in notice for notice in images.notices)
    assert load_image_directory(tmp_path / "out").follows_links


def test_a_farm_of_links_to_files_is_named_or_followed_to_the_last_byte(
    tree, store, sealed, tmp_path
):
    tree.write({"ants": None, "bees/1.png": png(9)})
    for number in range(3):
        (tree.root / "ants" / f"x{number}.png").symlink_to(store / "ants" / f"{number}.png")
    problem = refused(tree.root, "3 of 3 files in .*/ants are links")
    assert problem.reason == "linked-files"
    assert "--follow-links" in problem.hint
    with sealed():
        images = convert(tree.root, tmp_path / "out", params=FOLLOW)
    assert images.counts == {"ants": 3, "bees": 1}
    assert f"3 links to files were followed, into {store}/ants." in images.notices
    assert changed_files(images, control=Control()) == ()
    reader = PictureReader(images.index, images.root, (), seed=0)
    assert reader.picture(epoch=0, position=0).shape == (3, 6, 8)


def test_a_link_that_leads_elsewhere_later_is_found_by_the_bytes(tree, store, tmp_path):
    tree.write({"a/1.png": png(9)})
    link = tree.root / "a" / "2.png"
    link.symlink_to(store / "ants" / "0.png")
    images = convert(tree.root, tmp_path / "out", params=FOLLOW)
    link.unlink()
    link.symlink_to(store / "ants" / "1.png")
    assert [one.file for one in changed_files(images, control=Control())] == ["a/2.png"]


def test_a_flat_folder_of_links_is_named_too(tree, store):
    for number in range(3):
        (tree.root / f"{number}.png").symlink_to(store / "ants" / f"{number}.png")
    refused(tree.root, "3 of 3 files in .*/source are links")
    assert len(scan_folder(tree.root, FOLLOW, control=Control())) == 3


def test_a_few_links_among_files_are_left_out_one_by_one_with_the_way_out(tree, store):
    tree.write({"a/1.jpg": X, "a/2.jpg": X})
    (tree.root / "a" / "3.jpg").symlink_to(store / "ants" / "0.png")
    (one,) = scan_folder(tree.root, ConvertParams(), control=Control()).rejected
    assert (one.file, one.reason) == ("a/3.jpg", "is a link, and links are not followed")
    assert "--follow-links" in one.hint


@pytest.mark.parametrize("params", [ConvertParams(), FOLLOW])
def test_a_broken_link_is_a_lost_picture_that_leads_nowhere(tree, params):
    tree.write({"a/1.jpg": X, "a/2.jpg": X})
    (tree.root / "a" / "3.jpg").symlink_to("/nowhere/3.jpg")
    (tree.root / "a" / "4.jpg").symlink_to("4.jpg")
    (tree.root / "a" / "labels.csv").symlink_to("/nowhere/labels.csv")  # by name no picture
    found = {
        one.file: one.reason for one in scan_folder(tree.root, params, control=Control()).rejected
    }
    assert found == {
        "a/3.jpg": "is a link that leads nowhere",
        "a/4.jpg": "is a link that leads in a circle",
    }


@pytest.mark.parametrize("params", [ConvertParams(), FOLLOW])
def test_a_broken_link_beside_class_folders_may_have_been_one(tree, params):
    tree.write({"a/1.jpg": X, "b/1.jpg": X})
    (tree.root / "bees").symlink_to("/not-mounted/bees")
    problem = refused(tree.root, "leads nowhere: 'bees' to /not-mounted/bees", params)
    assert problem.reason == "broken-links"


def test_a_broken_link_among_pictures_without_classes_is_a_lost_picture(tree):
    tree.write({"1.jpg": X, "2.jpg": X})
    (tree.root / "latest").symlink_to("/nowhere")
    (one,) = scan_folder(tree.root, ConvertParams(), control=Control()).rejected
    assert (one.file, one.reason) == ("latest", "is a link that leads nowhere")


def test_b15_following_links_never_goes_back_up(tree, store):
    tree.write({"a/1.jpg": X, "b/1.jpg": X})
    (tree.root / "a" / "self").symlink_to(".")
    (tree.root / "a" / "up").symlink_to("..")
    (tree.root / "b" / "far-up").symlink_to(tree.root.parent.parent)
    (store / "ants" / "back").symlink_to(store)  # by way of a link, and from there up again
    (tree.root / "ants").symlink_to(store / "ants")
    listing = scan_folder(tree.root, FOLLOW, control=Control())
    assert names(listing) == ["a/1.jpg", *(f"ants/{n}.png" for n in range(3)), "b/1.jpg"]
    assert {one.file for one in listing.rejected} == {"a/self", "a/up", "b/far-up", "ants/back"}
    assert not any(one.is_picture for one in listing.rejected)


def test_links_that_multiply_each_other_come_to_an_end(tree, monkeypatch):
    monkeypatch.setattr(
        "imageloom.data.sources.folder.links.MAX_FOLLOWED", 100
    )  # 2**9 ways to one picture
    tree.write({f"{level}/x.jpg": X for level in range(10)})
    for level in range(9):
        for name in ("left", "right"):
            (tree.root / str(level) / name).symlink_to(tree.root / str(level + 1))
    params = ConvertParams(follow_links=True, nested="join")
    assert refused(tree.root, "More than 100 links to folders", params).reason == "too-many-links"


def test_what_the_kernel_shows_as_files_is_never_followed(tree):
    tree.write({"a/1.jpg": X, "a/2.jpg": X})
    (tree.root / "a" / "3.jpg").symlink_to("/proc/self/status")
    (tree.root / "a" / "4.jpg").symlink_to("/dev/null")
    found = {
        one.file: one.reason for one in scan_folder(tree.root, FOLLOW, control=Control()).rejected
    }
    assert found == {
        "a/3.jpg": "is a link into /proc, which is never followed",
        "a/4.jpg": "is a link to a pipe, socket or device",
    }


def test_pictures_kept_in_memory_may_be_followed():
    assert look_behind(b"/dev/shm").problem == ""
    assert look_behind(b"/dev").problem != ""


def test_a_link_inside_a_class_to_a_folder_that_is_listed_anyway_loses_nothing(tree):
    tree.write({"a/1.jpg": X, "b/1.jpg": X})
    (tree.root / "a" / "more").symlink_to(tree.root / "b")
    (one,) = scan_folder(tree.root, ConvertParams(), control=Control()).rejected
    assert (one.file, one.is_picture) == ("a/more", False)


def test_a_link_inside_a_class_to_a_folder_elsewhere_is_refused(tree, store):
    tree.write({"a/1.jpg": X, "b/1.jpg": X})
    (tree.root / "a" / "more").symlink_to(store / "ants")
    refused(tree.root, "folder in .* is a link, .* 'a/more' to")
    refused(tree.root, "holds a folder with files: 'a/more'", FOLLOW)
    joined = scan_folder(
        tree.root, ConvertParams(follow_links=True, nested="join"), control=Control()
    )
    assert joined.classes == ("a", "a/more", "b")


def test_a_data_folder_that_is_itself_a_link_works(tree, tmp_path):
    tree.write({"a/1.png": png(1), "b/2.png": png(2)})
    (tmp_path / "link").symlink_to(tree.root)
    settings = Settings(home=tmp_path / "home", workspace=tmp_path / "workspace")
    images = open_images(tmp_path / "link", settings=settings)
    assert images.counts == {"a": 1, "b": 1}
    assert Path(os.fsdecode(images.path(0))).read_bytes() == png(1)


def test_parts_that_are_links_can_be_named(tree, store):
    tree.write({"readme.txt": X})
    (tree.root / "train").symlink_to(store)
    (tree.root / "val").symlink_to(store)
    assert scan_folder(tree.root, ConvertParams(folder="train"), control=Control()).classes == (
        "ants",
    )
    refused(tree.root, "parts of a dataset, not classes: train, val", FOLLOW)


def test_links_in_a_manifest_are_left_out_or_followed(tree, store, tmp_path):
    rows = b"file,label\nants/0.png,ant\nb.png,bee\nc.png,bee\n"
    tree.write({"list.csv": rows, "b.png": png(7)})
    (tree.root / "ants").symlink_to(store / "ants")
    (tree.root / "c.png").symlink_to(store / "ants" / "1.png")
    with pytest.raises(InvalidDatasetError, match="no usable image") as problem:
        convert(tree.root / "list.csv", tmp_path / "out")
    assert "--follow-links" in problem.value.hint
    images = convert(tree.root / "list.csv", tmp_path / "out", params=FOLLOW)
    assert images.counts == {"ant": 1, "bee": 2}


def test_only_lost_pictures_count_against_the_limit(tree, tmp_path):
    tree.write({"a/1.png": png(1), "b/2.png": png(2)})
    (tree.root / "a" / "loop").symlink_to("..")
    os.mkfifo(tree.root / "b" / "pipe.png")
    images = convert(tree.root, tmp_path / "out", params=ConvertParams(max_rejected_fraction=0))
    assert [one.file for one in images.rejected] == ["a/loop", "b/pipe.png"]
