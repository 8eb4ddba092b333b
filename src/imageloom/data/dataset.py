"""Where pictures lie, as a published directory: a path, and a fingerprint of what is there."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from imageloom.data.names import CLASS_NAMES, SHARD_SUFFIX, is_system_name
from imageloom.data.sources.named_files import folder_of_names, is_manifest, named_files
from imageloom.data.sources.remote.address import is_address
from imageloom.data.sources.remote.fetch import fingerprint_of_address
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError
from imageloom.files.publish import publishing_directory, read_json, verify_directory, write_json

RECORD: Final = "dataset.json"
_FORMAT_VERSION: Final = 1


def fingerprint(path: Path | str) -> str:
    """Return a SHA-256 that changes when a name, a size or a time of modification does.

    At an address, such as ``s3://bucket/photos``, it changes with what is told of each file.
    A folder is listed with its sub-folders, without following links and without hidden files and
    those of the system; what may not be listed there is left to the conversion to tell. No picture
    is opened. A manifest is read for the files that it names, and whatever else lies around it
    does not count. An archive is one file; a shard has the names of its classes beside it.

    Raises:
        CouldNotOpenFileError: There is nothing at ``path``, or it may not be listed.
        FailedToDownloadFilesError: An address could not be listed.
    """
    if is_address(path):
        return fingerprint_of_address(path)
    path, digest = Path(path), hashlib.sha256()
    try:
        digest.update(os.fsencode(os.path.realpath(path)))
        for line in _lines(path):
            digest.update(line)
    except (OSError, ValueError) as problem:
        # A ValueError is a name with a NUL or half a character.
        why = getattr(problem, "strerror", "") or "no file can have this name"
        raise CouldNotOpenFileError(
            f"Nothing can be read at {path}: {why}.",
            hint="Check the path; a relative one starts at the folder of the pipeline's file.",
            reason="not-found" if isinstance(problem, FileNotFoundError) else "os-error",
            details={"path": str(path)},
        ) from problem
    return digest.hexdigest()


def save_dataset(path: Path | str, out: Path) -> None:
    """Publish a directory that names ``path`` and what is there now.

    Raises:
        CouldNotOpenFileError: There is nothing at ``path``, or it may not be listed.
        FailedToWriteOutputsError: ``out`` exists or cannot be written.
    """
    record = {
        "format_version": _FORMAT_VERSION,
        "kind": "dataset",
        "path": str(path),
        "fingerprint": fingerprint(path),
    }
    with publishing_directory(out) as partial:
        write_json(partial / RECORD, record)


def dataset_path(folder: Path) -> Path | str:
    """Return the path that a dataset names; a folder that is no dataset stands for itself.

    An address is returned as text.

    Raises:
        InvalidDatasetError: The dataset is damaged, or what it names has changed since.
        CouldNotOpenFileError: There is nothing any more where it says.
    """
    if not (folder / RECORD).exists():
        return folder
    verify_directory(folder, InvalidDatasetError)
    record = read_json(folder / RECORD, InvalidDatasetError)
    if record.get("format_version") != _FORMAT_VERSION:
        raise InvalidDatasetError(
            f"{folder} has format version {record.get('format_version')!r}; this Imageloom reads "
            f"{_FORMAT_VERSION}.",
            hint="Update Imageloom.",
            reason="format-version",
        )
    named = str(record.get("path"))
    path = named if is_address(named) else Path(named)
    # A result that is kept for a state of the pictures must not be made from another one.
    if fingerprint(path) != record.get("fingerprint"):
        raise InvalidDatasetError(
            f"{path} has changed since the run looked at it.",
            hint="Start the pipeline again when nothing is being written there.",
            reason="changed",
            details={"path": str(path)},
        )
    return path


def is_watched(path: Path, folder: str | None) -> bool:
    """Whether the fingerprint of ``path`` covers the pictures in ``folder``.

    It does not when the names in a manifest start elsewhere than in its own folder, one in it, or
    one beside it; nor when a manifest is too large to be read for that.

    Args:
        path: What a dataset names.
        folder: Where file names of a manifest start, from the manifest's own folder.
    """
    if not is_manifest(path):
        return True
    found = folder_of_names(path)
    root = os.path.normpath(path.parent / (folder or ""))
    return found is not None and found.is_relative_to(root)


def _lines(path: Path) -> Iterator[bytes]:
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        yield from _listing(path)
        return
    yield _line(b"", found)
    if path.name.lower().endswith(SHARD_SUFFIX):
        with contextlib.suppress(OSError):  # only shards of WebDataset have them
            yield _line(b"names", path.with_name(CLASS_NAMES).stat())
    root = folder_of_names(path) if is_manifest(path) else None
    if root is not None:
        yield os.fsencode(root) + b"\0"
        for name, status in named_files(path, root):
            yield _line(os.fsencode(name), status)


def _listing(root: Path) -> Iterator[bytes]:
    """Yield a line for each file and folder below ``root``, in an order that is always the same."""
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(os.path.join(os.fsencode(root), folder)) as entries:  # noqa: PTH118
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            if not folder:
                raise
            found = []
        for entry in found:
            if is_system_name(entry.name):
                continue
            name = folder + b"/" + entry.name if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield name + b"/\0"
                waiting.append(name)
                continue
            with contextlib.suppress(FileNotFoundError):  # removed since it was listed
                yield _line(name, entry.stat(follow_symlinks=False))


def _line(name: bytes, found: os.stat_result) -> bytes:
    return b"%s\0%d\0%d\0" % (name, found.st_size, found.st_mtime_ns)
