"""A run that was trained, scored and evaluated, written down without an engine."""

import torch

from imageloom.models.architecture import build_network, resolve_architecture
from imageloom.models.model_directory import TrainedModel, save_trained
from imageloom.models.params import ModelParams
from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord, RunRecord
from imageloom.preprocessing import Normalisation, Preprocessing, Squash
from imageloom.reports.evaluate_to import evaluate_to
from imageloom.scoring.params import EvaluateParams, ScoreParams
from imageloom.scoring.score import score
from imageloom.spec.job import Output
from imageloom.spec.node_state import NodeState, RunState

COMPONENTS = {
    "convert": "convert_to_image_directory",
    "held_out": "convert_to_image_directory",
    "train": "train_pytorch_model",
    "score": "score_image_model",
    "evaluate": "evaluate_model",
}
EDGES = (
    ("convert.images", "train.training"),
    ("held_out.images", "train.validation"),
    # Drawn before the model on purpose: what counts is the order of the inputs.
    ("held_out.images", "score.images"),
    ("train.model", "score.model"),
    ("score.scores", "evaluate.scores"),
)
PORTS = {
    "convert": ("images", "ImageDirectory"),
    "held_out": ("images", "ImageDirectory"),
    "train": ("model", "ModelDirectory"),
    "score": ("scores", "ScoredTable"),
    "evaluate": ("evaluation", "EvaluationResults"),
}


def made_evaluation(studio, training, held_out, run_id="20261101-120000-0002", seed=1):
    """Make the run with an untrained network, and return its folder.

    Args:
        studio: Where it lies.
        training: Pictures that the model is said to have learned from.
        held_out: Pictures that are scored; both below the studio's roots.
        run_id: Its id.
        seed: Of the network's random weights.
    """
    folder = studio.engine.workspace.run(run_id)
    folder.create(_record(studio, run_id))
    made = studio.base / f"made-{run_id}"  # nothing is published inside a run but by the engine
    training.save(made / "convert")
    held_out.save(made / "held_out")
    save_trained(made / "train", _model(training.classes, seed))
    table = score(made / "train", held_out, params=ScoreParams(device="cpu", workers=0))
    (made / "score").mkdir()
    quiet = EvaluateParams(thumbnails=False)
    evaluate_to(table, made / "evaluate", params=quiet, names=["scores"])
    for name, (port, _) in PORTS.items():
        outputs = folder.node_folder(name) / "outputs"
        outputs.mkdir(parents=True)
        (made / name).rename(outputs / port)
    folder.append_run(RunState.RUNNING)
    for name in COMPONENTS:
        port, kind = PORTS[name]
        output = Output(type=kind, object=f"{name:0<64}", digest=f"{name:0<64}", size_bytes=1)
        facts = NodeFacts(state=NodeState.COMPLETED, time=2.0, outputs={port: output})
        folder.append_node(name, facts)
    folder.append_run(RunState.COMPLETED)
    return folder


def _record(studio, run_id):
    edges = [{"from": begin, "to": end} for begin, end in EDGES]
    nodes = [{"id": name, "component": one, "params": {}} for name, one in COMPONENTS.items()]
    return RunRecord(
        id=run_id,
        name="Evaluated",
        pipeline={
            "format_version": 2,
            "kind": "pipeline",
            "name": "Evaluated",
            "nodes": nodes,
            "edges": edges,
        },
        base=str(studio.base),
        resolved={
            name: ResolvedRecord(component=one, version=1, params={})
            for name, one in COMPONENTS.items()
        },
        wanted=tuple(COMPONENTS),
        created=1.0,
    )


def _model(classes, seed):
    architecture = resolve_architecture("timm/test_resnet", ModelParams())
    torch.manual_seed(seed)
    network = build_network(architecture, len(classes))
    with torch.no_grad():
        network.train()(torch.randn(8, 3, 32, 32))  # BatchNorm then has seen a batch
    return TrainedModel(
        architecture=architecture,
        classes=tuple(classes),
        preprocessing=Preprocessing(
            transforms=(Squash(size=32),),
            normalisation=Normalisation(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
        ),
        network=network.eval(),
    )
