import os
import shutil

import numpy as np
import pytest

from imageloom.data.convert import convert
from imageloom.data.images.directory import ImageDirectory, load_image_directory
from imageloom.data.images.index import index_from_rows
from imageloom.data.loading.loader import make_loader
from imageloom.data.moved import open_moved
from imageloom.data.open import open_each, open_images
from imageloom.errors import (
    CouldNotOpenFileError,
    InvalidDatasetError,
    ParameterParsingError,
    RunInterruptedError,
)
from imageloom.events import CancelToken, Control, Notice
from imageloom.preprocessing import Squash

from .made_pictures import png
from .test_archive import a_zip
from .test_image_directory import row

FILES = {f"{label}/{number}.png": png(number) for number in range(4) for label in "ab"}


@pytest.fixture
def photos(tmp_path):
    """Training and validation pictures of the same names, as image directories, not yet moved."""
    for part, first in (("train", 0), ("val", 10)):
        root, rows = tmp_path / "old" / "photos" / part, []
        for name in sorted(FILES):
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content := png(first + int(file.stem)))
            rows.append(row(name, "ab".index(name[0]), content))
        ImageDirectory(("a", "b"), index_from_rows(rows), root).save(tmp_path / part)
    return tmp_path / "old" / "photos"


@pytest.fixture
def moved(photos, tmp_path):
    """The new place of the pictures."""
    (tmp_path / "new").mkdir()
    return photos.rename(tmp_path / "new" / "pictures")


def test_pictures_that_moved_away_name_the_old_place_and_the_flag(moved, tmp_path):
    with pytest.raises(InvalidDatasetError, match=r"should lie in .*old/photos/train, which") as e:
        open_images(tmp_path / "train")
    assert "--root NEW (in Python: root; in a pipeline: the path of Dataset)" in e.value.hint


@pytest.mark.parametrize("given", ["new/pictures/train", "new/pictures"])
def test_moved_pictures_are_found_in_the_folder_or_below_it(moved, tmp_path, given):
    events = []
    images = open_images(tmp_path / "train", root=tmp_path / given, on_event=events.append)
    assert images.root == moved / "train"
    (batch,) = make_loader(images, (Squash(size=8),), [range(8)])
    assert batch.labels_B.tolist() == [0] * 4 + [1] * 4
    (notice,) = (event for event in events if isinstance(event, Notice))
    assert notice.message == (
        f"8 pictures of {tmp_path / 'train'}: {tmp_path}/old/photos/train is now {moved}/train, "
        "proven by SHA-256."
    )


def test_of_two_parts_with_the_same_names_each_finds_its_own(moved, tmp_path):
    sources = [tmp_path / "train", tmp_path / "val"]
    found = open_each(sources, root=moved, control=Control())
    assert [images.root for images in found] == [moved / "train", moved / "val"]
    (moved / "train").rename(tmp_path / "one")
    (moved / "val").rename(tmp_path / "other")
    found = open_each(sources, root=[tmp_path / "other", tmp_path / "one"], control=Control())
    assert [images.root for images in found] == [tmp_path / "one", tmp_path / "other"]


def test_the_image_directory_stays_as_it_is_and_saving_keeps_the_new_place(moved, tmp_path):
    before = {file: file.read_bytes() for file in (tmp_path / "train").iterdir()}
    images = open_images(str(tmp_path / "train"), root=str(moved))
    assert {file: file.read_bytes() for file in (tmp_path / "train").iterdir()} == before
    images.save(tmp_path / "again")
    again = load_image_directory(tmp_path / "again")
    assert again.root == moved / "train"
    assert again.digest == images.digest


def test_a_copy_elsewhere_serves_while_the_old_place_is_still_there(photos, tmp_path):
    shutil.copytree(photos, tmp_path / "copy")
    assert open_images(tmp_path / "val", root=tmp_path / "copy").root == tmp_path / "copy" / "val"


