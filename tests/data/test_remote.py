"""The copy is what lies at the address, and only what lacks comes again."""

import errno
import http.server
import importlib.util
import json
import os
import re
import threading
import time
import zipfile
from pathlib import Path

import pytest

from imageloom.data.convert import convert
from imageloom.data.open import open_images
from imageloom.data.sources.one_at_a_time import only_one
from imageloom.data.sources.remote import download
from imageloom.data.sources.remote.address import parse_address
from imageloom.data.sources.remote.fetch import fetch, fingerprint_of_address
from imageloom.data.sources.remote.room import copies_in, free_copies
from imageloom.errors import (
    CouldNotOpenFileError,
    EnvironmentUnsuitableError,
    FailedToDownloadFilesError,
    FailedToWriteOutputsError,
    InvalidDatasetError,
    ParameterParsingError,
    RunInterruptedError,
)
from imageloom.events import CancelToken, Control, Notice, Progress, ignore_events
from imageloom.settings import Settings

from .made_pictures import png

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")

FILES = {"ants/1.png": png(1), "ants/2.png": png(2), "bees/3.png": png(3)}


class Bucket:
    """Files below ``memory://bucket``; ``read`` lists the paths that were downloaded."""

    address = "memory://bucket"

    def __init__(self, system):
        self.system = system
        self.read = []

    def write(self, files):
        for name, content in files.items():
            self.system.pipe_file(f"/bucket/{name}", content)

    def remove(self, name):
        self.system.rm_file(f"/bucket/{name}")


@pytest.fixture
def bucket(monkeypatch):
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    found = Bucket(system)
    really = type(system).get_file

    def get_file(self, path, *args, **options):
        found.read.append(path.removeprefix("/bucket/"))
        return really(self, path, *args, **options)

    monkeypatch.setattr(type(system), "get_file", get_file)
    yield found
    system.store.clear()
    system.pseudo_dirs[:] = [""]


@pytest.fixture
def bring(bucket, tmp_path):
    """Fetch, and return the folder; ``bring.told`` holds the events of the last time."""

    def run(address=bucket.address, **options):
        run.told = []
        bucket.read.clear()
        control = options.get("control") or Control(run.told.append)
        limit_gib = options.get("limit_bytes", 2**40) / 2**30
        return fetch(address, settings_with(tmp_path, limit_gib), control=control)

    return run


def settings_with(tmp_path, limit_gib=1024.0):
    workspace = tmp_path / "workspace"
    return Settings(home=tmp_path / "home", workspace=workspace, downloads_limit_gib=limit_gib)


def contents(folder):
    return {
        str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()
    }


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch):
    monkeypatch.setattr(download, "_FIRST_PAUSE_S", 0.0)


def test_a_folder_comes_as_it_is(bucket, bring):
    bucket.write(FILES)
    assert contents(bring()) == FILES
    assert bring.told[0] == Notice(
        "info", f"memory://bucket holds 3 files: 3 to download ({sizes(FILES)})."
    )
    assert bring.told[-1] == Progress("Downloading", 3, 3, "files")


def sizes(files):
    return f"{sum(map(len, files.values())) / 1e6:,.1f} MB"


def test_a_second_time_nothing_comes(bucket, bring):
    bucket.write(FILES)
    bring()
    assert contents(bring()) == FILES
    assert bucket.read == []
    assert bring.told == [Notice("info", "memory://bucket holds 3 files: nothing to download.")]


def test_only_what_is_new_or_changed_comes_and_what_is_gone_goes(bucket, bring):
    bucket.write(FILES | {"cats/9.png": png(9)})
    bring()
    bucket.remove("cats/9.png")
    bucket.write({"ants/2.png": png(7), "bees/4.png": png(4)})
    folder = bring()
    assert contents(folder) == FILES | {"ants/2.png": png(7), "bees/4.png": png(4)}
    assert sorted(bucket.read) == ["ants/2.png", "bees/4.png"]
    assert not (folder / "cats").exists()


def test_a_file_of_equal_size_that_changed_there_comes_again(bucket, bring):
    bucket.write({"1.png": b"a" * 10})
    bring()
    bucket.write({"1.png": b"b" * 10})
    assert contents(bring()) == {"1.png": b"b" * 10}


