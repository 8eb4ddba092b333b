"""Loss and hits as sums that add up over batches and ranks.

Legend: B batch, K classes. Labels are positions in the class list; -1 is unknown and never counted.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch import Tensor

LOSS_STEPS_PER_NAT: Final = 2.0**26


@dataclass(frozen=True)
class ScoreSums:
    """Sums over pictures that add up over batches and over ranks.

    The sum over any grouping of the same pictures is the same to the last bit: counts are whole
    numbers, and each picture's loss is rounded to a multiple of 2^-26 (1.5e-8), so that additions
    in float64 are exact until the sum passes 2^27 (1.3e8).

    Attributes:
        images: Pictures with a known label.
        loss: Sum of cross-entropies, in nats; NaN or infinite as soon as one picture's is.
        top1: Pictures whose label has the highest logit. While a network learns from pictures with
            several labels each: those that are given exactly theirs.
        top5: Pictures whose label is among the five highest logits.
    """

    images: int = 0
    loss: float = 0.0
    top1: int = 0
    top5: int = 0

    def __add__(self, other: "ScoreSums") -> "ScoreSums":
        return ScoreSums(
            images=self.images + other.images,
            loss=self.loss + other.loss,
            top1=self.top1 + other.top1,
            top5=self.top5 + other.top5,
        )

    def as_numbers(self) -> list[float]:
        """Return the sums as processes exchange them: float64 holds the counts up to 2^53."""
        return [self.images, self.loss, self.top1, self.top5]

    @property
    def mean_loss(self) -> float:
        """Mean cross-entropy in nats; NaN without pictures, because 0 would look perfect."""
        return self.loss / self.images if self.images else math.nan

    @property
    def top1_fraction(self) -> float:
        """Top-1 accuracy, 0 to 1; 0 without pictures."""
        return self.top1 / self.images if self.images else 0.0

    @property
    def top5_fraction(self) -> float:
        """Top-5 accuracy, 0 to 1; 0 without pictures."""
        return self.top5 / self.images if self.images else 0.0


def joined_sums(rows: Iterable[Sequence[float]]) -> ScoreSums:
    """Return the sum over what ``as_numbers`` gave in each process."""
    joined = ScoreSums()
    for images, loss, top1, top5 in rows:
        joined += ScoreSums(int(images), loss, int(top1), int(top5))
    return joined


def score_sums(logits_BK: "Tensor", labels_B: "Tensor") -> ScoreSums:
    """Return the sums of one batch.

    Args:
        logits_BK: Network output before softmax, any floating type.
        labels_B: int64 positions, -1 where unknown.
    """
    known_B = labels_B >= 0
    logits_BK, labels_B = logits_BK[known_B].double(), labels_B[known_B]
    own_B = logits_BK.gather(1, labels_B[:, None]).squeeze(1)
    loss_B = logits_BK.logsumexp(dim=1) - own_B
    rounded_B = (loss_B * LOSS_STEPS_PER_NAT).round() / LOSS_STEPS_PER_NAT
    return ScoreSums(
        images=len(labels_B),
        loss=float(rounded_B.sum()),
        top1=int(topk_correct(logits_BK, labels_B, k=1)),
        top5=int(topk_correct(logits_BK, labels_B, k=5)),
    )


def topk_correct(logits_BK: "Tensor", labels_B: "Tensor", k: int) -> "Tensor":
    """Count the pictures whose label is among the k highest logits.

    Equal logits are placed in the order of the class list, as argmax does, so the count does not
    depend on the device or on the number of classes that tie. A NaN is placed before everything;
    a label whose own logit is NaN is never correct.

    Args:
        logits_BK: Logits or probabilities, any floating type.
        labels_B: int64 positions, -1 where unknown.
        k: At least 1; more than K counts as K.

    Returns:
        The count, a scalar of int64 on the device of the logits.
    """
    import torch

    num_classes = logits_BK.shape[1]
    own_B1 = logits_BK.gather(1, labels_B.clamp(min=0)[:, None])
    earlier_BK = torch.arange(num_classes, device=labels_B.device) < labels_B[:, None]
    place_B = torch.where(earlier_BK, ~(logits_BK < own_B1), ~(logits_BK <= own_B1)).sum(dim=1)
    return ((place_B < min(k, num_classes)) & (labels_B >= 0)).sum()
