import contextlib
import os
import re
import signal
import subprocess
import time
from multiprocessing.synchronize import Condition, SemLock
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch

from imageloom.data.loading import loader as loader_module
from imageloom.data.loading import picture_reader
from imageloom.data.loading.loader import (
    BatchKey,
    PictureLoader,
    Reading,
    make_loader,
    sequential_batches,
)
from imageloom.errors import InvalidDatasetError, WorkerLostError
from imageloom.preprocessing import ColorJitter, RandomCrop, Resize, Squash

AUGMENTED = (Resize(size=24), RandomCrop(size=24, padding=4), ColorJitter())
KEYS = [BatchKey(epoch, (5, 0, 3)) for epoch in (0, 1)] + [BatchKey(0, (5, 0, 3))]


def batches(images, workers, seed=1, keys=KEYS):
    loader = PictureLoader(images, AUGMENTED, seed=seed, reading=Reading(workers=workers))
    with contextlib.closing(loader):
        return list(loader.batches(keys))


@pytest.fixture(scope="module")
def images(make_pictures):
    return make_pictures(per_class=3)


def test_batches_hold_the_asked_pictures_with_their_labels(images):
    first = batches(images, workers=0)[0]
    assert first.images_BCHW.shape == (3, 3, 24, 24)
    assert first.images_BCHW.dtype == torch.uint8
    assert first.positions_B.tolist() == [5, 0, 3]
    assert first.labels_B.tolist() == [1, 0, 1]
    strongest = first.images_BCHW.float().mean(dim=(2, 3)).argmax(dim=1)
    assert strongest.tolist() == [1, 0, 1]  # green, red, green


def test_augmentation_is_drawn_afresh_at_each_epoch_and_from_the_seed(images):
    epoch_0, epoch_1, again_0 = (batch.images_BCHW for batch in batches(images, workers=0))
    assert torch.equal(epoch_0, again_0)
    assert not torch.equal(epoch_0, epoch_1)
    assert not torch.equal(epoch_0, batches(images, workers=0, seed=2)[0].images_BCHW)


@pytest.mark.parametrize(("network_s", "read_in_each_epoch"), [(50, [6, 3, 0]), (70, [6, 6, 6])])
def test_pictures_are_kept_where_reading_takes_more_than_a_twentieth_of_the_time(
    images, monkeypatch, network_s, read_in_each_epoch
):
    """Reading 3 pictures takes 3 of 53 s, or of 73 s; the first batch is there to learn it."""
    now, decode = [0.0], picture_reader.decode_rgb

    def decode_for_a_second(content, *, rows=None):
        now[0] += 1
        return decode(content, rows=rows)

    monkeypatch.setattr(picture_reader, "decode_rgb", decode_for_a_second)
    clock = SimpleNamespace(perf_counter=lambda: now[0], monotonic=time.monotonic)
    monkeypatch.setattr(loader_module, "time", clock)
    read = []
    reading = Reading(hold_bytes=10_000_000)
    with contextlib.closing(PictureLoader(images, AUGMENTED, seed=1, reading=reading)) as loader:
        for epoch in range(3):
            before, network = now[0], 0
            for _ in loader.batches([BatchKey(epoch, (0, 1, 2)), BatchKey(epoch, (3, 4, 5))]):
                now[0] += network_s
                network += network_s
            read.append(now[0] - before - network)
    assert read == read_in_each_epoch


@pytest.mark.slow
def test_f05_the_same_pixels_whatever_the_number_of_workers(images):
    one_process = batches(images, workers=0)
    for workers in (1, 2):
        for expected, found in zip(one_process, batches(images, workers), strict=True):
            assert torch.equal(expected.images_BCHW, found.images_BCHW)
            assert torch.equal(expected.labels_B, found.labels_B)


def test_g05_readers_are_not_forked_from_this_process(images):
    loader = PictureLoader(images, AUGMENTED, seed=1, reading=Reading(workers=1))
    with contextlib.closing(loader):
        assert loader._loader.multiprocessing_context.get_start_method() in ("forkserver", "spawn")


