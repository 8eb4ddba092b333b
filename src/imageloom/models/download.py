"""Fetch one file over HTTP: with progress, checked, and in place only when whole."""

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from imageloom.errors import FailedToDownloadFilesError
from imageloom.events import Control, Progress
from imageloom.files.publish import writing_file

TIMEOUT_S: Final = 30.0  # of one read, not of the whole file
_CHUNK_BYTES: Final = 256 * 1024


def download(url: str, file: Path, *, sha256_prefix: str = "", control: Control) -> None:
    """Fetch ``url`` into ``file``, which appears only when it is whole and has the right hash.

    Args:
        url: An http or https address that stands in our code or in a library's, never in data.
        file: Where it shall lie; missing folders are made.
        sha256_prefix: First hexadecimal digits of the content's SHA-256.
        control: Told the bytes so far; stops between chunks.

    Raises:
        FailedToDownloadFilesError: No connection, an error status, or other content than expected.
        FailedToWriteOutputsError: The folder cannot be written.
        RunInterruptedError: Somebody asked to stop.
    """
    digest = hashlib.sha256()
    done = 0
    with writing_file(file) as partial, partial.open("wb") as output:
        for chunk, total in _chunks(url, file):
            control.raise_if_cancelled()
            output.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            control.tell(Progress(f"Fetching {file.name}", done, total, "bytes"))
        if not digest.hexdigest().startswith(sha256_prefix):
            raise FailedToDownloadFilesError(
                f"{url} gave {done:,} bytes whose SHA-256 does not start with {sha256_prefix}.",
                hint=f"The transfer was cut short or changed on its way. Try again. {_other(file)}",
                reason="damaged",
                details={"url": url},
            )


def _chunks(url: str, file: Path) -> Iterator[tuple[bytes, int | None]]:
    # Only the network's own failures are caught here: those of the disk belong to the caller.
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            length = response.headers.get("Content-Length")
            total = int(length) if length and length.isdecimal() else None
            while chunk := response.read(_CHUNK_BYTES):
                yield chunk, total
    except (OSError, http.client.HTTPException) as problem:
        raise FailedToDownloadFilesError(
            f"{file.name} could not be fetched from {url}: {_why(problem)}.",
            hint=_other(file),
            reason="download",
            details={"url": url, "file": str(file)},
        ) from problem


def _why(problem: Exception) -> object:
    # A URLError only wraps the cause; an HTTPError, which is one, has the status in its text.
    if isinstance(problem, urllib.error.URLError) and not isinstance(
        problem, urllib.error.HTTPError
    ):
        return problem.reason
    return problem


def _other(file: Path) -> str:
    return (
        f"Without a network: put the file at {file}, give --weights another file's path, or use "
        "--weights none."
    )
