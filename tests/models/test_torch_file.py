import argparse
import collections
import datetime
import errno
import io
import os
import pathlib
import pickle
import struct
import subprocess
import sys
import tarfile
import types
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from imageloom.errors import InvalidModelDirectoryError
from imageloom.models import torch_file
from imageloom.models.stand_ins import STAND_INS, Ignored
from imageloom.models.torch_file import load_torch_file

STATE = {"conv.weight": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(3)}


class Payload:
    """Runs a command when a naive reader opens it."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


@pytest.mark.parametrize("new_format", [True, False])
def test_files_of_torch_old_and_new_are_read(tmp_path, new_format):
    file = tmp_path / "w.pth"
    torch.save(STATE, file, _use_new_zipfile_serialization=new_format)
    found = load_torch_file(file)
    assert set(found) == set(STATE)
    assert all(torch.equal(found[name], STATE[name]) for name in STATE)


def hostile(canary):
    """Files that run a command in a reader that unpickles, by the name of their kind."""
    payload = pickle.dumps(Payload(canary))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("archive/data.pkl", payload)
        opened.writestr("archive/version", "3\n")
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as opened:
        for name in ("storages", "tensors", "pickle"):
            member = tarfile.TarInfo(name)
            member.size = len(payload)
            opened.addfile(member, io.BytesIO(payload))
    arrays = io.BytesIO()
    np.savez(arrays, a=np.array([Payload(canary)], dtype=object))
    torch_saved = io.BytesIO()
    torch.save({"a": Payload(canary)}, torch_saved)
    old = io.BytesIO()
    torch.save({"a": Payload(canary)}, old, _use_new_zipfile_serialization=False)
    return {
        "plain pickle": payload,
        "inside a torch archive": archive.getvalue(),
        "old tar format (CVE-2025-32434)": tar.getvalue(),
        "npz": arrays.getvalue(),
        "torch.save": torch_saved.getvalue(),
        "torch.save, old format": old.getvalue(),
    }


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".pkl", ".npz", ""])
def test_e05_e06_a_file_that_would_run_code_is_refused_without_running_it(tmp_path, suffix):
    canary = tmp_path / "canary"
    for kind, written in hostile(canary).items():
        file = tmp_path / f"w{suffix}"
        file.write_bytes(written)
        with pytest.raises(InvalidModelDirectoryError, match="cannot be read safely") as caught:
            load_torch_file(file)
        assert caught.value.reason == "unsafe-format", kind
        assert not canary.exists(), kind


def test_e05_the_payload_does_run_in_a_naive_reader(tmp_path):
    canary = tmp_path / "canary"
    torch.load(io.BytesIO(hostile(canary)["torch.save"]), weights_only=False)
    assert canary.exists()


@pytest.mark.parametrize("new_format", [True, False])
def test_s04_what_was_refused_is_named_without_torchs_words_and_colours(tmp_path, new_format):
    file = tmp_path / "w.pth"
    torch.save({"a": Payload("x")}, file, _use_new_zipfile_serialization=new_format)
    with pytest.raises(InvalidModelDirectoryError, match="cannot be read safely as w") as caught:
        load_torch_file(file)
    assert caught.value.message.endswith("it holds a posix.system, and making one could run code.")
    assert caught.value.details["refused"] == "posix.system"


def harmless_values():
    """Values that trainers keep beside the weights."""
    lists = collections.defaultdict(list)
    lists["a"].append(collections.deque([1], maxlen=3))
    return {
        "args": argparse.Namespace(lr=0.1, out=pathlib.Path("/x"), more=argparse.Namespace(a=None)),
        "namespace": types.SimpleNamespace(a=1),
        "lists": lists,
        "paths": [pathlib.PurePosixPath("/x"), pathlib.PureWindowsPath("C:/x")],
        "numpy": [np.float64(0.5), np.arange(3), np.dtype("int8"), np.array(["a"], dtype=object)],
        "times": [datetime.datetime.now(datetime.UTC), datetime.date(2024, 1, 1)],
        "versions": torch.__version__,
        "counted": collections.Counter("aab"),
    }


@pytest.mark.parametrize("new_format", [True, False])
def test_values_beside_the_weights_do_not_keep_them_from_being_read(tmp_path, new_format):
    file = tmp_path / "w.pth"
    content = {"model": STATE, **harmless_values()}
    torch.save(content, file, _use_new_zipfile_serialization=new_format)
    found = load_torch_file(file)
    assert all(torch.equal(found["model"][name], STATE[name]) for name in STATE)
    assert type(found["args"]) is Ignored
    assert vars(found["args"]) == {}


@pytest.mark.parametrize("name", STAND_INS)
def test_s04_a_stand_in_keeps_nothing_of_what_a_file_gives_it(name):
    made = STAND_INS[name]("rm -rf /", 3)
    if isinstance(made, Ignored):
        made.__setstate__({"lr": 0.1})
        assert vars(made) == {}
    else:
        assert type(made) in (dict, list)
        assert not made


def test_the_readers_of_two_threads_do_not_disturb_each_other(tmp_path):
    torch.save({"model": STATE, **harmless_values()}, tmp_path / "w.pth")
    before = set(torch.serialization.get_safe_globals())
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(load_torch_file, [tmp_path / "w.pth"] * 40))
    assert len(found) == 40
    assert set(torch.serialization.get_safe_globals()) == before


NO_CODE = """
import sys, tempfile
from pathlib import Path
from imageloom.errors import InvalidModelDirectoryError
from imageloom.models.torch_file import load_torch_file

