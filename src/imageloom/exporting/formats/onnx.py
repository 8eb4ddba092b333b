"""ONNX, for ONNX Runtime and servers such as Triton."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imageloom.errors import ExportError, library_text
from imageloom.exporting.about import about
from imageloom.exporting.export_format import EXPORT_FORMATS, ExportFormat

if TYPE_CHECKING:
    import torch

    from imageloom.exporting.export_format import Runtime
    from imageloom.models.model_directory import TrainedModel

FILE: Final = "model.onnx"
# Opset 20 of ONNX 1.15 (2023): ONNX Runtime 1.17 and later run it.
OPSET: Final = 20
# A file of protobuf cannot be larger than 2 GiB; tensors lie beside it then.
_MOST_BYTES_INSIDE: Final = 1_800_000_000


def write(model: TrainedModel, folder: Path) -> None:
    """Write ``model.onnx``, whose metadata say what the model is.

    Raises:
        ExportError: The network does what no graph, or ONNX, can hold.
    """
    import torch

    from imageloom.exporting.traced import INPUT, OUTPUT, example_of, traced

    graph = traced(model)
    said = io.StringIO()  # the exporter tells its steps to the screen
    try:
        with contextlib.redirect_stdout(said):
            program = torch.onnx.export(
                graph,
                (example_of(model),),
                input_names=[INPUT],
                output_names=[OUTPUT],
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    # The exporter has a tree of errors of its own, and passes on those of several libraries.
    except Exception as problem:
        raise ExportError(
            f"{model.architecture.title} cannot be written as ONNX: {library_text(problem)}",
            hint="Another format may hold it: --to pt2, or --to timm for a network of timm.",
            reason="not-expressible",
            details={"network": model.architecture.variant},
        ) from problem
    assert program is not None  # as it is with dynamo
    for key, value in about(model).items():
        program.model.metadata_props[key] = json.dumps(value, ensure_ascii=False)
    size = sum(tensor.nbytes for tensor in model.network.state_dict().values())
    program.save(folder / FILE, external_data=size > _MOST_BYTES_INSIDE)


def open_written(_model: TrainedModel, folder: Path) -> Runtime:
    """Open it with ONNX Runtime on the CPU."""
    import onnxruntime
    import torch

    from imageloom.exporting.traced import INPUT

    session = onnxruntime.InferenceSession(str(folder / FILE), providers=["CPUExecutionProvider"])

    def probabilities_of(images_BCHW: torch.Tensor) -> torch.Tensor:
        (found,) = session.run(None, {INPUT: images_BCHW.contiguous().numpy()})
        return torch.from_numpy(found)

    return probabilities_of


def use(model: TrainedModel) -> str:
    """Return how it is run."""
    size = model.preprocessing.input_size
    last = "print(classes[probabilities[0].argmax()])"
    if model.label_thresholds is not None:
        last = """about = session.get_modelmeta().custom_metadata_map
thresholds = json.loads(about["label_thresholds"])
print([name for name, p, t in zip(classes, probabilities[0], thresholds) if p >= t])"""
    return f"""```python
import json
import numpy, onnxruntime

session = onnxruntime.InferenceSession("{FILE}")
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
images = numpy.zeros((1, 3, {size}, {size}), numpy.uint8)  # your pictures, RGB, 0 to 255
(probabilities,) = session.run(None, {{"images": images}})
{last}
```"""


EXPORT_FORMATS.declare(
    "onnx",
    ExportFormat(
        name="onnx",
        title="ONNX",
        packages=("onnx", "onnxscript", "onnxruntime"),
        extra="onnx",
        write=write,
        open=open_written,
        use=use,
    ),
)
