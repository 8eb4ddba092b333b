"""What an uploaded archive turns out to be: described like a folder, or a named error."""

import io
import tarfile
import zipfile

import pytest
from PIL import Image

from .sent import send

pytestmark = pytest.mark.processes


def png(colour=(200, 30, 30)):
    file = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(file, "PNG")
    return file.getvalue()


GOOD = {f"photos/{name}/{number}.png": png() for name in ("ants", "bees") for number in range(3)}


def a_zip(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, file in files.items():
            made.writestr(name, file)
    return content.getvalue()


def a_tar(files):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as made:
        for name, file in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(file)
            made.addfile(member, io.BytesIO(file))
    return content.getvalue()


def encrypted(files):
    """Set the bit of every member that says it is encrypted, in both of its headers."""
    content = bytearray(a_zip(files))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + place] |= 1
            at = content.find(mark, at + 4)
    return bytes(content)


@pytest.mark.parametrize(("make", "name"), [(a_zip, "photos.zip"), (a_tar, "photos.tar.gz")])
def test_an_archive_is_described_like_a_folder_and_can_be_run(page, studio, make, name):
    done = send(page, make(GOOD | {"photos/ants/broken.png": b"no picture"}), name)
    found = page.get("/api/places/description", params={"path": done["path"]}).json()
    assert (found["kind"], found["images"], found["files"], found["headers_read"]) == (
        "archive",
        6,
        7,
        7,
    )
    assert [(one["name"], one["images"]) for one in found["classes"]] == [("ants", 3), ("bees", 3)]
    samples = [one for of_class in found["classes"] for one in of_class["samples"]]
    assert all(page.get(one["thumbnail"]).status_code == 200 for one in samples)
    assert found["losses"] == {
        "lost": 1,
        "pictures": 7,
        "most_fraction": 0.01,
        "enough_fraction": 0.143,
        "emptied": [],
        "is_refused": True,
    }
    left_out = page.get("/api/places/left-out", params={"path": done["path"]}).json()
    assert ([one["file"] for one in left_out["rows"]], left_out["total"]) == (
        ["ants/broken.png"],
        1,
    )
    node = {"id": "data", "component": "dataset", "params": {"path": done["path"]}}
    pipeline = {"format_version": 2, "kind": "pipeline", "name": "x", "nodes": [node]}
    answer = page.post("/api/check", json={"pipeline": pipeline}).json()
    assert (answer["problems"], answer["nodes"]["data"]["state"]) == ([], "ready")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no archive at all", "format-not-supported"),
        (a_zip(GOOD)[:-30], "damaged-archive"),
        (encrypted(GOOD), "encrypted"),
        (a_zip(GOOD | {"../../evil.png": png()}), "unsafe-member"),
        (a_zip(GOOD | {"/etc/evil.png": png()}), "unsafe-member"),
        (a_zip({"readme.txt": b"none"}), "no-pictures"),
        (a_zip({}), "no-pictures"),
    ],
    ids=["no-archive", "cut", "encrypted", "leads-out", "absolute", "documents", "empty"],
)
def test_what_is_no_archive_of_pictures_is_said_by_name_and_stays_until_it_is_deleted(
    page, studio, content, reason
):
    done = send(page, content)
    answer = page.get("/api/places/description", params={"path": done["path"]})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "InvalidDatasetError")
    assert answer.json()["error"]["reason"] == reason
    assert answer.json()["error"]["hint"]
    place = studio.engine.workspace.uploads / done["name"]
    assert place.read_bytes() == content
    assert page.delete(f"/api/uploads/finished/{done['name']}").status_code == 204
    assert not place.exists()
