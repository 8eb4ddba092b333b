"""Parameters of exporting a model."""

from typing import Literal

from imageloom.params import Params, parameter

FormatName = Literal["onnx", "pt2", "timm"]


class ExportParams(Params):
    """Into what a trained model is exported, and how equal it must stay."""

    to: FormatName = parameter(
        "onnx",
        help="'onnx' for ONNX Runtime and servers such as Triton; 'pt2', torch.export's own, for "
        "torch without Imageloom; 'timm', a folder that timm.create_model opens.",
    )
    largest_difference: float = parameter(
        1e-4,
        help="Most by which a probability of the exported model may differ from the model's own. "
        "Above it nothing is written.",
        ge=0,
        le=1,
    )
