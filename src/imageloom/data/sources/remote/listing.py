"""What lies at an address: names, sizes and versions, before anything is downloaded."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from fsspec.spec import AbstractFileSystem

from imageloom.data.names import (
    CLASS_NAMES,
    MANIFEST_SUFFIXES,
    SHARD_SUFFIX,
    is_system_name,
)
from imageloom.data.sources.archive.limits import MAX_MEMBERS
from imageloom.data.sources.archive.member_names import MAX_NAME_BYTES, MAX_PATH_BYTES
from imageloom.data.sources.remote.address import VERSION, Address
from imageloom.data.sources.remote.failures import naming_failures
from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError
from imageloom.files.publish import digest_of_json
from imageloom.system.wording import some

Facts = Mapping[str, object]

# What services say of the content of a file; where they say nothing of that, its time counts, which
# changes as well when a file is only written anew.
_CONTENT_KEYS: Final = ("ETag", "etag", "md5Hash", "content_md5", "VersionId", "generation")
_TIME_KEYS: Final = ("LastModified", "last_modified", "updated", "mtime", "created")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file at an address.

    Attributes:
        name: Below the folder that is listed, with ``/`` between its parts.
        path: As its file system calls it.
        size_bytes: Bytes.
        version: A text that changes with the file: an ETag, a check sum, a time. Empty where the
            service tells none of them.
    """

    name: str
    path: str
    size_bytes: int
    version: str


@dataclass(frozen=True)
class RemoteListing:
    """All files that are wanted of an address.

    Attributes:
        root: The folder that names start from.
        files: In the order of their names.
        source: Which of them was asked for, such as an archive; empty for the whole folder.
    """

    root: Address
    files: tuple[RemoteFile, ...]
    source: str = ""

    def digest(self) -> str:
        """Return a SHA-256 that changes with any name, size or version."""
        return digest_of_json([[one.name, one.size_bytes, one.version] for one in self.files])


def list_remote(remote: AbstractFileSystem, path: str, address: Address) -> RemoteListing:
    """List a folder with all below it; or a file, and with a manifest what lies around it.

    Files of the system, such as ``.DS_Store``, are passed over.

    Args:
        remote: The file system of the address.
        path: The address, as the file system calls it.
        address: For messages.

    Raises:
        CouldNotOpenFileError: There is nothing, or it may not be read.
        FailedToDownloadFilesError: It could not be listed.
        InvalidDatasetError: There are no files, or a name can be no file's here.
    """
    with naming_failures(address, "could not be listed"):
        facts = remote.info(path)
    if facts.get("type") == "other":  # a device or a pipe, which may never end
        raise InvalidDatasetError(f"{address} is neither a file nor a folder.", reason="not-a-file")
    if address.version:
        facts = _of_version(facts, address)
    if facts.get("type") == "directory":
        return RemoteListing(address, _in_folder(remote, path, address))
    name = address.name
    if PurePosixPath(name).suffix.lower() in MANIFEST_SUFFIXES:
        files = _in_folder(remote, path.rpartition("/")[0], address.parent)
        return RemoteListing(address.parent, files, name)
    files = _checked({name: facts}, address)
    if name.lower().endswith(SHARD_SUFFIX) and not address.is_web:
        files += _class_names(remote, path, address)
    return RemoteListing(address, files, name)


def _of_version(facts: Facts, address: Address) -> Facts:
    """Return what is told of one version of a file, with the path at which it is read.

    Raises:
        InvalidDatasetError: It is a folder, or a manifest, whose pictures it would not fit.
    """
    is_manifest = PurePosixPath(address.name).suffix.lower() in MANIFEST_SUFFIXES
    if is_manifest or facts.get("type") == "directory":
        what = "a manifest, whose pictures" if is_manifest else "a folder, whose files"
        raise InvalidDatasetError(
            f"{address} asks for the version {address.version!r} of {what} have versions of their "
            "own.",
            hint=f"Give it without {VERSION!r}, for what is there now; or a version of one archive "
            "or Parquet file.",
            reason="version-of-several",
        )
    return {**facts, "name": f"{facts['name']}{VERSION}{address.version}"}


