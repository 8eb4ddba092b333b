"""Files and folders that a person puts into the workspace, so that pipelines find them by name."""

import os
import shutil
import unicodedata
from pathlib import Path
from typing import Final

from imageloom.errors import CouldNotOpenFileError, ParameterParsingError
from imageloom.files.output_places import refuse_misplaced
from imageloom.files.publish import appearing_directory, refuse_existing, writing_file
from imageloom.pipeline.ownership import Ownership, read_ownership
from imageloom.pipeline.workspace import Workspace

MAX_NAME_BYTES: Final = 200  # leaves room for a number, and for what a partial file is called
_ODD_KINDS: Final = ("Cc", "Cs")  # control characters, and halves of characters


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
    require_upload_name(name)
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
    workspace.owner_of_upload(name).unlink(missing_ok=True)  # of one that was removed by hand
    if source.is_dir():
        with appearing_directory(place) as partial:
            shutil.copytree(source, partial, dirs_exist_ok=True)
    else:
        with writing_file(place) as partial:
            shutil.copyfile(source, partial)
    return place


def require_upload_name(name: str) -> None:
    """Refuse a name that could lead to another place, or that no pipeline could hold.

    Raises:
        ParameterParsingError: It is such a name.
    """
    is_long = len(name.encode("utf-8", "backslashreplace")) > MAX_NAME_BYTES
    is_odd = any(one in "/\\" or unicodedata.category(one) in _ODD_KINDS for one in name)
    if not name.strip() or is_long or is_odd or name.startswith((".", "-")):
        raise ParameterParsingError(
            f"{name[:MAX_NAME_BYTES]!r} cannot be the name of an upload.",
            hint="A name has no slash and no control character, does not begin with a point or a "
            f"dash, and has at most {MAX_NAME_BYTES} bytes. Rename the file.",
            details={"parameter": "name"},
        )


def uploads_of(workspace: Workspace) -> tuple[Path, ...]:
    """Return the files and folders that were uploaded, by name."""
    return tuple(sorted(workspace.uploads.glob("[!.]*")))


def upload_place(workspace: Workspace, name: str) -> Path:
    """Return where an upload lies.

    Raises:
        ParameterParsingError: No upload can be called so.
        CouldNotOpenFileError: There is none.
    """
    require_upload_name(name)
    place = workspace.uploads / name
    if not os.path.lexists(place):
        raise no_such_upload(name)
    return place


def no_such_upload(name: str) -> CouldNotOpenFileError:
    """Return the error for an upload that is not there, or that somebody may not see."""
    return CouldNotOpenFileError(f"There is no upload {name!r}.", reason="no-upload")


def upload_ownership(workspace: Workspace, name: str) -> Ownership:
    """Return whose an upload is.

    Raises:
        ParameterParsingError: No upload can be called so.
        CouldNotOpenFileError: There is none.
    """
    upload_place(workspace, name)
    return read_ownership(workspace.owner_of_upload(name))
