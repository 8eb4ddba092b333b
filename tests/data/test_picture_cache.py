"""Scaled copies: whatever the cache holds, the pixels are those of scaling the original."""

import contextlib
import os
import resource
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as F

import imageloom
from imageloom.data.decoding.decode import decode_picture
from imageloom.data.loading import picture_cache
from imageloom.data.loading.cache_files import files_of
from imageloom.data.loading.cache_sweep import sweep
from imageloom.data.loading.loader import BatchKey, PictureLoader, Reading
from imageloom.data.loading.picture_cache import PictureCache, bytes_of_copies, rows_with_room
from imageloom.data.loading.picture_reader import PictureReader
from imageloom.errors import InvalidDatasetError
from imageloom.preprocessing import (
    CenterCrop,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    Resize,
)

from .made_pictures import jpeg, photo, png, saved

SIDE = 37
CROPPED = (RandomResizedCrop(size=32), RandomHorizontalFlip())
LATER = (RandomHorizontalFlip(), Resize(size=34), CenterCrop(size=32))
ENOUGH = 10**9
PLAIN = Reading()


@pytest.fixture
def images(tree):
    """Photos wide and high, on their sides, grey, with alpha, of a palette, and smaller ones."""
    alpha = np.dstack([photo(60, 80), np.linspace(0, 255, 60 * 80).reshape(60, 80)])
    tree.write(
        {
            "a/wide.jpg": jpeg(0, height=120, width=161),
            "a/high.jpg": jpeg(1, height=163, width=110),
            "a/turned.jpg": jpeg(2, orientation=6, height=90, width=141),
            "a/grey.jpg": saved(Image.fromarray(photo(70, 90, 3)).convert("L"), "JPEG"),
            "b/alpha.png": saved(alpha.astype(np.uint8), "PNG"),
            "b/palette.png": saved(Image.fromarray(photo(50, 99, 4)).convert("P"), "PNG"),
            "b/small.png": png(5, height=30, width=200),
            "b/as-large.png": png(6, height=SIDE, width=SIDE),
        }
    )
    return imageloom.open_images(tree.root)


@pytest.fixture
def cache(tmp_path):
    return PictureCache(tmp_path / "cache", SIDE, ENOUGH)


def reader_of(images, cache, transforms=(), **options):
    return PictureReader(images.index, images.root, transforms, seed=5, cache=cache, **options)


def pictures(images, cache, transforms=(), **options):
    """Each picture in two epochs, from a reader of its own."""
    reader = reader_of(images, cache, transforms, **options)
    reader.keep_more = True
    read = [[reader.picture(epoch, row) for row in range(len(images))] for epoch in range(2)]
    return [picture for epoch in read for picture in epoch], reader


def same(found, expected):
    return len(found) == len(expected) and all(map(torch.equal, found, expected))


def copies(cache):
    paths = [Path(file.path) for file in files_of(cache.root)]
    return {path: path.read_bytes() for path in paths}


def file_of(images, row):
    return Path(os.fsdecode(images.path(row)))


def original(images, row):
    content = file_of(images, row).read_bytes()
    return torch.from_numpy(decode_picture(content).pixels_HWC).permute(2, 0, 1)


def test_a_copy_is_the_picture_scaled_by_torchvision_and_never_enlarged(images, cache):
    """Made and found; the second reader finds all."""
    for _ in range(2):
        reader = reader_of(images, cache)
        for row in range(len(images)):
            expected = original(images, row)
            if min(expected.shape[-2:]) > SIDE:
                expected = F.resize(expected, [SIDE], antialias=True)
            assert torch.equal(reader.picture(0, row), expected)
        assert len(copies(cache)) == len(images)
        assert reader.notice == ""


@pytest.mark.parametrize("transforms", [CROPPED, LATER], ids=["crop first", "crop later"])
@pytest.mark.parametrize("hold_bytes", [0, 20_000, ENOUGH])
def test_pixels_do_not_depend_on_what_is_cached_or_held(images, cache, transforms, hold_bytes):
    without_room = PictureCache(cache.root, SIDE, limit_bytes=0)
    expected, _ = pictures(images, without_room, transforms)
    assert not copies(cache)
    for _ in range(2):  # a cache that fills, and one that is full
        found, _ = pictures(images, cache, transforms, hold_bytes=hold_bytes)
        assert same(found, expected)


