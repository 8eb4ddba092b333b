"""The weights torchvision publishes: which file, from the local cache or the network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from imageloom.errors import FailedToDownloadFilesError
from imageloom.events import Control
from imageloom.files.publish import sha256_of_file
from imageloom.models.family import PublishedWeights
from imageloom.preprocessing import Normalisation
from imageloom.system.without_compiler import without_compiler

if TYPE_CHECKING:
    from torch import Tensor

# 'resnet18-f37072fd.pth' starts with f37072fd when hashed with SHA-256.
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,})\.")


def torchvision_weights(variant: str) -> PublishedWeights:
    """Return torchvision's default weights for a variant (the newest it publishes).

    The file lies where torchvision itself would keep it, so that both share one download.
    """
    with without_compiler():
        from torchvision.models import get_model_weights

    weights = get_model_weights(variant).DEFAULT
    transforms = weights.transforms()

    def load(control: Control) -> Mapping[str, Tensor]:
        from imageloom.models.weights_file import read_weights_file

        # A published file is a state dict and nothing else.
        return read_weights_file(_local_file(weights.url, control))[0].tensors

    return PublishedWeights(
        name=str(weights),
        normalisation=Normalisation(mean=tuple(transforms.mean), std=tuple(transforms.std)),
        load=load,
    )


def _local_file(url: str, control: Control) -> Path:
    import torch.hub

    from imageloom.models.download import download

    name = url.rsplit("/", 1)[-1]
    file = Path(torch.hub.get_dir()) / "checkpoints" / name
    found = _HASH_IN_NAME.search(name)
    prefix = found.group(1) if found else ""
    if not file.is_file():
        download(url, file, sha256_prefix=prefix, control=control)
    elif not sha256_of_file(file).startswith(prefix):
        raise FailedToDownloadFilesError(
            f"{file} is damaged: its SHA-256 does not start with {prefix}.",
            hint="Delete the file and try again; it was probably cut short by an old download.",
            reason="damaged",
            details={"file": str(file)},
        )
    return file
