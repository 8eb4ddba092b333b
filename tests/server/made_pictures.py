"""A run whose node ``convert`` made an image directory of scenes, made without an engine."""

import io
import shutil

from made_scenes import encoded_anew, scene
from PIL import Image

from imageloom.data.convert import convert
from imageloom.data.params import ConvertParams
from imageloom.pipeline.run_record import NodeFacts, ResolvedRecord, RunRecord
from imageloom.spec.job import Output
from imageloom.spec.node_state import NodeState, RunState

RUN = "20261102-120000-0002"
ADDRESS = f"/api/runs/{RUN}/nodes/convert/images/images"


def made_scenes(folder):
    """Six scenes in two classes, one of them again under the other, and a file that is none."""
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
    for number in range(3):
        scene(number).save(folder / "a" / f"{number}.png")
        scene(10 + number, (120, 160)).save(folder / "b" / f"{number}.png")
    encoded_anew(scene(1)).save(folder / "b" / "again.png")
    (folder / "b" / "broken.png").write_bytes(b"no picture")
    return folder


def run_with_pictures(studio, photos=None):
    """Make the run; its node ``split`` has the same pictures as its output ``first``."""
    photos = photos or made_scenes(studio.base / "photos")
    run = studio.engine.workspace.run(RUN)
    nodes = [
        {"id": "data", "component": "dataset", "params": {"path": "photos"}, "position": [0, 0]},
        {"id": "convert", "component": "convert_to_image_directory", "position": [0, 100]},
        {"id": "split", "component": "split_image_directory", "position": [0, 200]},
        {"id": "train", "component": "train_pytorch_model", "position": [0, 300]},
    ]
    edges = [
        {"from": "data.dataset", "to": "convert.dataset"},
        {"from": "convert.images", "to": "split.images"},
        {"from": "split.first", "to": "train.training"},
        {"from": "split.second", "to": "train.validation"},
    ]
    pipeline = {"format_version": 2, "kind": "pipeline", "name": "Scenes"}
    components = {one["id"]: one["component"] for one in nodes}
    run.create(
        RunRecord(
            id=RUN,
            name="Scenes",
            pipeline={**pipeline, "nodes": nodes, "edges": edges},
            base=str(studio.base),
            resolved={
                name: ResolvedRecord(component=component, version=1, params={})
                for name, component in components.items()
            },
            wanted=tuple(components),
            created=1.0,
        )
    )
    # An image directory is made beside runs alone; what a worker makes is put there.
    made = studio.base / "images"
    images = convert(photos, made, params=ConvertParams(max_rejected_fraction=0.5))
    for name, port in (("convert", "images"), ("split", "first"), ("split", "second")):
        shutil.copytree(made, run.node_folder(name) / "outputs" / port)
    kind = "ImageDirectory"
    output = Output(type=kind, object="0" * 64, digest=images.digest, size_bytes=1)
    run.append_run(RunState.RUNNING)
    for name, ports in (("convert", ("images",)), ("split", ("first", "second"))):
        facts = NodeFacts(state=NodeState.COMPLETED, time=2.0, outputs=dict.fromkeys(ports, output))
        run.append_node(name, facts)
    run.append_run(RunState.COMPLETED)
    return images


def size_of(content):
    return Image.open(io.BytesIO(content)).size