@pytest.mark.parametrize("harm", ["shorten", "overwrite", "remove"])
def test_a_copy_that_was_touched_here_comes_again(bucket, bring, harm):
    bucket.write(FILES)
    file = bring() / "ants/1.png"
    if harm == "remove":
        file.unlink()
    else:
        file.write_bytes(FILES["ants/1.png"][:-1] + (b"x" if harm == "overwrite" else b""))
        os.utime(file, ns=(1, 1))
    assert contents(bring()) == FILES
    assert bucket.read == ["ants/1.png"]


def test_a_line_that_a_killed_process_left_unfinished_costs_one_file(bucket, bring, tmp_path):
    bucket.write(FILES)
    folder = bring()
    record = folder.parent / "files.jsonl"
    whole = record.read_text().splitlines(keepends=True)
    record.write_text("".join(whole[:-1]) + whole[-1][:20])
    partial = folder.parent / "partial"
    (partial / "7").write_bytes(b"half")
    assert contents(bring()) == FILES
    assert bucket.read == [json.loads(whole[-1])["name"]]
    assert list(partial.iterdir()) == []


def test_a_cut_download_is_tried_again_and_never_kept(bucket, bring, monkeypatch):
    bucket.write(FILES)
    really, cuts = type(bucket.system).get_file, []

    def cut(self, path, target, **options):
        really(self, path, target, **options)
        if path.endswith("2.png") and len(cuts) < 2:
            cuts.append(path)
            Path(target).write_bytes(Path(target).read_bytes()[:-1])

    monkeypatch.setattr(type(bucket.system), "get_file", cut)
    assert contents(bring()) == FILES
    assert bucket.read.count("ants/2.png") == 3


def test_what_is_cut_short_five_times_is_an_error_with_both_numbers(bucket, bring, monkeypatch):
    bucket.write(FILES)
    size = len(FILES["ants/2.png"])

    def cut(self, path, target, **options):
        content = FILES[path.removeprefix("/bucket/")]
        Path(target).write_bytes(content[:-1] if path.endswith("2.png") else content)

    monkeypatch.setattr(type(bucket.system), "get_file", cut)
    with pytest.raises(
        FailedToDownloadFilesError,
        match=rf"ants/2.png could not be downloaded in 5 tries: .*{size - 1:,} bytes came, but "
        rf"{size:,} were listed",
    ):
        bring()
    monkeypatch.undo()
    assert contents(bring()) == FILES


def test_a_lost_network_is_named_and_the_rest_stays(bucket, bring, monkeypatch):
    bucket.write(FILES)
    really = type(bucket.system).get_file
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")

    others, tries = threading.Barrier(3), []

    def lose(self, path, target, **options):
        if path.endswith("3.png"):
            if not tries:
                others.wait(60)
            tries.append(path)
            raise ConnectionResetError("no route for hush-hush")
        really(self, path, target, **options)
        others.wait(60)

    monkeypatch.setattr(type(bucket.system), "get_file", lose)
    with pytest.raises(FailedToDownloadFilesError, match="in 5 tries: ConnectionResetError") as one:
        bring()
    assert "hush" not in str(one.value)
    assert "goes on from there" in one.value.hint
    monkeypatch.setattr(type(bucket.system), "get_file", really)
    assert contents(bring()) == FILES
    assert bucket.read == ["bees/3.png"]


def test_a_full_disk_is_named_and_not_tried_again(bucket, bring, monkeypatch):
    bucket.write({"1.png": b"x"})
    tries = []

    def full(self, path, target, **options):
        tries.append(path)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), target)

    monkeypatch.setattr(type(bucket.system), "get_file", full)
    with pytest.raises(FailedToWriteOutputsError, match="No space left on device"):
        bring()
    assert len(tries) == 1


def test_what_does_not_fit_is_refused_before_it_begins(bucket, bring, monkeypatch):
    bucket.write(FILES)
    monkeypatch.setattr(
        "shutil.disk_usage", lambda _: type("Usage", (), {"free": 100})()
    )  # no disk here is as small
    with pytest.raises(FailedToWriteOutputsError, match=r"needs .* MB, but only 0.0 MB are free"):
        bring()
    assert bucket.read == []


