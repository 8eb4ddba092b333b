"""Layers that several families share."""

import torch
import torch.nn.functional as F
from torch import nn

# B batch, F features, K classes


class DropoutLinear(nn.Linear):
    """A classification layer that sees a random part of its inputs while training.

    Its weights have the names of ``nn.Linear``, so they move between networks with and without
    dropout, and a published file fits both.

    Args:
        in_features: Features F.
        out_features: Classes K.
        dropout: Probability, 0 <= p < 1, with which a feature is zeroed in training mode.

    Source:
        Srivastava et al. 2014, Dropout: A Simple Way to Prevent Neural Networks from Overfitting.
    """

    def __init__(self, in_features: int, out_features: int, *, dropout: float) -> None:
        super().__init__(in_features, out_features)
        self.dropout = dropout

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Return logits [B, K] of features [B, F]."""
        return super().forward(F.dropout(input, self.dropout, self.training))

    def extra_repr(self) -> str:
        """Name the sizes and the dropout in ``print(network)``."""
        return f"{super().extra_repr()}, dropout={self.dropout}"
