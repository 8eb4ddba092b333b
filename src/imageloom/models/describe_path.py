"""What lies where a model was expected, in words that help."""

import re
from pathlib import Path
from typing import Final

from imageloom.errors import InvalidModelDirectoryError

_RECORDS: Final = {
    "image_directory.json": "an image directory",
    "transformation_directory.json": "a transformation directory",
    "run.json": "a run directory",
    "MLmodel": "an MLflow model",
    "saved_model.pb": "a TensorFlow model",
}
# The old designer wrote a _meta.yaml with 'type: ImageDirectory' and the like.
_OLD_RECORD: Final = "_meta.yaml"
_OLD_TYPE: Final = re.compile(r"^type:\s*['\"]?(\w{1,60})", re.MULTILINE)
_UNSAFE_SUFFIXES: Final = frozenset(
    (".pt", ".pth", ".pt2", ".bin", ".pkl", ".pickle", ".npz", ".ckpt", ".h5", ".keras", ".onnx")
)


def no_model_directory(path: Path) -> InvalidModelDirectoryError:
    """Return the error for a place that holds no ``model.json``."""
    what, hint, reason = _describe(path)
    return InvalidModelDirectoryError(
        f"{path} is no model directory: it {what}.",
        hint=hint,
        reason=reason,
        details={"path": str(path)},
    )


def _describe(path: Path) -> tuple[str, str, str]:
    make = "Models are directories made by 'imageloom model create' or 'imageloom train'."
    unsafe = (
        "Such files can run code when they are opened, so they are not. For the weights alone, "
        "give the file to 'imageloom model create NAME --weights FILE'."
    )
    if not path.exists():
        return "does not exist", f"Check the path. {make}", "missing"
    if not path.is_dir():
        is_unsafe = path.suffix.lower() in _UNSAFE_SUFFIXES
        return "is a file", unsafe if is_unsafe else make, "unsafe-format" if is_unsafe else "file"
    for name, what in _RECORDS.items():
        if (path / name).is_file():
            nested = path / "model"
            hint = f"Its model is {nested}." if (nested / "model.json").is_file() else make
            return f"is {what}", hint, "other-kind"
    old = _old_type(path)
    if old:
        return f"is an old {old} of the designer", make, "other-kind"
    return _describe_contents(path, make, unsafe)


def _describe_contents(path: Path, make: str, unsafe: str) -> tuple[str, str, str]:
    for number, entry in enumerate(path.iterdir()):
        if entry.suffix.lower() in _UNSAFE_SUFFIXES:
            return (
                f"holds {entry.name!r} in an unsafe format and no model.json",
                unsafe,
                ("unsafe-format"),
            )
        if number == 1000:  # enough to help; a folder of a million files must not take long
            break
    is_empty = next(path.iterdir(), None) is None
    return "is empty" if is_empty else "holds no model.json", make, "no-record"


def _old_type(path: Path) -> str:
    try:
        with (path / _OLD_RECORD).open("rb") as file:
            found = _OLD_TYPE.search(file.read(4096).decode("utf-8", "replace"))
    except OSError:
        return ""
    return found.group(1) if found else ""