def test_a_root_below_a_link_is_read_by_the_name_that_was_given(moved, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to("new")
    monkeypatch.chdir(tmp_path)
    images = open_images("train", root="link/pictures")
    assert images.root == tmp_path / "link" / "pictures" / "train"


def test_one_changed_picture_is_refused_by_name(moved, tmp_path):
    file = moved / "train" / "b" / "2.png"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"x")
    with pytest.raises(
        InvalidDatasetError, match=r"1 of 8 pictures in .* differs .* 'b/2.png' has other bytes"
    ) as refused:
        open_images(tmp_path / "train", root=moved)
    assert refused.value.details == {"files": ["b/2.png"]}


def test_missing_pictures_are_counted_and_three_are_named(moved, tmp_path):
    for number in range(4):
        (moved / "train" / "a" / f"{number}.png").unlink()
    with pytest.raises(
        InvalidDatasetError, match=r"4 of 8 pictures .*'a/0.png' is gone"
    ) as refused:
        open_images(tmp_path / "train", root=moved)
    assert "'a/2.png'" in refused.value.message
    assert "'a/3.png'" not in refused.value.message
    assert refused.value.message.endswith("and 1 more.")


def test_a_folder_of_other_pictures_is_refused_with_the_places_that_were_looked_at(moved, tmp_path):
    (tmp_path / "nothing" / "train").mkdir(parents=True)
    places = f"{tmp_path}/nothing, {tmp_path}/nothing/train: 'a/0.png' is gone"
    with pytest.raises(InvalidDatasetError, match=f"none of them is in {places}"):
        open_images(tmp_path / "train", root=tmp_path / "nothing")
    with pytest.raises(InvalidDatasetError, match=r"none of them is in .*/val: 'a/0.png' has"):
        open_images(tmp_path / "train", root=moved / "val")


def test_a_root_that_is_no_folder_is_refused(moved, tmp_path):
    with pytest.raises(CouldNotOpenFileError, match=r"There is no folder .*nowhere"):
        open_images(tmp_path / "train", root=[moved, tmp_path / "nowhere"])
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xe9")
    moved.rename(odd)
    with pytest.raises(CouldNotOpenFileError, match="is not UTF-8"):
        open_images(tmp_path / "train", root=odd)


def test_pictures_of_an_archive_move_with_their_image_directory(tmp_path):
    (tmp_path / "photos.zip").write_bytes(a_zip(FILES))
    convert(tmp_path / "photos.zip", tmp_path / "train")
    (tmp_path / "train").rename(tmp_path / "elsewhere")
    images = open_images(tmp_path / "elsewhere")
    assert images.root == tmp_path / "elsewhere" / "images"
    with pytest.raises(ParameterParsingError, match=r"root \(--root\) is given, but the pictures"):
        open_images(tmp_path / "elsewhere", root=tmp_path)


def test_a_root_is_for_image_directories_alone(moved, tmp_path):
    with pytest.raises(ParameterParsingError, match=r"pictures of .*val are read where they are"):
        open_images(moved / "val", root=moved)
    opened = open_images(tmp_path / "train", root=moved)
    with pytest.raises(ParameterParsingError, match=r"pictures of .*train are read where they are"):
        open_images(opened, root=moved)
    with pytest.raises(ParameterParsingError, match=r"pictures of .*train are read where they are"):
        open_each([moved / "train", moved / "val"], root=moved, control=Control())
    both = open_each([tmp_path / "train", moved / "val"], root=moved, control=Control())
    assert [images.root for images in both] == [moved / "train", moved / "val"]


def test_an_image_directory_without_pictures_moves_too(moved, tmp_path):
    images = open_images(tmp_path / "train", root=moved)
    images.select(np.array([], dtype=np.int64)).save(tmp_path / "none")
    assert len(open_images(tmp_path / "none", root=tmp_path)) == 0


def test_proving_can_be_cancelled(moved, tmp_path):
    cancel = CancelToken()
    cancel.set("Ctrl+C")
    with pytest.raises(RunInterruptedError, match="Ctrl"):
        open_moved(tmp_path / "train", moved, control=Control(cancel=cancel))