def test_n6_closing_leaves_no_reader_and_no_file(images, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    loader = PictureLoader(images, AUGMENTED, seed=1, reading=Reading(workers=2))
    list(loader.batches(KEYS))
    workers = [process.pid for process in loader._loader._iterator._workers]
    assert len(workers) == 2
    loader.close()
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert list(tmp_path.iterdir()) == []


def test_g01_a_killed_reader_is_named_as_the_cause(images):
    loader = PictureLoader(images, AUGMENTED, seed=1, reading=Reading(workers=1))
    with contextlib.closing(loader):
        iterator = loader.batches(KEYS * 50)
        next(iterator)
        os.kill(loader._loader._iterator._workers[0].pid, signal.SIGKILL)
        with pytest.raises(WorkerLostError, match="process that reads pictures was lost"):
            list(iterator)


def test_readers_and_their_owner_share_no_lock_that_a_killed_one_would_keep(images):
    loader = PictureLoader(images, AUGMENTED, seed=1, reading=Reading(workers=1))
    with contextlib.closing(loader):
        next(loader.batches(KEYS))
        shared = loader._loader._iterator._workers_done_event
        assert not any(isinstance(value, Condition | SemLock) for value in vars(shared).values())
        (worker,) = loader._loader._iterator._workers
        assert not shared.is_set()
    worker.join()
    assert worker.exitcode == 0  # it saw what was set


@pytest.mark.slow
def test_a_reader_that_hangs_is_ended(images):
    loader = PictureLoader(images, AUGMENTED, seed=1, reading=Reading(workers=1))
    next(loader.batches(KEYS * 50))
    (worker,) = loader._loader._iterator._workers
    os.kill(worker.pid, signal.SIGSTOP)
    loader.close()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL


def test_readers_stay_when_all_processes_of_a_group_are_asked_to_stop(images):
    loader = PictureLoader(images, AUGMENTED, seed=1, reading=Reading(workers=1))
    with contextlib.closing(loader):
        found = loader.batches([BatchKey(0, (number,)) for number in range(8)])
        next(found)  # a reader has begun, so it listens
        server = psutil.Process(loader._loader._iterator._workers[0].pid).parent()
        for process in (*server.children(), server):
            process.terminate()
            process.send_signal(signal.SIGINT)
        assert len(list(found)) == 7
        assert server.is_running()


@pytest.mark.slow
def test_readers_end_when_their_owner_is_killed(images, tmp_path, python):
    images.save(tmp_path / "saved")
    code = (
        "import os, signal\n"
        "from multiprocessing import forkserver\n"
        "from pathlib import Path\n"
        "from imageloom.data.images.directory import load_image_directory\n"
        "from imageloom.data.loading.loader import BatchKey, PictureLoader, Reading\n"
        f"images = load_image_directory(Path({str(tmp_path / 'saved')!r}))\n"
        "loader = PictureLoader(images, (), seed=0, reading=Reading(workers=2))\n"
        "next(loader.batches([BatchKey(0, (number,)) for number in range(8)]))\n"
        "readers = [worker.pid for worker in loader._loader._iterator._workers]\n"
        "print(forkserver._forkserver._forkserver_pid, *readers, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    # Not a pipe: a process that stays would hold its end of it.
    with (tmp_path / "out.txt").open("w") as out:
        owner = subprocess.Popen([python, "-c", code], stdout=out)
        assert owner.wait(60) == -signal.SIGKILL
    pids = [int(word) for word in (tmp_path / "out.txt").read_text().split()]
    assert len(pids) == 3
    left = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    assert psutil.wait_procs(left, timeout=20)[1] == []


def test_a07_a_picture_changed_after_conversion_is_caught_where_decoding_sees_nothing(
    make_pictures,
):
    from PIL import Image

    images = make_pictures(per_class=2)
    file = images.root / "red" / "000.png"
    Image.new("RGB", (32, 32), "white").save(file)
    Image.open(file).load()  # the naive read is content
    with pytest.raises(InvalidDatasetError, match=r"red/000.png .* was changed after"):
        list(make_loader(images, (Squash(size=8),), [[0, 1]]))


@pytest.mark.parametrize("workers", [0, 1])
def test_a45_a_picture_that_vanished_is_named(make_pictures, workers):
    images = make_pictures(per_class=2)
    (images.root / "red" / "001.png").unlink()
    with pytest.raises(InvalidDatasetError, match=r"red/001.png .* cannot be read: No such file"):
        list(make_loader(images, (Squash(size=8),), [[0, 1]], reading=Reading(workers=workers)))


def test_a_crop_that_does_not_fit_names_the_picture(images):
    with pytest.raises(InvalidDatasetError, match=r"red/000.png: A random crop of 64 pixels"):
        list(make_loader(images, (RandomCrop(size=64),), [[0]]))


def test_sequential_batches_cover_everything_once():
    assert [list(batch) for batch in sequential_batches(5, 2)] == [[0, 1], [2, 3], [4]]
    assert sequential_batches(0, 2) == []


def test_non_utf8_paths_are_read(make_pictures):
    images = make_pictures(per_class=1)
    os.rename(images.root / "red" / "000.png", os.fsencode(images.root) + b"/\xe9.png")  # noqa: PTH104
    paths = images.index.column("path").to_pylist()
    paths[0] = b"\xe9.png"
    index = images.index.set_column(0, images.index.schema.field(0), [paths])
    renamed = type(images)(images.classes, index, images.root)
    (batch,) = make_loader(renamed, (Squash(size=8),), [[0]])
    assert np.array_equal(batch.positions_B, [0])


@pytest.mark.slow
def test_too_few_open_files_are_named_before_a_worker_starts(images, tmp_path, python):
    pytest.importorskip("resource")
    images.save(tmp_path / "saved")
    code = (
        "import resource\n"
        "from pathlib import Path\n"
        "from imageloom.data.images.directory import load_image_directory\n"
        "from imageloom.data.loading.loader import Reading, make_loader\n"
        "from imageloom.errors import EnvironmentUnsuitableError\n"
        f"images = load_image_directory(Path({str(tmp_path / 'saved')!r}))\n"
        "loader = make_loader(images, (), [[0]], reading=Reading(workers=2))\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))\n"
        "try:\n"
        "    next(loader)\n"
        "except EnvironmentUnsuitableError as error:\n"
        "    print(error.message)\n"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert re.fullmatch(
        r"This process may have 24 files open at once, and needs \d+ for 2 processes that read "
        r"pictures\.\n",
        done.stdout,
    )
    assert done.stderr == ""
