"""Outputs in the store are whole or absent, and the same content is kept once."""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from imageloom.errors import FailedToWriteOutputsError, StoreCorruptError
from imageloom.pipeline.store.clean import clean
from imageloom.pipeline.store.objects import ObjectStore
from imageloom.pipeline.workspace import Workspace

from .made_runs import LONG_AGO, age, contents, make_entry, make_folder, make_object

KEY = "c0ffee"
STORING = Path(__file__).parents[1] / "faults" / "storing.py"


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


@pytest.fixture
def store(workspace):
    return ObjectStore(workspace)


def test_an_object_holds_what_was_published_and_the_folder_is_gone(workspace, store):
    folder = make_folder(workspace, "petals")
    before = contents(folder)
    stored = store.publish(folder)
    assert contents(store.path(stored.digest)) == before
    assert not folder.exists()
    assert stored.size_bytes == store.size_bytes(stored.digest) == 6 + 12
    assert store.is_whole(stored.digest)
    store.verify(stored.digest)


def test_the_digest_tells_contents_names_and_empty_folders_apart(workspace, store):
    def digest(change):
        folder = make_folder(workspace, "petals")
        change(folder)
        return store.publish(folder).digest

    same = [digest(contents), digest(lambda folder: age(folder / "a.txt"))]
    others = [
        digest(lambda folder: (folder / "a.txt").write_text("petalS", encoding="utf-8")),
        digest(lambda folder: (folder / "a.txt").rename(folder / "c.txt")),
        digest(lambda folder: (folder / "images" / "empty").rmdir()),
        digest(lambda folder: (folder / "images" / "b.txt").rename(folder / "b.txt")),
    ]
    assert same[0] == same[1]
    assert len({same[0], *others}) == 5


def test_names_that_are_not_utf_8_are_kept(workspace, store):
    folder = make_folder(workspace, "petals")
    name = os.fsdecode(b"caf\xe9\n\t.jpg")
    (folder / name).write_bytes(b"x")
    stored = store.publish(folder)
    assert (store.path(stored.digest) / name).read_bytes() == b"x"
    store.verify(stored.digest)


def test_the_same_content_is_kept_once_and_counts_as_new(workspace, store):
    first = make_object(workspace, "petals")
    inode = store.path(first.digest).stat().st_ino
    age(workspace.object_record(first.digest))
    assert make_object(workspace, "petals") == first
    assert store.path(first.digest).stat().st_ino == inode
    assert workspace.object_record(first.digest).stat().st_mtime > LONG_AGO
    assert list(workspace.trash.iterdir()) == []


def test_a_damaged_object_gives_way_to_a_whole_one(workspace, store):
    stored = make_object(workspace, "petals")
    (store.path(stored.digest) / "a.txt").write_text("pet", encoding="utf-8")
    assert not store.is_whole(stored.digest)
    assert make_object(workspace, "petals") == stored
    store.verify(stored.digest)


@pytest.mark.parametrize("make", ["link", "link to folder", "pipe"])
def test_anything_but_plain_files_and_folders_is_refused(workspace, store, make):
    folder = make_folder(workspace, "petals")
    odd = folder / "images" / "odd"
    if make == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to("/etc/passwd" if make == "link" else "/etc")
    with pytest.raises(FailedToWriteOutputsError, match="odd is not a plain file"):
        store.publish(folder)
    assert folder.exists()
    assert not workspace.objects.exists()


@pytest.mark.parametrize("what", ["file", "link", "absent"])
def test_what_is_published_must_be_a_folder(workspace, store, what):
    folder = workspace.root / "output"
    if what == "file":
        folder.write_text("x", encoding="utf-8")
    elif what == "link":
        folder.symlink_to(make_folder(workspace, "petals"))
    with pytest.raises(FailedToWriteOutputsError, match=r"output (is not a folder|could not be)"):
        store.publish(folder)


def damage(store, digest, how):
    file = store.path(digest) / "images" / "b.txt"
    if how == "cut":
        file.write_text("p", encoding="utf-8")
    elif how == "missing":
        file.unlink()
    elif how == "folder missing":
        (store.path(digest) / "images" / "empty").rmdir()
    elif how == "link":
        size = file.stat().st_size
        other = store.workspace.root / "other"
        other.write_bytes(b"x" * size)
        file.unlink()
        file.symlink_to(other)
    elif how == "gone":
        shutil.rmtree(store.path(digest))
    elif how == "record gone":
        store.workspace.object_record(digest).unlink()
    else:
        store.workspace.object_record(digest).write_bytes(b'{"files": {"a": 3}}')


DAMAGES = [
    "cut",
    "missing",
    "folder missing",
    "link",
    "gone",
    "record gone",
    "record damaged",
]