def test_what_would_be_more_than_the_limit_is_refused_before_it_begins(bucket, bring):
    bucket.write(FILES)
    total = sum(map(len, FILES.values()))
    with pytest.raises(
        FailedToWriteOutputsError, match=r"memory://bucket has 0 MiB, .* may take .* GiB"
    ):
        bring(limit_bytes=total - 1)
    assert bucket.read == []
    assert contents(bring(limit_bytes=total)) == FILES
    bring(limit_bytes=1)  # nothing comes, so nothing is too much


def test_copies_of_other_addresses_count_and_the_hint_frees_them(bucket, bring, tmp_path):
    bucket.write(FILES)
    bring("memory://bucket/ants")
    held = len(FILES["ants/1.png"]) + len(FILES["ants/2.png"])
    needed = len(FILES["bees/3.png"])
    with pytest.raises(FailedToWriteOutputsError, match="of other addresses take") as refused:
        bring("memory://bucket/bees", limit_bytes=held + needed - 1)
    assert refused.value.details == {
        "needed_bytes": needed,
        "other_bytes": held,
        "limit_bytes": held + needed - 1,
    }
    (left,) = re.findall("IMAGELOOM_DOWNLOADS_LIMIT_GIB=(.*) imageloom store", refused.value.hint)
    kept = tmp_path / "home" / "downloads"
    for file in kept.rglob("*.png"):
        os.utime(file, (0, 0))
    freed = free_copies(kept, limit_gib=float(left))
    assert [one.address for one in freed.removed] == ["memory://bucket/ants"]
    bring("memory://bucket/bees", limit_bytes=held + needed - 1)


def test_copies_go_in_the_order_of_their_last_use_until_the_limit_holds(bucket, bring, tmp_path):
    kept = tmp_path / "home" / "downloads"
    for number, name in enumerate("abcd"):
        bucket.write({f"{name}/1.png": b"x" * 1000})
        place = bring(f"memory://bucket/{name}")
        read = time.time() if name == "d" else 1e9 - number
        os.utime(place / "1.png", (read, 1e8))
    would = free_copies(kept, limit_gib=1999 / 2**30, dry_run=True)
    assert [one.address[-1] for one in would.removed] == ["c", "b", "a"]
    assert {one.address[-1] for one in copies_in(kept)} == set("abcd")
    freed = free_copies(kept, limit_gib=2000 / 2**30)
    assert ([one.address[-1] for one in freed.removed], freed.kept_bytes) == (["c", "b"], 2000)
    freed = free_copies(kept, limit_gib=0)
    assert {one.address[-1] for one in copies_in(kept)} == {"d"}  # used within a day
    assert freed.kept_bytes == 1000
    assert free_copies(tmp_path / "none", limit_gib=0).kept_bytes == 0


def test_a_copy_that_comes_just_now_stays(bucket, bring, tmp_path):
    bucket.write(FILES)
    place = bring()
    for file in place.rglob("*.png"):
        os.utime(file, (0, 0))
    with only_one(place.parent, Control.of(ignore_events, None), waiting=""):
        assert free_copies(tmp_path / "home" / "downloads", limit_gib=0).removed == ()
    assert contents(place) == FILES


def test_image_directories_of_a_removed_copy_name_the_address_and_work_again(bucket, tmp_path):
    bucket.write(FILES)
    settings = settings_with(tmp_path)
    images = convert(bucket.address, tmp_path / "images", settings=settings)
    for file in images.root.rglob("*.png"):
        os.utime(file, (0, 0))
    free_copies(settings.downloads, limit_gib=0)
    with pytest.raises(
        InvalidDatasetError, match=r"in the copy of memory://bucket, which was"
    ) as e:
        open_images(tmp_path / "images", settings=settings)
    assert "imageloom data convert memory://bucket --out again" in e.value.hint
    convert(bucket.address, tmp_path / "again", settings=settings)
    assert open_images(tmp_path / "images", settings=settings).counts == {"ants": 2, "bees": 1}


def test_a_server_that_sends_more_than_it_said_is_stopped(bucket, bring, monkeypatch):
    bucket.write({"1.png": b"x" * 1000})
    sent = []

    def flood(self, path, target, callback, **options):
        with open(target, "wb") as file:  # noqa: PTH123
            for _ in range(1000):
                sent.append(file.write(b"x" * 400))
                callback.relative_update(400)

    monkeypatch.setattr(type(bucket.system), "get_file", flood)
    with pytest.raises(FailedToDownloadFilesError, match="more than the 1,000 bytes came") as told:
        bring()
    assert sum(sent) == 5 * 1200
    assert "in 5 tries" in str(told.value)


