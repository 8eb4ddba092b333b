"""Outputs that are whole or absent: written beside their place, synced, then renamed into it.

A published directory holds ``MANIFEST.json`` with the size and SHA-256 of every other file, so
that a later reader can tell damage from data.
"""

import contextlib
import ctypes
import glob
import hashlib
import json
import os
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from imageloom.errors import (
    FailedToWriteOutputsError,
    ImageloomError,
    json_problem,
    write_failure,
)
from imageloom.files.plain_file import opening_plain_file, read_plain_file
from imageloom.system.machine import is_alive

MANIFEST: Final = "MANIFEST.json"
MAX_MANIFEST_BYTES: Final = 10 * 1024 * 1024
_HASH_CHUNK_BYTES: Final = 1024 * 1024
_RENAME_EXCHANGE: Final = 2
_AT_FDCWD: Final = -100
_PARTIAL: Final = ".partial"
_PREVIOUS: Final = ".previous"
_RESTORE: Final = "The file was changed or damaged. Restore it, or make the directory again."


@contextlib.contextmanager
def writing_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it replaces ``path`` in one step.

    Raises:
        FailedToWriteOutputsError: The place cannot be written (full, read-only, missing).
    """
    with _naming_failures(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_stale_partials(path)
        partial = _partial_name(path)
        try:
            yield partial
            sync_to_disk(partial)
            partial.replace(path)
            sync_to_disk(path.parent)
        finally:
            partial.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Replace a JSON file in one step."""
    with writing_file(path) as partial:
        partial.write_text(to_json(content), encoding="utf-8")


