"""Stand-ins for values that trainers keep beside the weights, so that none of them is ever made.

A checkpoint of torchvision's or timm's training script holds an ``argparse.Namespace``, others a
path or a NumPy number. torch's restricted reader refuses a file for each of them. Here it gets,
for a short list of names, classes of ours that drop whatever they are given: the real class is
not imported, not called and not filled from the file.
"""

from typing import Final


class Ignored:
    """Takes the place of one value and keeps nothing of it."""

    def __init__(self, *_arguments: object) -> None:
        """Drop what the file would make the value from."""

    def __setstate__(self, _state: object) -> None:
        """Drop what the file would fill the value with."""


class _IgnoredDict:
    """Takes the place of a kind of dictionary: the reader fills plain ones only."""

    def __new__(cls, *_arguments: object) -> dict[object, object]:  # type: ignore[misc]
        return {}


class _IgnoredList:
    """Takes the place of a kind of list: the reader fills plain ones only."""

    def __new__(cls, *_arguments: object) -> list[object]:  # type: ignore[misc]
        return []


_PATHS: Final = ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
_PLAIN: Final = (
    "argparse.Namespace",
    "types.SimpleNamespace",
    "builtins.bool",
    "builtins.float",
    "builtins.int",
    "builtins.str",
    "builtins.tuple",
    "datetime.date",
    "datetime.datetime",
    "datetime.timedelta",
    "datetime.timezone",
    "numpy.dtype",
    "numpy.ndarray",
    # NumPy 1 and 2, in this order.
    *(
        f"numpy.{core}.multiarray.{name}"
        for core in ("core", "_core")
        for name in ("scalar", "_reconstruct")
    ),
    # Python up to 3.12, and 3.13.
    *(f"{module}.{name}" for module in ("pathlib", "pathlib._local") for name in _PATHS),
    "torch.torch_version.TorchVersion",
)
_DICTS: Final = (
    "builtins.dict",
    "collections.defaultdict",
    # Lightning's hyper-parameters, by its three names.
    "lightning.fabric.utilities.data.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
)
_LISTS: Final = ("builtins.list", "collections.deque")

# By the name under which a file asks for the real one. A new name needs no more thought than
# whether weights beside such a value are still just weights.
STAND_INS: Final[dict[str, type]] = {
    **dict.fromkeys(_PLAIN, Ignored),
    **dict.fromkeys(_DICTS, _IgnoredDict),
    **dict.fromkeys(_LISTS, _IgnoredList),
}
