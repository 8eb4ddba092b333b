"""Pictures in buckets of a real S3 server, which moto runs on this machine."""

import io
import os
import signal
import subprocess
import sys
import zipfile
from urllib.request import Request, urlopen

import pytest

from imageloom.components.catalogue import load_components
from imageloom.data.convert import convert
from imageloom.data.images.directory import load_image_directory
from imageloom.errors import (
    CouldNotOpenFileError,
    FailedToDownloadFilesError,
    ImageloomError,
    InvalidDatasetError,
)
from imageloom.events import Notice, Progress
from imageloom.settings import Settings
from imageloom.spec.component import Outside

from .made_pictures import png

pytest.importorskip("s3fs", reason="s3fs is not installed (extra 'cloud')")
moto_server = pytest.importorskip(
    "moto.server", reason="moto[server] is not installed, so there is no S3 server"
)

pytestmark = [
    # What aiobotocore leaves to Python to close when a file system goes.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"


@pytest.fixture(scope="module")
def server():
    running = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def s3(server, monkeypatch, tmp_path):
    """A client of the server, which has an empty bucket ``photos``."""
    import boto3

    for name in [one for one in os.environ if one.startswith(("AWS_", "FSSPEC_"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    urlopen(Request(f"{server}/moto-api/reset", method="POST")).close()
    client = boto3.client("s3")
    client.create_bucket(Bucket="photos")
    yield client
    client.close()


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home", workspace=tmp_path / "workspace")


def put(s3, files):
    for name, content in files.items():
        s3.put_object(Bucket="photos", Key=name, Body=content)


def test_a_folder_of_a_bucket_becomes_an_image_directory(s3, settings, tmp_path):
    put(s3, {f"set/{'ab'[n % 2]}/{n}.png": png(n) for n in range(12)} | {"other/x.png": png(99)})
    told = []
    images = convert(
        "s3://photos/set", tmp_path / "images", settings=settings, on_event=told.append
    )
    assert images.counts == {"a": 6, "b": 6}
    contents = {images.file(row): open(images.path(row), "rb").read() for row in range(12)}  # noqa: PTH123, SIM115
    assert contents == {f"{'ab'[n % 2]}/{n}.png": png(n) for n in range(12)}
    assert any(isinstance(one, Notice) and ": 12 to download" in one.message for one in told)

    told.clear()
    put(s3, {"set/a/0.png": png(50)})
    s3.delete_object(Bucket="photos", Key="set/b/1.png")
    again = convert("s3://photos/set/", tmp_path / "2", settings=settings, on_event=told.append)
    assert again.counts == {"a": 6, "b": 5}
    assert any(isinstance(one, Notice) and ": 1 to download" in one.message for one in told)
    assert (again.root / "a/0.png").read_bytes() == png(50)


def test_a_file_that_was_only_written_anew_does_not_come_again(s3, settings, tmp_path):
    files = {"set/a/1.png": png(1), "set/b/2.png": png(2)}
    put(s3, files)
    convert("s3://photos/set", tmp_path / "1", settings=settings)
    put(s3, files)  # at another time, with the same ETag
    told = []
    convert("s3://photos/set", tmp_path / "2", settings=settings, on_event=told.append)
    assert any(isinstance(one, Notice) and "nothing to download" in one.message for one in told)
    assert not any(isinstance(one, Progress) and one.stage == "Downloading" for one in told)


def test_a_file_of_several_parts_comes_whole(s3, settings, tmp_path):
    import tarfile

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in {
            "a/1.png": png(1),
            "b/2.png": png(2),
            "b/x.txt": bytes(60_000_000),
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    s3.upload_fileobj(io.BytesIO(packed.getvalue()), "photos", "set.tar")
    assert "-" in s3.head_object(Bucket="photos", Key="set.tar")["ETag"]  # no MD5 of the content
    images = convert("s3://photos/set.tar", tmp_path / "images", settings=settings)
    assert images.counts == {"a": 1, "b": 1}


def a_zip(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.fixture
def versions(s3):
    """The ids of two versions of ``set.zip``, the older one first."""
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    contents = (a_zip({"a/1.png": png(1)}), a_zip({"a/1.png": png(1), "b/2.png": png(2)}))
    return [
        s3.put_object(Bucket="photos", Key="set.zip", Body=one)["VersionId"] for one in contents
    ]


def test_the_version_of_an_archive_that_is_asked_for_comes(s3, versions, settings, tmp_path):
    old, new = (f"s3://photos/set.zip?versionId={one}" for one in versions)
    assert convert(old, tmp_path / "old", settings=settings).counts == {"a": 1}
    assert convert(new, tmp_path / "new", settings=settings).counts == {"a": 1, "b": 1}
    again = convert("s3://photos/set.zip", tmp_path / "now", settings=settings)
    assert again.counts == {"a": 1, "b": 1}
    told = []
    convert(old, tmp_path / "again", settings=settings, on_event=told.append)
    assert any(isinstance(one, Notice) and "nothing to download" in one.message for one in told)


def test_a_version_that_is_not_there_is_named(s3, versions, settings, tmp_path):
    wrong = "s3://photos/set.zip?versionId=12345678-1234-1234-1234-123456789012"
    with pytest.raises(ImageloomError, match="versionId=12345678") as refused:
        convert(wrong, tmp_path / "images", settings=settings)
    assert refused.type in (CouldNotOpenFileError, FailedToDownloadFilesError)


@pytest.mark.parametrize("name", ["set", "set/labels.csv"])
def test_a_version_of_a_folder_or_a_manifest_is_refused(s3, settings, tmp_path, name):
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    put(s3, {"set/a/1.png": png(1)})
    table = s3.put_object(Bucket="photos", Key="set/labels.csv", Body=b"file,label\na/1.png,a\n")
    address = f"s3://photos/{name}?versionId={table['VersionId']}"
    with pytest.raises(InvalidDatasetError, match="have versions of their own"):
        convert(address, tmp_path / "images", settings=settings)


def test_a_key_that_holds_a_version_is_refused(s3, settings, tmp_path):
    put(s3, {"set/a/1.png": png(1), "set/a/1.png?versionId=x": png(2)})
    with pytest.raises(InvalidDatasetError, match="which asks for a version"):
        convert("s3://photos/set", tmp_path / "images", settings=settings)


def test_what_is_not_there_is_named(s3, settings, tmp_path):
    for address in ("s3://photos/none", "s3://no-such-bucket/x"):
        with pytest.raises(CouldNotOpenFileError, match=f"There is nothing at {address}"):
            convert(address, tmp_path / "images", settings=settings)


def test_a_server_that_is_gone_is_named_without_secrets(s3, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(FailedToDownloadFilesError, match="could not be listed") as failed:
        convert("s3://photos/set", tmp_path / "images", settings=settings)
    assert SECRET not in f"{failed.value} {failed.value.hint}"


def test_no_credentials_stand_in_what_is_written(s3, settings, tmp_path):
    put(s3, {"set/a/1.png": png(1), "set/b/2.png": png(2)})
    convert("s3://photos/set", tmp_path / "images", settings=settings)
    written = b"".join(one.read_bytes() for one in tmp_path.rglob("*") if one.is_file())
    assert SECRET.encode() not in written
    assert KEY.encode() not in written


def test_a_pipeline_reads_a_bucket_and_sees_changes(s3, make_task, monkeypatch, tmp_path):
    monkeypatch.setenv("IMAGELOOM_HOME", str(tmp_path / "home"))
    put(s3, {"set/a/1.png": png(1), "set/b/2.png": png(2)})
    components = load_components()
    dataset, convert_node = map(components.get, ("dataset", "convert_to_image_directory"))
    params, outside = {"path": "s3://photos/set"}, Outside(tmp_path, tmp_path)
    before = dataset.fingerprint(dataset.params.parse(params), outside)
    first = make_task(dataset, params=params)
    dataset.run(first)
    second = make_task(convert_node, inputs={"dataset": first.outputs["dataset"]})
    convert_node.run(second)
    assert load_image_directory(second.outputs["images"]).counts == {"a": 1, "b": 1}
    put(s3, {"set/b/3.png": png(3)})
    assert dataset.fingerprint(dataset.params.parse(params), outside) != before
    with pytest.raises(InvalidDatasetError, match="s3://photos/set has changed since"):
        convert_node.run(make_task(convert_node, inputs={"dataset": first.outputs["dataset"]}))


@pytest.mark.slow
@pytest.mark.processes
def test_after_kill_9_only_what_lacks_comes(s3, settings, tmp_path):
    files = {f"set/{'ab'[n % 2]}/{n}.png": png(n) for n in range(300)}
    put(s3, files)
    words = [sys.executable, "-m", "imageloom", "data", "convert", "s3://photos/set"]
    environment = os.environ | {"IMAGELOOM_HOME": str(settings.home)}
    with subprocess.Popen([*words, "--out", str(tmp_path / "1")], env=environment) as process:
        while process.poll() is None and len(came(settings)) < 20:
            pass
        process.send_signal(signal.SIGKILL)
    before = came(settings)
    assert 20 <= len(before) < 300
    told = []
    images = convert("s3://photos/set", tmp_path / "2", settings=settings, on_event=told.append)
    assert images.counts == {"a": 150, "b": 150}
    assert any(
        isinstance(one, Notice) and f"{len(before):,} here already" in one.message for one in told
    )


def came(settings):
    """The whole lines of the record."""
    found = list(settings.downloads.glob("*/files.jsonl"))
    return found[0].read_bytes().split(b"\n")[:-1] if found else []
