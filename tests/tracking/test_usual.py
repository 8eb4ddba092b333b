"""Trackers that a person always wants stand in a variable or in a file."""

import pytest

from imageloom.errors import CouldNotOpenFileError, ParameterParsingError, UnknownNameError
from imageloom.settings import read_settings
from imageloom.tracking.choose import chosen_trackers
from imageloom.tracking.usual import usual_trackers


def usual(tmp_path, text=None, **variables):
    file = tmp_path / "imageloom" / "settings.toml"
    if text is not None:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return usual_trackers(read_settings({"XDG_CONFIG_HOME": str(tmp_path), **variables}))


def test_without_a_file_and_a_variable_there_are_none(tmp_path):
    assert usual(tmp_path) == ()


def test_the_file_says_which_and_the_variable_counts_more(tmp_path):
    assert usual(tmp_path, 'track = ["tensorboard", "mlflow"]') == ("tensorboard", "mlflow")
    assert usual(tmp_path, 'track = ["mlflow"]', IMAGELOOM_TRACK="a, b,") == ("a", "b")
    assert usual(tmp_path, 'track = ["mlflow"]', IMAGELOOM_TRACK="") == ()


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("track = ", ParameterParsingError, "is not a TOML file"),
        ('track = "mlflow"', ParameterParsingError, "track is 'mlflow', but must be a list"),
        ('trak = ["mlflow"]', UnknownNameError, "There is no setting called 'trak'"),
    ],
)
def test_a_file_that_says_something_else_is_refused_by_its_name(tmp_path, text, error, message):
    with pytest.raises(error, match=message) as caught:
        usual(tmp_path, text)
    assert "settings.toml" in caught.value.message


def test_a_file_that_was_named_must_be_there(tmp_path):
    with pytest.raises(CouldNotOpenFileError, match="IMAGELOOM_SETTINGS names"):
        usual(tmp_path, IMAGELOOM_SETTINGS=str(tmp_path / "no.toml"))


def test_none_stands_alone_and_means_nobody():
    assert chosen_trackers(["none"]) == []
    assert [one.name for one in chosen_trackers(["mlflow", "mlflow"])] == ["mlflow"]
    with pytest.raises(ParameterParsingError, match="'none' means that nobody tracks"):
        chosen_trackers(["none", "mlflow"])