def test_a_million_times_too_many_files_are_refused(bucket, bring, monkeypatch):
    monkeypatch.setattr("imageloom.data.sources.remote.listing.MAX_MEMBERS", 2)
    bucket.write(FILES)
    with pytest.raises(InvalidDatasetError, match="holds 3 files, but at most 2 are downloaded"):
        bring()


def test_a_device_is_no_file(bring):
    with pytest.raises(InvalidDatasetError, match="is neither a file nor a folder"):
        bring("file:///dev/zero")


def test_a_picture_that_is_gone_or_locked_is_named_at_once(bucket, bring, monkeypatch):
    bucket.write(FILES)

    def refuse(self, path, target, **options):
        raise PermissionError(13, "Access Denied")

    monkeypatch.setattr(type(bucket.system), "get_file", refuse)
    with pytest.raises(CouldNotOpenFileError, match="may not be read: PermissionError") as refused:
        bring()
    assert "AWS_PROFILE" in refused.value.hint


def test_it_stops_when_asked(bucket, bring):
    bucket.write(FILES)
    cancel = CancelToken()

    def on_event(event):
        if isinstance(event, Progress):
            cancel.set("Ctrl+C")

    with pytest.raises(RunInterruptedError):
        bring(control=Control(on_event, cancel))
    assert contents(bring()) == FILES


def test_nothing_there_is_named(bring):
    with pytest.raises(CouldNotOpenFileError, match="There is nothing at memory://bucket/none"):
        bring("memory://bucket/none")


@pytest.mark.parametrize("name", ["../evil.png", "a//b.png", "a/../../b.png", "x" * 256, "./a.png"])
def test_a_name_that_leads_out_is_refused_and_nothing_comes(bucket, bring, tmp_path, name):
    bucket.write(FILES)
    bucket.system.store[f"/bucket/{name}"] = bucket.system.store["/bucket/ants/1.png"]
    with pytest.raises(InvalidDatasetError, match="names that no file of this machine can have"):
        bring()
    assert bucket.read == []
    assert not (tmp_path / "home").exists()


def test_a_file_that_is_a_folder_too_is_refused(bucket, bring):
    bucket.write({"a/b.png": png(1)})
    bucket.system.store["/bucket/a"] = bucket.system.store["/bucket/a/b.png"]
    with pytest.raises(InvalidDatasetError, match="'a' is a file and a folder"):
        bring()


def test_files_of_the_system_stay_away(bucket, bring):
    bucket.write(FILES | {".DS_Store": b"x", "__MACOSX/ants/1.png": b"x"})
    assert contents(bring()) == FILES


def test_with_a_manifest_comes_its_folder(bucket, bring, tmp_path):
    table = b"file,label\nants/1.png,007\nants/2.png,NA\nbees/3.png,a/b\n"
    bucket.write(FILES | {"labels.csv": table})
    place = bring("memory://bucket/labels.csv")
    assert place.read_bytes() == table
    images = convert(place, tmp_path / "images")
    assert images.counts == {"007": 1, "NA": 1, "a/b": 1}


def test_of_a_single_file_nothing_else_comes(bucket, bring):
    bucket.write(FILES | {"a.zip": b"PK", "shard.tar": b"x", "classnames.txt": b"a\n"})
    assert contents(bring("memory://bucket/a.zip").parent) == {"a.zip": b"PK"}
    place = bring("memory://bucket/shard.tar")
    assert contents(place.parent) == {"shard.tar": b"x", "classnames.txt": b"a\n"}


def test_converting_and_opening_take_addresses(bucket, tmp_path):
    bucket.write(FILES)
    settings = Settings(home=tmp_path / "home", workspace=tmp_path / "workspace")
    images = convert(bucket.address, tmp_path / "images", settings=settings)
    assert images.counts == {"ants": 2, "bees": 1}
    assert images.root.is_relative_to(settings.downloads)
    opened = open_images(f"{bucket.address}/", settings=settings)
    assert opened.counts == images.counts
    bucket.write({"bees/4.png": png(4)})
    assert open_images(bucket.address, settings=settings).counts == {"ants": 2, "bees": 2}


