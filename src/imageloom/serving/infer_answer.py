"""Answers of Open Inference v2: what a model takes and gives, and what it said.

Legend: N pictures, K classes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from imageloom import __version__
from imageloom.scoring.predict import labels_given
from imageloom.serving.byte_tensors import pack
from imageloom.serving.infer_request import FILES, LABELS, PIXELS, PROBABILITIES, WantedOutput
from imageloom.serving.served_model import VERSION, ServedModel

HEADER_LENGTH: Final = "Inference-Header-Content-Length"


@dataclass(frozen=True)
class InferAnswer:
    """A body, and how it is to be read.

    Attributes:
        body: JSON, and tensors in binary behind it.
        header_length: Of the JSON; None where nothing stands behind it.
    """

    body: bytes
    header_length: int | None


def server_metadata() -> dict[str, object]:
    """Return what the server says of itself."""
    return {"name": "imageloom", "version": __version__, "extensions": ["binary_tensor_data"]}


def model_metadata(model: ServedModel) -> dict[str, object]:
    """Return what the model takes, of which a request has one, and what it gives."""
    return {
        "name": model.name,
        "versions": [VERSION],
        "platform": "imageloom",
        "inputs": [
            {"name": FILES, "datatype": "BYTES", "shape": [-1]},
            {"name": PIXELS, "datatype": "UINT8", "shape": [-1, -1, -1, 3]},
        ],
        "outputs": [
            {"name": PROBABILITIES, "datatype": "FP32", "shape": [-1, len(model.classes)]},
            {"name": LABELS, "datatype": "BYTES", "shape": [-1]},
        ],
        "parameters": {
            "classes": list(model.classes),
            "input_size": model.input_size,
            "digest": model.used.model.digest,
            **(
                {}
                if model.label_thresholds is None
                else {"label_thresholds": list(model.label_thresholds)}
            ),
        },
    }


def infer_answer(
    model: ServedModel,
    rows_NK: npt.NDArray[np.float32],
    outputs: Sequence[WantedOutput],
    request_id: str,
) -> InferAnswer:
    """Return the answer to a request.

    Args:
        model: Who says it.
        rows_NK: The probabilities.
        outputs: What is asked for.
        request_id: What the request called itself; empty for nothing.
    """
    described, behind = [], []
    for output in outputs:
        content, raw = _output(output, rows_NK, model)
        described.append(content)
        behind.append(raw)
    answer: dict[str, object] = {"model_name": model.name, "model_version": VERSION}
    if request_id:
        answer["id"] = request_id
    header = json.dumps({**answer, "outputs": described}).encode("ascii")
    tensors = b"".join(behind)
    is_mixed = any(output.is_binary for output in outputs)
    return InferAnswer(header + tensors, len(header) if is_mixed else None)


def _output(
    output: WantedOutput, rows_NK: npt.NDArray[np.float32], model: ServedModel
) -> tuple[dict[str, object], bytes]:
    """Return an output as the JSON says it, and what stands behind that."""
    data: object
    if output.name == PROBABILITIES:
        shape, kind = list(rows_NK.shape), "FP32"
        raw, data = rows_NK.astype("<f4").tobytes(), rows_NK.reshape(-1).tolist()
    else:
        labels = _labels(rows_NK, model)
        shape, kind, data = [len(labels)], "BYTES", labels
        raw = pack([label.encode("utf-8", "surrogateescape") for label in labels])
    content: dict[str, object] = {"name": output.name, "datatype": kind, "shape": shape}
    if output.is_binary:
        return {**content, "parameters": {"binary_data_size": len(raw)}}, raw
    return {**content, "data": data}, b""


def _labels(rows_NK: npt.NDArray[np.float32], model: ServedModel) -> list[str]:
    """Return the class of each picture; where it may have several labels, a JSON list of them."""
    thresholds = model.label_thresholds
    if thresholds is None:
        return [model.classes[place] for place in rows_NK.argmax(axis=1).tolist()]
    return [
        json.dumps(labels_given(row_K, model.classes, thresholds), ensure_ascii=False)
        for row_K in rows_NK
    ]
