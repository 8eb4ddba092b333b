"""Files and folders that a person puts into the workspace, so that pipelines find them by name."""

import shutil
from pathlib import Path

from imageloom.errors import CouldNotOpenFileError, ParameterParsingError
from imageloom.files.output_places import refuse_misplaced
from imageloom.files.publish import appearing_directory, refuse_existing, writing_file
from imageloom.pipeline.workspace import Workspace


def upload(workspace: Workspace, source: Path, name: str) -> Path:
    """Copy a file or folder into the workspace and return where it is then.

    It appears whole or not at all, and the source stays as it is.

    Args:
        workspace: Where it goes.
        source: A file, or a folder with all in it; what links in it lead to is copied.
        name: What pipelines call it.

    Raises:
        CouldNotOpenFileError: There is no such file or folder, or it is a device or a pipe.
        ParameterParsingError: The name could lead to another place.
        FailedToWriteOutputsError: The name is taken, the workspace lies inside the source, or a
            file could not be copied.
    """
    if not name or name.startswith(".") or any(one in name for one in "/\\\0"):
        raise ParameterParsingError(
            f"{name!r} cannot be the name of an upload.",
            hint="A name has no slash and does not begin with a point.",
            details={"parameter": "name"},
        )
    if not source.exists():
        raise CouldNotOpenFileError(
            f"{source} is not there.", hint="Name a file or folder of this machine."
        )
    if not (source.is_dir() or source.is_file()):
        raise CouldNotOpenFileError(
            f"{source} is neither a file nor a folder.",
            hint="Devices and pipes have no end that could be waited for.",
        )
    place = workspace.uploads / name
    refuse_existing(place)
    refuse_misplaced([place], read=[source])
    if source.is_dir():
        with appearing_directory(place) as partial:
            shutil.copytree(source, partial, dirs_exist_ok=True)
    else:
        with writing_file(place) as partial:
            shutil.copyfile(source, partial)
    return place
