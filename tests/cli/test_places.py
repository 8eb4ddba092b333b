"""Paths are resolved once, and names that only look special are taken literally."""

from pathlib import Path

import click
import pytest

from imageloom.cli.places import NameOrPlace, PathType, SourceType, absolute


@pytest.fixture(autouse=True)
def _a_folder_and_a_home(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PHOTOS", str(tmp_path / "photos"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a", "here/a"),
        ("./a/", "here/a"),
        ("a//b", "here/a/b"),
        ("~/a", "home/a"),
        ("$PHOTOS/cats", "photos/cats"),
        ("${PHOTOS}/cats", "photos/cats"),
        ("../b", "here/../b"),
        ("-x", "here/-x"),
        ("$(x)", "here/$(x)"),
        ("$UNKNOWN_NAME", "here/$UNKNOWN_NAME"),
        ("~nobody-has-this-name/a", "here/~nobody-has-this-name/a"),
    ],
)
def test_b24_a_path_becomes_absolute(written, meant, tmp_path):
    assert absolute(written) == tmp_path / meant


@pytest.mark.parametrize("name", ["$PHOTOS", "~", "$HOME"])
def test_b05_a_folder_that_really_has_such_a_name_is_meant(name, tmp_path):
    (tmp_path / "here" / name).mkdir()
    assert absolute(name) == tmp_path / "here" / name


def test_b24_an_absolute_path_stays():
    assert absolute("/a/b") == Path("/a/b")


def test_a_network_is_a_name_and_a_directory_is_a_path(tmp_path):
    choose = NameOrPlace().convert
    assert choose("resnet18", None, None) == "resnet18"
    assert choose("timm/resnet18", None, None) == "timm/resnet18"
    assert choose("./resnet18", None, None) == tmp_path / "here" / "resnet18"
    assert choose("~/run", None, None) == tmp_path / "home" / "run"
    (tmp_path / "here" / "timm").mkdir()
    (tmp_path / "here" / "timm" / "mine").mkdir()
    assert choose("timm/mine", None, None) == tmp_path / "here" / "timm" / "mine"


def test_an_address_is_taken_where_pictures_are_converted_and_nowhere_else():
    assert SourceType().convert("s3://bucket/photos", None, None) == "s3://bucket/photos"
    assert SourceType().convert("/photos", None, None) == Path("/photos")
    with pytest.raises(click.BadParameter, match="imageloom data convert s3://bucket/photos"):
        PathType().convert("s3://bucket/photos", None, None)
