"""Of a manifest the fingerprint sees the file and the pictures it names, and nothing else."""

import json
import os

import pytest

from imageloom.data.convert import convert
from imageloom.data.dataset import fingerprint, is_watched
from imageloom.data.names import MANIFEST_SUFFIXES
from imageloom.data.params import ConvertParams
from imageloom.data.sources.named_files import folder_of_names, named_files

from .made_pictures import png

NAMES = ("cats/1.png", "cats/2.png", "dogs/1 of two.png")
COCO = {
    "images": [{"id": at, "file_name": name} for at, name in enumerate(NAMES)],
    "annotations": [{"image_id": at, "category_id": at // 2} for at in range(3)],
    "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
}
TASKS = [
    {
        "data": {"image": f"/data/local-files/?d={name}"},
        "annotations": [{"result": [{"type": "choices", "value": {"choices": [name[:3]]}}]}],
    }
    for name in NAMES
]
TAGS = "".join(f'<image name="{one}"><tag label="{one[:3]}"/></image>' for one in NAMES)
TEXTS = {
    "comma.csv": "file,label\n" + "".join(f"{one},{one[:3]}\n" for one in NAMES),
    "semicolon.csv": "kind;image_path\n" + "".join(f"{one[:3]};{one}\n" for one in NAMES),
    "tab.tsv": "file\tlabel\n" + "".join(f"{one}\t{one[:3]}\n" for one in NAMES),
    "windows.csv": "file,label\n"
    + "".join(f"{one.upper()},{one[:3]}\n".replace("/", "\\") for one in NAMES),
    "list.txt": "".join(f"{one} {number}\n" for number, one in enumerate(NAMES)),
    "lines.jsonl": "".join(json.dumps({"label": one[:3], "file": one}) + "\n" for one in NAMES),
    "lines.ndjson": "".join(json.dumps({"file": one}).replace("/", "\\/") + "\n" for one in NAMES),
    "coco.json": json.dumps(COCO),
    "tasks.json": json.dumps(TASKS, indent=2),
    "tags.xml": f"<annotations>{TAGS}</annotations>",
}
OPTIONS = {"semicolon.csv": {"file_column": "image_path", "label_column": "kind"}}


def test_every_kind_of_manifest_is_tried():
    assert {os.path.splitext(name)[1] for name in TEXTS} == set(MANIFEST_SUFFIXES)  # noqa: PTH122


def write_pictures(folder):
    for number, name in enumerate((*NAMES, "cats/in no row.png")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(number))


@pytest.fixture
def manifest(tmp_path):
    """Writes a manifest of ``TEXTS`` beside its pictures and returns its path."""

    def write(name, folder=""):
        write_pictures(tmp_path / "home" / folder)
        path = tmp_path / "home" / name
        path.write_text(TEXTS[name])
        return path

    return write


def touch(path):
    later = path.stat().st_mtime_ns + 1
    os.utime(path, ns=(later, later))


@pytest.mark.parametrize("name", TEXTS)
def test_it_finds_the_files_that_the_conversion_takes(manifest, tmp_path, name):
    path = manifest(name)
    params = ConvertParams(**OPTIONS.get(name, {}))
    images = convert(path, tmp_path / "images", params=params)
    found = {one for one, _ in named_files(path, path.parent)}
    assert found == set(NAMES) == {os.fsdecode(one) for one in images.index["path"].to_pylist()}


@pytest.mark.parametrize("name", TEXTS)
def test_any_change_of_a_named_picture_counts(manifest, name):
    path = manifest(name)
    seen = {fingerprint(path)}
    touch(path.parent / NAMES[2])
    seen.add(fingerprint(path))
    (path.parent / NAMES[0]).write_bytes(b"another")
    seen.add(fingerprint(path))
    (path.parent / NAMES[1]).unlink()
    seen.add(fingerprint(path))
    touch(path)
    seen.add(fingerprint(path))
    assert len(seen) == 5


@pytest.mark.parametrize("name", TEXTS)
def test_what_else_lies_around_does_not_count(manifest, name):
    path = manifest(name)
    before = fingerprint(path)
    touch(path.parent / "cats/in no row.png")
    (path.parent / ".cache").mkdir()
    (path.parent / "workspace/store/objects").mkdir(parents=True)
    (path.parent / "workspace/database.sqlite").write_bytes(b"rows")
    (path.parent / "run").mkdir()
    (path.parent / "notes.txt").write_text("notes")
    assert fingerprint(path) == before


@pytest.mark.parametrize("name", TEXTS)
def test_pictures_in_a_folder_beside_are_found_as_well(manifest, name):
    path = manifest(name, "images")
    assert folder_of_names(path) == path.parent / "images"
    before = fingerprint(path)
    touch(path.parent / "images" / NAMES[0])
    assert fingerprint(path) != before
    assert is_watched(path, "images")
    assert not is_watched(path, "elsewhere")
    assert not is_watched(path, "/elsewhere")


def test_pictures_farther_away_are_not_watched(manifest):
    path = manifest("comma.csv", "a/b/c")
    assert folder_of_names(path) is None
    assert not is_watched(path, "a/b/c")


def test_pictures_in_subsets_of_cvat_are_found(tmp_path):
    (tmp_path / "images/Train").mkdir(parents=True)
    (tmp_path / "images/Train/1.png").write_bytes(png(1))
    path = tmp_path / "annotations.xml"
    tag = '<image name="1.png" subset="Train"><tag label="a"/></image>'
    path.write_text(f"<annotations>{tag}</annotations>")
    assert [one for one, _ in named_files(path, folder_of_names(path))] == ["Train/1.png"]
    assert is_watched(path, None)


def test_absolute_names_below_the_folder_are_found_and_others_never(tmp_path):
    write_pictures(tmp_path / "photos")
    inside, outside = tmp_path / "photos" / NAMES[0], tmp_path / "secret.png"
    outside.write_bytes(b"secret")
    path = tmp_path / "photos" / "labels.csv"
    path.write_text(f"file,label\n{inside},a\n{outside},b\n../secret.png,b\n")
    assert [one for one, _ in named_files(path, path.parent)] == [NAMES[0]]


def test_a_string_of_json_is_found_wherever_the_file_is_cut_to_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr("imageloom.data.sources.named_files._CHUNK", 7)
    monkeypatch.setattr("imageloom.data.sources.named_files._MAX_STRING", 50)
    write_pictures(tmp_path)
    path = tmp_path / "coco.json"
    long = {"counts": 'a\\"' * 100, "file": NAMES[0], "more": "b\\" * 99, "last": NAMES[2]}
    path.write_text(json.dumps(long))
    assert {one for one, _ in named_files(path, tmp_path)} == {NAMES[0], NAMES[2]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b'file,label\ncats/1.png,"a\n'),
        ("a.csv", b"file,label\ncats/1.png,\xff\n"),
        ("a.csv", b""),
        ("a.json", b'["cats/1.png", "' + b"\\" * 5),
        ("a.json", b'["http://[", "\\ud800", "\\u0000", "\\x", "' + b"x" * 5000 + b'"]'),
        ("a.xml", b"<a b='" + b"<a>" * 100),
        ("a.xml", b"<a>" * 100),
        ("a.xml", b'<!DOCTYPE a [<!ENTITY e "cats/1.png">]><a b="&e;"/>'),
    ],
)
def test_a_damaged_manifest_has_a_fingerprint(tmp_path, name, content):
    write_pictures(tmp_path)
    path = tmp_path / name
    path.write_bytes(content)
    before = fingerprint(path)
    touch(path)
    assert fingerprint(path) != before


def test_a_pipe_that_is_called_as_a_manifest_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "labels.csv")
    assert fingerprint(tmp_path / "labels.csv")
