"""What holds for every tracker."""

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from imageloom.errors import EnvironmentUnsuitableError
from imageloom.tracking.choose import chosen_trackers, require_trackers
from imageloom.tracking.tracker import TRACKERS, TrackedRun

assert chosen_trackers([]) == []  # which is imported for what it declares
NAMES = TRACKERS.names()
PROJECT = Path(__file__).parents[2] / "pyproject.toml"
READY = {
    "MLFLOW_TRACKING_URI": "http://me:secret@127.0.0.1:5000",
    "WANDB_API_KEY": "secret",
    "WANDB_BASE_URL": "https://me:secret@host",
}


@pytest.mark.parametrize("name", NAMES)
def test_an_extra_that_is_missing_is_named(name, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _package: None)
    hint = f"pip install 'imageloom[{name}]'"
    with pytest.raises(EnvironmentUnsuitableError, match="which is not installed") as caught:
        require_trackers([name], READY)
    assert hint in caught.value.hint


@pytest.mark.parametrize("name", NAMES)
def test_there_is_an_extra_of_its_name_which_developers_have(name):
    extras = tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]
    assert TRACKERS.get(name).extra in extras
    assert name in extras["dev"][0]


@pytest.mark.parametrize(("name", "variable"), [("mlflow", "TRACKING_URI"), ("wandb", "API_KEY")])
def test_a_variable_that_is_missing_is_named(name, variable, tmp_path):
    with pytest.raises(EnvironmentUnsuitableError, match="needs") as caught:
        require_trackers([name], {"HOME": str(tmp_path)})
    assert variable in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_one_that_has_what_it_needs_is_let_through(name):
    require_trackers([name], READY)


@pytest.mark.parametrize("name", NAMES)
def test_the_place_has_no_password_in_it(name, tmp_path):
    run = TrackedRun("a" * 32, "run", "", tmp_path)
    assert "secret" not in TRACKERS.get(name).place(run, READY)


def test_offline_needs_no_key_and_a_login_is_one(tmp_path):
    require_trackers(["wandb"], {"WANDB_MODE": "offline", "HOME": str(tmp_path)})
    (tmp_path / ".netrc").write_text("machine api.wandb.ai login user password secret\n")
    require_trackers(["wandb"], {"HOME": str(tmp_path)})


def test_one_that_would_keep_nothing_is_refused():
    with pytest.raises(EnvironmentUnsuitableError, match="WANDB_MODE is disabled"):
        require_trackers(["wandb"], {**READY, "WANDB_MODE": "disabled"})


def test_to_know_the_trackers_loads_none_of_their_libraries():
    heavy = ("mlflow", "wandb", "tensorboard", "torch", "numpy")
    program = (
        "import sys, imageloom.tracking.choose, imageloom.tracking.process\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
