"""Trained models that tests may damage."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from imageloom.files.publish import MANIFEST, publishing_directory
from imageloom.models.model_directory import save_trained

from .made_models import make_trained


@pytest.fixture(autouse=True)
def _no_cache_of_the_user(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path_factory.mktemp("torch-home")))


@pytest.fixture(scope="session")
def trained_path(tmp_path_factory) -> Path:
    """A published trained model; tests copy it before they change it."""
    path = tmp_path_factory.mktemp("trained") / "model"
    save_trained(path, make_trained())
    return path


@pytest.fixture
def copy(trained_path, tmp_path) -> Path:
    """A copy of the trained model that a test may damage."""
    return shutil.copytree(trained_path, tmp_path / "copy")


Edit = Callable[[Path], None]


@pytest.fixture
def remade(trained_path, tmp_path):
    """Return a function that publishes a changed model with hashes that fit: a hostile maker."""

    def remake(edit: Edit) -> Path:
        out = tmp_path / "remade"
        with publishing_directory(out) as partial:
            for file in trained_path.iterdir():
                if file.name != MANIFEST:
                    shutil.copy(file, partial / file.name)
            edit(partial)
        return out

    return remake


@pytest.fixture
def remade_record(remade):
    """Return a function that publishes the model with another ``model.json``."""

    def remake(change: Callable[[dict], object]) -> Path:
        def edit(partial: Path) -> None:
            content = json.loads((partial / "model.json").read_text("utf-8"))
            change(content)
            (partial / "model.json").write_text(json.dumps(content), "utf-8")

        return remade(edit)

    return remake
