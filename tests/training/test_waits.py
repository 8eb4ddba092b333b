"""Real trainings, each slowed down in one place that no other part comes near, are judged right."""

import hashlib
import io
import time
from multiprocessing.context import ForkServerProcess
from types import SimpleNamespace

import numpy as np
import pytest
from networks import TINY
from PIL import Image

from imageloom.data.images.directory import ImageDirectory
from imageloom.data.images.index import IndexRow, index_from_rows
from imageloom.data.loading import loader as loader_module
from imageloom.data.loading import picture_reader, reading_times
from imageloom.events import Control, Notice
from imageloom.launch.train import train
from imageloom.preprocessing import ColorJitter, RandomPerspective, Squash
from imageloom.system.machine import available_cores
from imageloom.training import fit as fit_module
from imageloom.training import waits as waits_module
from imageloom.training.params import TrainParams
from imageloom.training.run.directory import RunDirectory
from imageloom.training.train import NewRun, prepare_run

from .rank_processes import continue_on_ranks

PARAMS = TrainParams(
    epochs=1,
    batch_size=4,
    learning_rate=0.001,
    image_size=32,
    precision="float32",
    device="cpu",
    workers=0,
)
FAR_TOO_LONG_S = 1e4  # the whole training takes seconds, on the slowest machine some hundred
HEAVY = (RandomPerspective(p=1.0), ColorJitter(hue=0.2, saturation=0.4), Squash(size=32))


@pytest.fixture
def judge(tmp_path, monkeypatch):
    """Return a function that trains and returns what limited the last epoch, and all notices."""
    monkeypatch.setattr(waits_module, "_ENOUGH_S", 0.0)

    def judge(training, validation, *, model=TINY, **changes):
        heard = []
        params = PARAMS.replace(**changes)
        done = train(
            model, training, validation, tmp_path / "run", params=params, on_event=heard.append
        )
        limit = RunDirectory(done.run).read().speed_limit
        assert limit["epoch"] == params.epochs
        notices = [one.message for one in heard if isinstance(one, Notice)]
        return limit["limit"], limit["text"], notices

    return judge


@pytest.fixture
def small(make_pictures):
    return make_pictures(per_class=4, size=32), make_pictures(per_class=1, size=32, seed=1)


def jpegs(root, number, side):
    """Noise as JPEG files of one size, half of each class."""
    root.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=85)
    content = file.getvalue()
    rows = []
    for place in range(number):
        (root / f"{place}.jpg").write_bytes(content + bytes([place]))
        rows.append(
            IndexRow(
                path=f"{place}.jpg".encode(),
                label=place % 3,
                width=side,
                height=side,
                orientation=1,
                format="JPEG",
                size_bytes=len(content) + 1,
                sha256=hashlib.sha256(content + bytes([place])).digest(),
            )
        )
    return ImageDirectory(classes=("red", "green", "blue"), index=index_from_rows(rows), root=root)


class Clock:
    """The clocks by which a training is measured, which a test puts forward instead of sleeping."""

    def __init__(self, monkeypatch):
        self.ahead_s = 0.0
        own = SimpleNamespace(
            monotonic=lambda: time.monotonic() + self.ahead_s,
            perf_counter=lambda: time.perf_counter() + self.ahead_s,
        )
        for module in (fit_module, loader_module, reading_times):
            monkeypatch.setattr(module, "time", own)

    def slowed(self, function):
        """Return a function that takes far too long."""

        def slow(*arguments, **options):
            self.ahead_s += FAR_TOO_LONG_S
            return function(*arguments, **options)

        return slow


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_a_slow_disk_is_named(judge, small, clock, monkeypatch):
    monkeypatch.setattr(picture_reader, "read_file", clock.slowed(picture_reader.read_file))
    limit, text, notices = judge(*small)
    assert limit == "files"
    assert "Reading pictures took" in text
    assert "mostly reading files from the disk or the network: use --workers 1" in text
    assert f"Epoch 1: {text}" in notices


