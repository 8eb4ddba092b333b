import os
import time

import pytest

from imageloom.data.decoding.listed_file import (
    MAX_FILE_BYTES,
    ChangedFileError,
    UnreadableFileError,
    read_listed,
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "1.png"
    path.write_bytes(b"content")
    return path


def read(path, *, size=None, mtime_ns=None):
    found = os.lstat(path) if os.path.lexists(path) else None
    return read_listed(
        os.fsencode(path),
        size=found.st_size if size is None else size,
        mtime_ns=found.st_mtime_ns if mtime_ns is None else mtime_ns,
    )


def test_a_file_that_is_as_listed_is_read(file):
    assert read(file) == b"content"


def test_a45_another_size_or_time_is_a_change(file):
    with pytest.raises(ChangedFileError, match="had 6 bytes"):
        read(file, size=6)
    with pytest.raises(ChangedFileError, match="had 8 bytes"):
        read(file, size=8)
    with pytest.raises(ChangedFileError, match="was changed since"):
        read(file, mtime_ns=1)


def test_a45_a_link_or_nothing_in_its_place_is_a_change(file, tmp_path):
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(ChangedFileError, match="gone or was replaced"):
        read(tmp_path / "link")
    with pytest.raises(ChangedFileError, match="gone or was replaced"):
        read(tmp_path / "missing", size=1, mtime_ns=1)


def test_b17_a_pipe_in_its_place_is_a_change_and_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    start = time.monotonic()
    with pytest.raises(ChangedFileError, match="no longer a file"):
        read(tmp_path / "pipe")
    assert time.monotonic() - start < 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_b18_a_file_that_may_not_be_read_is_unreadable(tmp_path_factory):
    folder = tmp_path_factory.mktemp("b18")
    for parent in [folder, *folder.parents][:4]:
        parent.chmod(parent.stat().st_mode | 0o055)
    path = folder / "secret.png"
    path.write_bytes(b"x")
    path.chmod(0)
    os.seteuid(65534)
    try:
        with pytest.raises(UnreadableFileError, match="may not be read: Permission denied"):
            read(path)
    finally:
        os.seteuid(0)


def test_a_file_of_gigabytes_is_not_read(tmp_path):
    path = tmp_path / "huge.png"
    path.touch()
    os.truncate(path, MAX_FILE_BYTES + 1)
    with pytest.raises(UnreadableFileError, match="more than the 536,870,912 bytes"):
        read(path)
