"""The component ``dataset``: where a pipeline's pictures come from."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from imageloom.data.dataset import fingerprint, save_dataset
from imageloom.data.sources.remote.address import is_address, parse_address
from imageloom.errors import (
    CouldNotOpenFileError,
    FailedToDownloadFilesError,
    ParameterParsingError,
)
from imageloom.files.home import expand_home
from imageloom.params import Params, parameter
from imageloom.settings import read_settings
from imageloom.spec.component import COMPONENTS, Component, Outside, Port, Task
from imageloom.spec.port_types import ANY_DIRECTORY
from imageloom.system.wording import some

_STORES: Final = ("s3", "gs", "gcs", "abfs", "abfss", "az")


class DatasetParams(Params):
    """A path or an upload: exactly one of them."""

    path: str | None = parameter(
        None,
        help="A folder, an archive, a manifest or an image directory. A relative path starts at "
        "the folder of the pipeline's file. An address such as s3://bucket/photos is taken too. "
        "Give this or an upload.",
    )
    upload: str | None = parameter(
        None, help="Name of an uploaded file or folder. Give this or a path."
    )


def run(task: Task) -> Mapping[str, str]:
    """Publish the path, after looking once more whether it is there."""
    save_dataset(_place(task.params, task.base, task.uploads), task.outputs["dataset"])
    return {}


def place_of(params: Params, outside: Outside) -> Path:
    """Return where the pictures lie; of an address, where the copies of such lie."""
    place = _place(params, outside.base, outside.uploads)
    # Kept among what is the owner's alone, so that a studio of several people refuses addresses:
    # they would be opened with the owner's credentials.
    return place if isinstance(place, Path) else read_settings(os.environ).downloads


def fingerprint_of(params: Params, outside: Outside) -> str:
    """Return a text that changes when a file at the path does."""
    return fingerprint(_place(params, outside.base, outside.uploads))


def require_one_place(params: Params) -> None:
    """Refuse parameters that name no place, or two, or one that a pipeline may not name.

    Raises:
        ParameterParsingError: The message has the values.
    """
    assert isinstance(params, DatasetParams)
    if bool(params.path) == bool(params.upload):
        raise ParameterParsingError(
            f"path is {params.path!r} and upload is {params.upload!r}, but exactly one of them "
            "must be given.",
            hint="Set path to a folder or file of this machine, or upload to an upload's name.",
            details={"parameter": "path"},
        )
    _refuse_scheme(params.path or "")
    name = params.upload or ""
    # Pipelines come from strangers: a name must not lead out of the folder of uploads.
    if name.startswith(".") or any(character in name for character in "/\\\0"):
        raise ParameterParsingError(
            f"upload is {name!r}, but must be the name of an upload, without folders.",
            details={"parameter": "upload"},
        )


def _refuse_scheme(path: str) -> None:
    """Refuse addresses with which a stranger's pipeline could ask this machine or its network."""
    if is_address(path) and parse_address(path).scheme not in _STORES:
        raise ParameterParsingError(
            f"path is {path!r}, but the addresses that a pipeline takes begin with "
            f"{', '.join(f'{one}://' for one in _STORES)}.",
            hint="Convert it once with 'imageloom data convert', and set path to the result.",
            details={"parameter": "path"},
        )


def _place(params: Params, base: Path, uploads: Path) -> Path | str:
    assert isinstance(params, DatasetParams)
    require_one_place(params)
    if is_address(params.path):
        return params.path
    if params.path:
        return Path(os.path.normpath(base / expand_home(params.path)))
    name = params.upload or ""
    place = uploads / name
    if not os.path.lexists(place):
        there = sorted(one.name for one in uploads.glob("[!.]*"))
        raise CouldNotOpenFileError(
            f"There is no upload {name!r} in {uploads}.",
            hint=f"'imageloom store upload' makes one. There are: "
            f"{some(there, most=10) or 'none'}.",
        )
    return place


COMPONENTS.declare(
    "dataset",
    Component(
        name="dataset",
        title="Dataset",
        help="Names the pictures that a pipeline works on: a path of this machine, or an upload. "
        "They stay where they are; of those at an address, a copy is kept up to date. When a file "
        "there changes, what depends on it is made anew.",
        category="Image data",
        inputs=(),
        outputs=(
            Port("dataset", ANY_DIRECTORY, "Dataset", "The folder or file, as it was found."),
        ),
        params=DatasetParams,
        run=run,
        fingerprint=fingerprint_of,
        reads=place_of,
        rule=require_one_place,
        errors=(CouldNotOpenFileError, ParameterParsingError, FailedToDownloadFilesError),
    ),
)
