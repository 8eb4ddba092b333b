"""A dataset is a path and a fingerprint that sees every change of a file, without opening any."""

import os
from pathlib import Path

import pytest

from imageloom.data.dataset import dataset_path, fingerprint, save_dataset
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError


@pytest.fixture
def photos(tmp_path):
    for name in ("cats/1.jpg", "cats/2.jpg", "dogs/1.jpg"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(b"picture")
    return tmp_path / "photos"


def touch(path):
    later = path.stat().st_mtime_ns + 1
    os.utime(path, ns=(later, later))


CHANGES = {
    "touched": lambda photos: touch(photos / "cats/1.jpg"),
    "grown": lambda photos: (photos / "cats/1.jpg").write_bytes(b"pictures"),
    "removed": lambda photos: (photos / "cats/1.jpg").unlink(),
    "added": lambda photos: (photos / "cats/3.jpg").write_bytes(b""),
    "renamed": lambda photos: (photos / "cats/1.jpg").rename(photos / "cats/0.jpg"),
    "moved to another class": lambda photos: (photos / "cats/2.jpg").rename(photos / "dogs/2.jpg"),
    "an empty class": lambda photos: (photos / "birds").mkdir(),
    "a class renamed": lambda photos: (photos / "cats").rename(photos / "birds"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_any_file_changes_it(photos, change):
    before = fingerprint(photos)
    CHANGES[change](photos)
    assert fingerprint(photos) != before


def test_it_stays_as_long_as_nothing_changes(photos):
    assert fingerprint(photos) == fingerprint(photos)
    assert fingerprint(photos) == fingerprint(photos.parent / "photos" / "")


def test_files_of_the_system_do_not_count(photos):
    before = fingerprint(photos)
    (photos / "cats" / ".DS_Store").write_bytes(b"of the system")
    (photos / "Thumbs.db").write_bytes(b"of the system")
    assert fingerprint(photos) == before


def test_an_equal_folder_in_another_place_has_another(photos, tmp_path):
    before = fingerprint(photos)
    photos.rename(tmp_path / "elsewhere")
    assert fingerprint(tmp_path / "elsewhere") != before


def test_links_are_not_followed(photos):
    (photos / "loop").symlink_to(photos)
    assert fingerprint(photos) == fingerprint(photos)


def test_an_archive_is_one_file(tmp_path):
    archive = tmp_path / "photos.zip"
    archive.write_bytes(b"zip")
    before = fingerprint(archive)
    (tmp_path / "beside.txt").touch()
    assert fingerprint(archive) == before
    touch(archive)
    assert fingerprint(archive) != before


def test_names_of_classes_beside_a_shard_count(tmp_path):
    shard = tmp_path / "train-000000.tar"
    shard.write_bytes(b"tar")
    before = fingerprint(shard)
    (tmp_path / "classnames.txt").write_text("ant\n")
    assert fingerprint(shard) != before


def test_a_missing_path_is_named(tmp_path):
    with pytest.raises(CouldNotOpenFileError, match=r"Nothing can be read at .*gone: No such file"):
        fingerprint(tmp_path / "gone")


@pytest.mark.parametrize("name", ["gone.csv", "gone.zip"])
def test_a_missing_file_is_named(photos, name):
    with pytest.raises(CouldNotOpenFileError, match=rf"Nothing can be read at .*{name}: No such"):
        fingerprint(photos / name)


@pytest.fixture
def scandir_that_refuses_cats(monkeypatch):
    """Listing that fails as for a folder of somebody else; root, who runs CI, may list anything."""
    real = os.scandir

    def scandir(path):
        if Path(os.fsdecode(path)).name == "cats":
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr("os.scandir", scandir)


def test_a_folder_that_may_not_be_listed_is_named(photos, scandir_that_refuses_cats):
    with pytest.raises(CouldNotOpenFileError, match="cats: Permission denied"):
        fingerprint(photos / "cats")


def test_a_folder_that_may_not_be_listed_is_no_matter_elsewhere(photos, scandir_that_refuses_cats):
    before = fingerprint(photos)
    touch(photos / "dogs/1.jpg")
    assert fingerprint(photos) != before


def test_a_saved_dataset_leads_to_its_path(photos, tmp_path):
    save_dataset(photos, tmp_path / "saved")
    assert dataset_path(tmp_path / "saved") == photos


def test_a_folder_that_is_no_dataset_stands_for_itself(photos):
    assert dataset_path(photos) == photos


def test_pictures_that_changed_after_the_dataset_was_saved_are_refused(photos, tmp_path):
    save_dataset(photos, tmp_path / "saved")
    touch(photos / "cats/1.jpg")
    with pytest.raises(InvalidDatasetError, match=r"photos has changed since the run looked"):
        dataset_path(tmp_path / "saved")


def test_pictures_that_are_gone_are_named(photos, tmp_path):
    save_dataset(photos, tmp_path / "saved")
    photos.rename(tmp_path / "elsewhere")
    with pytest.raises(
        CouldNotOpenFileError, match=r"Nothing can be read at .*photos: No such file"
    ):
        dataset_path(tmp_path / "saved")
