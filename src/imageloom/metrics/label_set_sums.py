"""Loss and hits of pictures with several labels each, as sums that add up over batches and ranks.

Legend: B batch, K labels.
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from imageloom.metrics.ratios import ratio
from imageloom.metrics.sums import LOSS_STEPS_PER_NAT

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class LabelSetSums:
    """Sums over pictures; exact like ``ScoreSums``, whatever the grouping.

    A picture is given the labels whose probability is at least 0.5.

    Attributes:
        images: Pictures.
        loss: Sum over pictures of the binary cross-entropies of all labels, in nats.
        exact: Pictures that were given all of their labels and no other.
        right: Labels that pictures have and were given.
        given: Labels that pictures were given.
        expected: Labels that pictures have.
    """

    images: int = 0
    loss: float = 0.0
    exact: int = 0
    right: int = 0
    given: int = 0
    expected: int = 0

    def __add__(self, other: "LabelSetSums") -> "LabelSetSums":
        pairs = zip(self.as_numbers(), other.as_numbers(), strict=True)
        return _from_numbers([one + more for one, more in pairs])

    def as_numbers(self) -> list[float]:
        """Return the sums as processes exchange them."""
        return list(astuple(self))

    @property
    def mean_loss(self) -> float:
        """Mean over pictures, in nats; NaN without pictures, because 0 would look perfect."""
        return self.loss / self.images if self.images else float("nan")

    @property
    def exact_fraction(self) -> float:
        """Fraction of pictures with exactly their labels; 0 without pictures."""
        return ratio(self.exact, self.images)

    @property
    def micro_f1(self) -> float:
        """F1 over every label of every picture, 0 to 1."""
        return ratio(2 * self.right, self.given + self.expected)


def joined_label_set_sums(rows: Iterable[Sequence[float]]) -> LabelSetSums:
    """Return the sum over what ``as_numbers`` gave in each process."""
    joined = LabelSetSums()
    for row in rows:
        joined += _from_numbers(row)
    return joined


def label_set_sums(logits_BK: "Tensor", labels_BK: "Tensor") -> LabelSetSums:
    """Return the sums of one batch.

    Args:
        logits_BK: Network output before the sigmoid, any floating type.
        labels_BK: bool, which labels each picture has.
    """
    import torch

    logits_BK = logits_BK.double()
    losses_BK = torch.nn.functional.binary_cross_entropy_with_logits(
        logits_BK, labels_BK.double(), reduction="none"
    )
    loss_B = losses_BK.sum(dim=1)
    rounded_B = (loss_B * LOSS_STEPS_PER_NAT).round() / LOSS_STEPS_PER_NAT
    given_BK = logits_BK >= 0
    return LabelSetSums(
        images=len(labels_BK),
        loss=float(rounded_B.sum()),
        exact=int((given_BK == labels_BK).all(dim=1).sum()),
        right=int((given_BK & labels_BK).sum()),
        given=int(given_BK.sum()),
        expected=int(labels_BK.sum()),
    )


def _from_numbers(row: Sequence[float]) -> LabelSetSums:
    images, loss, *counts = row
    exact, right, given, expected = map(int, counts)
    return LabelSetSums(int(images), loss, exact, right, given, expected)
