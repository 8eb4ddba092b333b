"""What a format of exported models declares; each is one file of ``exporting.formats``.

Legend: B batch, C channels, H height, W width, K classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imageloom.registry import Registry

if TYPE_CHECKING:
    import torch

    from imageloom.models.model_directory import TrainedModel

    Runtime = Callable[[torch.Tensor], torch.Tensor]
    """Takes uint8 [B, 3, H, W], returns probabilities, float32 [B, K], on the CPU."""


@dataclass(frozen=True)
class ExportFormat:
    """A kind of file that another program runs.

    Attributes:
        name: What a user types: ``onnx``.
        title: What a person reads: ``ONNX``.
        packages: What it needs besides torch.
        extra: Of our package, which installs them; empty when there are none.
        write: Writes the files into an empty folder. Raises ExportError where the format cannot
            hold the network.
        open: Opens those files with what a user of the format runs them by.
        use: Lines of Markdown that show how, for the README.md beside the files.
    """

    name: str
    title: str
    packages: tuple[str, ...]
    extra: str
    write: Callable[[TrainedModel, Path], None]
    open: Callable[[TrainedModel, Path], Runtime]
    use: Callable[[TrainedModel], str]


EXPORT_FORMATS: Registry[ExportFormat] = Registry("format")
