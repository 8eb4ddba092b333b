"""Which folders belong to pictures, and which around them are free."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from imageloom.data.images.places import refuse_among_pictures
from imageloom.errors import FailedToWriteOutputsError

ANTS_AND_BEES = ("ants/1.jpg", "ants/2.jpg", "bees/1.jpg")


def refuse(root: Path, out: str, files, labels=None, classes=("ants", "bees"), kind=None):
    names = pa.array([name.encode() for name in files], kind or pa.binary())
    refuse_among_pictures(
        [root / out],
        root=root,
        files=names,
        labels_N=np.array(labels or [-1] * len(files), dtype=np.int32),
        classes=classes,
    )


@pytest.mark.parametrize("out", ["run", "ants/run", "new/run", "ants/deep/er/run"])
@pytest.mark.parametrize("kind", [pa.binary(), pa.string()])
def test_a_folder_of_class_folders_takes_no_output(tmp_path, out, kind):
    with pytest.raises(FailedToWriteOutputsError, match=f"lies inside {tmp_path}, where the pict"):
        refuse(tmp_path, out, ANTS_AND_BEES, [0, 0, 1], kind=kind)


def test_classes_may_lie_deeper_than_the_root(tmp_path):
    files = [f"photos/{name}" for name in ANTS_AND_BEES]
    with pytest.raises(FailedToWriteOutputsError, match=r"lies inside .*/photos, where"):
        refuse(tmp_path, "photos/run", files, [0, 0, 1])
    refuse(tmp_path, "run", files, [0, 0, 1])


def test_nested_classes_are_known_by_their_whole_names(tmp_path):
    with pytest.raises(FailedToWriteOutputsError, match="where the pictures lie"):
        refuse(tmp_path, "run", ["a/x/1.jpg", "a/y/1.jpg"], [0, 1], classes=("a/x", "a/y"))


def test_the_folder_of_a_manifest_is_a_place_of_work(tmp_path):
    files = ["images/1.jpg", "images/2.jpg", "more/3.jpg"]
    refuse(tmp_path, "run", files, [0, 1, 1])
    for folder in ("images", "more"):
        with pytest.raises(FailedToWriteOutputsError, match=f"lies inside .*/{folder}, where"):
            refuse(tmp_path, f"{folder}/run", files, [0, 1, 1])


def test_a_flat_folder_takes_no_output_but_one_of_a_similar_name_does(tmp_path):
    with pytest.raises(FailedToWriteOutputsError, match="where the pictures lie"):
        refuse(tmp_path, "run", ["1.jpg", "2.jpg"])
    refuse(tmp_path, "imag/run", ["images/1.jpg"])
    refuse(tmp_path, "images", ["images.jpg/1.jpg"])


def test_places_outside_of_the_root_are_free_and_links_into_it_are_not(tmp_path):
    root = tmp_path / "photos"
    (root / "ants").mkdir(parents=True)
    (tmp_path / "link").symlink_to(root / "ants")
    refuse(root, "../run", ANTS_AND_BEES, [0, 0, 1])
    with pytest.raises(FailedToWriteOutputsError, match="link/run lies inside"):
        refuse(root, "../link/run", ANTS_AND_BEES, [0, 0, 1])


def test_names_that_are_not_utf_8_are_no_hindrance(tmp_path):
    names = pa.array([b"caf\xe9/1.jpg"], pa.binary())
    with pytest.raises(FailedToWriteOutputsError, match="where the pictures lie"):
        refuse_among_pictures(
            [tmp_path / "caf\udce9" / "run"],
            root=tmp_path,
            files=names,
            labels_N=np.array([-1], dtype=np.int32),
            classes=(),
        )


def test_no_pictures_own_no_folder(tmp_path):
    refuse(tmp_path, "run", [])
