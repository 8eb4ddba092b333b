"""A manifest that is one JSON text, read as a whole."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from imageloom.errors import CouldNotOpenFileError, InvalidDatasetError, json_problem

_MAX_BYTES: Final = 1024 * 1024 * 1024  # the file is held in memory whole


def read_json_manifest(
    manifest: Path, refusal: Callable[[Path, str], InvalidDatasetError]
) -> object:
    """Return what a file holds, as ``json.loads`` does.

    Args:
        manifest: The file.
        refusal: Makes the error for a file that is no such manifest, of the file and what it is.

    Raises:
        InvalidDatasetError: It has more than 1 GiB, or is not valid JSON.
        CouldNotOpenFileError: It cannot be read.
    """
    try:
        if manifest.stat().st_size > _MAX_BYTES:
            raise refusal(manifest, f"has more than {_MAX_BYTES:,} bytes")
        content: object = json.loads(manifest.read_bytes())
    except OSError as problem:
        raise CouldNotOpenFileError(
            f"{manifest} may not be read: {problem.strerror}.", reason="not-readable"
        ) from problem
    except (ValueError, RecursionError) as problem:
        raise refusal(manifest, f"is not valid JSON: {json_problem(problem)}") from problem
    return content
