"""One temperature for a trained network, so that its probabilities say how often it is right.

Legend: N pictures, K classes. Labels are int64 [N], or float32 [N, K] of 0 and 1 where each picture
may have several.
"""

import math
from typing import Final

import torch
from torch import nn

from imageloom.data.loading.loader import BatchKey, sequential_batches
from imageloom.events import Notice
from imageloom.models.architecture import Architecture
from imageloom.models.family import FAMILIES
from imageloom.scoring.inference import predict_batches
from imageloom.training.label_kinds import labels_of
from imageloom.training.session import Session
from imageloom.training.step import num_right

_LEAST: Final = 1e-3
_MOST: Final = 1e3
_HALVINGS: Final = 60


def fitted_temperature(logits_NK: torch.Tensor, labels_N: torch.Tensor) -> float:
    """Return the number by which logits are divided so that their cross-entropy is least.

    In its inverse the cross-entropy is convex, so its slope changes sign once; that place is found
    by halving. It is held between 0.001 and 1,000.

    Args:
        logits_NK: Any floating type; computed in float64.
        labels_N: As above. With several labels it is the binary cross-entropy of each.

    Source:
        Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2.
    """
    logits_NK = logits_NK.double()
    is_several = labels_N.dim() == 2
    labels_NK = labels_N if is_several else nn.functional.one_hot(labels_N, logits_NK.shape[1])
    own_N = torch.where(labels_NK > 0, logits_NK, 0.0).sum(dim=1)

    def slope(inverse: float) -> float:
        scaled_NK = logits_NK * inverse
        probabilities_NK = scaled_NK.sigmoid() if is_several else scaled_NK.softmax(dim=1)
        return float(((probabilities_NK * logits_NK).sum(dim=1) - own_N).mean())

    low, high = 1 / _MOST, 1 / _LEAST
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 1 / math.sqrt(low * high)


def calibrate(session: Session, architecture: Architecture) -> float:
    """Divide what the network says by a temperature that fits the validation pictures.

    The last layer is divided, so whatever uses the model has calibrated probabilities, and no
    picture is named otherwise than before.

    Returns:
        The temperature; 1 where none can be found or applied, which is told.
    """
    layers = last_layers(session.stepper.network, architecture)
    if not layers:
        return _left_alone(session, "it ends in no plain layer")
    logits_NK, labels_N = _validation_logits(session)
    if int(num_right(logits_NK, labels_N)) == len(labels_N):
        why = "it is right on all validation pictures, so nothing says how often it will be wrong"
        return _left_alone(session, why)
    temperature = fitted_temperature(logits_NK, labels_N)
    with torch.no_grad():
        for layer in layers:
            for parameter in layer.parameters():
                parameter.div_(temperature)
    session.reporter.notice(
        Notice("info", f"Calibrated: what the network says was divided by {temperature:.3g}.")
    )
    return temperature


def _left_alone(session: Session, why: str) -> float:
    session.reporter.notice(Notice("warning", f"The network was not calibrated: {why}."))
    return 1.0


def last_layers(network: nn.Module, architecture: Architecture) -> list[nn.Module]:
    """Return the layers whose output is that of the network, or none where they are others."""
    names = FAMILIES.get(architecture.family).head_modules(network)
    found = [network.get_submodule(name) for name in names]
    return found if all(isinstance(one, nn.Linear | nn.Conv2d) for one in found) else []


def _validation_logits(session: Session) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits, float32 [N, K], and labels of the validation pictures."""
    batches = sequential_batches(len(session.validation), session.params.pictures_per_batch * 2)
    loaded = session.validation_loader.batches([BatchKey(0, tuple(batch)) for batch in batches])
    said = [
        (logits_BK, labels_of(session.validation, batch))
        for batch, logits_BK in predict_batches(
            session.stepper.network, loaded, session.compute, session.normalisation
        )
    ]
    return torch.cat([one for one, _ in said]), torch.cat([labels_B for _, labels_B in said])
