"""Damaged bytes in every file that a stranger may give: only errors with a name come out."""

import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pyarrow import parquet

from imageloom.data.decoding.decode import decode_picture, examine_picture
from imageloom.data.images.directory import load_image_directory
from imageloom.data.params import ConvertParams
from imageloom.data.sources.archive.unpack import unpack_archive
from imageloom.data.sources.coco import read_coco
from imageloom.data.sources.legacy import read_old_directory
from imageloom.data.sources.table.read import read_table as read_manifest
from imageloom.errors import ParameterParsingError
from imageloom.events import Control
from imageloom.files.event_lines import EventTail
from imageloom.models.weights_file import read_weights_file
from imageloom.pipeline.graph.json_format import read_pipeline
from imageloom.preprocessing import RandomHorizontalFlip, Squash
from imageloom.preprocessing.transformation_directory import load_transforms, save_transforms
from imageloom.remote.target_file import load_targets
from imageloom.scoring.tables.file import read_table
from imageloom.settings import read_settings
from imageloom.training.run.directory import RunDirectory

from .damage import (
    CHANGES,
    DOCUMENT_CHANGES,
    QUICK,
    changed_document,
    damaged,
    only_named_errors,
    resealed_copy,
)

PARAMS = ConvertParams(max_rejected_fraction=1.0)


def a_picture(file_format, **options):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 20, 3), np.uint8))
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


PICTURES = {
    "JPEG": a_picture("JPEG"),
    "progressive JPEG": a_picture("JPEG", progressive=True),
    "PNG": a_picture("PNG"),
    "BMP": a_picture("BMP"),
    "PPM": a_picture("PPM"),
    "TIFF": a_picture("TIFF"),
    "LZW TIFF": a_picture("TIFF", compression="tiff_lzw"),
    "WebP": a_picture("WEBP"),
}


def tar_of(mode):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name in ("a/1.png", "b/2.png"):
            member = tarfile.TarInfo(name)
            member.size = len(PICTURES["PNG"])
            archive.addfile(member, io.BytesIO(PICTURES["PNG"]))
    return file.getvalue()


def zip_of(compression):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name in ("a/1.png", "b/2.png"):
            archive.writestr(name, PICTURES["PNG"])
    return file.getvalue()


def unpack(path):
    into = path.parent / "unpacked"
    into.mkdir()
    try:
        unpack_archive(path, into, control=Control())
    finally:
        shutil.rmtree(into)


COCO = {
    "images": [{"id": 1, "file_name": "1.png"}, {"id": 2, "file_name": "2.png"}],
    "annotations": [{"image_id": 1, "category_id": 1}, {"image_id": 2, "category_id": 2}],
    "categories": [{"id": 1, "name": "ant"}, {"id": 2, "name": "bee"}],
}
OLD_LINES = "".join(
    json.dumps({"id": number, "image_info": {"file_name": f"{number}.png"}, "category": "ant"})
    + "\n"
    for number in (1, 2)
).encode()
OLD_META = b"type: ImageDirectory\nextension:\n  image_list_file: images.lst\n"
PIPELINE = Path(__file__).parents[1] / "examples" / "seed.json"
TARGETS = (
    b'[lab]\nkind = "slurm"\nqueue = ["--partition=gpu"]\n[two]\nkind = "slurm"\nmax_nodes = 2\n'
)
SCORES = (
    b"file,label,Scored Labels,Scored Probabilities_ant,Scored Probabilities_bee\n"
    b"a/1.png,ant,ant,0.75,0.25\nb/2.png,bee,ant,0.5,0.5\n"
)


def parquet_scores():
    table = pa.table(
        {
            "file": ["a/1.png", "b/2.png"],
            "label": ["ant", "bee"],
            "Scored Labels": ["ant", "ant"],
            "Scored Probabilities_ant": pa.array([0.75, 0.5], pa.float32()),
            "Scored Probabilities_bee": pa.array([0.25, 0.5], pa.float32()),
        }
    )
    file = io.BytesIO()
    parquet.write_table(table, file)
    return file.getvalue()


