"""Uploads appear whole under their name and cannot leave their folder."""

from pathlib import Path

import pytest

from imageloom.errors import (
    CouldNotOpenFileError,
    FailedToWriteOutputsError,
    ParameterParsingError,
)
from imageloom.pipeline.store.uploads import upload
from imageloom.pipeline.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "workspace")


def test_a_folder_is_copied_with_all_in_it(workspace, tmp_path):
    (tmp_path / "photos" / "ants").mkdir(parents=True)
    (tmp_path / "photos" / "ants" / "1.jpg").write_bytes(b"ant")
    place = upload(workspace, tmp_path / "photos", "photos")
    assert place == workspace.uploads / "photos"
    assert (place / "ants" / "1.jpg").read_bytes() == b"ant"
    assert (tmp_path / "photos" / "ants" / "1.jpg").read_bytes() == b"ant"


def test_a_file_is_copied_under_another_name(workspace, tmp_path):
    (tmp_path / "photos.zip").write_bytes(b"zip")
    assert upload(workspace, tmp_path / "photos.zip", "ants.zip").read_bytes() == b"zip"


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../x", "a\\b", "a\0b"])
def test_s01_a_name_cannot_lead_to_another_place(workspace, tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(ParameterParsingError, match="cannot be the name of an upload"):
        upload(workspace, tmp_path / "file", name)
    assert not workspace.root.exists()


def test_nothing_is_overwritten(workspace, tmp_path):
    (tmp_path / "one").write_text("one", encoding="utf-8")
    (tmp_path / "two").write_text("two", encoding="utf-8")
    place = upload(workspace, tmp_path / "one", "name")
    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        upload(workspace, tmp_path / "two", "name")
    assert place.read_text(encoding="utf-8") == "one"


def test_a_device_is_refused(workspace):
    with pytest.raises(CouldNotOpenFileError, match="/dev/zero is neither a file nor a folder"):
        upload(workspace, Path("/dev/zero"), "zeros")


def test_files_that_cannot_be_copied_are_counted_and_one_is_named(workspace, tmp_path):
    (tmp_path / "photos").mkdir()
    for number in range(30):
        (tmp_path / "photos" / f"{number}.jpg").symlink_to("gone.jpg")
    match = r"for 30 files could not be copied: \[Errno 2\] No such file or directory: '[^']*jpg'"
    with pytest.raises(FailedToWriteOutputsError, match=match) as caught:
        upload(workspace, tmp_path / "photos", "photos")
    assert len(caught.value.message) < 500
    assert list(workspace.uploads.iterdir()) == []


def test_what_is_not_there_is_named(workspace, tmp_path):
    with pytest.raises(CouldNotOpenFileError, match="nothing is not there"):
        upload(workspace, tmp_path / "nothing", "name")


def test_a_folder_that_cannot_be_copied_leaves_nothing(workspace, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "gone.jpg").symlink_to(tmp_path / "gone.jpg")
    with pytest.raises(FailedToWriteOutputsError, match="could not be written"):
        upload(workspace, tmp_path / "photos", "photos")
    assert list(workspace.uploads.iterdir()) == []
