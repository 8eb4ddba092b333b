"""A path with a NUL character, which Python and the JSON of pipelines can hold, and no system."""

from pathlib import Path

import pytest

import imageloom
from imageloom.data.images.directory import load_image_directory
from imageloom.data.params import ConvertParams
from imageloom.errors import ImageloomError
from imageloom.files.publish import open_log, write_json
from imageloom.models.model_directory import load_trained, load_untrained
from imageloom.models.params import ModelParams
from imageloom.models.weights_file import read_weights_file
from imageloom.preprocessing.transformation_directory import load_transforms, save_transforms
from imageloom.scoring.params import EvaluateParams

NUL = "/a\0b"

DOORS = {
    "source": lambda here: imageloom.convert(NUL, here / "out"),
    "out": lambda here: imageloom.convert(here, NUL),
    "images": lambda _: imageloom.open_images(NUL),
    "image-directory": lambda _: load_image_directory(Path(NUL)),
    "trained": lambda _: load_trained(Path(NUL)),
    "untrained": lambda _: load_untrained(Path(NUL)),
    "new-model": lambda _: imageloom.create_model("resnet18", Path(NUL)),
    "weights": lambda _: read_weights_file(Path(NUL + ".pth")),
    "transforms": lambda _: load_transforms(Path(NUL)),
    "new-transforms": lambda _: save_transforms((), Path(NUL)),
    "table": lambda _: imageloom.evaluate(NUL + ".csv"),
    "parquet": lambda _: imageloom.evaluate(NUL + ".parquet"),
    "pipeline": lambda _: imageloom.read_pipeline(NUL),
    "run": lambda _: imageloom.resume(NUL),
    "log": lambda _: open_log(Path(NUL)),
    "json": lambda _: write_json(Path(NUL), {}),
    "folder": lambda _: ConvertParams.parse({"folder": NUL}),
    "folder-in-python": lambda _: ConvertParams(folder=NUL),
    "weights-parameter": lambda _: ModelParams.parse({"weights": NUL}),
    "pictures-parameter": lambda _: EvaluateParams.parse({"images": NUL}),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_path_with_a_nul_character_is_a_named_error_at_every_door(door, tmp_path):
    with pytest.raises(ImageloomError, match=r"a\\x00b") as problem:
        DOORS[door](tmp_path)
    assert problem.value.code not in ("0000", "1000")
    assert list(tmp_path.iterdir()) == []
