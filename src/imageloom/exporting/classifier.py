"""A network with what stands before and behind it, so that it needs nothing else.

Legend: B batch, C channels, H height, W width, K classes.
"""

import torch
from torch import nn

from imageloom.preprocessing import Normalisation


class Classifier(nn.Module):
    """Takes pictures of the network's size as they are decoded, and gives probabilities.

    Args:
        network: Gives float32 [B, K] for float32 [B, 3, H, W]; it is put into evaluation mode.
        normalisation: The network's own; becomes part of the graph.
        has_several_labels: Whether each number is the probability of one label by itself.
    """

    mean_C11: torch.Tensor
    std_C11: torch.Tensor

    def __init__(
        self,
        network: nn.Module,
        normalisation: Normalisation,
        *,
        has_several_labels: bool = False,
    ) -> None:
        super().__init__()
        self._has_several_labels = has_several_labels
        self.network = network
        self.register_buffer("mean_C11", torch.tensor(normalisation.mean).view(3, 1, 1))
        self.register_buffer("std_C11", torch.tensor(normalisation.std).view(3, 1, 1))
        self.eval()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return float32 [B, K] that adds up to 1 in each row; not so with several labels.

        Args:
            images: uint8 [B, 3, H, W], RGB, 0 to 255.
        """
        values_BCHW = (images.to(torch.float32) / 255 - self.mean_C11) / self.std_C11
        logits_BK: torch.Tensor = self.network(values_BCHW)
        return logits_BK.sigmoid() if self._has_several_labels else logits_BK.softmax(dim=1)
