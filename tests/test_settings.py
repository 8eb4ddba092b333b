"""Settings come from the environment, with the usual places as defaults."""

from pathlib import Path

import pytest

from imageloom.errors import NotInRangeValueError
from imageloom.settings import read_settings


def test_folders_follow_the_xdg_rules():
    settings = read_settings({"XDG_CACHE_HOME": "/c", "XDG_DATA_HOME": "/d"})
    assert settings.home == Path("/c/imageloom")
    assert settings.workspace == Path("/d/imageloom")
    assert settings.slots.parent == Path("/c/imageloom/slots"), "of this machine only"


def test_own_variables_go_first_and_know_the_home_folder():
    environment = {"IMAGELOOM_WORKSPACE": "~/runs", "XDG_DATA_HOME": "/d"}
    assert read_settings(environment).workspace == Path("~/runs").expanduser()


def test_targets_stand_in_a_file_that_must_be_there_only_when_it_is_named():
    settings = read_settings({"XDG_CONFIG_HOME": "/c"})
    assert settings.targets == Path("/c/imageloom/targets.toml")
    assert not settings.must_have_targets
    settings = read_settings({"IMAGELOOM_TARGETS": "/mine.toml", "XDG_CONFIG_HOME": "/c"})
    assert settings.targets == Path("/mine.toml")
    assert settings.must_have_targets


def test_an_empty_variable_counts_as_unset():
    settings = read_settings({"IMAGELOOM_DATABASE_URL": "", "IMAGELOOM_EXTENSIONS": ""})
    assert settings.database_url is None
    assert settings.extensions is None
    assert settings.store_limit_gib == 100


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "much"])
@pytest.mark.parametrize("what", ["store_limit_gib", "picture_cache_limit_gib"])
def test_a_limit_must_be_a_number_above_zero(text, what):
    name = f"IMAGELOOM_{what.upper()}"
    with pytest.raises(NotInRangeValueError, match=f"{name} is '{text}'"):
        read_settings({name: text})
    assert getattr(read_settings({name: "2.5"}), what) == 2.5
    assert getattr(read_settings({}), what) == 100


@pytest.mark.parametrize(
    "name",
    [
        "IMAGELOOM_HOME",
        "IMAGELOOM_WORKSPACE",
        "IMAGELOOM_TARGETS",
        "IMAGELOOM_EXTENSIONS",
        "IMAGELOOM_DATABASE_URL",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
    ],
)
def test_a_place_with_a_nul_character_is_refused_by_the_name_of_its_variable(name):
    with pytest.raises(NotInRangeValueError, match=f"{name} is .*which is no place: .* NUL char"):
        read_settings({name: "/a\0b"})


def test_the_home_folder_of_nobody_is_refused_by_the_name_of_the_variable():
    with pytest.raises(NotInRangeValueError, match="IMAGELOOM_HOME is '~nobody-here/x', which is"):
        read_settings({"IMAGELOOM_HOME": "~nobody-here/x"})