def test_where_transforms_begin_with_the_resize_of_the_copies_nothing_changes(images, cache):
    transforms = (Resize(size=SIDE), RandomCrop(size=32, padding=4), RandomHorizontalFlip())
    exact, _ = pictures(images, None, transforms)
    for _ in range(2):
        assert same(pictures(images, cache, transforms)[0], exact)


@pytest.mark.parametrize("reading", [Reading(), Reading(threads=3), Reading(workers=2)])
def test_the_same_batches_whatever_reads_and_whatever_is_cached(images, cache, reading):
    keys = [BatchKey(epoch, (0, 3, 5, 6, 1, 2, 4, 7)[:size]) for epoch in (0, 1) for size in (8, 3)]

    def batches(cache, reading):
        loader = PictureLoader(images, CROPPED, seed=3, reading=reading, cache=cache)
        with contextlib.closing(loader):
            return [batch.images_BCHW.clone() for batch in loader.batches(keys)]

    expected = batches(PictureCache(cache.root, SIDE, limit_bytes=0), Reading())
    half = PictureCache(cache.root, SIDE, limit_bytes=40_000)
    assert 0 < rows_with_room(half, *sizes_of(images)) < len(images)
    for one in (half, cache, cache):
        assert same(batches(one, reading), expected)


def sizes_of(images):
    return [images.index.column(side).to_numpy() for side in ("height", "width")]


def test_an_original_with_a_copy_is_not_opened(images, cache):
    expected, _ = pictures(images, cache)
    for row in range(len(images)):
        file_of(images, row).write_bytes(bytes(file_of(images, row).stat().st_size))
    assert same(pictures(images, cache)[0], expected)


def test_an_original_of_another_size_or_that_is_gone_is_an_error_with_a_copy_too(images, cache):
    pictures(images, cache)
    with file_of(images, 0).open("ab") as file:
        file.write(b"x")
    recorded = images.index["size_bytes"][0].as_py()
    numbers = rf"it has {recorded + 1:,} bytes, had {recorded:,}"
    with pytest.raises(InvalidDatasetError, match=f"was changed after it was .*{numbers}"):
        reader_of(images, cache).picture(0, 0)
    file_of(images, 1).unlink()
    with pytest.raises(InvalidDatasetError, match="cannot be read: No such file"):
        reader_of(images, cache).picture(0, 1)


def test_an_original_that_changed_makes_no_copy(images, cache):
    content = file_of(images, 0).read_bytes()
    file_of(images, 0).write_bytes(flipped(content, len(content) - 40))
    with pytest.raises(InvalidDatasetError, match="SHA-256 differs"):
        reader_of(images, cache).picture(0, 0)
    assert not copies(cache)


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


