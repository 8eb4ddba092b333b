"""Plain files of a stranger's directory: no link is followed, and every failure has a name."""

import errno
import os
import socket
from pathlib import Path

import pytest
import vanishing

from imageloom.errors import InvalidDatasetError
from imageloom.files.plain_file import opening_plain_file, read_plain_file
from imageloom.files.publish import MANIFEST, publishing_directory, read_json, verify_directory


@pytest.fixture
def place(tmp_path):
    """Return a function that publishes a directory, as often as it is asked."""

    def publish():
        if not (tmp_path / "place").exists():
            with publishing_directory(tmp_path / "place") as partial:
                (partial / "a.txt").write_text("text", encoding="ascii")
        return tmp_path / "place"

    return publish


def as_link(path):
    (path.parent / "target").write_bytes(b"secret")
    path.symlink_to("target")


def as_dangling_link(path):
    path.symlink_to("nowhere")


def as_socket(path):
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


@pytest.mark.parametrize("make", [as_link, as_dangling_link, os.mkfifo, os.mkdir, as_socket])
def test_s06_what_is_no_plain_file_is_refused(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    path = tmp_path / "x"
    make(path.relative_to(tmp_path) if make is as_socket else path)
    with pytest.raises(InvalidDatasetError, match=r"/x is not a plain file"):
        read_plain_file(path, InvalidDatasetError, max_bytes=10)


def test_s06_a_device_is_refused():
    with pytest.raises(InvalidDatasetError, match="/dev/null is not a plain file"):
        read_plain_file(Path("/dev/null"), InvalidDatasetError, max_bytes=10)


def test_s06_a_file_that_becomes_a_link_before_it_is_opened_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "x").write_bytes(b"plain")
    real = os.open

    def swap_then_open(path, flags, *args, **named):
        (tmp_path / "x").unlink()
        (tmp_path / "x").symlink_to("secret")
        monkeypatch.setattr(os, "open", real)
        return real(path, flags, *args, **named)

    monkeypatch.setattr(os, "open", swap_then_open)
    with pytest.raises(InvalidDatasetError, match="not a plain file"):
        read_plain_file(tmp_path / "x", InvalidDatasetError, max_bytes=10)


def test_a_file_longer_than_it_may_be_is_refused_with_both_numbers(tmp_path):
    (tmp_path / "x").write_bytes(b"12345")
    assert read_plain_file(tmp_path / "x", InvalidDatasetError, max_bytes=5) == b"12345"
    with pytest.raises(InvalidDatasetError, match="has 5 bytes; at most 4 are read"):
        read_plain_file(tmp_path / "x", InvalidDatasetError, max_bytes=4)


def test_a_failure_while_the_body_reads_names_the_file(tmp_path):
    (tmp_path / "x").write_bytes(b"12345")
    with (
        pytest.raises(InvalidDatasetError, match="/x could not be read: Input/output error"),
        opening_plain_file(tmp_path / "x", InvalidDatasetError),
    ):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


READERS = {
    "verify_directory": lambda path: verify_directory(path, InvalidDatasetError),
    "read_json": lambda path: read_json(path / MANIFEST, InvalidDatasetError),
}


@pytest.mark.parametrize("fault", vanishing.FAULTS)
@pytest.mark.parametrize("reader", READERS)
def test_a_directory_that_vanishes_or_fails_at_any_point_is_an_error_with_its_name(
    place, fault, reader
):
    *disturbed, quiet = vanishing.outcomes(place, READERS[reader], fault)
    assert quiet is None
    assert disturbed
    assert {type(problem) for problem in disturbed} == {InvalidDatasetError}
    assert all(str(place()) in problem.message and problem.hint for problem in disturbed)
