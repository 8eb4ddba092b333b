"""Uploads that arrive in parts: announced within bounds, found again, and swept when left alone."""

import contextlib
import os
import re
import shutil
import time
from typing import Final

from imageloom.errors import (
    FailedToWriteOutputsError,
    ImageloomError,
    InvalidRequestError,
    ParameterParsingError,
    StoreCorruptError,
    write_failure,
)
from imageloom.files.publish import read_json, write_json
from imageloom.pipeline.store.unfinished_upload import (
    ARCHIVE_SUFFIXES,
    RECORD,
    UnfinishedUpload,
    no_upload,
)
from imageloom.pipeline.store.upload_limits import (
    KEPT_DAYS,
    MAX_DISK_FRACTION,
    MAX_UPLOAD_BYTES,
    PART_BYTES,
)
from imageloom.pipeline.store.uploads import require_upload_name
from imageloom.pipeline.workspace import Workspace
from imageloom.system.wording import some

_ID: Final = re.compile(r"[0-9a-f]{32}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def begin_upload(
    workspace: Workspace, name: str, size_bytes: int, *, sha256: str = "", owner: str = ""
) -> UnfinishedUpload:
    """Announce an upload of an archive.

    Args:
        workspace: Where it goes.
        name: What pipelines shall call it.
        size_bytes: Its size.
        sha256: Of the whole in hexadecimal, where it is known; it is looked at in the end.
        owner: The user to whom it belongs alone; empty where nobody signed in.

    Raises:
        ParameterParsingError: It cannot be called so, or is no digest.
        InvalidRequestError: It is empty or larger than ``MAX_UPLOAD_BYTES``.
        FailedToWriteOutputsError: There is no room for it.
    """
    require_upload_name(name)
    if not name.lower().endswith(ARCHIVE_SUFFIXES):
        raise ParameterParsingError(
            f"{name!r} is no archive by its name.",
            hint=f"An upload is one of {some(sorted(ARCHIVE_SUFFIXES), most=6)}: pack the folder "
            "of pictures.",
            reason="no-archive",
            details={"parameter": "name"},
        )
    if sha256 and not _SHA256.fullmatch(sha256):
        raise ParameterParsingError(
            f"sha256 is {sha256[:80]!r}, but must be 64 hexadecimal digits in small letters.",
            details={"parameter": "sha256"},
        )
    _require_size(name, size_bytes)
    made = UnfinishedUpload(
        workspace, os.urandom(16).hex(), name, size_bytes, PART_BYTES, sha256, time.time(), owner
    )
    try:
        made.folder.mkdir(parents=True, mode=0o700)
        _require_room(made)
        (made.folder / "content").touch()
        (made.folder / "parts").touch()
    except OSError as problem:
        raise write_failure(made.folder, problem) from problem
    except ImageloomError:
        made.folder.rmdir()
        raise
    told = {key: value for key, value in vars(made).items() if key != "workspace"}
    write_json(made.folder / RECORD, told)
    return made


def unfinished_upload(workspace: Workspace, upload_id: str) -> UnfinishedUpload:
    """Return an upload by its id, also one that was finished a moment ago.

    Raises:
        CouldNotOpenFileError: There is none.
    """
    if not _ID.fullmatch(upload_id):
        raise no_upload(upload_id)
    record = workspace.unfinished_uploads / upload_id / RECORD
    if not record.is_file():
        raise no_upload(upload_id)
    found = read_json(record, StoreCorruptError)
    return UnfinishedUpload(workspace, **found)  # type: ignore[arg-type]


def unfinished_uploads(workspace: Workspace) -> tuple[UnfinishedUpload, ...]:
    """Return the uploads that a person may go on with, the newest first."""
    found = []
    for folder in workspace.unfinished_uploads.glob("*"):
        with contextlib.suppress(ImageloomError):
            one = unfinished_upload(workspace, folder.name)
            if (folder / "content").exists():
                found.append(one)
    return tuple(sorted(found, key=lambda one: one.begun, reverse=True))


def sweep_uploads(workspace: Workspace, *, now: float) -> int:
    """Remove uploads of which no part came for ``KEPT_DAYS``, and return how many.

    Args:
        workspace: Where they lie.
        now: In seconds since 1970, UTC.
    """
    swept = 0
    for folder in workspace.unfinished_uploads.glob("*"):
        if not _ID.fullmatch(folder.name):
            continue
        with contextlib.suppress(OSError):
            times = [one.stat().st_mtime for one in (folder, folder / "parts") if one.exists()]
            if now - max(times) > KEPT_DAYS * 86_400:
                workspace.throw_away(folder)
                swept += 1
    if swept:
        workspace.empty_trash()
    return swept


def _require_size(name: str, size_bytes: int) -> None:
    if size_bytes < 1:
        raise InvalidRequestError(
            f"{name} has {size_bytes:,} bytes.", hint="Choose a file that holds pictures."
        )
    if size_bytes > MAX_UPLOAD_BYTES:
        raise InvalidRequestError(
            f"{name} has {size_bytes:,} bytes; at most {MAX_UPLOAD_BYTES:,} are taken.",
            hint="Put it into a folder that the studio shows, and choose it there: nothing needs "
            "to be copied then.",
            reason="too-large",
        )


def _require_room(upload: UnfinishedUpload) -> None:
    free = shutil.disk_usage(upload.folder).free
    if upload.size_bytes > MAX_DISK_FRACTION * free:
        raise FailedToWriteOutputsError(
            f"{upload.name} has {upload.size_bytes:,} bytes, but only {free:,} are free in "
            f"{upload.workspace.uploads}.",
            hint=f"At most {MAX_DISK_FRACTION:.0%} of the free space is used. Free some, or "
            "choose the file or its folder where it is.",
            reason="disk-full",
        )