DAMAGE = {
    "empty": lambda _: b"",
    "cut in the head": lambda content: content[:11],
    "cut in the pixels": lambda content: content[:-1],
    "longer": lambda content: content + b"\0",
    "a bit of the head": lambda content: flipped(content, 9),
    "a bit of the checksum": lambda content: flipped(content, 19),
    "a bit of the first pixel": lambda content: flipped(content, 20),
    "a bit of the last pixel": lambda content: flipped(content, len(content) - 1),
    "zeros": lambda content: bytes(len(content)),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_copy_is_noticed_and_made_anew(images, cache, damage):
    """Before a run reads it, and after."""
    expected, _ = pictures(images, cache)
    whole = copies(cache)
    reader = reader_of(images, cache)
    for epoch in range(4):
        if epoch % 2 == 0:
            for path, content in whole.items():
                path.write_bytes(damage(content))
                # Far from the last change, which a file system may tell to some milliseconds only.
                os.utime(path, ns=(0, epoch * 10**9))
        read = [reader.picture(epoch, row) for row in range(len(images))]
        assert same(read, expected[: len(images)])
        assert copies(cache) == whole
    assert "Damaged copies" in reader.notice
    assert str(cache.folder) in reader.notice


def test_the_copy_of_another_picture_is_not_taken_when_its_size_differs(images, cache):
    expected, _ = pictures(images, cache)
    files = [cache.file_of(images.index["sha256"][row].as_py()) for row in range(2)]
    files[0].write_bytes(files[1].read_bytes())
    assert same(pictures(images, cache)[0], expected)


def notices_of(images, cache, reading=PLAIN):
    """What is told while everything is read in two epochs, and whether the pixels are right."""
    expected, _ = pictures(images, PictureCache(cache.root, SIDE, limit_bytes=0), CROPPED)
    told = []
    loader = PictureLoader(
        images, CROPPED, seed=5, reading=reading, cache=cache, on_event=told.append
    )
    keys = [BatchKey(epoch, (row,)) for epoch in range(2) for row in range(len(images))]
    with contextlib.closing(loader):
        found = [batch.images_BCHW[0].clone() for batch in loader.batches(keys)]
    assert same(found, expected)
    return [notice.message for notice in told]


@pytest.mark.parametrize("reading", [Reading(threads=2), Reading(workers=2)])
def test_a_cache_that_cannot_be_written_is_told_once_and_the_reading_goes_on(
    images, cache, reading
):
    cache.root.mkdir()
    cache.folder.write_bytes(b"a file in its place")
    (message,) = notices_of(images, cache, reading)
    assert f"{cache.folder} cannot be read: Not a directory" in message
    assert "IMAGELOOM_HOME" in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_may_only_be_read_is_read(images, cache):
    pictures(images, cache)
    cache.file_of(images.index["sha256"][0].as_py()).unlink()
    for folder in cache.folder.iterdir():
        folder.chmod(0o500)
    (message,) = notices_of(images, cache)
    assert "cannot be written: Permission denied" in message


def test_a_disk_that_refuses_more_bytes_leaves_no_partial_copy(images, cache):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    reader = reader_of(images, cache)
    expected = reader_of(images, PictureCache(cache.root, SIDE, 0)).picture(0, 0)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        found = reader.picture(0, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert torch.equal(found, expected)
    assert "cannot be written: File too large" in reader.notice
    assert [path for path in cache.root.rglob("*") if path.is_file()] == []


def test_a_cache_that_is_deleted_while_a_copy_is_made_is_filled_again(images, cache, monkeypatch):
    expected, _ = pictures(images, PictureCache(cache.root, SIDE, limit_bytes=0))
    reader = reader_of(images, cache)
    disk_usage = shutil.disk_usage

    def deleted_first(place):
        found = disk_usage(place)
        shutil.rmtree(cache.root)
        return found

    with monkeypatch.context() as patch:  # another process, at the worst moment
        patch.setattr(picture_cache.shutil, "disk_usage", deleted_first)
        assert torch.equal(reader.picture(0, 0), expected[0])
    assert not copies(cache)
    assert torch.equal(reader.picture(0, 0), expected[0])
    assert len(copies(cache)) == 1
    assert reader.notice == ""


def test_some_of_the_disk_stays_free(images, cache, monkeypatch):
    monkeypatch.setattr(picture_cache, "LEAST_FREE_BYTES", 2**60)
    (message,) = notices_of(images, cache)
    assert "cannot be written: less than 1073741824 GiB are free" in message
    assert not copies(cache)


def test_copies_have_the_size_that_is_told_beforehand(images, cache):
    pictures(images, cache)
    heights, widths = sizes_of(images)
    told = bytes_of_copies(cache, heights, widths)
    for row, size in enumerate(told):
        assert cache.file_of(images.index["sha256"][row].as_py()).stat().st_size == size
    for limit, rows in ((told[0] - 1, 0), (told[0], 1), (told[:3].sum(), 3), (ENOUGH, 8)):
        assert rows_with_room(PictureCache(cache.root, SIDE, int(limit)), heights, widths) == rows


@pytest.mark.parametrize("height", [36, 37, 38, 100, 999])
@pytest.mark.parametrize("width", [37, 74, 101, 1000, 3001])
def test_sizes_are_those_of_torchvision(cache, height, width):
    scaled = F.resize(torch.zeros(1, height, width, dtype=torch.uint8), [SIDE]).shape[-2:]
    expected = (height, width) if min(height, width) <= SIDE else tuple(scaled)
    assert cache.size_of_copy(height, width) == expected


READ_ALL = """
import sys, hashlib, torch, random
from pathlib import Path
from imageloom.data.images.directory import load_image_directory
from imageloom.data.loading.picture_cache import PictureCache
from imageloom.data.loading.picture_reader import PictureReader

torch.set_num_threads(1)
images = load_image_directory(Path(sys.argv[1]))
cache = PictureCache(Path(sys.argv[2]), 37, 10**9)
reader = PictureReader(images.index, images.root, (), seed=5, cache=cache)
chance = random.Random(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for epoch in range(40):
    digest = hashlib.sha256()
    for row in range(len(images)):
        digest.update(reader.picture(epoch, row).numpy().tobytes())
        if chance.random() < 0.3:
            cache.file_of(images.index["sha256"][row].as_py()).unlink(missing_ok=True)
    print(digest.hexdigest())
print(reader.notice)
"""


def test_two_processes_that_make_and_remove_copies_at_once_read_the_same(
    images, cache, python, tmp_path
):
    images.save(tmp_path / "saved")
    readers = [
        subprocess.Popen(
            [python, "-c", READ_ALL, tmp_path / "saved", cache.root, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "other")
    ]
    with readers[0], readers[1]:
        for reader in readers:
            assert reader.stdout.readline() == "ready\n"
        for reader in readers:
            reader.stdin.write("\n")
            reader.stdin.flush()
        said = [reader.communicate(timeout=60)[0].split("\n") for reader in readers]
    assert said[0][:40] == said[1][:40] == [said[0][0]] * 40
    assert said[0][40] == said[1][40] == "", "no copy was ever half there"
    assert not list(cache.root.rglob("*.partial"))


def filled(cache, images, rows):
    """Keep copies of some rows, the first of which was used longest ago."""
    reader = reader_of(images, cache)
    files = []
    for age, row in enumerate(rows):
        reader.picture(0, row)
        files.append(cache.file_of(images.index["sha256"][row].as_py()))
        os.utime(files[-1], ns=(0, 10**9 * (1000 + age)))
    return files


def test_a_sweep_removes_those_not_used_for_longest_and_none_of_the_run(images, cache):
    other = PictureCache(cache.root, 20, ENOUGH)  # the same pictures in another size
    others = filled(other, images, [3, 0, 1, 2])
    own = filled(cache, images, [0, 1])
    digests = images.index["sha256"][:2].to_pylist()
    sizes = bytes_of_copies(cache, *sizes_of(images))[:2]
    kept = others[2].stat().st_size + others[3].stat().st_size
    full = PictureCache(cache.root, SIDE, int(sizes.sum()) + kept)
    first_two = sum(one.stat().st_size for one in others[:2])
    assert sweep(full, digests, sizes) == (2, first_two)
    assert [one.exists() for one in others] == [False, False, True, True]
    assert all(one.exists() for one in own)
    assert sweep(full, digests, sizes) == (0, 0)
    assert sweep(PictureCache(cache.root, SIDE, 0), [], sizes[:0]).copies == 4


def test_a_copy_that_is_read_again_counts_as_used(images, cache):
    files = filled(cache, images, [0, 1])
    reader_of(images, cache).picture(0, 0)
    assert files[0].stat().st_mtime > files[1].stat().st_mtime


def test_what_killed_processes_left_half_written_goes(images, cache):
    (file,) = filled(cache, images, [0])
    old, new = (file.parent / f"{name}.partial" for name in ("old", "new"))
    for one in (old, new):
        one.write_bytes(b"half")
    os.utime(old, ns=(0, 0))
    sweep(cache, [], np.zeros(0, dtype=np.int64))
    assert [one.exists() for one in (old, new, file)] == [False, True, True]