# Name of the file, its bytes, and what reads it.
FILES = {
    "zip": ("x.zip", zip_of(zipfile.ZIP_DEFLATED), unpack),
    "stored zip": ("x.zip", zip_of(zipfile.ZIP_STORED), unpack),
    "tar": ("x.tar", tar_of("w"), unpack),
    "tar.gz": ("x.tar.gz", tar_of("w:gz"), unpack),
    "tar.bz2": ("x.tar.bz2", tar_of("w:bz2"), unpack),
    "csv": (
        "x.csv",
        b"file,label\n1.png,ant\n2.png,bee\n",
        lambda p: read_manifest(p, PARAMS, control=Control()),
    ),
    "csv with CR": (
        "x.csv",
        b"file,label\r1.png,ant\r2.png,bee\r",
        lambda p: read_manifest(p, PARAMS, control=Control()),
    ),
    "tsv": (
        "x.tsv",
        b"file\tlabel\n1.png\tant\n2.png\tbee\n",
        lambda p: read_manifest(p, PARAMS, control=Control()),
    ),
    "targets": (
        "targets.toml",
        TARGETS,
        lambda p: load_targets(read_settings({"IMAGELOOM_TARGETS": str(p)})),
    ),
    "scores": ("scores.csv", SCORES, read_table),
    "parquet": ("scores.parquet", parquet_scores(), read_table),
    "meta": (
        "_meta.yaml",
        OLD_META,
        lambda p: read_old_directory(p.parent, PARAMS, control=Control()),
    ),
}
DOCUMENTS = {
    "coco": (
        "x.json",
        json.dumps(COCO).encode(),
        lambda p: read_coco(p, PARAMS, control=Control()),
    ),
    "jsonl": (
        "x.jsonl",
        b'{"file": "1.png", "label": "ant"}\n{"file": "2.png", "label": "bee"}\n',
        lambda p: read_manifest(p, PARAMS, control=Control()),
    ),
    "old": (
        "images.lst",
        OLD_LINES,
        lambda p: read_old_directory(p.parent, PARAMS, control=Control()),
    ),
    "pipeline": ("x.json", PIPELINE.read_bytes(), read_pipeline),
    "run": (
        "run.json",
        b'{"format_version": 1, "kind": "run", "state": "failed", "params": {"epochs": 1}}',
        lambda p: RunDirectory(p.parent).read(),
    ),
    "events": (
        "events.jsonl",
        b'{"type": "notice", "level": "info", "message": "x"}\n'
        b'{"type": "metric", "name": "loss", "value": 1.0, "step": 1, "epoch": 1}\n',
        lambda p: EventTail(p).read(),
    ),
}


@pytest.fixture
def place(tmp_path):
    """A folder with what the manifests and the old image directory name."""
    (tmp_path / "image").mkdir()
    for name in ("1.png", "2.png", "image/1.png", "image/2.png"):
        (tmp_path / name).write_bytes(PICTURES["PNG"])
    (tmp_path / "_meta.yaml").write_bytes(OLD_META)
    (tmp_path / "images.lst").write_bytes(OLD_LINES)
    return tmp_path


@pytest.mark.parametrize("kind", PICTURES)
@QUICK
@given(changes=CHANGES)
def test_a_damaged_picture_is_read_or_refused_with_a_reason(kind, changes):
    content = damaged(PICTURES[kind], changes)
    for look in (examine_picture, decode_picture):
        only_named_errors(look, content)


@pytest.mark.parametrize("kind", FILES | DOCUMENTS)
@QUICK
@given(changes=CHANGES)
def test_a_damaged_file_is_read_or_refused_with_a_named_error(kind, place, changes):
    name, content, read = (FILES | DOCUMENTS)[kind]
    (place / name).write_bytes(damaged(content, changes))
    only_named_errors(read, place / name)


@pytest.mark.parametrize("kind", DOCUMENTS)
@QUICK
@given(changes=DOCUMENT_CHANGES)
def test_a_document_of_other_values_is_read_or_refused_with_a_named_error(kind, place, changes):
    name, content, read = DOCUMENTS[kind]
    (place / name).write_bytes(changed_document(content, changes))
    only_named_errors(read, place / name)


@pytest.mark.parametrize("kind", FILES | DOCUMENTS)
def test_the_whole_file_is_read(kind, place):
    name, content, read = (FILES | DOCUMENTS)[kind]
    (place / name).write_bytes(content)
    read(place / name)


def test_a_file_of_targets_that_is_nested_without_end_is_a_named_error(place):
    (place / "targets.toml").write_bytes(b"x = " + b"[" * 3000)
    with pytest.raises(ParameterParsingError, match="is not a TOML file"):
        FILES["targets"][2](place / "targets.toml")


@pytest.fixture(scope="module")
def published(tmp_path_factory, make_pictures):
    """Published directories by name, and what reads each."""
    folder = tmp_path_factory.mktemp("published")
    images = make_pictures(per_class=2, classes=("red", "green"))
    images.with_transforms((Squash(size=8), RandomHorizontalFlip())).save(folder / "images")
    save_transforms((Squash(size=8), RandomHorizontalFlip()), folder / "transforms")
    return {
        "images": (folder / "images", load_image_directory),
        "transforms": (folder / "transforms", load_transforms),
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["images", "transforms"])
@QUICK
@given(data=st.data())
def test_a_damaged_directory_whose_manifest_was_made_to_fit_is_a_named_error(
    kind, published, tmp_path, data
):
    source, read = published[kind]
    only_named_errors(read, resealed_copy(source, tmp_path / "copy", data))


@pytest.mark.parametrize("suffix", ["pth", "pt", "safetensors"])
@QUICK
@given(changes=CHANGES)
def test_a_damaged_file_of_weights_is_read_or_refused_with_a_named_error(suffix, tmp_path, changes):
    from safetensors.torch import save

    file = io.BytesIO()
    torch.save({"weight": torch.ones(3, 2), "bias": torch.ones(3)}, file)
    content = file.getvalue() if suffix != "safetensors" else save({"weight": torch.ones(3, 2)})
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(damaged(content, changes))
    only_named_errors(read_weights_file, path)
