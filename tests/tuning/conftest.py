"""An engine whose pipelines have a hill with a planted optimum; workers are threads."""

from pathlib import Path

import pytest

from imageloom.registry import Registry

TESTS = Path(__file__).parents[1]


@pytest.fixture
def engine(monkeypatch, tmp_path):
    """Return an engine of toys in a workspace of the test."""
    from imageloom import app
    from imageloom.settings import Settings

    monkeypatch.syspath_prepend(str(TESTS))
    monkeypatch.syspath_prepend(str(TESTS / "tuning"))
    from tune_toys import HILL

    from pipeline.engine import ThreadTarget
    from pipeline.toys import toy_components

    components = toy_components()
    components.declare(HILL.name, HILL)
    targets = Registry("target")
    targets.declare("local", ThreadTarget(components))
    monkeypatch.setattr(app.Engine, "components", components)
    monkeypatch.setattr(app.Engine, "targets", targets)
    return app.Engine(Settings(home=tmp_path, workspace=tmp_path / "ws"))


@pytest.fixture
def hill():
    """Return a function that makes a pipeline of a number and a hill with given parameters."""
    from imageloom.pipeline.graph.graph import Edge, Node, Pipeline

    def make(**params) -> Pipeline:
        nodes = (Node("one", "number"), Node("hill", "hill", params), Node("words", "spell"))
        edges = (Edge("one", "value", "hill", "after"), Edge("one", "value", "words", "number"))
        return Pipeline("A toy: hill", nodes, edges)

    return make


@pytest.fixture
def asked(hill, tmp_path):
    """Return a function that makes the record of a study of the hill."""
    from imageloom.pipeline.graph.json_format import pipeline_to_json
    from imageloom.tuning.study_folder import StudyRecord

    def make(*vary, params=None, name="", **others) -> StudyRecord:
        pipeline = pipeline_to_json(hill(**(params or {})))
        values = {"metric": "Valid loss", "direction": "minimize", "trials": 5, "only": ("hill",)}
        return StudyRecord(
            pipeline=pipeline,
            base=str(tmp_path),
            vary=vary or ("hill.rate=1e-4..1:log",),
            **(values | others),
        ).named(name)

    return make
