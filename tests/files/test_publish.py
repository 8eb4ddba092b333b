"""Outputs are whole or absent, whatever happens while they are written."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from imageloom.errors import (
    FailedToWriteOutputsError,
    InvalidDatasetError,
    InvalidModelDirectoryError,
)
from imageloom.files import publish as publish_module
from imageloom.files.publish import (
    MANIFEST,
    publishing_directory,
    read_json,
    refuse_existing,
    remove_stale_partials,
    to_json,
    verify_directory,
    write_json,
    writing_file,
)

HARNESS = Path(__file__).parents[1] / "faults" / "publishing.py"


def published(path: Path, text: str = "old", *, replace: bool = False) -> Path:
    with publishing_directory(path, replace=replace) as partial:
        (partial / "a.txt").write_text(text, encoding="utf-8")
        (partial / "b.bin").write_bytes(bytes(range(256)) * 20)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def outcomes(scenario: str, fault: str, folder: Path) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, str(HARNESS), scenario, fault, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("scenario", ["new", "replace", "file"])
def test_i01_killed_at_any_point_a_reader_sees_the_old_or_the_new_whole(scenario, tmp_path):
    rows = outcomes(scenario, "kill", tmp_path)
    assert len(rows) > 8
    assert [row["code"] for row in rows] == [-signal.SIGKILL] * (len(rows) - 1) + [0]
    before = "absent" if scenario == "new" else "old"
    assert {row["seen"] for row in rows} == {before, "new"}
    assert all(row["left"] <= 1 for row in rows), "at most one partial is left behind"
    assert all(row["left_after"] == 0 for row in rows), "the next start clears it away"
    assert all(row["seen_after"] == "new" for row in rows)


def test_i01_without_exchange_the_old_directory_comes_back_at_the_next_start(tmp_path):
    rows = outcomes("move", "kill", tmp_path)
    assert {row["seen"] for row in rows} <= {"old", "new", "absent"}
    assert {row["seen_at_start"] for row in rows} == {"old", "new"}
    assert all(row["left_after"] == 0 for row in rows)


@pytest.mark.parametrize("scenario", ["new", "replace", "file", "move"])
@pytest.mark.parametrize(
    "number",
    [
        errno.EIO,
        errno.ENOSPC,
        pytest.param(errno.EDQUOT, marks=pytest.mark.slow),
        pytest.param(errno.EROFS, marks=pytest.mark.slow),
    ],
)
def test_i02_an_error_at_any_point_leaves_the_old_or_the_new_whole(scenario, number, tmp_path):
    rows = outcomes(scenario, str(number), tmp_path)
    before = "absent" if scenario == "new" else "old"
    assert {row["seen"] for row in rows} == {before, "new"}
    assert {row["code"] for row in rows} == {0, 7}, "it works, or FailedToWriteOutputsError"
    assert all(row["seen"] == "new" for row in rows if row["code"] == 0)
    assert all(row["seen_after"] == "new" and row["left_after"] == 0 for row in rows)


LIMITED = """
import resource, signal, sys
from pathlib import Path
from imageloom.errors import FailedToWriteOutputsError
from imageloom.files.publish import publishing_directory
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    with publishing_directory(Path(sys.argv[1]), replace=True) as partial:
        (partial / "big.bin").write_bytes(bytes(100_000))
except FailedToWriteOutputsError as error:
    print(error.code, error.message)
"""


@pytest.mark.parametrize("limit", [0, 1, 4096, 65_536, 99_999])
def test_i02_a_write_that_the_system_cuts_short_is_reported_and_nothing_is_lost(limit, tmp_path):
    place = published(tmp_path / "place")
    before = contents(place)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(place), str(limit)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"0160 {place} could not be written: File too large")
    assert contents(place) == before
    assert list(tmp_path.iterdir()) == [place]


def test_a_write_that_fails_deep_inside_is_told_by_the_places_that_would_have_appeared(tmp_path):
    with (
        pytest.raises(FailedToWriteOutputsError) as failed,
        publishing_directory(tmp_path / "run") as run,
        publishing_directory(run / "checkpoints" / "step-0") as step,
    ):
        (step / "gone" / "file").write_bytes(b"x")
    place = tmp_path / "run/checkpoints/step-0"
    assert failed.value.message.startswith(f"{place} ({place}/gone/file) could not be written: ")
    assert list(tmp_path.iterdir()) == []


READER = """
import sys
from pathlib import Path
place = Path(sys.argv[1])
print("ready", flush=True)
seen = set()
while not (place.parent / "stop").exists():
    try:
        seen.add((place / "a.txt").read_text())
    except FileNotFoundError:
        seen.add("gap")
