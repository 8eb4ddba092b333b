"""Transformation directories come back as they were saved, or are refused."""

import pytest

from imageloom.errors import InvalidTransformationDirectoryError
from imageloom.files.publish import publishing_directory, read_json, write_json
from imageloom.preprocessing import RandomCrop, Resize
from imageloom.preprocessing.transformation_directory import (
    RECORD,
    load_transforms,
    save_transforms,
)

TRANSFORMS = (Resize(size=40), RandomCrop(size=32, padding=2))


def rewritten(folder, out, **changes):
    """Publish the directory's record again with changes, as a stranger could."""
    record = read_json(folder / RECORD, InvalidTransformationDirectoryError)
    with publishing_directory(out) as partial:
        write_json(partial / RECORD, record | changes)
    return out


@pytest.fixture
def saved(tmp_path):
    save_transforms(TRANSFORMS, tmp_path / "saved")
    return tmp_path / "saved"


def test_a_list_comes_back(saved):
    assert load_transforms(saved) == TRANSFORMS


def test_an_empty_list_comes_back(tmp_path):
    save_transforms((), tmp_path / "saved")
    assert load_transforms(tmp_path / "saved") == ()


def test_a_newer_version_is_refused(saved, tmp_path):
    newer = rewritten(saved, tmp_path / "newer", format_version=2, made_by="imageloom 9")
    with pytest.raises(InvalidTransformationDirectoryError, match=r"version 2.* by imageloom 9"):
        load_transforms(newer)


def test_an_unknown_operation_is_named(saved, tmp_path):
    other = rewritten(saved, tmp_path / "other", transforms=[{"kind": "run_program"}])
    with pytest.raises(InvalidTransformationDirectoryError, match="run_program"):
        load_transforms(other)


def test_a_directory_of_another_kind_is_refused(tmp_path):
    with publishing_directory(tmp_path / "other") as partial:
        (partial / "model.json").write_text("{}")
    with pytest.raises(InvalidTransformationDirectoryError, match=r"transformation\.json is miss"):
        load_transforms(tmp_path / "other")
