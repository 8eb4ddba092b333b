"""The component ``dataset``: where a pipeline's pictures come from."""

import os
from collections.abc import Mapping
from pathlib import Path

from imageloom.data.dataset import fingerprint, save_dataset
from imageloom.errors import CouldNotOpenFileError, ParameterParsingError
from imageloom.files.home import expand_home
from imageloom.params import Params, parameter
from imageloom.spec.component import COMPONENTS, Component, Outside, Port, Task
from imageloom.spec.port_types import ANY_DIRECTORY
from imageloom.system.wording import some


class DatasetParams(Params):
    """A path or an upload: exactly one of them."""

    path: str | None = parameter(
        None,
        help="A folder, an archive, a manifest or an image directory. A relative path starts at "
        "the folder of the pipeline's file. Give this or an upload.",
    )
    upload: str | None = parameter(
        None, help="Name of an uploaded file or folder. Give this or a path."
    )


def run(task: Task) -> Mapping[str, str]:
    """Publish the path, after looking once more whether it is there."""
    save_dataset(_place(task.params, task.base, task.uploads), task.outputs["dataset"])
    return {}


def place_of(params: Params, outside: Outside) -> Path:
    """Return where the pictures lie."""
    return _place(params, outside.base, outside.uploads)


def fingerprint_of(params: Params, outside: Outside) -> str:
    """Return a text that changes when a file at the path does."""
    return fingerprint(place_of(params, outside))


def require_one_place(params: Params) -> None:
    """Refuse parameters that name no place, or two, or an upload outside the folder of uploads.

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
    name = params.upload or ""
    # Pipelines come from strangers: a name must not lead out of the folder of uploads.
    if name.startswith(".") or any(character in name for character in "/\\\0"):
        raise ParameterParsingError(
            f"upload is {name!r}, but must be the name of an upload, without folders.",
            details={"parameter": "upload"},
        )


def _place(params: Params, base: Path, uploads: Path) -> Path:
    assert isinstance(params, DatasetParams)
    require_one_place(params)
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
        "They stay where they are. When a file there changes, what depends on it is made anew.",
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
        errors=(CouldNotOpenFileError, ParameterParsingError),
    ),
)
