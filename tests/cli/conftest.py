"""Pipelines of toys for the commands: workers are threads, so that a run takes no time."""

import json
from pathlib import Path

import pytest

from imageloom.registry import Registry

TESTS = Path(__file__).parents[1]


@pytest.fixture
def toys(monkeypatch):
    """Let commands find toy components, and run them in threads of the test."""
    from imageloom import app

    monkeypatch.syspath_prepend(str(TESTS))
    from pipeline.engine import ThreadTarget
    from pipeline.toys import toy_components

    components = toy_components()
    targets = Registry("target")
    targets.declare("local", ThreadTarget(components))
    monkeypatch.setattr(app.Engine, "components", components)
    monkeypatch.setattr(app.Engine, "targets", targets)
    return components


@pytest.fixture
def write(tmp_path):
    """Return a function that writes pipelines: ``write(["a.value -> b.left"], a="number")``.

    A node is given as the name of its component, or as that and its parameters.
    """

    def write_pipeline(edges=(), name="Toys", file="pipeline.json", **nodes) -> str:
        listed = []
        for node, made in nodes.items():
            component, params = (made, {}) if isinstance(made, str) else made
            listed.append({"id": node, "component": component, "params": params})
        joined = [dict(zip(("from", "to"), edge.split(" -> "), strict=True)) for edge in edges]
        content = {"format_version": 2, "kind": "pipeline", "name": name, "nodes": listed}
        path = tmp_path / file
        path.write_text(json.dumps(content | {"edges": joined}), encoding="utf-8")
        return str(path)

    return write_pipeline


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Path:
    """The workspace of the test."""
    monkeypatch.setenv("IMAGELOOM_WORKSPACE", str(tmp_path / "workspace"))
    return tmp_path / "workspace"
