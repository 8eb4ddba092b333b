"""Any classifier of the timm library, as ``timm/NAME``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, cast

from imageloom.errors import (
    EnvironmentUnsuitableError,
    FailedToDownloadFilesError,
    NotInRangeValueError,
    UnknownNameError,
    library_text,
)
from imageloom.events import Control, Notice
from imageloom.models.family import FAMILIES, Family, PublishedWeights, Variant
from imageloom.models.params import ModelParams
from imageloom.preprocessing import Normalisation
from imageloom.system.quick_imports import garbage_left_alone, imported_when_used
from imageloom.system.without_compiler import without_compiler

if TYPE_CHECKING:
    from torch import Tensor, nn

PREFIX = "timm/"


def find(name: str) -> Variant:
    """Return the variant called ``timm/NAME``, where NAME may carry a tag: ``resnet50.a1_in1k``.

    Only names of timm's own registry are known; ``hf-hub:`` and ``local-dir:``, with which timm
    fetches networks described by strangers, are not.

    Raises:
        UnknownNameError: timm has no such network or no such tag; the hint names the nearest.
        EnvironmentUnsuitableError: timm is not installed.
    """
    timm = _import_timm()
    own_name = name.removeprefix(PREFIX)
    if not timm.is_model(own_name):
        raise _unknown(name, own_name.split(".")[0], timm.list_models())
    architecture, _, tag = own_name.partition(".")
    tags = [
        full.partition(".")[2] for full in timm.list_models(f"{architecture}.*", pretrained=True)
    ]
    if tag and tag not in tags:
        raise _unknown(name, own_name, [f"{architecture}.{one}" for one in tags])
    return Variant(name, f"{own_name} (timm)", "A classifier of the timm library.")


def build(variant: str, params: ModelParams, num_classes: int) -> nn.Module:
    """Return timm's network with its own head for ``num_classes`` classes.

    Raises:
        NotInRangeValueError: The network has no classification layer.
    """
    timm = _import_timm()
    name = variant.removeprefix(PREFIX)
    network = timm.create_model(name, num_classes=num_classes, drop_rate=params.dropout)
    if not network.pretrained_cfg.get("classifier"):
        raise NotInRangeValueError(
            f"{variant} has no classification layer.",
            hint="Choose a network of timm that classifies pictures.",
            details={"name": variant},
        )
    return cast("nn.Module", network)


def head_modules(network: nn.Module) -> tuple[str, ...]:
    """Return the names of timm's classification layers; distilled networks have two."""
    names = cast("Mapping[str, object]", network.pretrained_cfg)["classifier"]
    return (names,) if isinstance(names, str) else tuple(cast("list[str]", names))


def layers(network: nn.Module) -> Mapping[str, int]:
    """Return the layers that timm itself tells apart, mostly blocks; else 12 tensors each."""
    timm = _import_timm()
    if hasattr(network, "group_matcher"):
        matcher = cast("Callable[..., object]", network.group_matcher)(coarse=False)
        numbers = timm.models.group_parameters(network, matcher, reverse=True)
    else:
        numbers = timm.optim.auto_group_layers(network)
    return cast("Mapping[str, int]", numbers)


def published(variant: str) -> PublishedWeights:
    """Return what timm publishes for a variant; timm keeps and fetches the file itself.

    Raises:
        NotInRangeValueError: timm publishes no weights for it.
    """
    timm = _import_timm()
    name = variant.removeprefix(PREFIX)
    config = timm.get_pretrained_cfg(name)
    if config is None or not config.has_weights:
        raise NotInRangeValueError(
            f"timm publishes no weights for {name}.",
            hint="Use --weights none, or --weights with the path of a file.",
            details={"name": variant},
        )

    def load(control: Control) -> Mapping[str, Tensor]:
        control.tell(Notice("info", f"timm fetches the weights of {name} unless it has them."))
        try:
            network = timm.create_model(name, pretrained=True)
        # timm goes through several libraries for its downloads, each with its own errors.
        except Exception as problem:
            raise FailedToDownloadFilesError(
                f"timm could not load the published weights of {name}: {library_text(problem)}",
                hint="Try again with a network, give --weights the path of a file, or use "
                "--weights none.",
                reason="download",
                details={"name": variant},
            ) from problem
        return cast("Mapping[str, Tensor]", network.state_dict())

    return PublishedWeights(
        name=f"timm {name}{f'.{config.tag}' if config.tag and '.' not in name else ''}",
        normalisation=Normalisation(mean=tuple(config.mean), std=tuple(config.std)),
        load=load,
    )


def torch_code(variant: str, _params: ModelParams, num_classes: int) -> str:
    """Return lines that build the same network from timm alone."""
    name = variant.removeprefix(PREFIX)
    return f"import timm\nnetwork = timm.create_model({name!r}, num_classes={num_classes})"


def _import_timm() -> ModuleType:
    try:
        # Its train script, of which we use nothing, writes to wandb: a third of a second.
        with without_compiler(), garbage_left_alone(), imported_when_used("wandb", _wandb):
            import timm
    except ImportError as problem:
        raise EnvironmentUnsuitableError(
            "Networks called timm/NAME need the package timm, which is not installed.",
            hint="Install it: pip install 'imageloom[timm]'",
            reason="missing-package",
        ) from problem
    return timm


def _wandb() -> ModuleType:
    import wandb

    return wandb


def _unknown(name: str, wanted: str, known: list[str]) -> UnknownNameError:
    nearest = [PREFIX + one for one in difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)]
    meant = f"Did you mean {' or '.join(nearest)}? " if nearest else ""
    return UnknownNameError(
        f"timm has no network called {name.removeprefix(PREFIX)!r}.",
        hint=f"{meant}timm.list_models() names them all.",
        details={"name": name, "nearest": nearest},
    )


FAMILIES.declare(
    "timm",
    Family(
        name="timm",
        title="timm",
        help="Any of the more than a thousand classifiers of the timm library, as timm/NAME.",
        source="Wightman 2019, PyTorch Image Models",
        variants=(
            Variant(
                "timm/convnext_tiny",
                "ConvNeXt tiny (timm)",
                "A modern convolutional network with published weights.",
                28_589_128,
            ),
            Variant(
                "timm/efficientnet_b0",
                "EfficientNet-B0 (timm)",
                "Few parameters and operations, for small devices.",
                5_288_548,
            ),
            Variant(
                "timm/vit_small_patch16_224",
                "ViT small 16 (timm)",
                "A vision transformer; takes 224 pixels and wants published weights.",
                22_050_664,
            ),
        ),
        default_variant="timm/convnext_tiny",
        options=("dropout",),
        build=build,
        head_modules=head_modules,
        published=published,
        torch_code=torch_code,
        layers=layers,
        find=find,
        # Many networks of timm keep tables that are not in the state dict.
        state_is_complete=False,
    ),
)