print(sorted(seen))
"""


@pytest.mark.parametrize("replace", [False, True])
def test_i09_all_is_on_the_disk_before_a_directory_appears(tmp_path, monkeypatch, replace):
    place = tmp_path / "place"
    if replace:
        with publishing_directory(place) as partial:
            (partial / "one.txt").write_text("old", encoding="ascii")
    synced, seen_at_appearing = [], []
    real = publish_module.sync_to_disk

    def sync(path):
        real(path)
        # An inode keeps its number when its folder is renamed.
        synced.append(path.stat().st_ino)
        if path == tmp_path:
            seen_at_appearing.append(len(synced))

    monkeypatch.setattr(publish_module, "sync_to_disk", sync)
    with publishing_directory(place, replace=replace) as partial:
        for name in ("one.txt", "two.txt"):
            (partial / name).write_text("new", encoding="ascii")
    inodes = [path.stat().st_ino for path in (place / "one.txt", place / "two.txt")]
    inodes += [(place / "MANIFEST.json").stat().st_ino, place.stat().st_ino]
    assert set(inodes) <= set(synced[: seen_at_appearing[0] - 1])
    assert synced[seen_at_appearing[0] - 1] == tmp_path.stat().st_ino  # the name itself


def test_an_exchange_leaves_no_moment_without_the_directory(tmp_path):
    place = published(tmp_path / "place", "0")
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(place)], stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        for number in range(60):
            published(place, str(number % 2), replace=True)
        (tmp_path / "stop").touch()
        assert reader.stdout.read() == "['0', '1']\n"


def test_a_body_that_raises_leaves_nothing(tmp_path):
    def fail_half_way() -> None:
        with publishing_directory(tmp_path / "place") as partial:
            (partial / "a.txt").write_text("half")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    assert list(tmp_path.iterdir()) == []


def test_a_file_whose_body_raises_is_as_it_was(tmp_path):
    place = tmp_path / "a.json"
    write_json(place, {"version": 1})

    def fail_half_way() -> None:
        with writing_file(place) as partial:
            partial.write_text("half")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    assert json.loads(place.read_text()) == {"version": 1}
    assert list(tmp_path.iterdir()) == [place]


def test_missing_parents_are_made(tmp_path):
    assert published(tmp_path / "a" / "b" / "c").is_dir()


def test_an_existing_place_is_refused_and_untouched(tmp_path):
    place = published(tmp_path / "place")
    before = contents(place)
    with pytest.raises(FailedToWriteOutputsError, match=r"place exists already\.") as caught:
        published(place, "new")
    assert caught.value.reason == "exists"
    assert contents(place) == before


def test_i10_what_another_process_published_meanwhile_is_not_replaced(tmp_path):
    def publish_while_another_does():
        with publishing_directory(tmp_path / "out"):
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "theirs").write_text("first")

    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        publish_while_another_does()
    assert (tmp_path / "out" / "theirs").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_directory_is_no_obstacle(tmp_path):
    (tmp_path / "place").mkdir()
    published(tmp_path / "place")
    assert verify_directory(tmp_path / "place", InvalidDatasetError)


def test_a_dangling_link_is_an_obstacle(tmp_path):
    (tmp_path / "place").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FailedToWriteOutputsError, match="exists already"):
        refuse_existing(tmp_path / "place")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_i05_a_read_only_parent_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(FailedToWriteOutputsError, match="Permission denied"):
        published(tmp_path / "place")


def test_i05_a_parent_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FailedToWriteOutputsError, match="could not be written") as caught:
        published(tmp_path / "file" / "place")
    assert str(tmp_path / "file") in caught.value.message


def test_i19_partials_of_living_processes_and_other_machines_stay(tmp_path):
    place = tmp_path / "place"
    host = os.uname().nodename
    ours = tmp_path / f".place.{host}.{os.getpid()}.ab.partial"
    theirs = tmp_path / ".place.elsewhere.1.ab.partial"
    dead = tmp_path / f".place.{host}.{_dead_pid()}.ab.partial"
    other = tmp_path / f".places.{host}.{_dead_pid()}.ab.partial"
    for left in (ours, theirs, dead, other):
        left.mkdir()
    remove_stale_partials(place)
    assert sorted(tmp_path.iterdir()) == sorted([ours, theirs, other])


def test_names_that_look_like_patterns_do_not_match_others(tmp_path):
    host = os.uname().nodename
    other = tmp_path / f".runA.{host}.{_dead_pid()}.ab.partial"
    other.mkdir()
    remove_stale_partials(tmp_path / "run[A-Z]")
    assert other.is_dir()


def _dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_verify_returns_the_digest_of_every_file(tmp_path):
    place = published(tmp_path / "place")
    digests = verify_directory(place, InvalidDatasetError)
    assert sorted(digests) == ["a.txt", "b.bin"]
    # SHA-256 of the three bytes "old", from sha256sum.
    assert digests["a.txt"].startswith("cba06b5736faf67e54b07b561eae9439")


@pytest.mark.parametrize("name", ["a.txt", "b.bin"])
@pytest.mark.parametrize("damage", ["flip", "cut", "append", "delete", "swap", "link", "folder"])
def test_s07_any_damage_is_found_and_the_file_is_named(name, damage, tmp_path):
    place = published(tmp_path / "place")
    file = place / name
    content = file.read_bytes()
    if damage == "flip":
        file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    elif damage == "cut":
        file.write_bytes(content[:-1])
    elif damage == "append":
        file.write_bytes(content + b"x")
    elif damage == "delete":
        file.unlink()
    elif damage == "swap":
        other = place / ({"a.txt", "b.bin"} - {name}).pop()
        file.write_bytes(other.read_bytes())
        other.write_bytes(content)
    elif damage == "link":
        file.rename(tmp_path / "kept")
        file.symlink_to(tmp_path / "kept")
    else:
        file.unlink()
        file.mkdir()
    with pytest.raises(InvalidModelDirectoryError, match=r"a\.txt" if damage == "swap" else name):
        verify_directory(place, InvalidModelDirectoryError)


def test_s07_every_bit_of_a_file_counts(tmp_path):
    place = published(tmp_path / "place")
    for bit in range(24):
        content = bytearray(b"old")
        content[bit // 8] ^= 1 << bit % 8
        (place / "a.txt").write_bytes(content)
        with pytest.raises(InvalidDatasetError, match=r"a\.txt is not what was published"):
            verify_directory(place, InvalidDatasetError)


def test_s07_a_changed_manifest_is_found(tmp_path):
    place = published(tmp_path / "place")
    manifest = json.loads((place / MANIFEST).read_text())
    del manifest["files"]["b.bin"]
    (place / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InvalidDatasetError, match="was changed after it was published"):
        verify_directory(place, InvalidDatasetError)


def test_s07_a_blank_that_is_missing_from_the_manifest_is_found(tmp_path):
    manifest = published(tmp_path / "out") / MANIFEST
    manifest.write_bytes(manifest.read_bytes()[:-1])
    with pytest.raises(InvalidDatasetError, match=r"MANIFEST\.json was changed"):
        verify_directory(tmp_path / "out", InvalidDatasetError)


def test_files_that_the_manifest_does_not_name_are_left_alone(tmp_path):
    place = published(tmp_path / "place")
    (place / "notes.txt").write_text("mine")
    assert "notes.txt" not in verify_directory(place, InvalidDatasetError)


@pytest.mark.parametrize(
    "files",
    [
        {"../evil": {"size_bytes": 1, "sha256": "0"}},
        {"/etc/passwd": {"size_bytes": 1, "sha256": "0"}},
        {"a\0b": {"size_bytes": 1, "sha256": "0"}},
        {"a.txt": {"size_bytes": "three", "sha256": "0"}},
        {"a.txt": {"size_bytes": 3.5, "sha256": "0"}},
        {"a.txt": {}},
        {"a.txt": None},
        {"a.txt": []},
    ],
)
def test_a_hostile_manifest_is_refused_before_any_file_is_opened(files, tmp_path):
    place = published(tmp_path / "place")
    (place / MANIFEST).write_text(json.dumps({"files": files, "sha256": "0"}))
    with pytest.raises(InvalidModelDirectoryError, match="has a wrong entry"):
        verify_directory(place, InvalidModelDirectoryError)


@pytest.mark.parametrize("name", ["..", ".", ""])
def test_an_entry_that_is_no_file_name_never_passes(name, tmp_path):
    import hashlib

    place = published(tmp_path / "place")
    digest = hashlib.sha256(f"{name}\t1\t0\n".encode()).hexdigest()
    files = {name: {"size_bytes": 1, "sha256": "0"}}
    (place / MANIFEST).write_text(to_json({"files": files, "sha256": digest}))
    with pytest.raises(InvalidModelDirectoryError, match=r"wrong entry|not a plain file"):
        verify_directory(place, InvalidModelDirectoryError)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"[1]", "holds no JSON object"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": -Infinity}', "not a JSON number"),
        (b'{"a": 1, "a": 2}', "a key stands twice"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
    ],
)
def test_s20_json_from_a_stranger_is_read_strictly(content, message, tmp_path):
    file = tmp_path / "x.json"
    file.write_bytes(content)
    with pytest.raises(InvalidDatasetError, match=message):
        read_json(file, InvalidDatasetError)


def test_s20_a_huge_file_is_refused_by_its_size(tmp_path):
    file = tmp_path / "x.json"
    with file.open("wb") as handle:
        handle.truncate(10 * 1024 * 1024 + 1)
    with pytest.raises(InvalidDatasetError, match="10,485,761 bytes; at most 10,485,760 are read"):
        read_json(file, InvalidDatasetError)


def test_b17_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "x.json")
    with pytest.raises(InvalidDatasetError, match="not a plain file"):
        read_json(tmp_path / "x.json", InvalidDatasetError)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that fails on read")
def test_json_that_cannot_be_read_is_an_error_of_ours():
    with pytest.raises(InvalidDatasetError, match="/proc/self/mem could not be read"):
        read_json(Path("/proc/self/mem"), InvalidDatasetError)


def test_who_reads_json_says_what_to_do_when_it_is_none(tmp_path):
    (tmp_path / "x.json").write_text("{", encoding="utf-8")
    with pytest.raises(InvalidDatasetError, match=r"not valid JSON: .* Write it again."):
        read_json(tmp_path / "x.json", InvalidDatasetError, hint="Write it again.")


def test_json_is_written_readable_and_without_nan():
    assert to_json({"name": "Käfer"}) == '{\n  "name": "Käfer"\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"loss": float("nan")})


def test_b01_json_holds_names_that_are_not_utf8(tmp_path):
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    write_json(tmp_path / "x.json", {"file": name})
    assert read_json(tmp_path / "x.json", InvalidDatasetError) == {"file": "caf\udce9.jpg"}


def test_a_file_that_a_file_server_replaces_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    (tmp_path / "x.json").write_text('{"a": 1}', encoding="ascii")
    whole, stale = os.fstat, [OSError(errno.ESTALE, "Stale file handle")]

    def fstat(descriptor):
        if stale:
            raise stale.pop()
        return whole(descriptor)

    monkeypatch.setattr(os, "fstat", fstat)
    assert read_json(tmp_path / "x.json", InvalidDatasetError) == {"a": 1}
