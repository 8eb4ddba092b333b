"""A folder that timm opens: ``timm.create_model("local-dir:FOLDER", pretrained=True)``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from imageloom.errors import ExportError
from imageloom.exporting.export_format import EXPORT_FORMATS, ExportFormat
from imageloom.preprocessing import CenterCrop, Letterbox, Preprocessing, Resize, Squash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

    from imageloom.exporting.export_format import Runtime
    from imageloom.models.model_directory import TrainedModel

CONFIG: Final = "config.json"
WEIGHTS: Final = "model.safetensors"


def write(model: TrainedModel, folder: Path) -> None:
    """Write ``config.json`` and ``model.safetensors``.

    Raises:
        ExportError: timm has no such network.
    """
    from imageloom.models.safetensors_file import safetensors_bytes

    state = model.network.state_dict()
    _require_same_network(model, state)
    normalisation, size = model.preprocessing.normalisation, model.preprocessing.input_size
    config = {
        "architecture": _own_name(model).partition(".")[0],
        "num_classes": len(model.classes),
        "label_names": list(model.classes),
        "pretrained_cfg": {
            "input_size": [3, size, size],
            "mean": list(normalisation.mean),
            "std": list(normalisation.std),
            "interpolation": "bilinear",
            **_crop(model.preprocessing),
        },
    }
    text = json.dumps(config, indent=2, ensure_ascii=False)
    (folder / CONFIG).write_text(text, encoding="utf-8")
    (folder / WEIGHTS).write_bytes(safetensors_bytes(state))


def open_written(model: TrainedModel, folder: Path) -> Runtime:
    """Open it as any user of timm does."""
    import timm
    import torch

    from imageloom.exporting.classifier import Classifier

    network = timm.create_model(f"local-dir:{folder}", pretrained=True)
    said = cast("Mapping[str, Sequence[float]]", network.pretrained_cfg)
    stated = model.preprocessing.normalisation.model_copy(
        update={"mean": tuple(said["mean"]), "std": tuple(said["std"])}
    )
    classifier = Classifier(network, stated, has_several_labels=model.label_thresholds is not None)

    def probabilities_of(images_BCHW: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            probabilities_BK: torch.Tensor = classifier(images_BCHW)
        return probabilities_BK

    return probabilities_of


def use(model: TrainedModel) -> str:
    """Return how it is run."""
    note = ""
    if not _crop(model.preprocessing):
        note = (
            "\n\ntimm's own transform does not prepare pictures as this network was trained: take "
            "the steps of `preprocessing` in `export.json`."
        )
    last = 'print(network.pretrained_cfg["label_names"][network(picture)[0].argmax()])'
    if model.label_thresholds is not None:
        last = """import json

probabilities = network(picture)[0].sigmoid()  # one label each, which do not add up to 1
about = json.load(open("export.json"))
for name, value, threshold in zip(about["classes"], probabilities, about["label_thresholds"]):
    if value >= threshold:
        print(name)"""
    return f"""```python
import timm
from PIL import Image

network = timm.create_model("local-dir:THIS_FOLDER", pretrained=True).eval()
transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network))
picture = transform(Image.open("picture.jpg").convert("RGB")).unsqueeze(0)
{last}
```{note}"""


def _own_name(model: TrainedModel) -> str:
    return model.architecture.variant.removeprefix("timm/")


def _require_same_network(model: TrainedModel, state: dict[str, torch.Tensor]) -> None:
    """Refuse a network that timm would build with other weights, such as one of the small stem."""
    import timm
    import torch

    name = _own_name(model)
    if not timm.is_model(name):
        raise _not_in_timm(model, f"timm has no network called {name}")
    with torch.device("meta"):
        network = timm.create_model(name, num_classes=len(model.classes))
    theirs = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    ours = {key: tuple(tensor.shape) for key, tensor in state.items()}
    different = sorted(
        key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key)
    )
    if different:
        first = different[0]
        raise _not_in_timm(
            model,
            f"timm's {name} has other weights: {first} is {theirs.get(first, 'not there')} there, "
            f"and {ours.get(first, 'not there')} here",
        )


def _not_in_timm(model: TrainedModel, why: str) -> ExportError:
    options = ", ".join(f"{key}={value}" for key, value in model.architecture.options.items())
    return ExportError(
        f"{model.architecture.title} ({options}) cannot be opened by timm: {why}.",
        hint="Export it with --to onnx or --to pt2, which hold any network.",
        reason="not-expressible",
        details={"network": model.architecture.variant},
    )


def _crop(preprocessing: Preprocessing) -> dict[str, object]:
    """Return how timm prepares a picture likewise; nothing where it cannot."""
    match preprocessing.transforms:
        case (Resize(size=resized), CenterCrop(size=size)) if size <= resized:
            return {"crop_mode": "center", "crop_pct": _fraction(size, resized)}
        case (Squash(),):
            return {"crop_mode": "squash", "crop_pct": 1.0}
        case (Letterbox(),):  # with bars of the mean colour, where ours are grey
            return {"crop_mode": "border", "crop_pct": 1.0}
        case _:
            return {}


def _fraction(size: int, resized: int) -> float:
    """Return the fraction of which timm, which rounds down, makes just this size again."""
    fraction = size / resized
    return fraction if math.floor(size / fraction) == resized else math.nextafter(fraction, 0)


EXPORT_FORMATS.declare(
    "timm",
    ExportFormat(
        name="timm",
        title="timm",
        packages=("timm",),
        extra="timm",
        write=write,
        open=open_written,
        use=use,
    ),
)
