"""A path that begins with ``~``, in Python, where no shell has replaced it."""

import pytest

import imageloom
from imageloom.errors import ImageloomError
from imageloom.files.home import expand_home
from imageloom.models.params import ModelParams

NOBODY = "~nobody-has-this-name/x"
READERS = {
    "pictures": lambda here: imageloom.convert(NOBODY, here / "out"),
    "open": lambda _: imageloom.open_images(NOBODY),
    "table": lambda _: imageloom.evaluate(f"{NOBODY}.csv"),
    "pipeline": lambda _: imageloom.read_pipeline(f"{NOBODY}.json"),
    "run": lambda _: imageloom.resume(NOBODY),
    "exported": lambda here: imageloom.export(NOBODY, here / "out"),
    "weights": lambda here: imageloom.create_model(
        "resnet18", here / "out", ModelParams(weights=f"{NOBODY}.pth")
    ),
}


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Keep a literal folder ``~name`` out of the working directory of the tests."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("reader", READERS)
def test_the_home_folder_of_nobody_is_a_path_where_nothing_is(reader, tmp_path):
    with pytest.raises(ImageloomError, match="~nobody-has-this-name/x") as problem:
        READERS[reader](tmp_path)
    assert problem.value.code not in ("0000", "1000")
    assert list(tmp_path.iterdir()) == []


def test_the_own_home_folder_takes_the_place_of_its_sign(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expand_home("~/pictures") == tmp_path / "pictures"
    assert expand_home("pictures/~").as_posix() == "pictures/~"
