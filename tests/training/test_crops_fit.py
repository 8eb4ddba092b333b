"""What is refused before a run exists."""

import pytest
from networks import TINY

from imageloom.errors import InvalidDatasetError
from imageloom.events import Control
from imageloom.preprocessing import CenterCrop, Pad, RandomCrop, Resize
from imageloom.training.params import TrainParams
from imageloom.training.train import NewRun, prepare_run

PARAMS = TrainParams(batch_size=2, epochs=1, device="cpu")


@pytest.fixture(scope="module")
def pictures(make_pictures):
    return make_pictures(per_class=3), make_pictures(per_class=2, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("training", "validation", "message"),
    [
        (
            (RandomCrop(size=64),),
            (Resize(size=64), CenterCrop(size=64)),
            r"random crop of 64 pixels does not fit into 9 of the 9 training pictures in .*: "
            r"red/000.png \(32 x 32\), red/001.png \(32 x 32\), red/002.png \(32 x 32\) and 6 more",
        ),
        (
            (Pad(padding=16), RandomCrop(size=64)),
            (CenterCrop(size=64),),
            "center crop of 64 pixels does not fit into 6 of the 6 validation pictures",
        ),
    ],
)
def test_a_crop_larger_than_a_picture_is_refused_before_there_is_a_run(
    pictures, tmp_path, training, validation, message
):
    carrying = pictures[0].with_transforms(training), pictures[1].with_transforms(validation)
    with pytest.raises(InvalidDatasetError, match=message) as caught:
        prepare_run(NewRun(TINY, *carrying, tmp_path / "run", params=PARAMS), control=Control())
    assert caught.value.reason == "crop-too-large"
    assert "resume" not in caught.value.hint
    assert list(tmp_path.iterdir()) == []
