"""Pictures and labels of a batch blended with those of its neighbours: mixup and CutMix.

Legend: B batch, C channels, H height, W width.
"""

import dataclasses
import math
from typing import Final

import numpy as np
import torch

from imageloom.training.micro_batch import MicroBatch, MixedIn
from imageloom.training.params import TrainParams

_MIXING: Final = 0x6D6978
"""Keeps these random numbers apart from others of the same seed, epoch and picture."""


def mixed(batch: MicroBatch, params: TrainParams, *, epoch: int, first: int) -> MicroBatch:
    """Return a batch in which each picture is blended with the one before it, if asked for.

    With both kinds one of them is drawn for each batch. The numbers depend on the seed, the epoch
    and the first picture, so a run that is resumed blends as it would have.

    Args:
        batch: It is not changed.
        params: ``mixup_alpha`` and ``cutmix_alpha``.
        epoch: From 0.
        first: Position of the batch's first picture among the training pictures.

    Source:
        Zhang et al. 2018, mixup: Beyond Empirical Risk Minimization; Yun et al. 2019, CutMix:
        Regularization Strategy to Train Strong Classifiers with Localizable Features. Neighbours
        are blended as torchvision does.
    """
    kinds = [
        (alpha, blend)
        for alpha, blend in ((params.mixup_alpha, _mixup), (params.cutmix_alpha, _cutmix))
        if alpha > 0
    ]
    if not kinds:
        return batch
    generator = np.random.default_rng((params.seed % 2**64, epoch, first, _MIXING))
    alpha, blend = kinds[generator.integers(len(kinds))]
    inputs_BCHW, own = blend(batch.inputs_BCHW, float(generator.beta(alpha, alpha)), generator)
    others = MixedIn(batch.labels_B.roll(1, 0), part=1.0 - own, share=batch.share)
    return dataclasses.replace(batch, inputs_BCHW=inputs_BCHW, mixed_in=others)


def _mixup(
    inputs_BCHW: torch.Tensor, own: float, _: np.random.Generator
) -> tuple[torch.Tensor, float]:
    return inputs_BCHW.roll(1, 0).mul_(1.0 - own).add_(inputs_BCHW * own), own


def _cutmix(
    inputs_BCHW: torch.Tensor, own: float, generator: np.random.Generator
) -> tuple[torch.Tensor, float]:
    """Return the pictures, and how much of each is still its own after cuts at the border."""
    height, width = inputs_BCHW.shape[-2:]
    column, row = generator.integers(width), generator.integers(height)
    half = 0.5 * math.sqrt(1.0 - own)
    left, right = _around(int(column), int(half * width), width)
    top, bottom = _around(int(row), int(half * height), height)
    cut_BCHW = inputs_BCHW.clone()
    cut_BCHW[..., top:bottom, left:right] = inputs_BCHW.roll(1, 0)[..., top:bottom, left:right]
    return cut_BCHW, 1.0 - (right - left) * (bottom - top) / (width * height)


def _around(middle: int, half: int, side: int) -> tuple[int, int]:
    return max(middle - half, 0), min(middle + half, side)
