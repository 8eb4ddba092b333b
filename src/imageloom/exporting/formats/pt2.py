"""``.pt2``: torch.export's own file, for torch without Imageloom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imageloom.exporting.about import about
from imageloom.exporting.export_format import EXPORT_FORMATS, ExportFormat

if TYPE_CHECKING:
    from imageloom.exporting.export_format import Runtime
    from imageloom.models.model_directory import TrainedModel

FILE: Final = "model.pt2"
ABOUT: Final = "imageloom.json"


def write(model: TrainedModel, folder: Path) -> None:
    """Write ``model.pt2``, which holds what the model is under ``imageloom.json``.

    Raises:
        ExportError: The network does what no graph can hold.
    """
    import torch

    from imageloom.exporting.traced import traced

    torch.export.save(
        traced(model),
        folder / FILE,
        extra_files={ABOUT: json.dumps(about(model), ensure_ascii=False)},
    )


def open_written(_model: TrainedModel, folder: Path) -> Runtime:
    """Open what ``write`` has written a moment before; never a stranger's file, which runs code."""
    import torch

    program = torch.export.load(folder / FILE).module()

    def probabilities_of(images_BCHW: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            probabilities_BK: torch.Tensor = program(images_BCHW)
        return probabilities_BK

    return probabilities_of


def use(model: TrainedModel) -> str:
    """Return how it is run."""
    size = model.preprocessing.input_size
    last = "print(classes[network(images)[0].argmax()])"
    if model.label_thresholds is not None:
        last = f"""thresholds = json.loads(about["{ABOUT}"])["label_thresholds"]
print([name for name, p, t in zip(classes, network(images)[0], thresholds) if p >= t])"""
    return f"""```python
import json
import torch

about = {{"{ABOUT}": ""}}
network = torch.export.load("{FILE}", extra_files=about).module()
classes = json.loads(about["{ABOUT}"])["classes"]
images = torch.zeros((1, 3, {size}, {size}), dtype=torch.uint8)  # your pictures, RGB, 0 to 255
{last}
```

Open only files that you trust: torch runs what is in them."""


EXPORT_FORMATS.declare(
    "pt2",
    ExportFormat(
        name="pt2",
        title="torch.export",
        packages=(),
        extra="",
        write=write,
        open=open_written,
        use=use,
    ),
)
