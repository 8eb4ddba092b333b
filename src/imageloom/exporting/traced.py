"""A classifier as a graph of operations, for pictures in batches of any size.

Legend: B batch.
"""

import torch

from imageloom.errors import ExportError, library_text
from imageloom.exporting.classifier import Classifier
from imageloom.models.model_directory import TrainedModel

INPUT, OUTPUT = "images", "probabilities"
# torch takes a size of 1 in the example for one that never changes.
_EXAMPLE_BATCH = 2


def traced(model: TrainedModel) -> torch.export.ExportedProgram:
    """Return the graph of a model's classifier; its batch is free, its picture size is not.

    Raises:
        ExportError: The network does what no graph can hold.
    """
    classifier = Classifier(
        model.network,
        model.preprocessing.normalisation,
        has_several_labels=model.label_thresholds is not None,
    )
    try:
        return torch.export.export(
            classifier,
            (example_of(model),),
            dynamic_shapes={INPUT: {0: torch.export.Dim.DYNAMIC}},
        )
    # Whatever the network's own code or torch's tracing raises.
    except Exception as problem:
        raise ExportError(
            f"{model.architecture.title} cannot be written as a graph: {library_text(problem)}",
            hint="Another format may hold it: --to timm for a network of timm.",
            reason="not-expressible",
            details={"network": model.architecture.variant},
        ) from problem


def example_of(model: TrainedModel) -> torch.Tensor:
    """Return black pictures of the model's size, uint8 [2, 3, H, W]."""
    size = model.preprocessing.input_size
    return torch.zeros((_EXAMPLE_BATCH, 3, size, size), dtype=torch.uint8)
