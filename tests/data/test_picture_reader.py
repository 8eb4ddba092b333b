import os
import threading
from pathlib import Path

import pytest
import torch

import imageloom
from imageloom.data.loading.loader import BatchKey, PictureLoader, Reading
from imageloom.data.loading.picture_reader import PictureReader
from imageloom.data.loading.random_numbers import seed_of_sample
from imageloom.data.loading.reading_threads import ReadingThreads
from imageloom.data.loading.transforms import apply_transforms
from imageloom.errors import InvalidDatasetError
from imageloom.preprocessing import CenterCrop, RandomHorizontalFlip, RandomResizedCrop, Resize

from .made_pictures import jpeg, png

CROPPED = (RandomResizedCrop(size=32), RandomHorizontalFlip())
SCALED = (Resize(size=40), CenterCrop(size=32), RandomHorizontalFlip())
ENOUGH = 10**9


@pytest.fixture
def images(tree):
    """Twelve pictures of three kinds: large JPEG, JPEG that lies on its side, PNG."""
    for number in range(4):
        tree.write(
            {
                f"a/{number}.jpg": jpeg(number, height=120 + 10 * number, width=160),
                f"a/{number}-turned.jpg": jpeg(number, orientation=6, height=90, width=140),
                f"b/{number}.png": png(number, height=70, width=64),
            }
        )
    return imageloom.open_images(tree.root)


def pictures(images, transforms, **options):
    """Each picture in three epochs."""
    reader = PictureReader(images.index, images.root, transforms, seed=5, **options)
    reader.keep_more = True
    return [
        [reader.picture(epoch, position) for position in range(len(images))] for epoch in range(3)
    ]


@pytest.mark.parametrize("transforms", [CROPPED, SCALED], ids=["crop first", "crop later"])
@pytest.mark.parametrize("hold_bytes", [100_000, ENOUGH])
def test_pictures_that_are_kept_are_those_that_are_read_each_time(images, transforms, hold_bytes):
    """With 100,000 bytes some are kept."""
    kept = pictures(images, transforms, hold_bytes=hold_bytes)
    for read, found in zip(pictures(images, transforms), kept, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(read, found, strict=True))


def test_a_part_is_cut_out_as_from_the_whole_picture(images):
    """No room to keep pictures: of those whose first operation is a crop only a part is decoded."""
    whole = PictureReader(images.index, images.root, (), seed=5)
    reader = PictureReader(images.index, images.root, CROPPED, seed=5)
    for position in range(len(images)):
        expected = apply_transforms(
            whole.picture(0, position), CROPPED, seed_of_sample(5, 1, position)
        )
        assert torch.equal(reader.picture(1, position), expected)


def test_pictures_are_kept_only_in_the_room_there_is(images):
    reader = PictureReader(images.index, images.root, (), seed=0, hold_bytes=100_000)
    reader.keep_more = True
    for position in range(len(images)):
        reader.picture(0, position)
    held = reader._held._pictures
    assert 0 < len(held) < len(images)
    assert sum(picture.untyped_storage().nbytes() for picture in held.values()) <= 100_000


def test_a_file_is_checked_again_when_it_changed_between_epochs(images):
    reader = PictureReader(images.index, images.root, CROPPED, seed=0)
    first = reader.picture(0, 0)
    file = images.root / os.fsdecode(images.index["path"][0].as_py())
    content = file.read_bytes()
    file.write_bytes(content[:-40] + bytes(38) + content[-2:])  # as large as before
    with pytest.raises(InvalidDatasetError, match="was changed after it was converted"):
        reader.picture(1, 0)
    file.write_bytes(content)
    assert torch.equal(reader.picture(0, 0), first)


@pytest.mark.parametrize("threads", [2, 5])
def test_the_same_batches_whatever_the_number_of_threads(images, threads):
    keys = [BatchKey(epoch, tuple(range(start, 12))) for epoch in range(2) for start in (0, 5, 11)]
    one, several = (
        list(PictureLoader(images, CROPPED, seed=3, reading=Reading(threads=count)).batches(keys))
        for count in (1, threads)
    )
    for expected, found in zip(one, several, strict=True):
        assert torch.equal(expected.images_BCHW, found.images_BCHW)
        assert torch.equal(expected.labels_B, found.labels_B)


def test_of_several_unreadable_pictures_the_first_of_the_batch_is_named(images):
    for row in (4, 7):
        (images.root / os.fsdecode(images.index["path"][row].as_py())).unlink()
    loader = PictureLoader(images, CROPPED, seed=3, reading=Reading(threads=3))
    name = Path(os.fsdecode(images.index["path"][7].as_py())).name
    with pytest.raises(InvalidDatasetError, match=name.replace(".", r"\.")):
        list(loader.batches([BatchKey(0, (1, 7, 2, 3, 5, 6, 4))]))


def test_threads_compute_alone_and_change_nothing_for_others():
    before = torch.get_num_threads()
    together = threading.Barrier(3)

    def threads_of_torch(_):
        together.wait(30)  # so that each thread takes one
        torch.ones(400, 400) @ torch.ones(400, 400)
        return threading.get_ident(), torch.get_num_threads()

    with ReadingThreads(3) as threads:
        found = threads.map(threads_of_torch, range(3))
        assert len({ident for ident, _ in found}) == 3
        assert [number for _, number in found] == [1, 1, 1]
        assert torch.get_num_threads() == before
    later = []
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert later == [before]
