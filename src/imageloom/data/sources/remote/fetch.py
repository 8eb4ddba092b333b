"""A checked copy of what lies at an address: only what lacks or has changed comes again."""

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imageloom.data.names import ADDRESS_OF_COPY
from imageloom.data.sources.one_at_a_time import only_one
from imageloom.data.sources.remote.address import Address, parse_address
from imageloom.data.sources.remote.room import FILES, require_room_within
from imageloom.errors import FailedToWriteOutputsError, write_failure
from imageloom.events import Control, Notice
from imageloom.settings import Settings
from imageloom.system.extras import require_packages
from imageloom.system.wording import count

if TYPE_CHECKING:
    from fsspec.spec import AbstractFileSystem

    from imageloom.data.sources.remote.listing import RemoteFile, RemoteListing

_PARTIAL: Final = "partial"
_MB: Final = 1_000_000


def fetch(text: str, settings: Settings, *, control: Control) -> Path:
    """Bring what lies at an address to this machine, and return where it lies here.

    First all is listed. A file that came before stays when its size and version there, and its size
    and time of change here, are as they were; others come, each whole or not at all. What is gone
    there is removed here. A process that is killed leaves what came for the next.

    Args:
        text: The address of a folder, an archive, a Parquet file or a manifest; with a manifest
            comes the folder that it lies in.
        settings: Where all such copies lie, and what they may take.
        control: Told how far it is, and what came; stops at once.

    Raises:
        ParameterParsingError: The address cannot be one, or holds a password.
        EnvironmentUnsuitableError: A package lacks; the message names it.
        CouldNotOpenFileError: There is nothing, or it may not be read.
        FailedToDownloadFilesError: The network or the service failed, five times.
        FailedToWriteOutputsError: The copies would take more than their limit, or the disk is full
            or cannot be written.
        InvalidDatasetError: A name there can be no file's here.
        RunInterruptedError: Somebody asked to stop.
    """
    address = parse_address(text)
    remote, listing = _look(address)
    folder = settings.downloads / _folder_name(listing.root)
    try:
        with only_one(folder, control, waiting=f"Another process downloads {address}; waiting."):
            _bring(remote, listing, folder, address, settings, control)
    except OSError as problem:
        raise write_failure(folder, problem) from problem
    files = folder / FILES
    return files / listing.source if listing.source else files


def fingerprint_of_address(text: str) -> str:
    """Return a SHA-256 that changes when a name, a size or a version at an address does.

    Raises:
        ImageloomError: As ``fetch``, before anything is downloaded.
    """
    return _look(parse_address(text))[1].digest()


def _look(address: Address) -> "tuple[AbstractFileSystem, RemoteListing]":
    require_packages("Reading pictures at an address", ["fsspec"], "cloud")
    from imageloom.data.sources.remote.listing import list_remote
    from imageloom.data.sources.remote.opening import open_remote

    remote, path = open_remote(address)
    return remote, list_remote(remote, path, address)


def _folder_name(address: Address) -> str:
    """Return a name that people recognise and that no other address has."""
    words = re.sub(r"[^A-Za-z0-9_-]+", "-", address.name)[:40].strip("-")
    return f"{words}-{hashlib.sha256(os.fsencode(address.text)).hexdigest()[:16]}"


def _bring(
    remote: "AbstractFileSystem",
    listing: "RemoteListing",
    folder: Path,
    address: Address,
    settings: Settings,
    control: Control,
) -> None:
    """Make the folder hold the files that are wanted and no others."""
    from imageloom.data.sources.remote.download import download_files
    from imageloom.data.sources.remote.record import KeptFile, Record

    files, wanted = folder / FILES, listing.files
    files.mkdir(exist_ok=True)
    (folder / ADDRESS_OF_COPY).write_text(str(listing.root), encoding="utf-8")
    shutil.rmtree(folder / _PARTIAL, ignore_errors=True)  # of a process that was killed
    record = Record(folder)
    kept = record.read()
    lacking = [
        one
        for one in wanted
        if one.name not in kept or not kept[one.name].is_still(one, files / one.name)
    ]
    lack = {one.name for one in lacking}
    names = {one.name for one in wanted}
    if lacking:
        needed = sum(one.size_bytes for one in wanted)
        require_room_within(settings.downloads_limit_gib, folder, needed, address)
    record.replace(one for name, one in kept.items() if name in names and name not in lack)
    _remove_others(files, names)
    _require_space(folder, lacking, address)
    control.tell(Notice("info", _told(address, wanted, lacking)))
    with record:
        download_files(
            remote,
            lacking,
            files,
            on_file=lambda one, here: record.add(
                KeptFile(one.name, one.size_bytes, one.version, here.lstat().st_mtime_ns)
            ),
            control=control,
        )


def _told(address: Address, wanted: "Sequence[RemoteFile]", lacking: "Sequence[RemoteFile]") -> str:
    holds = f"{address} holds {count(len(wanted), 'file')}"
    if not lacking:
        return f"{holds}: nothing to download."
    there = len(wanted) - len(lacking)
    num_bytes = sum(one.size_bytes for one in lacking)
    already = f", {there:,} here already" if there else ""
    return f"{holds}: {len(lacking):,} to download ({_size(num_bytes)}){already}."


def _size(num_bytes: int) -> str:
    return f"{num_bytes / _MB:,.1f} MB"


def _require_space(folder: Path, lacking: "Sequence[RemoteFile]", address: Address) -> None:
    needed, free = sum(one.size_bytes for one in lacking), shutil.disk_usage(folder).free
    if needed > free:
        raise FailedToWriteOutputsError(
            f"{address} still needs {_size(needed)}, but only {_size(free)} are free in {folder}.",
            hint="Free space, or set IMAGELOOM_HOME to a folder on a larger disk.",
            reason="no-space",
            details={"needed_bytes": needed, "free_bytes": free},
        )


def _remove_others(files: Path, names: set[str]) -> None:
    """Remove what is not there any more, and folders that are empty then."""
    for place, _, found in os.walk(files, topdown=False):
        for name in found:
            path = os.path.join(place, name)  # noqa: PTH118 - a million of them
            if os.path.relpath(path, files) not in names:
                Path(path).unlink()
        if place != str(files):
            with contextlib.suppress(OSError):  # something is in it
                Path(place).rmdir()
