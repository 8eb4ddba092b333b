"""A thousand pictures through each format and the library that it belongs to, and back."""

import io
import os
from pathlib import Path

import pytest

from imageloom.data.convert import convert
from imageloom.data.exports.export import export_images
from imageloom.data.exports.params import ImageExportParams

from .made_pictures import photo, saved

LABELS = ("007", "NA", "a/b", "Ämeise 蚂蚁")
COUNT = 1000

pytestmark = [
    pytest.mark.slow,
    # What these libraries leave to Python to close.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """An image directory of a thousand pictures, no two of which are equal."""
    root = tmp_path_factory.mktemp("thousand") / "pictures"
    root.mkdir()
    lines = ["file,label"]
    for number in range(COUNT):
        name = f"{number:04}.{('png', 'jpg')[number % 2]}"
        made = saved(photo(8, 8, seed=number), ("PNG", "JPEG")[number % 2])
        (root / name).write_bytes(made)
        lines.append(f"{name},{LABELS[number % 4]}")
    (root / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return convert(root / "labels.csv", root.with_name("images"))


@pytest.fixture(scope="module")
def expected(images):
    return dict(pairs(images))


def pairs(images):
    """Bytes and label of each picture."""
    for row in range(len(images)):
        content = Path(os.fsdecode(images.path(row))).read_bytes()
        yield content, images.classes[images.labels[row]]


def exported(images, tmp_path, to):
    params = ImageExportParams(to=to, max_shard_mb=1)
    return export_images(images, tmp_path / to, params=params).path


def test_the_pictures_are_as_they_were_made(expected):
    assert len(expected) == COUNT
    assert {label: list(expected.values()).count(label) for label in LABELS} == dict.fromkeys(
        LABELS, COUNT // 4
    )


@pytest.mark.parametrize(
    ("to", "again"),
    [
        ("folders", "labels.csv"),
        ("parquet", ""),
        ("webdataset", ""),
        ("coco", "instances_train.json"),
    ],
)
def test_what_is_written_is_read_again(images, expected, tmp_path, to, again):
    back = convert(exported(images, tmp_path, to) / again, tmp_path / "back")
    assert dict(pairs(back)) == expected


def test_folders_through_torchvision(images, expected, tmp_path):
    from torchvision.datasets import ImageFolder

    found = ImageFolder(str(exported(images, tmp_path, "folders")))
    labels = {name.replace("%2F", "/"): number for name, number in found.class_to_idx.items()}
    assert set(labels) == set(LABELS)
    names = {number: name for name, number in labels.items()}
    assert {Path(file).read_bytes(): names[label] for file, label in found.samples} == expected


def test_parquet_through_datasets_both_ways(images, expected, tmp_path):
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    files = str(exported(images, tmp_path, "parquet") / "*.parquet")
    loaded = datasets.load_dataset(
        "parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache")
    ).cast_column("image", datasets.Image(decode=False))
    names = loaded.features["label"].names
    assert {row["image"]["bytes"]: names[row["label"]] for row in loaded} == expected

    (tmp_path / "theirs").mkdir()
    loaded.cast_column("image", datasets.Image()).to_parquet(str(tmp_path / "theirs/x.parquet"))
    assert dict(pairs(convert(tmp_path / "theirs", tmp_path / "back"))) == expected


def test_shards_through_webdataset_both_ways(images, expected, tmp_path):
    webdataset = pytest.importorskip("webdataset", reason="webdataset is not installed")
    folder = exported(images, tmp_path, "webdataset")
    names = (folder / "classnames.txt").read_text(encoding="utf-8").splitlines()
    shards = [str(one) for one in sorted(folder.glob("*.tar"))]
    assert len(shards) > 1
    found = {}
    for sample in webdataset.WebDataset(shards, shardshuffle=False):
        content = sample["png"] if "png" in sample else sample["jpg"]
        found[content] = names[int(sample["cls"])]
    assert found == expected

    theirs = tmp_path / "theirs"
    theirs.mkdir()
    pattern = str(theirs / "train-%06d.tar")
    with webdataset.ShardWriter(pattern, maxcount=300, verbose=0) as writer:
        for number, (content, label) in enumerate(expected.items()):
            end = "png" if content.startswith(b"\x89PNG") else "jpg"
            writer.write(
                {"__key__": f"{number:06}", end: content, "json": {"label": label, "n": number}}
            )
    assert len(list(theirs.iterdir())) == 4
    assert dict(pairs(convert(theirs, tmp_path / "back"))) == expected


def test_coco_through_pycocotools(images, expected, tmp_path):
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    folder = exported(images, tmp_path, "coco")
    loaded = coco.COCO(str(folder / "instances_train.json"))
    names = {one["id"]: one["name"] for one in loaded.loadCats(loaded.getCatIds())}
    files = {one["id"]: one["file_name"] for one in loaded.loadImgs(loaded.getImgIds())}
    annotations = loaded.loadAnns(loaded.getAnnIds())
    found = {
        (folder / files[one["image_id"]]).read_bytes(): names[one["category_id"]]
        for one in annotations
    }
    assert len(annotations) == COUNT
    assert found == expected


@pytest.mark.parametrize(
    ("to", "source"),
    [
        ("coco", "instances_train.json"),
        ("webdataset", ""),
        ("parquet", ""),
        ("folders", "labels.csv"),
    ],
)
def test_all_of_them_through_a_bucket(images, expected, tmp_path, monkeypatch, to, source):
    pytest.importorskip("s3fs", reason="s3fs is not installed (extra 'cloud')")
    server = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    import boto3

    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "a-key-of-tests",
        "AWS_SECRET_ACCESS_KEY": "a-secret-of-tests",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "IMAGELOOM_HOME": str(tmp_path / "home"),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        client = boto3.client("s3")
        client.create_bucket(Bucket="round")
        folder = exported(images, tmp_path, to)
        for file in folder.rglob("*"):
            if file.is_file():
                key = f"{to}/{file.relative_to(folder)}"
                client.upload_fileobj(io.BytesIO(file.read_bytes()), "round", key)
        back = convert(f"s3://round/{to}/{source}", tmp_path / "back")
        assert dict(pairs(back)) == expected
        client.close()
    finally:
        running.stop()