def open_log(path: Path) -> BinaryIO:
    """Return a file that a process appends its output to; its folder is made where it is missing.

    Raises:
        FailedToWriteOutputsError: It cannot be written.
    """
    with _naming_failures(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")


def to_json(content: Mapping[str, object]) -> str:
    """Return JSON as we write it everywhere: indented, real characters, no NaN."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # A file name that is not UTF-8 reaches us with lone surrogates, which UTF-8 cannot hold.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@contextlib.contextmanager
def publishing_directory(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield an empty directory beside ``path``; on success it appears as ``path`` in one step.

    Every file gets its size and SHA-256 in ``MANIFEST.json``, is synced to disk, and then the
    whole is renamed. If the body raises, or the process is killed, ``path`` is as it was.

    Args:
        path: Where the directory shall appear. The partial directory is its neighbour, on the
            same file system.
        replace: Exchange an existing directory for the new one, without a moment in between.

    Raises:
        FailedToWriteOutputsError: ``path`` exists and ``replace`` is false, or writing failed.
    """
    with appearing_directory(path, replace=replace) as partial:
        yield partial
        _write_manifest(partial)


@contextlib.contextmanager
def appearing_directory(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield an empty directory as ``publishing_directory`` does, for contents that will change.

    It gets no manifest; the body sees to it that what it writes is synced.

    Raises:
        FailedToWriteOutputsError: As ``publishing_directory``.
    """
    if not replace:
        refuse_existing(path)
    with _naming_failures(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_stale_partials(path)
        partial = _partial_name(path)
        partial.mkdir()
        try:
            yield partial
            if replace and path.exists():
                _exchange(partial, path)
            else:
                if not replace:
                    refuse_existing(path)  # another process may have been faster
                partial.rename(path)  # which fails too where there is more than an empty directory
            sync_to_disk(path.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def refuse_existing(path: Path) -> None:
    """Refuse an output place that holds something.

    Raises:
        FailedToWriteOutputsError: It exists and is not an empty directory, or cannot exist.
    """
    refuse_impossible(path)
    if path.is_dir() and not any(path.iterdir()):
        return
    if path.exists() or path.is_symlink():
        raise FailedToWriteOutputsError(
            f"{path} exists already.",
            hint="Choose another place; nothing is overwritten.",
            reason="exists",
        )


def refuse_impossible(path: Path) -> None:
    """Refuse an output place that no file system can hold.

    Raises:
        FailedToWriteOutputsError: There is a NUL character in it.
    """
    if "\0" in str(path):
        raise FailedToWriteOutputsError(
            f"{path} cannot be written: there is a NUL character in it.",
            hint="Choose a place without one; it ends a path for the system.",
            reason="impossible-path",
        )


def verify_directory(path: Path, error: type[ImageloomError]) -> dict[str, str]:
    """Check every file of a published directory against its manifest.

    Files that the manifest does not name are left alone: nothing reads them.

    Args:
        path: A directory made by ``publishing_directory``.
        error: The class to raise, so that the message has the caller's name and code.

    Returns:
        The SHA-256 of each file by its name.

    Raises:
        ImageloomError: Of class ``error``: no manifest, a file is missing, is not a plain file,
            or differs from what was published. The message names the file.
    """
    files = read_manifest(path, error)
    for name, (size, digest) in files.items():
        file = path / name
        with opening_plain_file(file, error) as opened:
            found_size = os.fstat(opened.fileno()).st_size
            found_digest = _sha256(opened) if found_size == size else ""
        if found_size != size:
            raise error(
                f"{file} has {found_size:,} bytes, but {size:,} were published.",
                hint="The file was changed or cut short. Restore it, or make the directory again.",
                reason="damaged",
                details={"file": name},
            )
        if found_digest != digest:
            raise error(
                f"{file} is not what was published: its SHA-256 differs.",
                hint="The file was changed or damaged. Restore it, or make the directory again.",
                reason="damaged",
                details={"file": name},
            )
    return {name: digest for name, (_, digest) in files.items()}


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return _sha256(file)


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_HASH_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def digest_of_json(content: object) -> str:
    """Return the SHA-256 of a JSON value in canonical form, as 64 hexadecimal digits."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def read_json(
    path: Path, error: type[ImageloomError], *, hint: str = _RESTORE
) -> dict[str, object]:
    """Return a JSON object from a file that may come from a stranger.

    Args:
        path: A plain file.
        error: The class to raise, so that the message has the caller's name and code.
        hint: What to do when it is not JSON.

    Raises:
        ImageloomError: Of class ``error``: missing, unreadable, too big, not JSON, not an object,
            repeated keys, or numbers that are not finite.
    """
    content = read_plain_file(path, error, max_bytes=MAX_MANIFEST_BYTES)
    return _json_object(path, content, error, hint)


def _json_object(
    path: Path, text: bytes, error: type[ImageloomError], hint: str
) -> dict[str, object]:
    try:
        content = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as problem:
        raise error(
            f"{path} is not valid JSON: {json_problem(problem)}.", hint=hint, reason="not-json"
        ) from problem
    if not isinstance(content, dict):
        raise error(f"{path} holds no JSON object.", hint=hint, reason="not-json")
    return content


def remove_stale_partials(path: Path) -> None:
    """Clear away what killed processes of this machine left beside ``path``.

    What was half-written is removed. What was moved aside to make room, on a file system that
    cannot exchange two directories, goes back if its place is still empty.
    """
    if not path.parent.is_dir():
        return
    for aside in _left_by_the_dead(path, _PREVIOUS):
        if not path.exists():
            aside.rename(path)
        else:
            shutil.rmtree(aside, ignore_errors=True)
    for partial in _left_by_the_dead(path, _PARTIAL):
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink(missing_ok=True)


def _left_by_the_dead(path: Path, suffix: str) -> list[Path]:
    prefix = f".{path.name}.{socket.gethostname()}."
    left = path.parent.glob(f"{glob.escape(prefix)}*{suffix}")
    pids = {one: one.name.removeprefix(prefix).split(".")[0] for one in left}
    return [one for one, pid in pids.items() if pid.isdigit() and not is_alive(int(pid))]


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return content


def _refuse_constant(text: str) -> object:
    raise ValueError(f"{text} is not a JSON number")


def read_manifest(path: Path, error: type[ImageloomError]) -> dict[str, tuple[int, str]]:
    """Return size in bytes and SHA-256 of each file of a published directory, by its name.

    Nothing but the manifest itself is looked at.

    Raises:
        ImageloomError: Of class ``error``: there is no manifest, or it was changed.
    """
    text = read_plain_file(path / MANIFEST, error, max_bytes=MAX_MANIFEST_BYTES)
    content = _json_object(path / MANIFEST, text, error, _RESTORE)
    files = content.get("files")
    if not isinstance(files, dict):
        raise error(f"{path / MANIFEST} lacks the key 'files'.", reason="missing-key")
    manifest: dict[str, tuple[int, str]] = {}
    for name, entry in files.items():
        size = entry.get("size_bytes") if isinstance(entry, dict) else None
        if not isinstance(size, int) or Path(name).name != name or "\0" in name:
            raise error(f"{path / MANIFEST} has a wrong entry {name!r}.", reason="bad-manifest")
        manifest[name] = (size, str(entry.get("sha256", "")))
    # Written in one way only, so that not even a blank can change unseen.
    is_as_written = text == to_json(content).encode("utf-8")
    if not is_as_written or content.get("sha256") != _digest_of_entries(manifest):
        raise error(
            f"{path / MANIFEST} was changed after it was published.",
            hint=_RESTORE,
            reason="damaged",
            details={"file": MANIFEST},
        )
    return manifest


def _write_manifest(directory: Path) -> None:
    files: dict[str, tuple[int, str]] = {}
    for file in sorted(directory.iterdir()):
        if file.is_file():
            files[file.name] = (file.stat().st_size, sha256_of_file(file))
            sync_to_disk(file)
    entries = {name: {"size_bytes": size, "sha256": sha} for name, (size, sha) in files.items()}
    content = {"files": entries, "sha256": _digest_of_entries(files)}
    manifest = directory / MANIFEST
    manifest.write_text(to_json(content), encoding="utf-8")
    sync_to_disk(manifest)
    sync_to_disk(directory)


def _digest_of_entries(files: Mapping[str, tuple[int, str]]) -> str:
    lines = [f"{name}\t{size}\t{digest}\n" for name, (size, digest) in sorted(files.items())]
    return hashlib.sha256("".join(lines).encode("utf-8", "backslashreplace")).hexdigest()


@contextlib.contextmanager
def _naming_failures(path: Path) -> Iterator[None]:
    refuse_impossible(path)
    try:
        yield
    except shutil.Error as problem:  # of copying a folder: one row for each file that failed
        failed = [str(row[-1]) for row in problem.args[0]]
        raise FailedToWriteOutputsError(
            f"{path} could not be written, for {len(failed):,} files could not be copied: "
            f"{failed[0]}.",
            hint="See that all can be read, and that there is space. Nothing was left half done.",
            reason="os-error",
            details={"files": len(failed)},
        ) from problem
    except OSError as problem:
        where = problem.filename if isinstance(problem.filename, str) else str(path)
        final, inside = _final_name(str(path)), _final_name(where)
        place = final if inside == final else f"{final} ({inside})"
        raise write_failure(place, problem, kept="What was there before is intact.") from problem


def _partial_name(path: Path, suffix: str = _PARTIAL) -> Path:
    # The owner's host and pid stand in the name, so that the next start can tell a dead one's.
    owner = f"{socket.gethostname()}.{os.getpid()}"
    return path.parent / f".{path.name}.{owner}.{os.urandom(4).hex()}{suffix}"


def _final_name(path: str) -> str:
    """Return where a path will lie once what this process is writing has appeared."""
    owner = re.escape(f".{socket.gethostname()}.{os.getpid()}.")
    partial = rf"(^|/)\.([^/]+?){owner}[0-9a-f]{{8}}{re.escape(_PARTIAL)}(?=/|$)"
    return re.sub(partial, r"\1\2", path)


def _exchange(new: Path, old: Path) -> None:
    """Swap two directories so that a reader sees one or the other, never neither."""
    libc = ctypes.CDLL(None, use_errno=True)
    renameat2 = getattr(libc, "renameat2", None)
    if renameat2 is not None:
        paths = os.fsencode(new), os.fsencode(old)
        if renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0:
            return
    # File systems without exchange (and systems other than Linux): the old one moves aside first.
    aside = _partial_name(old, _PREVIOUS)
    old.rename(aside)
    try:
        new.rename(old)
    except OSError:
        aside.rename(old)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def sync_to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, would outlive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(folder: Path) -> None:
    """Bring everything on a folder's file system to disk; a call per picture takes far longer."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if not hasattr(libc, "syncfs") or libc.syncfs(descriptor) != 0:
            os.sync()
    finally:
        os.close(descriptor)