def test_the_fingerprint_changes_with_what_is_there(bucket):
    bucket.write(FILES)
    before = fingerprint_of_address(bucket.address)
    assert fingerprint_of_address(bucket.address) == before
    bucket.write({"bees/4.png": png(4)})
    assert fingerprint_of_address(bucket.address) != before


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("s3://key:secret@bucket/x", "with a user and a password"),
        ("https://host/a.zip?X-Amz-Signature=secret", "with more behind it"),
        ("https://host/photos", "a web server lists no folder"),
        ("simplecache::s3://bucket/x", "no single address"),
        ("zip://a::s3://bucket/x", "no single address"),
        ("s3://", "names nothing"),
        ("s3://bucket/a.zip?versionId=", "names no version behind"),
        ("nonsense://bucket/x", "unknown scheme 'nonsense'"),
    ],
)
def test_addresses_that_cannot_be_are_refused_without_their_secrets(bring, address, told):
    with pytest.raises(ParameterParsingError, match=told) as refused:
        bring(address)
    assert "secret" not in f"{refused.value} {refused.value.hint}"


def test_a_version_is_no_part_of_the_name_of_a_file_in_s3():
    address = parse_address("s3://bucket/photos/a.zip?versionId=x/y.zip")
    assert (address.name, address.version, str(address.parent)) == (
        "a.zip",
        "x/y.zip",
        "s3://bucket/photos",
    )
    other = parse_address("gs://bucket/a?versionId=x")
    assert (other.name, other.version) == ("a?versionId=x", "")


def test_a_package_that_lacks_is_named(bring, monkeypatch):
    def lacks(scheme):
        raise ImportError("Please install gcsfs to access Google Storage")

    monkeypatch.setattr(fsspec, "get_filesystem_class", lacks)
    with pytest.raises(EnvironmentUnsuitableError, match="gs:// need the package gcsfs") as refused:
        bring("gs://bucket/x")
    assert "gcsfs" in refused.value.hint


def test_without_fsspec_the_extra_is_named(bring, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(EnvironmentUnsuitableError, match="package fsspec") as refused:
        bring("s3://bucket/x")
    assert "imageloom[cloud]" in refused.value.hint


@pytest.mark.parametrize(
    ("address", "package"), [("s3://bucket/x", "s3fs"), ("https://host/x.zip", "aiohttp")]
)
def test_without_a_package_of_the_extra_it_is_named(bring, monkeypatch, address, package):
    really = importlib.util.find_spec

    def lacks(name, *given):
        return None if name == package else really(name, *given)

    monkeypatch.setattr("importlib.util.find_spec", lacks)
    with pytest.raises(EnvironmentUnsuitableError, match=f"needs the package {package}") as refused:
        bring(address)
    assert "imageloom[cloud]" in refused.value.hint


def test_an_address_that_was_made_a_path_is_told_so(tmp_path):
    with pytest.raises(ParameterParsingError, match="an address that was made a path"):
        convert(Path("s3://bucket/photos"), tmp_path / "images")


@pytest.mark.parametrize("tag", ["", '"version-1"'])
def test_an_archive_of_a_web_server_comes_whole(bring, tmp_path, tag):
    pytest.importorskip("aiohttp", reason="aiohttp is not installed (extra 'cloud')")
    served = tmp_path / "served"
    served.mkdir()
    with zipfile.ZipFile(served / "photos.zip", "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given):
            super().__init__(*given, directory=str(served))

        def end_headers(self):
            if tag:
                self.send_header("ETag", tag)
            super().end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}/photos.zip"
            place = bring(address)
            assert place.read_bytes() == (served / "photos.zip").read_bytes()
            bring(address)
            is_known = bring.told[0].message.endswith("nothing to download.")
            assert is_known == bool(tag)  # without a tag, nothing tells whether it has changed
            with pytest.raises(CouldNotOpenFileError, match="There is nothing at"):
                bring(address.replace("photos", "none"))
        finally:
            server.shutdown()
            thread.join()
    assert convert(place, tmp_path / "images").counts == {"ants": 2, "bees": 1}