@pytest.mark.parametrize("how", DAMAGES)
def test_an_entry_with_a_damaged_object_is_forgotten_and_the_object_removed(workspace, store, how):
    whole, damaged = make_object(workspace, "petals"), make_object(workspace, "leaves")
    store.keep(make_entry(KEY, whole, damaged))
    damage(store, damaged.digest, how)
    with pytest.raises(StoreCorruptError, match=r"no whole object|missing or not what was"):
        store.verify(damaged.digest)
    assert store.cache_entry(KEY) is None
    assert not workspace.cache_file(KEY).exists()
    assert not store.path(damaged.digest).exists()
    store.verify(whole.digest)
    assert list(workspace.trash.iterdir()) == []


def test_verify_reads_every_byte(workspace, store):
    stored = make_object(workspace, "petals")
    (store.path(stored.digest) / "a.txt").write_text("petalS", encoding="utf-8")
    assert store.is_whole(stored.digest)  # by size
    with pytest.raises(StoreCorruptError, match=r"a\.txt is missing or not what was published"):
        store.verify(stored.digest)


def test_an_entry_comes_back_equal_and_counts_as_used(workspace, store):
    entry = make_entry(KEY, make_object(workspace, "petals"))
    assert store.cache_entry(KEY) is None
    store.keep(entry)
    age(workspace.cache_file(KEY))
    assert store.cache_entry(KEY) == entry
    assert workspace.cache_file(KEY).stat().st_mtime > LONG_AGO


@pytest.mark.parametrize("content", ["", "{", "[]", '{"key": "c0ffee"}', None])
def test_a_damaged_entry_is_forgotten(workspace, store, content):
    entry = make_entry("another", make_object(workspace, "petals"))
    workspace.cache_file(KEY).parent.mkdir(parents=True)
    text = json.dumps(entry.model_dump(mode="json")) if content is None else content
    workspace.cache_file(KEY).write_text(text, encoding="utf-8")
    assert store.cache_entry(KEY) is None
    assert not workspace.cache_file(KEY).exists()
    store.verify(entry.outputs["port0"].object)


def test_an_object_named_by_no_digest_is_refused(store):
    with pytest.raises(StoreCorruptError, match="is not a digest"):
        store.path("../../../etc")


def test_many_publish_the_same_at_once_and_all_succeed(workspace, store):
    folders = []
    for number in range(8):
        folders.append(make_folder(workspace, "petals", key=f"key{number}"))
    stored, start = [], threading.Barrier(8)

    def publish(folder):
        start.wait()
        stored.append(store.publish(folder))

    threads = [threading.Thread(target=publish, args=(one,)) for one in folders]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(stored) == 8
    assert len(set(stored)) == 1
    store.verify(stored[0].digest)


def rows_of(python, scenario, folder):
    done = subprocess.run(
        [python, str(STORING), scenario, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize("scenario", ["publish", "replace"])
def test_killed_at_any_point_of_publishing_nothing_is_half_visible(python, tmp_path, scenario):
    rows = rows_of(python, scenario, tmp_path)
    assert len(rows) > 50
    assert {str(row["seen"]["entry"]) for row in rows} == {"None", "['first', 'second']"}
    for row in rows:
        assert row["seen_after"]["entry"] == ["first", "second"], row
        assert row["left_after"] == [], row


@pytest.mark.processes
@pytest.mark.parametrize(
    ("scenario", "before", "after"),
    [
        ("create", [None], "queued"),
        ("append", ["interrupted"], "failed"),
        ("delete", ["interrupted"], None),
    ],
)
def test_killed_at_any_point_a_run_is_as_before_or_as_after(
    python, tmp_path, scenario, before, after
):
    rows = rows_of(python, scenario, tmp_path)
    run = "20260101-000000-0000"
    assert {row["seen"]["states"].get(run) for row in rows} == {*before, after}
    for row in rows:
        assert row["seen"]["states"].keys() <= {run}, row
        assert row["seen_after"]["states"].get(run) == after, row
        assert row["left_after"] == [], row


@pytest.mark.slow
@pytest.mark.processes
def test_killed_at_any_point_of_cleaning_no_entry_names_what_is_gone(python, tmp_path):
    rows = rows_of(python, "clean", tmp_path)
    assert {str(row["seen"]["entry"]) for row in rows} == {"None", "['first', 'second']"}
    for row in rows:
        assert row["seen_after"]["entry"] is None, row
        assert row["left_after"] == [], row


def test_the_bytes_of_all_objects_are_those_that_cleaning_counts(workspace, store):
    assert store.total_bytes() == 0
    for text in ("petals", "leaves and more"):
        make_object(workspace, text)
    (workspace.objects / "ab").mkdir(exist_ok=True)
    (workspace.objects / "ab" / "note of a person.json").write_text("{}", encoding="utf-8")
    found = clean(workspace, limit_bytes=None, dry_run=True)
    assert store.total_bytes() == found.object_bytes + found.kept_bytes == 3 * (6 + 15)
