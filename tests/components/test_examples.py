"""The example pipelines are valid as they stand."""

import pytest

from imageloom.components.catalogue import load_components
from imageloom.pipeline.checks.check import check
from imageloom.pipeline.graph.json_format import read_pipeline
from imageloom.spec.target import Limits

LIMITS = {"local": Limits(nodes=1, processing_units_per_node=1, heavy_jobs=1, light_jobs=1)}


@pytest.fixture
def seed(repository):
    return read_pipeline(repository / "examples" / "seed.json")


def test_the_seeds_pipeline_has_no_problem(seed):
    assert check(seed, load_components(), LIMITS) == ()


def test_the_seeds_pipeline_is_the_one_of_the_page(seed):
    assert [node.component for node in seed.nodes] == [
        "dataset",
        "convert_to_image_directory",
        *["split_image_directory"] * 2,
        "init_image_transformation",
        *["apply_image_transformation"] * 3,
        "densenet",
        "train_pytorch_model",
        "score_image_model",
        "evaluate_model",
    ]
    modes = {node.id: node.params["mode"] for node in seed.nodes if "mode" in node.params}
    joined = {edge.to_port: edge.from_node for edge in seed.edges_into("train")}
    assert joined["model"] == "densenet"
    assert modes[joined["training"]] == "training"
    assert modes[joined["validation"]] == "inference"
