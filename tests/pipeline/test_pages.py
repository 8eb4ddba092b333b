"""The pages on pipelines hold: their examples check, and they list every key and problem."""

import json
import re
from pathlib import Path

import pytest

from imageloom.components.catalogue import load_components
from imageloom.pipeline.builder import PipelineBuilder
from imageloom.pipeline.checks.check import check
from imageloom.pipeline.checks.problems import ProblemKind
from imageloom.pipeline.graph import json_format
from imageloom.pipeline.graph.json_format import pipeline_from_json, pipeline_to_json, read_pipeline

from .toys import LIMITS

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = DOCS / "guides" / "pipelines.md"
REFERENCE = DOCS / "reference" / "pipeline-format.md"


def block(page, language):
    (text,) = re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return text


@pytest.mark.parametrize("page", [GUIDE, REFERENCE], ids=lambda page: page.stem)
def test_the_pipeline_of_a_page_has_no_problem_and_comes_back_equal(page):
    content = json.loads(block(page, "json"))
    pipeline = pipeline_from_json(content, page.name)
    assert check(pipeline, load_components(), LIMITS) == ()
    assert pipeline_to_json(pipeline) == content


def test_the_pipeline_in_python_has_no_problem_and_comes_back_equal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = compile(block(GUIDE, "python"), GUIDE.name, "exec")
    names: dict[str, object] = {}
    exec(code, names)
    pipeline = read_pipeline(tmp_path / "pipeline.json")
    assert check(pipeline, load_components(), LIMITS) == ()
    assert PipelineBuilder.from_pipeline(pipeline, load_components()).pipeline() == pipeline
    assert [node.id for node in pipeline.nodes][-3:] == ["train", "score", "evaluate"]


def documented(heading):
    section = REFERENCE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "record"),
    [
        ("The file", json_format._PipelineRecord),
        ("A node", json_format._NodeRecord),
        ("An edge", json_format._EdgeRecord),
    ],
)
def test_every_key_is_documented(heading, record):
    keys = [field.alias or name for name, field in record.model_fields.items()]
    assert documented(heading) == keys


def test_every_kind_of_problem_is_documented():
    assert documented("Problems") == [str(kind) for kind in ProblemKind]