good, *hostile = map(Path, sys.argv[1:])
load_torch_file(good)  # whatever torch imports late is imported now
"".encode("cp437")  # and the code page of names in a zip archive
tempfile.gettempdir()  # torch makes an empty folder before it refuses the old tar format

def forbid(event, arguments):
    if event in ("exec", "compile", "import", "marshal.loads", "ctypes.dlopen"):
        raise SystemExit(f"{event} {arguments}")
    if event.startswith(("subprocess", "socket", "os.system", "os.exec", "os.posix_spawn")):
        raise SystemExit(f"{event} {arguments}")
    if event == "open" and not str(arguments[0]).startswith(str(good.parent)):
        raise SystemExit(f"{event} {arguments}")

sys.addaudithook(forbid)
load_torch_file(good)
for path in hostile:
    try:
        load_torch_file(path)
    except InvalidModelDirectoryError:
        continue
    raise SystemExit(f"{path} was read")
"""


@pytest.mark.slow
def test_s04_reading_runs_and_imports_nothing_and_opens_only_the_file(tmp_path):
    torch.save({"model": STATE, **harmless_values()}, tmp_path / "good.pth")
    files = [tmp_path / "good.pth"]
    for number, written in enumerate(hostile(tmp_path / "canary").values()):
        files.append(tmp_path / f"{number}.pth")
        files[-1].write_bytes(written)
    done = subprocess.run(
        [sys.executable, "-c", NO_CODE, *map(str, files)],
        env={**os.environ, "TMPDIR": str(tmp_path)},  # of the empty folder that torch makes
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "canary").exists()


def test_a_file_that_may_not_be_read_is_not_called_unsafe(tmp_path, monkeypatch):
    def fail(*_args, **_named):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "w.pth"))

    torch.save(STATE, tmp_path / "w.pth")
    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(InvalidModelDirectoryError, match=r"w\.pth could not be read: Permission"):
        load_torch_file(tmp_path / "w.pth")


def test_e06_a_torchscript_archive_is_refused(tmp_path):
    archive = tmp_path / "scripted.pt"
    with zipfile.ZipFile(archive, "w") as opened:  # what torch.jit.save writes, as far as it counts
        opened.writestr("scripted/constants.pkl", pickle.dumps(()))
        opened.writestr("scripted/data.pkl", pickle.dumps({}))
        opened.writestr("scripted/code/__torch__.py", "import os")
        opened.writestr("scripted/version", "3\n")
    with pytest.raises(InvalidModelDirectoryError, match="cannot be read safely"):
        load_torch_file(archive)


@pytest.mark.parametrize(
    "written", [b"", b"\x80", b"<html>404</html>", b"PK\x03\x04", struct.pack("<Q", 10) + b"{}"]
)
def test_what_is_no_torch_file_is_refused(tmp_path, written):
    file = tmp_path / "w.pth"
    file.write_bytes(written)
    with pytest.raises(InvalidModelDirectoryError, match=r"cannot be read safely|damaged archive"):
        load_torch_file(file)


def test_a_cut_torch_file_is_refused(tmp_path):
    file = tmp_path / "w.pth"
    for new_format in (True, False):
        torch.save(STATE, file, _use_new_zipfile_serialization=new_format)
        whole = file.read_bytes()
        for length in (len(whole) - 1, len(whole) // 2):
            file.write_bytes(whole[:length])
            with pytest.raises(InvalidModelDirectoryError, match=r"w\.pth"):
                load_torch_file(file)


def test_a_list_of_tensors_is_no_dictionary(tmp_path):
    torch.save([torch.ones(1)], tmp_path / "w.pth")
    with pytest.raises(InvalidModelDirectoryError, match="holds a list, not a dictionary"):
        load_torch_file(tmp_path / "w.pth")


def test_an_archive_that_grows_when_read_is_refused(tmp_path):
    file = tmp_path / "bomb.pth"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("archive/data.pkl", b"\0" * 10_000_000)
        opened.writestr("archive/version", "3\n")
    assert file.stat().st_size < 20_000
    with pytest.raises(InvalidModelDirectoryError, match=r"'archive/data.pkl' in it is compressed"):
        load_torch_file(file)


def test_a_huge_file_is_refused_by_its_size(tmp_path):
    file = tmp_path / "huge.pth"
    with file.open("wb") as opened:
        opened.truncate(torch_file.MAX_OLD_FORMAT_BYTES + 1)  # sparse
    with pytest.raises(InvalidModelDirectoryError, match="4,294,967,297 bytes; at most 4,294,967"):
        load_torch_file(file)