def test_slow_digests_are_named(judge, small, clock, monkeypatch):
    slow = SimpleNamespace(sha256=clock.slowed(hashlib.sha256))
    monkeypatch.setattr(picture_reader, "hashlib", slow)
    assert judge(*small)[0] == "digests"


def test_large_jpeg_files_are_named(judge, small, tmp_path):
    limit, text, _ = judge(jpegs(tmp_path / "large", 8, 1600), small[1])
    assert limit == "decoding"
    assert "or use --picture-cache resized. See 'What limits the speed'" in text


def test_heavy_random_operations_are_named(judge, make_pictures):
    training = make_pictures(per_class=2, size=400, noise=1).with_transforms(HEAVY)
    validation = make_pictures(per_class=1, size=32, seed=1).with_transforms((Squash(size=32),))
    limit, text, _ = judge(training, validation, image_size=None)
    assert limit == "operations"
    assert "fewer random operations" in text


def test_a_slow_memory_is_named(judge, small, clock, monkeypatch):
    monkeypatch.setattr(loader_module, "_stacked", clock.slowed(loader_module._stacked))
    assert judge(*small)[0] == "handover"


def test_a_large_network_is_named_and_no_notice_is_made_of_it(judge, small):
    limit, text, notices = judge(*small, model="resnet18", image_size=160)
    assert limit == "network"
    assert text.startswith("The network is the limit: ")
    assert not any("limit" in notice for notice in notices)


def test_a_long_validation_is_named(judge, make_pictures):
    few, many = make_pictures(per_class=2), make_pictures(per_class=200, seed=1)
    limit, text, _ = judge(few, many)
    assert limit == "validation"
    assert "fewer validation pictures" in text


@pytest.mark.slow
def test_processes_that_have_yet_to_start_are_named(judge, small, clock, monkeypatch):
    # The process that reads has the machine's clock: it is right again when that process starts.
    clock.ahead_s = -FAR_TOO_LONG_S

    def start(process):
        clock.ahead_s = 0.0
        really_start(process)

    really_start = ForkServerProcess.start
    monkeypatch.setattr(ForkServerProcess, "start", start)
    limit, text, _ = judge(*small, workers=1)
    assert limit == "starting"
    assert "mostly for starting the processes that read, which is done once." in text


@pytest.mark.slow
def test_too_few_processes_that_decode_are_named_with_the_number_of_cores(judge, small, tmp_path):
    # In the first epoch starting them takes longer.
    limit, text, _ = judge(jpegs(tmp_path / "large", 16, 1600), small[1], workers=1, epochs=2)
    assert limit == "decoding"
    assert "Waited" in text
    if available_cores() > 1:
        assert f"use more --workers (now 1, with {available_cores()} cores)" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slow", "epochs", "why"),
    [
        (
            "picture_reader.read_file = slowed(picture_reader.read_file)",
            1,
            "mostly reading files",
        ),
        # In the second epoch, in which the pictures lie in memory, nothing is read.
        ("Compute.inputs = slowed(Compute.inputs)", 2, "Its network takes longer"),
    ],
)
def test_the_process_that_others_wait_for_is_named_with_its_reason(
    make_pictures, tmp_path, slow, epochs, why
):
    pictures = make_pictures(per_class=6, size=8), make_pictures(per_class=1, size=8, seed=1)
    params = PARAMS.replace(batch_size=2, epochs=epochs)
    new = NewRun(TINY, *pictures, tmp_path / "run", params=params)
    run = RunDirectory(prepare_run(new, processes=2, control=Control()))
    extra = f"""
import time
from imageloom.data.loading import picture_reader
from imageloom.models.compute import Compute
from imageloom.training import waits
waits._ENOUGH_S = 0.0
def slowed(function):
    def slow(*arguments):
        time.sleep(0.3)
        return function(*arguments)
    return slow
if ranks.rank == 1:
    {slow}
"""
    assert continue_on_ranks(run.path, extra=extra) == ([0, 0], ["", ""])
    limit = run.read().speed_limit
    assert limit["limit"] == "others"
    assert "waiting for rank 1. " in limit["text"]
    assert why in limit["text"]
