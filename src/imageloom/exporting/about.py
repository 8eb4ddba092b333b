"""What an exported model says of itself: in its own metadata where the format has some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imageloom import __version__

if TYPE_CHECKING:
    from imageloom.models.model_directory import TrainedModel


def about(model: TrainedModel) -> dict[str, object]:
    """Return plain JSON values by name, the same for equal models.

    ``classes`` are the names of the outputs, in order. ``preprocessing`` says how a decoded picture
    becomes the input; where pictures may have several labels, ``label_thresholds`` says from which
    probability each is given; where ``input`` is uint8, the normalisation is part of the graph.
    """
    size, thresholds = model.preprocessing.input_size, model.label_thresholds
    several = {} if thresholds is None else {"label_thresholds": list(thresholds)}
    each = "" if thresholds is None else ", each by itself"
    return {
        "classes": list(model.classes),
        "input": f"uint8 [batch, 3, {size}, {size}], RGB, 0 to 255",
        **several,
        "output": f"probabilities, float32 [batch, classes]{each}",
        "preprocessing": model.preprocessing.to_json(),
        "architecture": model.architecture.to_json(),
        "model_digest": model.digest,
        "made_by": f"imageloom {__version__}",
    }
