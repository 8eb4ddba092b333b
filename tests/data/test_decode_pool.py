import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imageloom.data.decoding import pool as decode_pool
from imageloom.data.decoding.pool import Bad, Changed, Good, choose_workers, decode_files
from imageloom.data.params import ConvertParams
from imageloom.data.sources.folder.scan import scan_folder
from imageloom.errors import RunInterruptedError, WorkerLostError
from imageloom.events import CancelToken, Control

from .made_pictures import png

STUB = Path(__file__).with_name("stub_decoder.py")


@pytest.fixture
def stub(monkeypatch):
    """Start processes with a decoder that crashes and hangs when told to."""
    monkeypatch.setattr(decode_pool, "worker_command", lambda: [sys.executable, "-P", str(STUB)])


@pytest.fixture
def decode(tree):
    def run(files, *, workers=2, timeout_s=10.0, cancel=None):
        listing = scan_folder(tree.write(files), ConvertParams(), control=Control())
        paths = listing.files.column("path").to_pylist()
        answers = decode_files(
            listing.root,
            listing.files,
            workers=workers,
            max_pixels=1_000_000,
            timeout_s=timeout_s,
            cancel=cancel,
        )
        rows = [pair for some in answers for pair in some]
        assert sorted(row for row, _ in rows) == list(range(len(paths)))  # each file once
        return {paths[row].decode(): answer for row, answer in rows}

    return run


def children():
    listed = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True, text=True
    )
    return [line for line in listed.stdout.splitlines() if "decode" in line]


def test_good_and_bad_files_get_their_answers(decode):
    answers = decode({"1.png": png(), "2.png": b"no picture at all"})
    assert isinstance(answers["1.png"], Good)
    assert (answers["1.png"].width, answers["1.png"].height) == (8, 6)
    assert answers["2.png"] == Bad("is a text file, not a picture", answers["2.png"].hint)


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (b"crash", "crashed the decoder (signal 11)"),
        (b"killed", "had its decoding process killed, perhaps for lack of memory"),
        (b"exit", "crashed the decoder (status 3)"),
        (b"memory", "needs more memory to read than there is"),
        (b"bad", "is bad"),
    ],
)
def test_a43_a_decoder_that_dies_costs_one_file(decode, stub, order, reason):
    files = {f"{number:03}.png": b"fine" for number in range(300)}
    answers = decode(files | {"017.png": order, "150.png": order + b" too"})
    lost = {name: answer for name, answer in answers.items() if isinstance(answer, Bad)}
    assert sorted(lost) == ["017.png", "150.png"]
    assert {answer.reason for answer in lost.values()} == {reason}
    assert children() == []


def test_a43_every_file_may_crash_the_decoder(decode, stub):
    answers = decode({f"{number}.png": b"crash" for number in range(5)})
    assert all(isinstance(answer, Bad) for answer in answers.values())


@pytest.mark.slow
def test_a44_a_decoder_that_hangs_is_killed_and_costs_one_file(decode, stub):
    start = time.monotonic()
    answers = decode({"1.png": b"fine", "2.png": b"hang", "3.png": b"fine"}, timeout_s=0.5)
    assert time.monotonic() - start < 10
    assert answers["2.png"].reason == "took more than 0.5 s to read and decode"
    assert isinstance(answers["1.png"], Good)
    assert isinstance(answers["3.png"], Good)
    assert children() == []


def test_what_a_library_prints_does_not_mix_with_the_answers(decode, stub):
    assert isinstance(decode({"1.png": b"shout"})["1.png"], Good)


def test_a_process_that_cannot_start_says_why(decode, monkeypatch):
    command = [sys.executable, "-P", str(STUB), "broken"]
    monkeypatch.setattr(decode_pool, "worker_command", lambda: command)
    with pytest.raises(WorkerLostError, match="no decoder is installed"):
        decode({"1.png": b"x"})


def test_cancelling_ends_the_processes(decode, stub):
    cancel = CancelToken()
    cancel.set("SIGTERM")
    with pytest.raises(RunInterruptedError, match="SIGTERM"):
        decode({"1.png": b"hang"}, cancel=cancel)
    assert children() == []


def test_a_script_without_a_main_guard_is_not_run_again_in_each_process(tmp_path, tree, python):
    tree.write({"a/1.png": png()})
    script = tmp_path / "script.py"
    script.write_text(
        "from imageloom.data.convert import convert\n"
        f"print('pictures:', len(convert({str(tree.root)!r}, {str(tmp_path / 'out')!r})))\n"
    )
    ran = subprocess.run([python, script], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("pictures: 1\n", "")


def test_a_file_named_like_a_module_beside_the_caller_is_not_imported(
    decode, tmp_path, monkeypatch
):
    (tmp_path / "json.py").write_text("raise SystemExit('imported a stranger')")
    monkeypatch.chdir(tmp_path)
    assert isinstance(decode({"1.png": png()})["1.png"], Good)


def test_a_vanished_file_is_told_apart_from_a_bad_one(tree):
    listing = scan_folder(tree.write({"1.png": png()}), ConvertParams(), control=Control())
    (tree.root / "1.png").unlink()
    answers = decode_files(listing.root, listing.files, workers=1, max_pixels=100)
    assert [answer for some in answers for _, answer in some] == [
        Changed("is gone or was replaced")
    ]


def test_few_files_start_one_process_and_many_at_most_as_many_as_asked():
    assert choose_workers(0, 10) == 1
    assert choose_workers(3, 10**6) == 3
    assert choose_workers(8, 500) == 3
