"""What goes wrong on the way to another machine, as errors that name it and hold no secret."""

import contextlib
import errno
import os
from collections.abc import Iterator
from typing import Final

from imageloom.data.sources.remote.address import Address
from imageloom.errors import CouldNotOpenFileError, FailedToDownloadFilesError, ImageloomError
from imageloom.tracking.secrets import without_secrets

# What the disk of this machine says; everything else is said by the network or the other side.
LOCAL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.ENAMETOOLONG)
PERMANENT: Final = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
_NO_CREDENTIALS: Final = ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound")
_MAX_CHARS: Final = 300
_CREDENTIALS: Final = (
    "Give credentials as the service's own programs take them: for s3:// in AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE and ~/.aws/credentials; another server in "
    "AWS_ENDPOINT_URL; for what is public FSSPEC_S3='{\"anon\": true}'. Pipelines get no secret "
    "from the environment: for them, use the file."
)
GOES_ON: Final = "What came stays: the same command goes on from there."


@contextlib.contextmanager
def naming_failures(address: Address | str, what: str) -> Iterator[None]:
    """Turn whatever a library of a service raises in the body into an error of ours.

    Args:
        address: What is read.
        what: What failed, as the end of a sentence: ``could not be listed``.

    Raises:
        CouldNotOpenFileError: There is nothing, or it may not be read.
        FailedToDownloadFilesError: Anything else.
    """
    try:
        yield
    except ImageloomError:
        raise
    except Exception as problem:  # each service has a library with errors of its own
        raise named_failure(address, what, problem) from problem


def named_failure(address: Address | str, what: str, problem: Exception) -> ImageloomError:
    """Return the error for what a library of a service raised."""
    if isinstance(problem, FileNotFoundError):
        return CouldNotOpenFileError(
            f"There is nothing at {address}.",
            hint="Check the address; capital and small letters differ.",
            reason="not-found",
        )
    if isinstance(problem, PermissionError) or type(problem).__name__ in _NO_CREDENTIALS:
        return CouldNotOpenFileError(
            f"{address} may not be read: {told(problem)}.", hint=_CREDENTIALS, reason="not-readable"
        )
    return FailedToDownloadFilesError(
        f"{address} {what}: {told(problem)}.",
        hint=f"Is the network there, and the address right? {GOES_ON}",
        reason="download",
    )


def told(problem: Exception) -> str:
    """Return the kind of an error and its text, in one line and without secrets."""
    text = " ".join(without_secrets(str(problem), os.environ).split()).rstrip(".")
    name = type(problem).__name__
    return f"{name}: {text[:_MAX_CHARS]}" if text else name
