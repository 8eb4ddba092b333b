"""A workspace to look at: folders of pictures, drawings, and runs in every state."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from .studio_process import StudioProcess

Pipeline = dict[str, Any]
_SEED = Path(__file__).parents[2] / "examples" / "seed.json"
_SIZE = 96


@dataclass
class Scene:
    """What lies in a studio's workspace.

    Attributes:
        studio: It serves the workspace.
        shapes: A folder of drawn shapes in three classes, with a broken and a loose picture.
        drafts: Paths of drawings below the studio's address, by a name for what they show.
        runs: Ids of runs, by a name for what they show.
        stage: How far it has been brought: see ``views.Stage``.
    """

    studio: StudioProcess
    shapes: Path
    drafts: dict[str, str] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)
    stage: int = 0


def small_training(
    studio: StudioProcess,
    *,
    epochs: int = 3,
    network: str = "timm/test_resnet",
    settings: dict[str, object] | None = None,
    **params: object,
) -> Pipeline:
    """Return the pipeline of the digits with a small network."""
    pipeline: Pipeline = studio.ask("pipelines/templates/digits", {})["pipeline"]
    for node in pipeline["nodes"]:
        if node["id"] == "resnet":
            node.update(component="timm", params={"model_name": network})
            node["params"]["pretrained"] = False
        if node["id"] == "train":
            node["params"] |= {"epochs": epochs, **params}
            node["params"].pop("augmentation", None)
            node["settings"] = {**node.get("settings", {}), **(settings or {})}
    return pipeline


def seed_pipeline() -> Pipeline:
    """Return the pipeline of the seed."""
    pipeline: Pipeline = json.loads(_SEED.read_text(encoding="utf-8"))
    return pipeline


def begin(studio: StudioProcess) -> Scene:
    """Write the pictures; nothing is drawn or run yet."""
    return Scene(studio, _draw_shapes(studio.folder / "shapes"))


def fill(scene: Scene) -> None:
    """Draw pipelines, and run one that completes, one that fails and one that is stopped."""
    studio = scene.studio
    whole = small_training(studio)
    scene.drafts = {
        "empty": _keep(
            studio, seed_pipeline() | {"name": "New pipeline", "nodes": [], "edges": []}
        ),
        "digits": _keep(studio, whole),
        "shapes": _keep(studio, _of_shapes(studio, scene.shapes)),
        "faulty": _keep(studio, _faulty()),
        "newer": _keep_newer(studio, seed_pipeline() | {"name": "Drawn by a newer version"}),
    }
    too_fast = small_training(
        studio, network="timm/test_vit", learning_rate=2.0, warmup_epochs=0.0
    ) | {"name": "Digits, with too high a rate"}
    of_two = small_training(studio, epochs=2, seed=3, settings={"processes_per_node": 2})
    of_two |= {"name": "Digits, on two processes"}
    for name, pipeline, part, states in (
        ("finished", whole, {}, ("completed",)),
        ("failed", too_fast, {"only": ["train"]}, ("failed",)),
        ("two", of_two, {"only": ["train"]}, ("completed",)),
    ):
        scene.runs[name] = studio.ask("runs", {"pipeline": pipeline, **part})["id"]
        studio.wait_for_run(scene.runs[name], states)


def keep_busy(scene: Scene) -> None:
    """Begin two long trainings: one has the machine, the other waits for it."""
    studio = scene.studio
    runs = [
        studio.ask("runs", {"pipeline": small_training(studio, epochs=200, seed=seed)})["id"]
        for seed in (5, 6)
    ]
    scene.runs["waiting"] = who_waits(studio, runs)
    (scene.runs["running"],) = set(runs) - {scene.runs["waiting"]}


def who_waits(studio: StudioProcess, runs: list[str], *, seconds: float = 60) -> str:
    """Return the run whose training waits for the slot that another has."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for run in runs:
            facts = studio.ask(f"runs/{run}")["nodes"].get("train", {})
            if (facts.get("wait") or {}).get("kind") == "slot":
                return run
        time.sleep(0.1)
    raise AssertionError("none waits")


def _keep(studio: StudioProcess, pipeline: Pipeline) -> str:
    return f"pipelines/{studio.ask('pipelines', {'pipeline': pipeline})['id']}"


def _keep_newer(studio: StudioProcess, pipeline: Pipeline) -> str:
    """Keep a drawing as an Imageloom of one day may have written it."""
    path = _keep(studio, pipeline)
    file = studio.workspace / path / "000001.json"
    written = json.loads(file.read_text(encoding="utf-8"))
    written["pipeline"] |= {"format_version": 3, "lanes": []}
    file.write_text(json.dumps(written), encoding="utf-8")
    return path


def _of_shapes(studio: StudioProcess, folder: Path) -> Pipeline:
    """Return the pipeline that a person gets who chooses the folder."""
    template = next(one for one in studio.ask("pipelines/templates") if one["asks_for"])
    pipeline: Pipeline = template["pipeline"]
    for node in pipeline["nodes"]:
        if node["id"] == template["asks_for"]:
            node["params"] = {**node.get("params", {}), "path": str(folder)}
    return pipeline


def _faulty() -> Pipeline:
    """Return the seed with a wire that is cut, a value out of range and no such component."""
    pipeline = seed_pipeline() | {"name": "A pipeline with mistakes"}
    pipeline["edges"] = [one for one in pipeline["edges"] if one["to"] != "score.model"]
    for node in pipeline["nodes"]:
        if node["id"] == "train":
            node["params"] = {**node.get("params", {}), "learning_rate": 3}
        if node["id"] == "densenet":
            node["component"] = "some_extension_network"
    return pipeline


def _draw_shapes(folder: Path) -> Path:
    for kind in ("circles", "crosses", "squares"):
        (folder / kind).mkdir(parents=True)
        for number in range(6 + 3 * len(list(folder.iterdir()))):
            _shape(kind, number).save(folder / kind / f"{number:02}.png")
    (folder / "squares" / "broken.png").write_bytes(b"no picture")
    (folder / "squares" / "notes.txt").write_text("Drawn on a Tuesday.\n")
    _shape("circles", 3).save(folder / "loose.png")
    return folder


def _shape(kind: str, number: int) -> Image.Image:
    ground = (235 - 9 * (number % 5), 226, 205 + 7 * (number % 6))
    ink = (30 + 17 * (number % 9), 70 + 11 * (number % 7), 120)
    picture = Image.new("RGB", (_SIZE, _SIZE), ground)
    pen = ImageDraw.Draw(picture)
    x, y, half = 34 + 7 * (number % 5), 38 + 5 * (number % 4), 14 + 3 * (number % 5)
    box = (x - half, y - half, x + half, y + half)
    if kind == "circles":
        pen.ellipse(box, fill=ink)
    elif kind == "squares":
        pen.rectangle(box, fill=ink)
    else:
        pen.line((x - half, y, x + half, y), fill=ink, width=8)
        pen.line((x, y - half, x, y + half), fill=ink, width=8)
    return picture