def _in_folder(remote: AbstractFileSystem, folder: str, address: Address) -> tuple[RemoteFile, ...]:
    with naming_failures(address, "could not be listed"):
        found: dict[str, Facts] = remote.find(folder, detail=True)
    start = folder.rstrip("/") + "/"
    below: dict[str, Facts] = {}
    for path, facts in found.items():
        # A name with a slash at its end marks a folder, in stores that have none.
        if facts.get("type") == "file" and not path.endswith("/"):
            below[path.removeprefix(start)] = facts
    if len(below) > MAX_MEMBERS:
        raise InvalidDatasetError(
            f"{address} holds {len(below):,} files, but at most {MAX_MEMBERS:,} are downloaded.",
            hint="Give a folder below it, or pack the pictures into shards.",
            reason="too-many-files",
        )
    files = _checked(below, address)
    if not files:
        raise InvalidDatasetError(
            f"{address} holds no files.", hint="Check the address.", reason="no-pictures"
        )
    return files


def _class_names(remote: AbstractFileSystem, path: str, address: Address) -> tuple[RemoteFile, ...]:
    beside = f"{path.rpartition('/')[0]}/{CLASS_NAMES}"
    with naming_failures(address, "could not be listed"):
        try:
            facts = remote.info(beside)
        except FileNotFoundError:
            return ()
    return _checked({CLASS_NAMES: facts}, address)


def _checked(found: Mapping[str, Facts], address: Address) -> tuple[RemoteFile, ...]:
    """Return the files that are wanted, in the order of their names.

    Raises:
        InvalidDatasetError: A name can be no file's on this machine.
        CouldNotOpenFileError: A size is not told.
    """
    names = [name for name in sorted(found) if not _is_of_the_system(name)]
    wrong = {name: why for name in names if (why := _problem_of(name))}
    if address.is_s3:  # s3fs would read the file that is called as what stands before it
        what = f"holds {VERSION!r}, which asks for a version"
        wrong |= {name: what for name in names if VERSION in name}
    files = tuple(_file(name, found[name], address) for name in names if name not in wrong)
    wrong |= _files_that_are_folders(files)
    if wrong:
        shown = [f"{name[:200]!r} {why}" for name, why in wrong.items()]
        raise InvalidDatasetError(
            f"{address} holds names that no file of this machine can have: {some(shown)}.",
            hint="Rename them there. Nothing was downloaded.",
            reason="unsafe-name",
            details={"names": [name[:1000] for name in list(wrong)[:100]]},
        )
    return files


def _file(name: str, facts: Facts, address: Address) -> RemoteFile:
    size = facts.get("size")
    if not isinstance(size, int) or size < 0:
        raise CouldNotOpenFileError(
            f"{address} does not say how many bytes {name[:200]!r} has.",
            hint="Without it, nobody can tell whether all of it came. Download it yourself.",
            reason="no-size",
        )
    return RemoteFile(name, str(facts.get("name", name)), size, _version_of(facts))


def _is_of_the_system(name: str) -> bool:
    parts = (part for part in name.split("/") if part not in (".", ".."))
    return any(is_system_name(os.fsencode(part)) for part in parts)


def _problem_of(name: str) -> str:
    parts = name.split("/")
    raw = [part.encode("utf-8", "surrogateescape") for part in parts]
    if ".." in parts or "." in parts or "" in parts:
        return "has a part that is empty or leads up"
    if "\0" in name:
        return "holds a NUL character"
    if any(len(part) > MAX_NAME_BYTES for part in raw) or sum(map(len, raw)) > MAX_PATH_BYTES:
        return f"has a part of more than {MAX_NAME_BYTES} bytes, or is too long"
    return ""


def _files_that_are_folders(files: Iterable[RemoteFile]) -> dict[str, str]:
    names, folders = {one.name for one in files}, set[str]()
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return dict.fromkeys(sorted(names & folders), "is a file and a folder")


def _version_of(facts: Facts) -> str:
    for keys in (_CONTENT_KEYS, _TIME_KEYS):
        told = [str(facts[key]) for key in keys if facts.get(key) is not None]
        if told:
            return " ".join(told)
    return ""
